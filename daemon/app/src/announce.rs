//! Tells the person who started the daemon which link to open, and who else gets in. Must not decide where the relay
//! listens, nor who gets in.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;

use porthole_core::access::Key;
use porthole_core::config::settings::{Access, RelayMode, RelaySettings, RoomSettings};

use crate::access;
use crate::links::{self, Page};

/// What opens the room to a viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opens<'a> {
    /// The link alone.
    Link,
    /// A key. The first start has made this one, for the owner.
    FirstKey(&'a Key),
    /// A key, which is not to be shown here.
    Key {
        /// Whether there is one for the owner.
        owner: bool,
    },
}

/// Prints every link to the page, the QR code of the first, and who can reach it.
///
/// `bound` is the address the relay really listens on (with the port that was taken), and `authority` the fingerprint of
/// whom browsers have to trust to open the page over https; `terminal` is whether `out` is
/// one; `config` is the configuration's file, for commands that are to be typed.
///
/// # Errors
/// Those of writing to `out`.
pub fn print(
    out: &mut dyn Write,
    terminal: bool,
    (room, relay): (&RoomSettings, &RelaySettings),
    (bound, authority): (SocketAddr, Option<&str>),
    opens: Opens<'_>,
    config: Option<&Path>,
) -> io::Result<()> {
    let page = Page::of(relay, bound);
    writeln!(out, "\"{}\" waits in room {}. Open in a browser:\n", room.camera, room.room)?;
    match opens {
        Opens::Link => page.write(out, terminal, &page.links(&room.room, None))?,
        Opens::FirstKey(key) => page.write(out, terminal, &page.links(&room.room, Some(key)))?,
        // A code of it would open nothing.
        Opens::Key { .. } => page.write_bare(out, &page.links(&room.room, None))?,
    }
    write_opens(out, opens, config)?;
    write_secure(out, &page, authority)?;
    write_reach(out, room.access, relay, bound)?;
    write_end(out, terminal)
}

/// Prints what a camera's configuration has to say to wait here, and every room's links.
///
/// `bound` is the address the relay really listens on, `terminal` and `authority` as in [`print`]. Errors: those of writing to
/// `out`.
pub fn print_relay(
    out: &mut dyn Write,
    terminal: bool,
    (room, relay): (&RoomSettings, &RelaySettings),
    (bound, authority): (SocketAddr, Option<&str>),
) -> io::Result<()> {
    let page = Page::of(relay, bound);
    writeln!(out, "A relay without a camera listens on {bound}. Open in a browser:\n")?;
    let rooms = std::iter::once(&room.room).chain(&relay.rooms);
    let all: Vec<_> = rooms.flat_map(|name| page.links(name, None)).collect();
    links::write_bare(out, &all)?;
    writeln!(
        out,
        "They show the cameras that wait in the room, to whoever has a key to them. Their configuration says,\n\
         each key below its [section] where that is there already:\n\n  \
         [room]\n  name = \"{}\"\n  camera = \"Camera\"\n  \
         [relay]\n  mode = \"external\"\n  url = \"{}\"\n  dialect = \"porthole\"",
        room.room,
        page.origin()
    )?;
    if authority.is_some() && Some(page.origin()) == page.secure_origin() {
        writeln!(out, "  ca = \"ca.pem\"\n\nwith the file that is at {}/ca.pem beside it.", page.origin())?;
    }
    writeln!(out)?;
    write_secure(out, &page, authority)?;
    write_end(out, terminal)
}

/// How it is stopped. That of a service is none: nobody has a key to press there.
fn write_end(out: &mut dyn Write, terminal: bool) -> io::Result<()> {
    if terminal {
        writeln!(out, "Ctrl-C stops it.")?;
    }
    out.flush()
}

fn write_opens(out: &mut dyn Write, opens: Opens<'_>, config: Option<&Path>) -> io::Result<()> {
    let add = access::command("add NAME", config);
    match opens {
        Opens::Link => Ok(()),
        Opens::FirstKey(_) => writeln!(
            out,
            "This link is the owner's key: whoever has it may watch, talk and manage the camera. For everybody\n\
             else `{add}` makes one.\n"
        ),
        Opens::Key { owner: true } => writeln!(
            out,
            "It opens with a key only: `{}` prints the owner's link again;\n`{add}` makes another.\n",
            access::command("show owner", config)
        ),
        Opens::Key { owner: false } => writeln!(out, "It opens with a key only: `{add}` makes one.\n"),
    }
}

/// How to open the page over https without being asked.
fn write_secure(out: &mut dyn Write, page: &Page, authority: Option<&str>) -> io::Result<()> {
    let (Some(secure), Some(fingerprint)) = (page.secure_origin(), authority) else { return Ok(()) };
    let plain = secure.replacen("https", "http", 1);
    writeln!(
        out,
        "Talking back needs the https link. A browser asks before it opens that, until you install the camera's\n\
         certificate there: {plain}/ca.crt, whose SHA-256 fingerprint is\n\n  {fingerprint}\n"
    )
}

