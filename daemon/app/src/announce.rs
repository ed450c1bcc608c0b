//! Tells the person who started the daemon which link to open. Must not decide where the relay listens.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anstyle::{AnsiColor, Color, Style};
use porthole_core::config::settings::{ExternalRelay, RelayMode, RelaySettings, RoomSettings};
use porthole_core::ids::RoomName;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use crate::addresses;

/// Dark modules on light ground, whatever the colours of the terminal are.
const PAPER: Style = Style::new()
    .fg_color(Some(Color::Ansi(AnsiColor::Black)))
    .bg_color(Some(Color::Ansi(AnsiColor::BrightWhite)));

/// Prints every link to the page, the QR code of the first, and who can reach it.
///
/// `bound` is the address the relay really listens on (with the port that was taken); `colour` is whether `out` is
/// a terminal.
///
/// # Errors
/// Those of writing to `out`.
pub fn print(
    out: &mut dyn Write,
    colour: bool,
    room: &RoomSettings,
    relay: &RelaySettings,
    bound: SocketAddr,
) -> io::Result<()> {
    // Without a list of the machine's addresses the link through localhost is still true.
    let own = if bound.ip().is_unspecified() { addresses::own().unwrap_or_default() } else { Vec::new() };
    write_all(out, colour, room, relay, bound, &own)
}

/// Prints what a camera's configuration has to say to wait here, and every room's links.
///
/// `bound` is the address the relay really listens on. Errors: those of writing to `out`.
pub fn print_relay(
    out: &mut dyn Write,
    room: &RoomSettings,
    relay: &RelaySettings,
    bound: SocketAddr,
) -> io::Result<()> {
    let own = if bound.ip().is_unspecified() { addresses::own().unwrap_or_default() } else { Vec::new() };
    write_relay(out, room, relay, bound, &own)
}

fn write_relay(
    out: &mut dyn Write,
    room: &RoomSettings,
    relay: &RelaySettings,
    bound: SocketAddr,
    own: &[IpAddr],
) -> io::Result<()> {
    writeln!(out, "A relay without a camera listens on {bound}. Open in a browser:\n")?;
    for name in std::iter::once(&room.room).chain(&relay.rooms) {
        for link in links(name, relay, bound, own) {
            writeln!(out, "  {link}")?;
        }
    }
    let url = origins(relay, bound, own).into_iter().next().unwrap_or_default();
    writeln!(
        out,
        "\nThey show the cameras that wait in the room, whose configuration says:\n\n  \
         [room]\n  name = \"{}\"\n  camera = \"Camera\"\n  access = \"open\"\n  \
         [relay]\n  mode = \"external\"\n  url = \"{url}\"\n  dialect = \"porthole\"\n",
        room.room
    )?;
    writeln!(out, "Ctrl-C stops it.")?;
    out.flush()
}

