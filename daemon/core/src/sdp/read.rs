//! The few lines of an SDP that matter, borrowed from its text (RFC 8866, RFC 9429).
//!
//! Reading judges nothing but form: what an m-line is worth is decided in [`super::choose`].
//! All bounds of [`crate::wire::limits`] are checked before the work they bound is done.

use crate::wire::Reason;
use crate::wire::limits::{SDP_BYTES, SDP_LINES, SDP_MEDIA};

/// An SDP, offer or answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer<'a> {
    /// `o=`: session id and version, decimal digits both.
    pub origin: (&'a str, &'a str),
    /// `a=ice-lite`.
    pub ice_lite: bool,
    /// The mids of each `a=group:BUNDLE`, in order.
    pub bundles: Vec<Vec<&'a str>>,
    /// Session-level ICE and DTLS lines; they count for every m-line that has none of its own.
    pub transport: Transport<'a>,
    /// The m-lines, in order.
    pub media: Vec<Media<'a>>,
}

/// The ICE and DTLS lines of one level (RFC 8839 section 5.4, RFC 8122 section 5, RFC 8842).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transport<'a> {
    /// `a=ice-ufrag`.
    pub ufrag: Option<&'a str>,
    /// `a=ice-pwd`.
    pub pwd: Option<&'a str>,
    /// `a=fingerprint`, each as written: hash and digits.
    pub fingerprints: Vec<&'a str>,
    /// `a=setup`.
    pub setup: Option<&'a str>,
    /// `a=ice-options`.
    pub options: Option<&'a str>,
    /// One of these was given twice, with different values.
    pub contradicts: bool,
}

/// Which way an m-line goes, seen from whoever wrote the SDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// `a=sendrecv`, also where nothing is said.
    SendRecv,
    /// `a=sendonly`.
    SendOnly,
    /// `a=recvonly`.
    RecvOnly,
    /// `a=inactive`.
    Inactive,
}

/// `a=extmap` (RFC 8285 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension<'a> {
    /// Its number on the wire.
    pub id: u8,
    /// Which way it goes, where that is said.
    pub way: Option<Way>,
    /// What it is.
    pub uri: &'a str,
}

/// One m-line with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media<'a> {
    /// Its place among the m-lines.
    pub index: usize,
    /// `audio`, `video`, `application` …
    pub kind: &'a str,
    /// Port; 0 is rejected, or bundle-only.
    pub port: u16,
    /// `UDP/TLS/RTP/SAVPF` …
    pub protocol: &'a str,
    /// Payload types or other formats, as written.
    pub formats: Vec<&'a str>,
    /// `a=mid`.
    pub mid: Option<&'a str>,
    /// Which way it goes.
    pub way: Way,
    /// `a=rtpmap`: payload type and encoding, such as `H264/90000`.
    pub rtpmaps: Vec<(u8, &'a str)>,
    /// `a=fmtp`: payload type and parameters.
    pub fmtps: Vec<(u8, &'a str)>,
    /// `a=rtcp-fb`: payload type (or `*`) and value.
    pub feedback: Vec<(&'a str, &'a str)>,
    /// `a=extmap`.
    pub extensions: Vec<Extension<'a>>,
    /// ICE and DTLS lines of its own.
    pub transport: Transport<'a>,
    /// `a=candidate` values.
    pub candidates: Vec<&'a str>,
    /// `a=ssrc` values: number and attribute.
    pub ssrcs: Vec<(u32, &'a str)>,
    /// `a=rtcp-mux`.
    pub rtcp_mux: bool,
    /// `a=rtcp-rsize`.
    pub rtcp_rsize: bool,
    /// `b=`: the most that the viewer wants of it, in kbit/s (RFC 8866 section 5.8, RFC 3890).
    pub takes: Option<u32>,
    /// `a=bundle-only` (RFC 9143 section 6).
    pub bundle_only: bool,
    /// `a=sctp-port`.
    pub sctp_port: Option<&'a str>,
    /// Mid or direction was given twice, with different values.
    pub contradicts: bool,
    way_given: bool,
}

/// Reads an SDP.
///
/// # Errors
/// [`Reason::TooLarge`] past a bound; [`Reason::BadOffer`] for text that is no SDP: no `v=0` first, no `o=` with
/// numbers, a line that is not `x=…`, a control character, an m-line without port, protocol or format.
pub fn read(text: &str) -> Result<Offer<'_>, Reason> {
    check_size(text)?;
    if text.bytes().any(|byte| byte.is_ascii_control() && !b"\r\n\t".contains(&byte)) {
        return Err(Reason::BadOffer);
    }
    let mut lines = text.lines();
    if lines.next() != Some("v=0") {
        return Err(Reason::BadOffer);
    }
    let mut origin = None;
    let mut session = Session::default();
    let mut media: Vec<Media<'_>> = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let (kind, value) = split_line(line).ok_or(Reason::BadOffer)?;
        match (kind, media.last_mut()) {
            ('m', _) => {
                if media.len() == SDP_MEDIA {
                    return Err(Reason::TooLarge);
                }
                media.push(Media::start(media.len(), value, session.way).ok_or(Reason::BadOffer)?);
            }
            ('o', None) if origin.is_none() => origin = Some(read_origin(value).ok_or(Reason::BadOffer)?),
            ('o' | 'v', None) => return Err(Reason::BadOffer),
            ('a', None) => session.attribute(value),
            ('a', Some(media)) => media.attribute(value),
            ('b', Some(media)) => media.takes = bandwidth(value).or(media.takes),
            _ => {}
        }
    }
    Ok(Offer {
        origin: origin.ok_or(Reason::BadOffer)?,
        ice_lite: session.ice_lite,
        bundles: session.bundles,
        transport: session.transport,
        media,
    })
}