/// Who reaches it, and how that is changed.
fn write_reach(
    out: &mut dyn Write,
    access: Access,
    relay: &RelaySettings,
    bound: SocketAddr,
) -> io::Result<()> {
    if let RelayMode::External(other) = &relay.mode {
        let may = match access {
            Access::Keys => "whoever runs it can neither watch nor listen without a key",
            Access::Local | Access::Open => "everybody who may enter it there may watch and listen",
        };
        return writeln!(out, "The room is on {}: {may}.\nThis page is served on {bound}.\n", other.url);
    }
    if !bound.ip().to_canonical().is_loopback() {
        let who = match access {
            Access::Keys => "everybody who can reach that sees the page, and nothing more without a key",
            Access::Local | Access::Open => {
                "everybody who can reach that may watch and listen (access = \"open\")"
            }
        };
        return writeln!(out, "It listens on {bound}: {who}.\n");
    }
    let keys = if access == Access::Keys { "" } else { "[room]\n  access = \"keys\"\n  " };
    writeln!(
        out,
        "It listens on {bound}: only browsers on this machine reach it. For others, write into the\n\
         configuration, each key below its [section] where that is there already:\n\n  {keys}[relay]\n  listen = \"0.0.0.0:{}\"\n",
        bound.port()
    )
}

#[cfg(test)]
mod tests {
    use porthole_core::access::{Label, Role, Stamp};
    use porthole_core::config;

    use super::*;
    use crate::keys;

    #[test]
    fn a_camera_without_keys_gives_its_link_and_its_code_away() {
        let text = said("local", "127.0.0.1:8080", "", Opens::Link);
        assert_eq!(links_in(&text), ["http://localhost:8080/#room=porthole"]);
        assert!(text.contains('█') && !text.contains("access add"), "{text}");
        assert!(text.contains("only browsers on this machine"), "{text}");
    }

    #[test]
    fn the_first_start_gives_the_owners_key_once() {
        let key = keys::key(Label::new("owner").unwrap(), Role::Manage, Stamp(0), None).unwrap();
        let text = said("keys", "127.0.0.1:8080", "", Opens::FirstKey(&key));
        assert_eq!(links_in(&text), [format!("http://localhost:8080/#room=porthole&key={}", key.token())]);
        assert!(text.contains('█') && text.contains("This link is the owner's key"), "{text}");
        assert!(text.contains(" access add NAME --config my.toml` makes one"), "{text}");
    }

    #[test]
    fn later_starts_say_where_the_keys_are_and_show_none() {
        let text = said("keys", "127.0.0.1:8080", "", Opens::Key { owner: true });
        assert_eq!(links_in(&text), ["http://localhost:8080/#room=porthole"]);
        assert!(!text.contains('█') && !text.contains("key="), "{text}");
        assert!(
            text.contains(" access show owner --config my.toml` prints the owner's link again"),
            "{text}"
        );
        assert!(text.contains(" access add NAME --config my.toml` makes another"), "{text}");
        let text = said("keys", "127.0.0.1:8080", "", Opens::Key { owner: false });
        assert!(text.contains("makes one") && !text.contains("show owner"), "{text}");
    }

    #[test]
    fn the_advice_is_a_configuration_that_is_allowed_and_keeps_strangers_out() {
        for access in ["keys", "local"] {
            let text = said(access, "127.0.0.1:8080", "", Opens::Link);
            let settings = config::load("advice", &advice_in(&text), &|_| None).unwrap();
            assert_eq!(settings.relay.listen, "0.0.0.0:8080".parse().unwrap());
            assert_eq!(settings.room.access, Access::Keys);
        }
    }

    #[test]
    fn who_gets_in_depends_on_who_asks_for_keys() {
        let open = said("open", "10.0.0.9:8080", "", Opens::Link);
        assert!(open.contains("everybody who can reach that may watch and listen"), "{open}");
        let keys = said("keys", "10.0.0.9:8080", "", Opens::Key { owner: true });
        assert!(keys.contains("sees the page, and nothing more without a key"), "{keys}");
        let external = "mode = \"external\"\nurl = \"https://relay.example:3000\"\ndialect = \"porthole\"";
        let open = said("open", "127.0.0.1:8080", external, Opens::Link);
        assert!(open.contains("everybody who may enter it there may watch"), "{open}");
        let keys = said("keys", "127.0.0.1:8080", external, Opens::Key { owner: true });
        assert!(keys.contains("can neither watch nor listen without a key"), "{keys}");
        assert_eq!(
            links_in(&keys),
            ["http://localhost:8080/#room=porthole&relay=https://relay.example:3000"]
        );
        assert!(!keys.contains("only browsers on this machine"), "{keys}");
    }