/// Where the page is under each of its names, the one to be opened first.
fn origins(relay: &RelaySettings, bound: SocketAddr, own: &[IpAddr]) -> Vec<String> {
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

/// Every link to the page, the one to be opened first.
fn links(room: &RoomName, relay: &RelaySettings, bound: SocketAddr, own: &[IpAddr]) -> Vec<String> {
    // The page has to be told where the room is when it is not where the page comes from.
    let elsewhere = match &relay.mode {
        RelayMode::Embedded => String::new(),
        RelayMode::External(other) if other.path == ExternalRelay::PATH => format!("&relay={}", other.url),
        // Inside a fragment a percent sign begins something.
        RelayMode::External(other) => format!("&relay={}{}", other.url, other.path.replace('%', "%25")),
    };
    origins(relay, bound, own).into_iter().map(|origin| format!("{origin}/#room={room}{elsewhere}")).collect()
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

fn write_all(
    out: &mut dyn Write,
    colour: bool,
    room: &RoomSettings,
    relay: &RelaySettings,
    bound: SocketAddr,
    own: &[IpAddr],
) -> io::Result<()> {
    let links = links(&room.room, relay, bound, own);
    writeln!(out, "\"{}\" waits in room {}. Open in a browser:\n", room.camera, room.room)?;
    for link in &links {
        writeln!(out, "  {link}")?;
    }
    writeln!(out)?;
    // A link too long for any code is still printed as text.
    if let Some(Ok(code)) = links.first().map(|link| QrCode::with_error_correction_level(link, EcLevel::L)) {
        write_code(out, colour, &code)?;
        writeln!(out)?;
    }
    if let RelayMode::External(other) = &relay.mode {
        writeln!(
            out,
            "The room is on {}: everybody who may enter it there may watch and listen. This page is\n\
             served on {bound}.\n",
            other.url
        )?;
    } else if bound.ip().to_canonical().is_loopback() {
        writeln!(
            out,
            "It listens on {bound}: only browsers on this machine reach it. To let everybody in who can reach\n\
             this machine, write into the configuration:\n\n  \
             [room]\n  access = \"open\"\n  [relay]\n  listen = \"0.0.0.0:{}\"\n",
            bound.port()
        )?;
    } else {
        writeln!(
            out,
            "It listens on {bound}: everybody who can reach that may watch and listen (access = \"open\").\n"
        )?;
    }
    writeln!(out, "Ctrl-C stops it.")?;
    out.flush()
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
    use porthole_core::config::settings::Settings;

    use super::*;

    #[test]
    fn on_loopback_there_is_one_link_and_it_says_how_to_let_others_in() {
        let text = said("127.0.0.1:8080", "", &["192.168.1.20"]);
        assert_eq!(links_in(&text), ["http://localhost:8080/#room=porthole"]);
        assert!(text.contains("only browsers on this machine"), "{text}");
        assert!(text.contains("access = \"open\"") && text.contains("listen = \"0.0.0.0:8080\""), "{text}");
    }

    #[test]
    fn the_advice_is_a_configuration_that_is_allowed() {
        let text = said("127.0.0.1:8080", "", &[]);
        let advice: String = text
            .lines()
            .filter(|line| line.contains(" = ") || line.trim().starts_with('['))
            .fold(String::new(), |all, line| all + line + "\n");
        let settings = porthole_core::config::load("advice", &advice, &|_| None).unwrap();
        assert_eq!(settings.relay.listen, "0.0.0.0:8080".parse().unwrap());
    }

    #[test]
    fn on_every_address_there_is_a_link_for_each_that_fits() {
        let own = ["192.168.1.20", "2001:db8::7"];
        assert_eq!(
            links_in(&said("0.0.0.0:8080", "", &own)),
            ["http://192.168.1.20:8080/#room=porthole", "http://localhost:8080/#room=porthole"]
        );
        let text = said("[::]:80", "", &own);
        assert_eq!(
            links_in(&text),
            [
                "http://192.168.1.20/#room=porthole",
                "http://[2001:db8::7]/#room=porthole",
                "http://localhost/#room=porthole"
            ]
        );
        assert!(text.contains("everybody who can reach that may watch"), "{text}");
    }

    #[test]
    fn on_one_address_that_is_the_link() {
        assert_eq!(links_in(&said("10.1.2.3:99", "", &[])), ["http://10.1.2.3:99/#room=porthole"]);
        assert_eq!(links_in(&said("[::1]:99", "", &[])), ["http://[::1]:99/#room=porthole"]);
        assert_eq!(links_in(&said("127.0.0.2:99", "", &[])), ["http://127.0.0.2:99/#room=porthole"]);
    }

    #[test]
    fn a_link_from_the_configuration_is_the_only_one() {
        let text = said("0.0.0.0:8080", "https://cam.example", &["192.168.1.20"]);
        assert_eq!(links_in(&text), ["https://cam.example/#room=porthole"]);
    }

    #[test]
    fn a_room_on_somebody_elses_relay_is_in_the_link() {
        let config =
            "[room]\naccess = \"open\"\n[relay]\nmode = \"external\"\nurl = \"https://relay.example:3000\"";
        let settings = porthole_core::config::load("external", config, &|_| None).unwrap();
        let mut out = Vec::new();
        let bound = "127.0.0.1:8080".parse().unwrap();
        write_all(&mut out, false, &settings.room, &settings.relay, bound, &[]).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            links_in(&text),
            ["http://localhost:8080/#room=porthole&relay=https://relay.example:3000"]
        );
        assert!(
            text.contains("may enter it there") && !text.contains("only browsers on this machine"),
            "{text}"
        );
    }

    #[test]
    fn where_socket_io_lies_elsewhere_on_that_relay_the_link_says_so() {
        let config = "[room]\naccess = \"open\"\n[relay]\nmode = \"external\"\nurl = \"https://relay.example\"\n\
                      path = \"/cam%41/socket.io\"";
        let Settings { room, relay, .. } =
            porthole_core::config::load("external", config, &|_| None).unwrap();
        let links = links(&room.room, &relay, "127.0.0.1:80".parse().unwrap(), &[]);
        assert_eq!(
            links,
            ["http://localhost/#room=porthole&relay=https://relay.example/cam%2541/socket.io/"]
        );
    }

    #[test]
    fn a_relay_names_every_room_and_what_a_camera_has_to_say() {
        let settings =
            porthole_core::config::load("relay", "[relay]\nrooms = [\"yard\"]", &|_| None).unwrap();
        let mut out = Vec::new();
        let bound = "127.0.0.1:8080".parse().unwrap();
        write_relay(&mut out, &settings.room, &settings.relay, bound, &[]).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            links_in(&text),
            ["http://localhost:8080/#room=porthole", "http://localhost:8080/#room=yard"]
        );
        let advice: String = text
            .lines()
            .filter(|line| line.contains(" = ") || line.trim().starts_with('['))
            .fold(String::new(), |all, line| all + line + "\n");
        let camera = porthole_core::config::load("advice", &advice, &|_| None).unwrap();
        let RelayMode::External(other) = &camera.relay.mode else { panic!("{advice}") };
        assert_eq!((other.url.as_str(), camera.room.room.as_str()), ("http://localhost:8080", "porthole"));
    }

    #[test]
    fn the_code_is_that_of_the_first_link() {
        let text = said("127.0.0.1:8080", "", &[]);
        let code =
            QrCode::with_error_correction_level("http://localhost:8080/#room=porthole", EcLevel::L).unwrap();
        let mut drawn = Vec::new();
        write_code(&mut drawn, false, &code).unwrap();
        assert!(text.contains(&String::from_utf8(drawn).unwrap()), "{text}");
    }

    #[test]
    fn on_a_terminal_the_code_is_black_on_white_and_nothing_else_has_colours() {
        let text = written("127.0.0.1:8080", "", &[], true);
        let (code, prose): (Vec<&str>, Vec<&str>) =
            text.lines().partition(|line| line.contains(['▀', '▄', '█']));
        assert!(
            code.iter().all(|line| line.contains("\u{1b}[30m\u{1b}[107m") && line.ends_with("\u{1b}[0m")),
            "{text:?}"
        );
        assert!(!prose.concat().contains('█') && code.len() > 10, "{text:?}");
        assert!(!said("127.0.0.1:8080", "", &[]).contains('\u{1b}'));
    }

    fn said(bound: &str, link: &str, own: &[&str]) -> String {
        written(bound, link, own, false)
    }

    fn written(bound: &str, link: &str, own: &[&str], colour: bool) -> String {
        let Settings { room, mut relay, .. } = Settings::default();
        relay.link = link.to_owned();
        let own: Vec<IpAddr> = own.iter().map(|text| text.parse().unwrap()).collect();
        let mut out = Vec::new();
        write_all(&mut out, colour, &room, &relay, bound.parse().unwrap(), &own).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn links_in(text: &str) -> Vec<&str> {
        text.lines().map(str::trim).filter(|line| line.starts_with("http")).collect()
    }
}
