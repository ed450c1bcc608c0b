//! Links to the page, with a key in them or without, as text and as a QR code. Must not know who is to open them.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anstyle::{AnsiColor, Color, Style};
use porthole_core::access::Key;
use porthole_core::config::settings::{ExternalRelay, RelayMode, RelaySettings, TlsSource};
use porthole_core::ids::RoomName;
use porthole_core::wire::dialect::{Choice, Known};
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use crate::addresses;

/// Dark modules on light ground, whatever the colours of the terminal are.
const PAPER: Style = Style::new()
    .fg_color(Some(Color::Ansi(AnsiColor::Black)))
    .bg_color(Some(Color::Ansi(AnsiColor::BrightWhite)));

/// Where the page is, and what it has to be told of where its room is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    origins: Vec<String>,
    elsewhere: String,
    /// The relay is shown a token by the camera. One of our own kind asks cameras for it, any other probably everybody.
    wants_token: bool,
}

impl Page {
    /// The page that is served on `bound`, under every name by which browsers reach it.
    pub fn of(relay: &RelaySettings, bound: SocketAddr) -> Self {
        // Without a list of the machine's addresses the link through localhost is still true.
        let own = if bound.ip().is_unspecified() { addresses::own().unwrap_or_default() } else { Vec::new() };
        Self::on_machine(relay, bound, &own)
    }

    /// The same on a machine with these addresses.
    pub fn on_machine(relay: &RelaySettings, bound: SocketAddr, own: &[IpAddr]) -> Self {
        // The page has to be told where the room is when it is not where the page comes from.
        let elsewhere = match &relay.mode {
            RelayMode::Embedded => String::new(),
            RelayMode::External(other) if other.path == ExternalRelay::PATH => {
                format!("&relay={}", other.url)
            }
            // Inside a fragment a percent sign begins something.
            RelayMode::External(other) => format!("&relay={}{}", other.url, other.path.replace('%', "%25")),
        };
        let wants_token = matches!(&relay.mode, RelayMode::External(other)
            if !other.auth.0.is_empty() && other.dialect != Choice::Known(Known::Porthole));
        Self { origins: origins(relay, bound, own), elsewhere, wants_token }
    }

    /// Where it is under its likeliest name, without a path.
    pub fn origin(&self) -> &str {
        self.origins.first().map_or("", String::as_str)
    }

    /// Where it is over https, if it is also there over http.
    pub fn secure_origin(&self) -> Option<&str> {
        let plain = self.origins.iter().any(|origin| origin.starts_with("http://"));
        self.origins.iter().find(|origin| plain && origin.starts_with("https://")).map(String::as_str)
    }

    /// Every link to `room`, the one to be opened first. With a `key`, whoever has the link has the key.
    pub fn links(&self, room: &RoomName, key: Option<&Key>) -> Vec<String> {
        let key = key.map(|key| format!("&key={}", key.token())).unwrap_or_default();
        let elsewhere = &self.elsewhere;
        self.origins.iter().map(|origin| format!("{origin}/#room={room}{key}{elsewhere}")).collect()
    }
}

impl Page {
    /// Writes these links of the page and the QR code of the first; `colour` is whether `out` is a terminal. Where more
    /// than the link may be needed there is no code, for it would lead to a closed door.
    ///
    /// # Errors
    /// Those of writing to `out`.
    pub fn write(&self, out: &mut dyn Write, colour: bool, links: &[String]) -> io::Result<()> {
        if !self.wants_token {
            return write(out, colour, links);
        }
        self.write_bare(out, links)
    }

    /// Writes them alone.
    ///
    /// # Errors
    /// Those of writing to `out`.
    pub fn write_bare(&self, out: &mut dyn Write, links: &[String]) -> io::Result<()> {
        write_bare(out, links)?;
        if !self.wants_token {
            return Ok(());
        }
        writeln!(
            out,
            "The camera shows that relay what stands in relay.auth. If the relay asks viewers for a token too, add\n\
             theirs to the end of the link: &token=TOKEN. The camera's own is not in it.\n"
        )
    }
}

