//! Every rule of the configuration. Must not know what the settings are used for.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use toml::de::DeTable;

use super::address;
use super::camera;
use super::error::Findings;
use super::file::File;
use super::ice;
use super::keys;
use super::publish;
use super::reader::{self, Reader, even_pixels, is_printable, whole};
use super::relay;
use super::settings::{
    Access, AudioSettings, AudioSource, EncoderChoice, Fallback, LogLevel, MediaSettings, Metrics, RelayMode,
    RelaySettings, RoomSettings, Settings, VideoSettings, VideoSource,
};
use super::speaker;
use super::tls;
use crate::ids::Name;
use crate::plan::encoder::H264;
use crate::shown::is_shown;
use crate::wire::dialect::{Choice, Known};

/// Longest camera name, in characters.
const LONGEST_CAMERA: usize = 64;

/// Reads a whole configuration.
///
/// `file_name` is repeated in findings, and relative paths in the file start at its folder; `text` is what stands
/// in it; `env` looks up an environment variable (for secrets only; an empty one counts as not set).
///
/// # Errors
/// Everything that is not allowed, all at once, in the order of the lines.
pub fn load(file_name: &str, text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Settings, Findings> {
    allowed(read(file_name, text, env, Settings::default(), |_, _, _| {}))
}

/// The same for who needs a part of it and can do without the rest: what is not allowed has its default, and what that puts
/// in doubt is said by [`Findings::doubt_key`] and [`Findings::doubt_section`].
pub fn load_in_part(
    file_name: &str,
    text: &str,
    env: &dyn Fn(&str) -> Option<String>,
) -> (Settings, Option<Findings>) {
    read(file_name, text, env, Settings::default(), |_, _, _| {})
}

/// Reads the configuration of a relay without a camera: as [`load`] does, and nothing in it may be about a camera. Keys
/// are the cameras' own, so such a relay is for this machine unless it is open.
///
/// # Errors
/// As those of [`load`].
pub fn load_for_relay(
    file_name: &str,
    text: &str,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Settings, Findings> {
    let mut default = Settings::default();
    default.room.access = Access::Local;
    allowed(read(file_name, text, env, default, relay::report_camera))
}

fn allowed((settings, found): (Settings, Option<Findings>)) -> Result<Settings, Findings> {
    found.map_or(Ok(settings), Err)
}

/// Reads a whole configuration by every rule there is, and one `more`; `default` is what an empty one means.
fn read(
    file_name: &str,
    text: &str,
    env: &dyn Fn(&str) -> Option<String>,
    default: Settings,
    more: impl for<'t> FnOnce(&mut File<'t>, &'t DeTable<'t>, &Settings),
) -> (Settings, Option<Findings>) {
    let keyed = default.room.access == Access::Keys;
    let (mut file, table) = File::parse(file_name, text);
    let table = table.get_ref();
    reader::report_unknown(&mut file, table);

    let folder = Path::new(file_name).parent().unwrap_or(Path::new(""));
    let mut settings = Settings {
        room: room(&mut Reader::new(&mut file, table, &keys::ROOM), default.room, folder),
        relay: relay(&mut Reader::new(&mut file, table, &keys::RELAY), default.relay, folder, env),
        media: MediaSettings {
            video: video(&mut Reader::new(&mut file, table, &keys::VIDEO), default.media.video, folder),
            audio: audio(&mut Reader::new(&mut file, table, &keys::AUDIO), default.media.audio),
            speaker: speaker::speaker(
                &mut Reader::new(&mut file, table, &keys::SPEAKER),
                default.media.speaker,
            ),
        },
        ice: ice::ice(&mut Reader::new(&mut file, table, &keys::ICE), default.ice, folder, env),
        publish: publish::publish(&mut Reader::new(&mut file, table, &keys::PUBLISH), env),
        log: log_level(&mut Reader::new(&mut file, table, &keys::LOG), default.log),
    };
    if let RelayMode::External(external) = &mut settings.relay.mode
        && Reader::new(&mut file, table, &keys::ROOM).entry("max_calls").is_some()
    {
        external.calls = settings.room.max_calls;
    }
    settings.relay.rooms = relay::rooms(&mut Reader::new(&mut file, table, &keys::RELAY), &settings);
    report_contradictions(&mut file, table, &settings, keyed);
    more(&mut file, table, &settings);

    (settings, Findings::new(file.into_found()))
}

fn room(section: &mut Reader<'_, '_>, default: RoomSettings, folder: &Path) -> RoomSettings {
    RoomSettings {
        room: section.take("name", default.room, |entry| Name::new(entry.text()?).ok()),
        camera: section.take("camera", default.camera, |entry| {
            let name = entry.text()?.trim();
            let fits = (1..=LONGEST_CAMERA).contains(&name.chars().count()) && is_shown(name);
            fits.then(|| name.to_owned())
        }),
        access: section.word(
            "access",
            default.access,
            &[("keys", Access::Keys), ("local", Access::Local), ("open", Access::Open)],
        ),
        keys: section.take("keys", default.keys, |entry| match entry.text()? {
            "" => Some(None),
            text => is_printable(text).then(|| Some(folder.join(text))),
        }),
        max_calls: section.take("max_calls", default.max_calls, |entry| whole(entry, 1..=200)),
        idle_after: section
            .take("idle_after", default.idle_after, |entry| whole(entry, 0..=3600).map(Duration::from_secs)),
        privacy: section.take("privacy", default.privacy, |entry| entry.value.as_bool()),
    }
}

fn relay(
    section: &mut Reader<'_, '_>,
    default: RelaySettings,
    folder: &Path,
    env: &dyn Fn(&str) -> Option<String>,
) -> RelaySettings {
    RelaySettings {
        listen: section.take("listen", default.listen, |entry| entry.text()?.parse::<SocketAddr>().ok()),
        link: section.take("link", default.link, |entry| match entry.text()? {
            "" => Some(String::new()),
            text => address::origin(text).map(str::to_owned),
        }),
        tls: tls::tls(section, default.tls, folder),
        metrics: section.word(
            "metrics",
            default.metrics,
            &[("local", Metrics::Local), ("all", Metrics::All), ("off", Metrics::Off)],
        ),
        max_sockets: section.take("max_sockets", default.max_sockets, |entry| whole(entry, 2..=10_000)),
        rooms: default.rooms,
        mode: relay::mode(section, folder, env),
    }
}

fn video(section: &mut Reader<'_, '_>, default: VideoSettings, folder: &Path) -> VideoSettings {
    let source = camera::source(section, folder);
    let look = camera::look(section, &source);
    VideoSettings {
        source,
        width: section.take("width", default.width, even_pixels),
        height: section.take("height", default.height, even_pixels),
        framerate: section.take("framerate", default.framerate, |entry| whole(entry, 1..=120)),
        bitrate: section.take("bitrate", default.bitrate, |entry| whole(entry, 50..=50_000)),
        encoder: section.take("encoder", default.encoder, |entry| match entry.text()? {
            "auto" => Some(EncoderChoice::Auto),
            name => H264.contains(&name).then(|| EncoderChoice::Named(name.to_owned())),
        }),
        fallback: section.word(
            "fallback",
            default.fallback,
            &[("vp8", Fallback::Vp8), ("none", Fallback::None)],
        ),
        look,
        delay: section.take("delay", default.delay, |entry| {
            whole::<u64>(entry, 0..=2000).filter(|delay| delay % 10 == 0).map(Duration::from_millis)
        }),
        keep_warm: section.take("keep_warm", default.keep_warm, |entry| entry.value.as_bool()),
    }
}

fn audio(section: &mut Reader<'_, '_>, default: AudioSettings) -> AudioSettings {
    let written = section.entry("device").is_some();
    let device = section.take("device", "default".to_owned(), |entry| {
        let name = entry.text()?;
        (!name.is_empty() && name.len() <= 255 && is_printable(name)).then(|| name.to_owned())
    });
    let auto = section.entry("source").is_none_or(|entry| entry.text() == Some("auto"));
    if auto && written && device != "default" {
        section.contradict("device", r#"a device is only opened with source = "alsa""#);
    }
    AudioSettings {
        source: section.word(
            "source",
            default.source,
            &[
                ("auto", AudioSource::Auto),
                ("alsa", AudioSource::Alsa(device)),
                ("test", AudioSource::Test),
                ("file", AudioSource::File),
                ("none", AudioSource::None),
            ],
        ),
        bitrate: section.take("bitrate", default.bitrate, |entry| whole(entry, 6..=510)),
        packet: section.take("packet", default.packet, |entry| {
            whole(entry, 10..=60).filter(|packet| [10, 20, 40, 60].contains(packet))
        }),
        gain: section.take("gain", default.gain, |entry| whole(entry, -40..=20)),
    }
}

fn log_level(section: &mut Reader<'_, '_>, default: LogLevel) -> LogLevel {
    let words = [("warn", LogLevel::Warn), ("info", LogLevel::Info), ("debug", LogLevel::Debug)];
    section.word("level", default, &words)
}

/// What is allowed by itself but not together. A key that is wrong by itself is not held against another one.
///
/// `keyed`: there may be access keys.
fn report_contradictions<'t>(file: &mut File<'t>, table: &'t DeTable<'t>, settings: &Settings, keyed: bool) {
    let beyond = !settings.relay.listen.ip().to_canonical().is_loopback();
    if beyond && settings.room.access == Access::Local && file.trusts(&["room.access", "relay.listen"]) {
        let fix = if keyed {
            r#"write access = "keys" below [room], which lets in who has an access key, or "open", which lets everybody in who reaches it"#
        } else {
            r#"write access = "open" below [room], which lets everybody in who reaches it"#
        };
        Reader::new(file, table, &keys::RELAY).contradict(
            "listen",
            &format!("other machines could reach this address, and nobody on them would be let in: {fix}, or listen on 127.0.0.1"),
        );
    }
    let external = matches!(settings.relay.mode, RelayMode::External(_));
    if external && settings.room.access == Access::Local && file.trusts(&["room.access", "relay.mode"]) {
        Reader::new(file, table, &keys::RELAY).contradict(
            "mode",
            r#"a room on somebody else's server is not on this machine: write access = "keys" below [room], which lets in who has an access key, or "open", which lets everybody in who knows the room"#,
        );
    }
    let silent = matches!(&settings.relay.mode, RelayMode::External(external)
        if !matches!(external.dialect, Choice::Auto | Choice::Known(Known::Porthole)));
    if silent && settings.room.access == Access::Keys && file.trusts(&["room.access", "relay.dialect"]) {
        Reader::new(file, table, &keys::RELAY).contradict(
            "dialect",
            r#"only "auto" and "porthole" carry the proof of an access key: write one of them, or access = "open" below [room], which lets everybody in who knows the room"#,
        );
    }
    ice::report_contradictions(file, table, settings);
    let clip = matches!(settings.media.video.source, VideoSource::File(_));
    if settings.media.audio.source == AudioSource::File && !clip && file.trusts(&["video.source"]) {
        Reader::new(file, table, &keys::AUDIO)
            .contradict("source", r#"the sound of a clip needs source = "file" below [video]"#);
    }
}