/// `a=ice-ufrag` of an SDP: the first there is, as every line of a bundle has the same.
pub fn ufrag(text: &str) -> Option<&str> {
    check_size(text).ok()?;
    text.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:"))
}

/// Whether `second` is `first` said again (candidates may have been added since): same session, same ICE and DTLS
/// identity. Anything else under the same call is another offer.
pub fn same_offer(first: &str, second: &str) -> bool {
    let identity = |text| {
        let offer = read(text).ok()?;
        let media: Vec<_> = offer
            .media
            .into_iter()
            .map(|media| (media.kind, media.mid, media.way, media.formats, media.transport))
            .collect();
        Some((offer.origin, offer.transport, media))
    };
    first == second || identity(first).is_some_and(|first| identity(second) == Some(first))
}

fn check_size(text: &str) -> Result<(), Reason> {
    let fits = text.len() <= SDP_BYTES && text.lines().nth(SDP_LINES).is_none();
    if fits { Ok(()) } else { Err(Reason::TooLarge) }
}

/// `x=value`.
fn split_line(line: &str) -> Option<(char, &str)> {
    let (kind, value) = line.split_once('=')?;
    let mut letters = kind.chars();
    let letter = letters.next().filter(char::is_ascii_lowercase)?;
    (letters.next().is_none() && !value.contains('\r')).then_some((letter, value))
}

/// `AS:<kbit/s>` or `TIAS:<bit/s>`.
fn bandwidth(value: &str) -> Option<u32> {
    match value.split_once(':')? {
        ("AS", kbit) => kbit.parse().ok(),
        ("TIAS", bits) => bits.parse::<u32>().ok().map(|bits| bits / 1000),
        _ => None,
    }
}

/// `o=<user> <session id> <version> IN IP4 <address>`.
fn read_origin(value: &str) -> Option<(&str, &str)> {
    let mut words = value.split(' ').skip(1);
    let mut number = || words.next().filter(|word| is_number(word));
    Some((number()?, number()?))
}

/// Up to twenty digits, as an unsigned 64-bit number may have.
fn is_number(word: &str) -> bool {
    (1..=20).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit())
}

#[derive(Default)]
struct Session<'a> {
    ice_lite: bool,
    bundles: Vec<Vec<&'a str>>,
    transport: Transport<'a>,
    way: Option<Way>,
}