/// Writes the links and the QR code of the first; `colour` is whether `out` is a terminal.
fn write(out: &mut dyn Write, colour: bool, links: &[String]) -> io::Result<()> {
    write_bare(out, links)?;
    // A link too long for any code is still printed as text.
    if let Some(Ok(code)) = links.first().map(|link| QrCode::with_error_correction_level(link, EcLevel::L)) {
        write_code(out, colour, &code)?;
        writeln!(out)?;
    }
    Ok(())
}

/// Writes the links alone.
///
/// # Errors
/// Those of writing to `out`.
pub fn write_bare(out: &mut dyn Write, links: &[String]) -> io::Result<()> {
    for link in links {
        writeln!(out, "  {link}")?;
    }
    writeln!(out)
}

/// Where the page is under each of its names, the one to be opened first: over http, which every browser shows without
/// a question, unless that is sent on; then the same over https.
fn origins(relay: &RelaySettings, bound: SocketAddr, own: &[IpAddr]) -> Vec<String> {
    let mut origins = plain_origins(relay, bound, own);
    if let Some(secure) = origins.first().and_then(|first| secure(relay, bound, first)) {
        origins.insert(usize::from(!relay.tls.redirect), secure);
    }
    origins
}

/// The same place over https, where that is another and browsers do more there.
fn secure(relay: &RelaySettings, bound: SocketAddr, origin: &str) -> Option<String> {
    // A page over https is not allowed to speak with a relay over http.
    let to_plain_relay =
        matches!(&relay.mode, RelayMode::External(other) if other.url.starts_with("http://"));
    let host = origin.strip_prefix("http://")?;
    let near = host.starts_with("localhost") || host.starts_with("127.") || host.starts_with("[::1]");
    let written = host.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    // One port speaks both, also that which http has by itself. Another port is that of somebody between us.
    let ours = written.unwrap_or(80) == bound.port();
    if relay.tls.source == TlsSource::Off || to_plain_relay || near || !ours {
        return None;
    }
    Some(if written.is_some() { format!("https://{host}") } else { format!("https://{host}:80") })
}

fn plain_origins(relay: &RelaySettings, bound: SocketAddr, own: &[IpAddr]) -> Vec<String> {
    if !relay.link.is_empty() {
        vec![relay.link.clone()]
    } else if bound.ip().is_unspecified() {
        let reached = own.iter().filter(|address| bound.is_ipv6() || address.is_ipv4());
        let here = origin("localhost".to_owned(), bound.port());
        reached.map(|address| origin(host(*address), bound.port())).chain([here]).collect()
    } else {
        vec![origin(host(bound.ip()), bound.port())]
    }
}

