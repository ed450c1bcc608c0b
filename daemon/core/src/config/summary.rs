//! What settings come to, in a few lines for a person. Must not show a secret.

use std::fmt;

use super::settings::{
    Access, AudioSource, CameraName, ControlValue, EncoderChoice, Fallback, IceSettings, RelayMode, Settings,
    SpeakerSink, Talkers, TlsSettings, TlsSource, VideoSource,
};
use crate::ice::IcePolicy;
use crate::wire::dialect::Choice;

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match self.room.access {
            Access::Keys => "whoever has an access key",
            Access::Local => "browsers on this machine",
            Access::Open => "everybody who reaches it",
        };
        let Self { room, relay, media, ice, .. } = self;
        writeln!(
            f,
            "room     {} (\"{}\") at {}, for {who}, at most {} calls",
            room.room, room.camera, relay.listen, room.max_calls
        )?;
        writeln!(f, "https    {}", relay.tls)?;
        if let RelayMode::External(external) = &relay.mode {
            let dialect = match &external.dialect {
                Choice::Auto => "found out by listening",
                Choice::Known(known) => known.word(),
                Choice::Custom(_) => "written by hand",
            };
            let (url, path) = (&external.url, &external.path);
            let calls = match external.calls {
                1 => "one call at a time".to_owned(),
                calls => format!("at most {calls} calls"),
            };
            writeln!(f, "relay    {url}{path}, dialect {dialect}, {calls} with pages that are not ours")?;
        }
        if let [first, more @ ..] = relay.rooms.as_slice() {
            write!(f, "rooms    {first}")?;
            more.iter().try_for_each(|room| write!(f, ", {room}"))?;
            writeln!(f, " besides, for cameras elsewhere")?;
        }
        if let Some(publish) = &self.publish {
            writeln!(f, "crowd    shown by {}", publish.origin())?;
        }
        let video = &media.video;
        let encoder = match &video.encoder {
            EncoderChoice::Auto => "the first encoder that works",
            EncoderChoice::Named(name) => name,
        };
        let fallback = match video.fallback {
            Fallback::Vp8 => "VP8 for browsers without",
            Fallback::None => "nothing for browsers without",
        };
        writeln!(
            f,
            "picture  {}, {}x{} at {}/s, H.264 of {} kbit/s by {encoder}, {fallback}",
            video.source, video.width, video.height, video.framerate, video.bitrate
        )?;
        if !video.delay.is_zero() {
            writeln!(f, "         viewers hold it back for {} ms", video.delay.as_millis())?;
        }
        if video.keep_warm {
            writeln!(f, "         the camera stays open while nobody watches")?;
        }
        if room.privacy {
            writeln!(f, "privacy  on until it is switched off: camera and microphone stay closed")?;
        }
        let audio = &media.audio;
        match &audio.source {
            AudioSource::None => writeln!(f, "sound    none")?,
            source => writeln!(
                f,
                "sound    {source}, Opus of {} kbit/s in packets of {} ms",
                audio.bitrate, audio.packet
            )?,
        }
        let speaker = &media.speaker;
        if speaker.sink != SpeakerSink::None {
            let talkers = match speaker.talkers {
                Talkers::One => "one talks at a time",
                Talkers::Mix => "several may talk at once",
            };
            writeln!(f, "speaker  {} at {} %, {talkers}", speaker.sink, speaker.volume)?;
        }
        write!(f, "ice      {ice}")
    }
}

impl fmt::Display for IceSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} STUN and {} TURN servers", self.stun.len(), self.turn.len())?;
        if let Some(lifetime) = self.lifetime() {
            write!(f, " (credentials for {} s)", lifetime.as_secs())?;
        }
        if self.policy == IcePolicy::Relay {
            f.write_str(", through TURN only")?;
        }
        if let Some(ports) = &self.ports {
            write!(f, ", ports {} to {}", ports.start(), ports.end())?;
        }
        if self.tcp {
            f.write_str(", TCP too")?;
        }
        if !self.filter.is_open() {
            f.write_str(", some addresses")?;
        }
        for (index, address) in self.announce.iter().enumerate() {
            write!(f, "{}{address}", if index == 0 { ", reached at " } else { " and " })?;
        }
        Ok(())
    }
}

impl fmt::Display for TlsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            TlsSource::Off => return f.write_str("none"),
            TlsSource::Own { authority: None } => f.write_str("by an authority of our own")?,
            TlsSource::Own { authority: Some(file) } => write!(f, "by the authority in {}", file.display())?,
            TlsSource::Files { certificate, .. } => write!(f, "with {}", certificate.display())?,
        }
        f.write_str(if self.redirect { ", http is sent on to it" } else { ", beside http" })
    }
}

impl fmt::Display for VideoSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto(camera) => write!(f, "{camera} or else the test picture"),
            Self::Camera(camera) => write!(f, "{camera}"),
            Self::Test => f.write_str("the test picture"),
            Self::File(clip) => write!(f, "the clip {}", clip.display()),
        }
    }
}

impl fmt::Display for CameraName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("the first camera"),
            Self::V4l2(None) => f.write_str("the first V4L2 camera"),
            Self::V4l2(Some(device)) => write!(f, "{}", device.display()),
            Self::Libcamera(None) => f.write_str("libcamera's first camera"),
            Self::Libcamera(Some(name)) => write!(f, "libcamera's camera {name}"),
        }
    }
}

impl fmt::Display for ControlValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Decimal(number) => write!(f, "{number}"),
            Self::Switch(on) => write!(f, "{on}"),
            Self::Word(word) => write!(f, "{word:?}"),
            Self::Least => f.write_str("the least"),
        }
    }
}

impl fmt::Display for SpeakerSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("the first speaker if there is one"),
            Self::Alsa(device) => write!(f, "ALSA {device}"),
            Self::Test => f.write_str("one for tests, which nobody hears"),
            Self::None => f.write_str("none"),
        }
    }
}

impl fmt::Display for AudioSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("the first microphone or else what goes with the picture"),
            Self::Alsa(device) => write!(f, "ALSA {device}"),
            Self::Test => f.write_str("the test tone"),
            Self::File => f.write_str("that of the clip"),
            Self::None => f.write_str("none"),
        }
    }
}