impl<'a> Session<'a> {
    fn attribute(&mut self, attribute: &'a str) {
        let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
        match name {
            "ice-lite" => self.ice_lite = true,
            "group" => {
                let mut words = value.split_ascii_whitespace();
                if words.next() == Some("BUNDLE") {
                    self.bundles.push(words.collect());
                }
            }
            _ => {
                self.way = self.way.or(Way::read(name));
                self.transport.attribute(name, value);
            }
        }
    }
}

impl<'a> Transport<'a> {
    fn attribute(&mut self, name: &str, value: &'a str) {
        let slot = match name {
            "ice-ufrag" => &mut self.ufrag,
            "ice-pwd" => &mut self.pwd,
            "setup" => &mut self.setup,
            "ice-options" => &mut self.options,
            "fingerprint" => {
                if !self.fingerprints.contains(&value) {
                    self.fingerprints.push(value);
                }
                return;
            }
            _ => return,
        };
        self.contradicts |= *slot.get_or_insert(value) != value;
    }
}

impl Way {
    /// The attribute that says so.
    pub fn attribute(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    fn read(attribute: &str) -> Option<Self> {
        [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive]
            .into_iter()
            .find(|way| way.attribute() == attribute)
    }
}

impl<'a> Extension<'a> {
    /// `<id>[/<direction>] <uri> [<attributes>]`.
    fn read(value: &'a str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let number = words.next()?;
        let (id, way) = match number.split_once('/') {
            Some((id, way)) => (id, Some(Way::read(way)?)),
            None => (number, None),
        };
        Some(Self { id: id.parse().ok()?, way, uri: words.next()? })
    }
}

impl<'a> Media<'a> {
    /// `m=<kind> <port> <protocol> <format> …`; a port with a count (`9/2`) is none a browser writes.
    fn start(index: usize, value: &'a str, way: Option<Way>) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let kind = words.next().filter(|kind| is_token(kind))?;
        let port = words.next()?.parse().ok()?;
        let protocol = words.next().filter(|word| word.bytes().all(|byte| byte.is_ascii_graphic()))?;
        let formats: Vec<_> = words.collect();
        let sound = !formats.is_empty() && formats.iter().all(|format| is_token(format));
        sound.then(|| Self {
            index,
            kind,
            port,
            protocol,
            formats,
            mid: None,
            way: way.unwrap_or(Way::SendRecv),
            rtpmaps: Vec::new(),
            fmtps: Vec::new(),
            feedback: Vec::new(),
            extensions: Vec::new(),
            transport: Transport::default(),
            candidates: Vec::new(),
            ssrcs: Vec::new(),
            rtcp_mux: false,
            rtcp_rsize: false,
            takes: None,
            bundle_only: false,
            sctp_port: None,
            contradicts: false,
            way_given: false,
        })
    }

    fn attribute(&mut self, attribute: &'a str) {
        let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
        let pair = || value.split_once(' ');
        let numbered = || pair().and_then(|(number, rest)| Some((number.parse().ok()?, rest)));
        match name {
            "mid" => self.contradicts |= *self.mid.get_or_insert(value) != value,
            "rtpmap" => self.rtpmaps.extend(numbered()),
            "fmtp" => self.fmtps.extend(numbered()),
            "rtcp-fb" => self.feedback.extend(pair()),
            "extmap" => self.extensions.extend(Extension::read(value)),
            "candidate" => self.candidates.push(value),
            "ssrc" => {
                self.ssrcs.extend(pair().and_then(|(ssrc, rest)| Some((ssrc.parse().ok()?, rest))));
            }
            "rtcp-mux" => self.rtcp_mux = true,
            "rtcp-rsize" => self.rtcp_rsize = true,
            "bundle-only" => self.bundle_only = true,
            "sctp-port" => self.sctp_port = Some(value),
            _ => match Way::read(attribute) {
                Some(way) => {
                    self.contradicts |= self.way_given && self.way != way;
                    self.way = way;
                    self.way_given = true;
                }
                None => self.transport.attribute(name, value),
            },
        }
    }
}

/// A token of RFC 8866 section 9, of at most 64 characters.
pub(super) fn is_token(word: &str) -> bool {
    (1..=64).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{|}~".contains(&byte))
}
