//! The configuration as meant: one struct per consumer, nothing optional that has a default.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use super::speaker::{Echo, SpeakerSettings, SpeakerSink, Talkers};
pub use crate::ice::IceSettings;
use crate::ids::RoomName;
pub use crate::publish::{PublishSettings, Token};
use crate::wire::dialect::Choice;

/// Everything, split by who needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// For the switchboard.
    pub room: RoomSettings,
    /// For the link.
    pub relay: RelaySettings,
    /// For the media side.
    pub media: MediaSettings,
    /// For both ends of ICE, and for the camera's own.
    pub ice: IceSettings,
    /// Where the camera is shown to a crowd; `None`: nowhere.
    pub publish: Option<PublishSettings>,
    /// Least level that is logged.
    pub log: LogLevel,
}

/// The room the camera waits in, and who may call.
#[derive(Debug, Clone, PartialEq)]
pub struct RoomSettings {
    /// The room.
    pub room: RoomName,
    /// The camera's name as people read it ("Nursery").
    pub camera: String,
    /// Who may call.
    pub access: Access,
    /// The file with the access keys; `None`: wherever the daemon keeps what it has to remember. Only looked at with
    /// [`Access::Keys`].
    pub keys: Option<PathBuf>,
    /// Most calls at once.
    pub max_calls: usize,
    /// How long the camera stays open after the last call.
    pub idle_after: Duration,
    /// Whether nobody sees or hears anything until somebody says otherwise.
    pub privacy: bool,
}

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever has an access key and proves it.
    Keys,
    /// Pages on this machine only; the relay listens on loopback and nowhere else.
    Local,
    /// Whoever reaches the relay and knows the room, tutorial pages included.
    Open,
}

impl Access {
    /// Whether pages of other origins may ask for anything: where this machine is all that keeps strangers out, a page of
    /// theirs in its browser must not.
    pub fn admits_pages_of_others(self) -> bool {
        self != Self::Local
    }
}

/// The relay, our own or somebody else's.
#[derive(Debug, Clone, PartialEq)]
pub struct RelaySettings {
    /// Address and port of page, `/healthz` and, where the relay is our own, Socket.IO.
    pub listen: SocketAddr,
    /// What the printed link starts with, such as `https://cam.example`; empty: made from `listen`.
    pub link: String,
    /// How https is spoken on `listen`, beside http.
    pub tls: TlsSettings,
    /// Who may read `/metrics` on `listen`.
    pub metrics: Metrics,
    /// Most sockets at once on `listen`.
    pub max_sockets: usize,
    /// Rooms of our own relay beside the camera's, for cameras elsewhere. None in somebody else's.
    pub rooms: Vec<RoomName>,
    /// Where the room is.
    pub mode: RelayMode,
}

/// Who may read `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metrics {
    /// Programs on this machine.
    Local,
    /// Whoever reaches the port.
    All,
    /// Nobody: there are none.
    Off,
}

/// How https is spoken, on the port of http.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// With which certificate.
    pub source: TlsSource,
    /// Whether http from other machines is sent on to https.
    pub redirect: bool,
}

/// Where the certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsSource {
    /// Nowhere: http only.
    Off,
    /// A small authority of our own makes it.
    Own {
        /// The file of that authority; `None`: wherever the daemon keeps what it has to remember.
        authority: Option<PathBuf>,
    },
    /// Somebody else, who also renews it.
    Files {
        /// The certificate and those that signed it, PEM.
        certificate: PathBuf,
        /// Its key, PEM.
        key: PathBuf,
    },
}

/// Where the room is.
#[derive(Debug, Clone, PartialEq)]
pub enum RelayMode {
    /// In the relay inside this process.
    Embedded,
    /// In somebody else's Socket.IO server.
    External(Box<ExternalRelay>),
}

/// Somebody else's Socket.IO server, and how it is spoken to.
#[derive(Debug, Clone, PartialEq)]
pub struct ExternalRelay {
    /// `http://` or `https://`, host, perhaps a port; no path, no last slash.
    pub url: String,
    /// Where Socket.IO lies on it: begins and ends with a slash.
    pub path: String,
    /// How it is spoken to.
    pub dialect: Choice,
    /// Most calls at once with pages that are not our own; the newest wins.
    pub calls: usize,
    /// What is sent in the Socket.IO handshake.
    pub auth: Auth,
    /// A PEM file with the certificates to trust beside those of the system.
    pub ca: Option<PathBuf>,
    /// SHA-256 of the one certificate (DER) to trust, whatever name it is made out to. It has to be self-signed.
    pub pin: Option<[u8; 32]>,
}

impl ExternalRelay {
    /// Where Socket.IO lies unless it is told otherwise.
    pub const PATH: &'static str = "/socket.io/";
}

/// What is sent in the Socket.IO handshake (`auth`). Its `Debug` form hides the values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Auth(pub serde_json::Map<String, serde_json::Value>);

/// Camera, microphone and encoders.
#[derive(Debug, Clone, PartialEq)]
pub struct MediaSettings {
    /// Picture.
    pub video: VideoSettings,
    /// Sound.
    pub audio: AudioSettings,
    /// What is played when somebody talks back.
    pub speaker: SpeakerSettings,
}

