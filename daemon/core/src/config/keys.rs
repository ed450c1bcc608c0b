//! Every section and key there is, with what is allowed in it. Must not know what the values are used for.

/// A section of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// Its name, as in `[name]`.
    pub name: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
}

/// A key of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What may be written, as findings say it.
    pub allowed: &'static str,
}

const fn key(name: &'static str, allowed: &'static str) -> Key {
    Key { name, allowed }
}

/// Every section, in the order in which `config/porthole.toml` has them.
pub const SECTIONS: &[&Section] = &[&ROOM, &RELAY, &VIDEO, &AUDIO, &SPEAKER, &ICE, &PUBLISH, &LOG];

/// The room the camera waits in.
pub const ROOM: Section = Section {
    name: "room",
    keys: &[
        key("name", "a text of 1 to 64 characters out of A-Z a-z 0-9 . _ : @ -"),
        key("camera", "a text of 1 to 64 characters that can be seen"),
        key("access", r#""keys", "local" or "open""#),
        key("keys", r#"a text with the path of a file, or "" for the daemon's own place"#),
        key("max_calls", "a whole number from 1 to 200"),
        key("idle_after", "a whole number of seconds from 0 to 3600"),
        key("privacy", "true or false"),
    ],
};

/// The relay, our own or somebody else's.
pub const RELAY: Section = Section {
    name: "relay",
    keys: &[
        key("listen", r#"a text with address and port, such as "127.0.0.1:8080" or "[::1]:8080""#),
        key(
            "link",
            r#"a text such as "https://cam.example" (scheme, host and perhaps port, no path), or "" to make it from listen"#,
        ),
        key("tls", r#""own", "files" or "off""#),
        key("authority", r#"a text with the path of a file, or "" for one in the state directory"#),
        key("certificate", r#"a text with the path of a PEM file, or "" for none"#),
        key("key", r#"a text with the path of a PEM file, or "" for none"#),
        key("redirect", "true or false"),
        key("metrics", r#""local", "all" or "off""#),
        key("max_sockets", "a whole number from 2 to 10000"),
        key(
            "rooms",
            "a list of at most 256 names like that of the room, each once and not that of [room] itself",
        ),
        key("mode", r#""embedded" or "external""#),
        key(
            "url",
            r#"a text such as "https://relay.example:3000" (scheme, host and perhaps port, no path), or """#,
        ),
        key("path", r#"a text such as "/socket.io/" that begins with a slash"#),
        key("dialect", r#""auto", "porthole", "a", "a0", "b", "c", "c2", "d", "e", "f", "g" or "custom""#),
        key("auth", r#"a table of at most 16 keys such as { token = "…" }"#),
        key("ca", r#"a text with the path of a PEM file, or "" for none"#),
        key(
            "pin",
            r#"a text with the 64 hexadecimal digits of a SHA-256, colons between pairs allowed, or "" for none"#,
        ),
        key("events", r#"a table such as { join = "join", offer = "offer" }"#),
    ],
};

/// Picture.
pub const VIDEO: Section = Section {
    name: "video",
    keys: &[
        key("source", r#""auto", "v4l2", "libcamera", "test" or "file""#),
        key(
            "device",
            r#""auto", the full path of a V4L2 device such as "/dev/video0", "libcamera", or "libcamera:" with the name of a camera"#,
        ),
        key("file", r#"a text with the path of a clip, or "" for none"#),
        key("width", "an even number of pixels from 16 to 4096"),
        key("height", "an even number of pixels from 16 to 4096"),
        key("framerate", "a whole number of frames a second from 1 to 120"),
        key("bitrate", "a whole number of kbit/s from 50 to 50000"),
        key(
            "encoder",
            r#""auto", "v4l2h264enc", "vah264lpenc", "vah264enc", "mpph264enc", "x264enc" or "openh264enc""#,
        ),
        key("fallback", r#""vp8" or "none""#),
        key("flip", r#""none", "horizontal", "vertical" or "both""#),
        key("day_night", r#""camera", "day" or "night""#),
        key(
            "controls",
            r#"a table of at most 64 controls such as { brightness = 128, auto_exposure = "manual" }: whole numbers, numbers, words, true or false"#,
        ),
        key("delay", "a whole number of milliseconds from 0 to 2000, in steps of 10"),
        key("keep_warm", "true or false"),
    ],
};

/// Sound.
pub const AUDIO: Section = Section {
    name: "audio",
    keys: &[
        key("source", r#""auto", "alsa", "test", "file" or "none""#),
        key("device", r#"a text with the name of an ALSA device, such as "default" or "hw:1,0""#),
        key("bitrate", "a whole number of kbit/s from 6 to 510"),
        key("packet", "10, 20, 40 or 60 milliseconds"),
        key("gain", "a whole number of dB from -40 to 20"),
    ],
};

/// What is played when somebody talks back.
pub const SPEAKER: Section = Section {
    name: "speaker",
    keys: &[
        key("sink", r#""auto", "alsa", "test" or "none""#),
        key("device", r#"a text with the name of an ALSA device, such as "default" or "hw:1,0""#),
        key("volume", "a whole number of percent from 1 to 400"),
        key("talkers", r#""one" or "mix""#),
        key("echo", r#""auto", "cancel", "half" or "off""#),
    ],
};

/// ICE: servers for both ends, and the camera's own end.
pub const ICE: Section = Section {
    name: "ice",
    keys: &[
        key("stun", r#"a list of texts such as "stun:stun.example:3478""#),
        key(
            "turn",
            r#"a list of tables such as { url = "turn:turn.example:3478?transport=udp", username = "camera", password = "…" } or { url = "turns:turn.example:5349", secret = "…" }"#,
        ),
        key("turn_lifetime", "a whole number of seconds from 300 to 604800"),
        key("ca", r#"a text with the path of a PEM file, or "" for none"#),
        key("policy", r#""all" or "relay""#),
        key(
            "ports",
            r#"a text with the first and the last port, such as "50000-50100" (from 1024 up), or "" for any"#,
        ),
        key("tcp", "true or false"),
        key("interfaces", r#"a list of at most 32 names such as "eth0", "wlan*" or "!docker*", each once"#),
        key(
            "addresses",
            r#"a list of at most 32 addresses or networks such as "192.168.0.0/16" or "!::/0", each once"#,
        ),
        key("announce", r#"a list of at most 8 addresses such as "203.0.113.7", each once"#),
    ],
};

/// A server that shows the camera to a crowd.
pub const PUBLISH: Section = Section {
    name: "publish",
    keys: &[
        key(
            "whip",
            r#"a text such as "https://sfu.example/whip/yard" (scheme, host, perhaps port and path), or "" for none"#,
        ),
        key("token", r#"a text of letters, digits and -._~+/=, or "" for none"#),
    ],
};

/// The log.
pub const LOG: Section = Section { name: "log", keys: &[key("level", r#""warn", "info" or "debug""#)] };

/// The keys of `relay.events`, for a dialect written by hand.
pub const EVENTS: Section = Section {
    name: "relay.events",
    keys: &[
        key("join", r#"a text of at most 64 printable characters, or "" for none"#),
        key("join_shape", r#""object", "room" or "room-id""#),
        key("offer", "a text of 1 to 64 printable characters"),
        key("answer", "a text of 1 to 64 printable characters"),
        key("candidate", r#"a text of at most 64 printable characters, or "" for none"#),
        key("bye", r#"a text of at most 64 printable characters, or "" for none"#),
        key("joined", r#"a text of at most 64 printable characters, or "" for none"#),
        key("left", r#"a text of at most 64 printable characters, or "" for none"#),
        key("full", r#"a text of at most 64 printable characters, or "" for none"#),
        key("shape", r#""object", "args", "room-first", "bare" or "sdp""#),
        key("offers", "true or false"),
    ],
};

/// The keys of each table in `ice.turn`.
pub const TURN: Section = Section {
    name: "ice.turn",
    keys: &[
        key("url", r#"a text such as "turn:turn.example:3478?transport=udp" or "turns:turn.example:5349""#),
        key("username", "a text that is not empty"),
        key("password", "a text that is not empty"),
        key("secret", r#"a text, or "" where it is in the environment"#),
    ],
};