    #[test]
    fn a_relay_names_every_room_and_what_a_camera_has_to_say() {
        let settings = config::load("relay", "[relay]\nrooms = [\"yard\"]", &|_| None).unwrap();
        let mut out = Vec::new();
        let bound = "127.0.0.1:8080".parse().unwrap();
        print_relay(&mut out, false, (&settings.room, &settings.relay), (bound, Some("AB:CD"))).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            links_in(&text),
            ["http://localhost:8080/#room=porthole", "http://localhost:8080/#room=yard"]
        );
        assert!(text.contains("below its [section] where that is there already"), "{text}");
        let camera = config::load("advice", &advice_in(&text), &|_| None).unwrap();
        let RelayMode::External(other) = &camera.relay.mode else { panic!("{text}") };
        assert_eq!((other.url.as_str(), camera.room.room.as_str()), ("http://localhost:8080", "porthole"));
        assert_eq!(camera.room.access, Access::Keys);
    }

    #[test]
    fn where_https_is_another_link_the_way_to_trust_it_is_said() {
        let near = said("open", "127.0.0.1:8080", "", Opens::Link);
        assert!(!near.contains("https") && !near.contains("AB:CD"), "{near}");
        let text = said("open", "10.0.0.9:8080", "", Opens::Link);
        assert_eq!(
            links_in(&text),
            ["http://10.0.0.9:8080/#room=porthole", "https://10.0.0.9:8080/#room=porthole"]
        );
        assert!(
            text.contains("there: http://10.0.0.9:8080/ca.crt, whose") && text.contains("  AB:CD\n"),
            "{text}"
        );
        let files = "tls = \"files\"\ncertificate = \"a\"\nkey = \"b\"";
        let settings = settings("open", "10.0.0.9:8080", files);
        let mut out = Vec::new();
        let served = ("10.0.0.9:8080".parse().unwrap(), None);
        print(&mut out, false, (&settings.room, &settings.relay), served, Opens::Link, None).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(links_in(&text).len() == 2 && !text.contains("ca.crt"), "{text}");
    }

    #[test]
    fn a_relay_that_is_only_there_over_https_says_whom_a_camera_has_to_trust() {
        let settings = settings("open", "10.0.0.9:8080", "redirect = true");
        let mut out = Vec::new();
        let served = ("10.0.0.9:8080".parse().unwrap(), Some("AB:CD"));
        print_relay(&mut out, false, (&settings.room, &settings.relay), served).unwrap();
        let text = String::from_utf8(out).unwrap();
        let camera = config::load("advice", &advice_in(&text), &|_| None).unwrap();
        let RelayMode::External(other) = &camera.relay.mode else { panic!("{text}") };
        assert_eq!(
            (other.url.as_str(), other.ca.as_deref()),
            ("https://10.0.0.9:8080", Some(Path::new("ca.pem")))
        );
        assert!(text.contains("https://10.0.0.9:8080/ca.pem"), "{text}");
    }

    #[test]
    fn only_who_has_keys_to_press_is_told_which_one_stops_it() {
        let settings = settings("open", "127.0.0.1:8080", "");
        let place = (&settings.room, &settings.relay);
        let served = ("127.0.0.1:8080".parse().unwrap(), None);
        let ends = |terminal| {
            let (mut camera, mut relay) = (Vec::new(), Vec::new());
            print(&mut camera, terminal, place, served, Opens::Link, None).unwrap();
            print_relay(&mut relay, terminal, place, served).unwrap();
            [camera, relay].map(|said| String::from_utf8(said).unwrap().contains("Ctrl-C stops it.\n"))
        };
        assert_eq!(ends(true), [true, true]);
        assert_eq!(ends(false), [false, false]);
    }

    fn settings(access: &str, bound: &str, relay: &str) -> config::settings::Settings {
        let text = format!("[room]\naccess = \"{access}\"\n[relay]\nlisten = \"{bound}\"\n{relay}\n");
        config::load("my.toml", &text, &|_| None).unwrap()
    }

    fn said(access: &str, bound: &str, relay: &str, opens: Opens<'_>) -> String {
        let settings = settings(access, bound, relay);
        let bound: SocketAddr = bound.parse().unwrap();
        let mut out = Vec::new();
        let config = Some(Path::new("my.toml"));
        let served = (bound, Some("AB:CD"));
        print(&mut out, false, (&settings.room, &settings.relay), served, opens, config).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// The configuration that a text advises.
    fn advice_in(text: &str) -> String {
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| {
            line.starts_with('[')
                || line.contains(" = \"") && !line.contains(':')
                || line.starts_with("listen = ")
                || line.starts_with("url = ")
        });
        lines.fold(String::new(), |all, line| all + line + "\n")
    }

    fn links_in(text: &str) -> Vec<&str> {
        text.lines().map(str::trim).filter(|line| line.starts_with("http")).collect()
    }
}