/// Picture.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoSettings {
    /// Where it comes from.
    pub source: VideoSource,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Frames a second.
    pub framerate: u32,
    /// kbit/s of each rendition.
    pub bitrate: u32,
    /// Which H.264 encoder.
    pub encoder: EncoderChoice,
    /// What a browser without H.264 gets.
    pub fallback: Fallback,
    /// What is set on the camera.
    pub look: Look,
    /// For how long viewers hold frames back.
    pub delay: Duration,
    /// Whether the camera stays open while nobody watches.
    pub keep_warm: bool,
}

/// Where the picture comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VideoSource {
    /// The camera that is meant where it is there, else the test picture.
    Auto(CameraName),
    /// A camera.
    Camera(CameraName),
    /// A moving picture with a running clock.
    Test,
    /// A clip in a loop, as if live.
    File(PathBuf),
}

/// Which camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CameraName {
    /// The first that can be used, one of V4L2 before one of libcamera.
    Any,
    /// The V4L2 camera with this path, or the first.
    V4l2(Option<PathBuf>),
    /// The camera that libcamera knows by this name, or its first.
    Libcamera(Option<String>),
}

/// What is set on a camera.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Look {
    /// How the picture is turned.
    pub flip: Flip,
    /// What light it is for.
    pub day_night: DayNight,
    /// Controls by the names that `v4l2-ctl` prints, in the order in which they are written.
    pub controls: Vec<(String, ControlValue)>,
}

/// How a picture is turned; both ways is upside down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flip {
    /// Left and right change places.
    pub horizontal: bool,
    /// Top and bottom change places.
    pub vertical: bool,
}

/// What light a picture is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DayNight {
    /// Whatever the camera does by itself.
    #[default]
    Camera,
    /// The rate is kept, also where it gets dark.
    Day,
    /// Frames may take longer, and colour is left out, as far as the camera can.
    Night,
}

/// What a control is set to.
#[derive(Debug, Clone, PartialEq)]
pub enum ControlValue {
    /// A whole number.
    Number(i64),
    /// A number with a fraction, as controls of libcamera have them.
    Decimal(f64),
    /// On or off.
    Switch(bool),
    /// A word of a menu.
    Word(String),
    /// The smallest it may be. Cannot be written.
    Least,
}

/// Which H.264 encoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EncoderChoice {
    /// The first of the preference order that encodes real frames.
    Auto,
    /// This GStreamer element, such as `x264enc`, or nothing.
    Named(String),
}

/// What a browser without usable H.264 gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// A VP8 rendition made while it is needed.
    Vp8,
    /// A refusal (`no-codec`).
    None,
}

/// Sound.
#[derive(Debug, Clone, PartialEq)]
pub struct AudioSettings {
    /// Where it comes from.
    pub source: AudioSource,
    /// kbit/s.
    pub bitrate: u32,
    /// Milliseconds of sound in one Opus packet: 10, 20, 40 or 60.
    pub packet: u32,
    /// dB by which it is made louder.
    pub gain: i32,
}

/// Where the sound comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AudioSource {
    /// A microphone where there is one, else the test tone beside a test picture, else nothing.
    Auto,
    /// An ALSA device, such as `default` or `hw:1,0`.
    Alsa(String),
    /// A quiet tone.
    Test,
    /// The sound of the clip.
    File,
    /// No sound at all.
    None,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Least level that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// What a person should act on.
    Warn,
    /// And what happened.
    Info,
    /// And what somebody who looks for a fault needs.
    Debug,
}

/// What an empty file means.
impl Default for Settings {
    fn default() -> Self {
        Self {
            room: RoomSettings::default(),
            relay: RelaySettings::default(),
            media: MediaSettings::default(),
            ice: IceSettings::default(),
            publish: None,
            log: LogLevel::Info,
        }
    }
}

impl Default for RoomSettings {
    #[expect(clippy::expect_used, reason = "a name written here, which every run of the tests takes")]
    fn default() -> Self {
        Self {
            room: RoomName::new("porthole").expect("the default room is a name"),
            camera: "Camera".to_owned(),
            access: Access::Keys,
            keys: None,
            max_calls: 20,
            idle_after: Duration::from_secs(10),
            privacy: false,
        }
    }
}

impl Default for RelaySettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            link: String::new(),
            tls: TlsSettings { source: TlsSource::Own { authority: None }, redirect: false },
            metrics: Metrics::Local,
            max_sockets: 64,
            rooms: Vec::new(),
            mode: RelayMode::Embedded,
        }
    }
}

impl Default for MediaSettings {
    fn default() -> Self {
        let video = VideoSettings {
            source: VideoSource::Auto(CameraName::Any),
            width: 1280,
            height: 720,
            framerate: 30,
            bitrate: 2000,
            encoder: EncoderChoice::Auto,
            fallback: Fallback::Vp8,
            look: Look::default(),
            delay: Duration::ZERO,
            keep_warm: false,
        };
        let audio = AudioSettings { source: AudioSource::Auto, bitrate: 32, packet: 40, gain: 0 };
        Self { video, audio, speaker: SpeakerSettings::default() }
    }
}