fn host(address: IpAddr) -> String {
    match address.to_canonical() {
        // A page from localhost may use the microphone even over plain http, and people know the name.
        IpAddr::V4(Ipv4Addr::LOCALHOST) => "localhost".to_owned(),
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

fn origin(host: String, port: u16) -> String {
    if port == 80 { format!("http://{host}") } else { format!("http://{host}:{port}") }
}

/// Writes the code in half blocks, with the light margin it needs: black on white where colours are understood,
/// else the light modules as blocks, because most terminals are dark.
fn write_code(out: &mut dyn Write, colour: bool, code: &QrCode) -> io::Result<()> {
    let mut drawing = code.render::<Dense1x2>();
    if !colour {
        drawing.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark);
    }
    for line in drawing.build().lines() {
        if colour {
            writeln!(out, "  {PAPER}{line}{PAPER:#}")?;
        } else {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use porthole_core::access::{KeyId, Label, Role, Secret, Stamp};
    use porthole_core::config;

    use super::*;

    const KEYED: &str = "key=k1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    #[test]
    fn on_every_address_there_is_a_link_for_each_that_fits() {
        let own = ["192.168.1.20", "2001:db8::7"];
        assert_eq!(
            links("0.0.0.0:8080", "", &own),
            [
                "http://192.168.1.20:8080/#room=porthole",
                "https://192.168.1.20:8080/#room=porthole",
                "http://localhost:8080/#room=porthole"
            ]
        );
        assert_eq!(
            links("[::]:80", "", &own),
            [
                "http://192.168.1.20/#room=porthole",
                "https://192.168.1.20:80/#room=porthole",
                "http://[2001:db8::7]/#room=porthole",
                "http://localhost/#room=porthole"
            ]
        );
    }

    #[test]
    fn on_one_address_that_is_the_link() {
        assert_eq!(links("127.0.0.1:8080", "", &["192.168.1.20"]), ["http://localhost:8080/#room=porthole"]);
        assert_eq!(
            links("10.1.2.3:99", "", &[]),
            ["http://10.1.2.3:99/#room=porthole", "https://10.1.2.3:99/#room=porthole"]
        );
        assert_eq!(links("[::1]:99", "", &[]), ["http://[::1]:99/#room=porthole"]);
        assert_eq!(links("127.0.0.2:99", "", &[]), ["http://127.0.0.2:99/#room=porthole"]);
    }

    #[test]
    fn a_link_from_the_configuration_is_the_only_one() {
        let more = "link = \"https://cam.example\"";
        assert_eq!(links("0.0.0.0:8080", more, &["192.168.1.20"]), ["https://cam.example/#room=porthole"]);
    }

    #[test]
    fn the_second_link_is_over_https_where_that_is_spoken_and_of_use() {
        let at = "192.168.1.20:8080";
        let (plain, secure) = (format!("http://{at}/#room=porthole"), format!("https://{at}/#room=porthole"));
        assert_eq!(links(at, "", &[]), [plain.clone(), secure.clone()]);
        assert_eq!(links(at, "redirect = true", &[]), [secure, plain.clone()]);
        assert_eq!(links(at, "tls = \"off\"", &[]), [plain]);
        let relay = |url: &str| links(at, &format!("mode = \"external\"\nurl = \"{url}\""), &[]).len();
        assert_eq!((relay("http://relay.example"), relay("https://relay.example")), (1, 2));
        let named = "link = \"http://cam.lan\"";
        assert_eq!(links("0.0.0.0:80", named, &[])[1], "https://cam.lan:80/#room=porthole");
        assert_eq!(links(at, named, &[]), ["http://cam.lan/#room=porthole"], "somebody is between");
        assert_eq!(links("[2001:db8::7]:80", "", &[])[1], "https://[2001:db8::7]:80/#room=porthole");
        assert_eq!(page(at, "", &[]).secure_origin(), Some("https://192.168.1.20:8080"));
        assert_eq!(page(at, "link = \"https://cam.example\"", &[]).secure_origin(), None);
        assert_eq!(page("127.0.0.1:80", "", &[]).secure_origin(), None);
    }

    #[test]
    fn a_key_stands_behind_the_room_and_before_a_relay_elsewhere() {
        let here = page("0.0.0.0:80", "", &["192.168.1.20"]);
        let room = RoomName::new("yard").unwrap();
        assert_eq!(
            here.links(&room, Some(&key())),
            [
                format!("http://192.168.1.20/#room=yard&{KEYED}"),
                format!("https://192.168.1.20:80/#room=yard&{KEYED}"),
                format!("http://localhost/#room=yard&{KEYED}")
            ]
        );
        let external = "mode = \"external\"\nurl = \"https://relay.example:3000\"";
        let there = page("127.0.0.1:80", external, &[]);
        assert_eq!(
            there.links(&room, Some(&key())),
            [format!("http://localhost/#room=yard&{KEYED}&relay=https://relay.example:3000")]
        );
        assert_eq!(
            there.links(&room, None),
            ["http://localhost/#room=yard&relay=https://relay.example:3000"]
        );
    }

    #[test]
    fn where_socket_io_lies_elsewhere_on_that_relay_the_link_says_so() {
        let external = "mode = \"external\"\nurl = \"https://relay.example\"\npath = \"/cam%41/socket.io\"";
        assert_eq!(
            links("127.0.0.1:80", external, &[]),
            ["http://localhost/#room=porthole&relay=https://relay.example/cam%2541/socket.io/"]
        );
    }

    #[test]
    fn where_the_relay_wants_a_token_there_is_no_code_of_a_link_without_one() {
        let external = "mode = \"external\"\nurl = \"http://relay.example\"\nauth = { token = \"our-own\" }";
        let text_of = |more: &str| {
            let page = page("127.0.0.1:80", &format!("{external}\n{more}"), &[]);
            let mut out = Vec::new();
            page.write(&mut out, false, &page.links(&RoomName::new("yard").unwrap(), None)).unwrap();
            String::from_utf8(out).unwrap()
        };
        let theirs = text_of("dialect = \"a\"");
        assert!(
            theirs.starts_with("  http://localhost/#room=yard&relay=http://relay.example\n\n"),
            "{theirs}"
        );
        assert!(
            theirs.contains("&token=TOKEN") && !theirs.contains('█') && !theirs.contains("our-own"),
            "{theirs}"
        );
        let ours = text_of("dialect = \"porthole\"");
        assert!(ours.contains('█') && !ours.contains("token"), "{ours}");
    }

    #[test]
    fn the_code_is_that_of_the_first_link() {
        let links =
            page("0.0.0.0:8080", "", &["192.168.1.20"]).links(&RoomName::new("yard").unwrap(), Some(&key()));
        let code = QrCode::with_error_correction_level(&links[0], EcLevel::L).unwrap();
        let mut drawn = Vec::new();
        write_code(&mut drawn, false, &code).unwrap();
        let drawn = String::from_utf8(drawn).unwrap();
        assert_eq!(written(false, &links), format!("  {}\n\n{drawn}\n", links.join("\n  ")));
        assert!(drawn.lines().all(|line| line.chars().count() < 60), "a code that fits a terminal:\n{drawn}");
    }

    #[test]
    fn on_a_terminal_the_code_is_black_on_white_and_nothing_else_has_colours() {
        let links = page("127.0.0.1:8080", "", &[]).links(&RoomName::new("yard").unwrap(), None);
        let text = written(true, &links);
        let (code, prose): (Vec<&str>, Vec<&str>) =
            text.lines().partition(|line| line.contains(['▀', '▄', '█']));
        assert!(
            code.iter().all(|line| line.contains("\u{1b}[30m\u{1b}[107m") && line.ends_with("\u{1b}[0m")),
            "{text:?}"
        );
        assert!(!prose.concat().contains('█') && code.len() > 10, "{text:?}");
        assert!(!written(false, &links).contains('\u{1b}'));
    }

    fn written(colour: bool, links: &[String]) -> String {
        let mut out = Vec::new();
        write(&mut out, colour, links).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn links(bound: &str, more: &str, own: &[&str]) -> Vec<String> {
        page(bound, more, own).links(&RoomName::new("porthole").unwrap(), None)
    }

    fn page(bound: &str, more: &str, own: &[&str]) -> Page {
        let text = format!("[room]\naccess = \"open\"\n[relay]\n{more}\n");
        let relay = config::load("links.toml", &text, &|_| None).unwrap().relay;
        let own: Vec<IpAddr> = own.iter().map(|text| text.parse().unwrap()).collect();
        Page::on_machine(&relay, bound.parse().unwrap(), &own)
    }

    fn key() -> Key {
        let (id, name) = (KeyId::new("k1").unwrap(), Label::new("grandma's phone").unwrap());
        let secret = Secret::new([0; Secret::BYTES]);
        Key { id, name, role: Role::Watch, made: Stamp(0), until: None, secret }
    }
}
