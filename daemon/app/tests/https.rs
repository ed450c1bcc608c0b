//! https and http on one port: what clients of two TLS libraries make of it, that it is renewed under them, and what
//! strangers before any handshake cost.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod secure;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use porthole::link::{EVENTS, Link, embedded, external};
use porthole_core::config::settings::{
    Access, ExternalRelay, IceSettings, RelayMode, RelaySettings, RoomSettings, TlsSettings, TlsSource,
};
use porthole_core::event::{LinkEvent, Loss};
use porthole_core::status::{RoomState, Status};
use porthole_peer::room::Room;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

use secure::{Library, ask, ask_plainly, shown, within};

const BOTH: [Library; 2] = [Library::Rustls, Library::OpenSsl];
/// Names under which every machine is reached from itself.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

#[tokio::test]
async fn who_trusts_the_authority_of_the_page_is_let_in_and_who_does_not_is_warned() {
    let home = TempDir::new().unwrap();
    let relay = Relay::own(home.path()).await;
    let authority = ask_plainly(relay.address, "/ca.pem").await.body;
    let other = Relay::own(TempDir::new().unwrap().path()).await;
    let stranger = ask_plainly(other.address, "/ca.pem").await.body;
    for library in BOTH {
        for name in NAMES {
            let page = ask(library, relay.address, name, &authority, "/").await.unwrap();
            assert_eq!(page.status, 200, "{library:?} {name}");
            assert!(String::from_utf8_lossy(&page.body).to_lowercase().contains("<!doctype html>"));
            ask(library, relay.address, name, &stranger, "/").await.map(|_| ()).unwrap_err();
        }
        let elsewhere = ask(library, relay.address, "bank.example", &authority, "/").await;
        elsewhere.map(|_| ()).expect_err("a name of somebody else");
    }
    relay.close().await;
    other.close().await;
}

#[tokio::test]
async fn the_authority_is_handed_out_as_phones_want_it_with_the_fingerprint_that_is_printed() {
    let home = TempDir::new().unwrap();
    let relay = Relay::own(home.path()).await;
    let file = ask_plainly(relay.address, "/ca.crt").await;
    assert_eq!(file.status, 200);
    assert!(file.head.contains("content-type: application/x-x509-ca-cert\r\n"), "{}", file.head);
    let digest: Vec<String> = Sha256::digest(&file.body).iter().map(|byte| format!("{byte:02X}")).collect();
    assert_eq!(relay.link.authority(), Some(digest.join(":").as_str()));
    let told: serde_json::Value =
        serde_json::from_slice(&ask_plainly(relay.address, "/https.json").await.body).unwrap();
    assert_eq!(told["fingerprint"], digest.join(":"));
    let pem = ask_plainly(relay.address, "/ca.pem").await.body;
    assert!(
        pem.starts_with(b"-----BEGIN CERTIFICATE-----") && !String::from_utf8_lossy(&pem).contains("PRIVATE")
    );
    let kept = std::fs::read_to_string(home.path().join("authority.pem")).unwrap();
    let der = String::from_utf8(pem).unwrap().replace('\r', "");
    assert!(kept.replace('\r', "").starts_with(&der), "what is kept is what is handed out");
    relay.close().await;
}

#[tokio::test]
async fn a_restart_shows_the_same_certificate() {
    let home = TempDir::new().unwrap();
    let relay = Relay::own(home.path()).await;
    let before = shown(relay.address).await;
    relay.close().await;
    let relay = Relay::own(home.path()).await;
    assert_eq!(shown(relay.address).await, before);
    relay.close().await;
}

#[tokio::test]
async fn one_port_speaks_both_and_only_http_where_https_is_off() {
    let home = TempDir::new().unwrap();
    let relay = Relay::own(home.path()).await;
    let authority = ask_plainly(relay.address, "/ca.pem").await.body;
    for _ in 0..3 {
        assert_eq!(ask_plainly(relay.address, "/healthz").await.status, 200);
        for library in BOTH {
            let health = ask(library, relay.address, "localhost", &authority, "/healthz").await.unwrap();
            assert_eq!(health.status, 200);
        }
    }
    relay.close().await;

    let plain = Relay::open(TlsSource::Off, false).await;
    assert_eq!(plain.link.authority(), None);
    for path in ["/ca.crt", "/ca.pem", "/https.json"] {
        assert_eq!(ask_plainly(plain.address, path).await.status, 404, "{path}");
    }
    for library in BOTH {
        ask(library, plain.address, "localhost", &authority, "/").await.map(|_| ()).unwrap_err();
    }
    plain.close().await;
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart_and_a_broken_one_never() {
    let home = TempDir::new().unwrap();
    let (certificate, key) = (home.path().join("fullchain.pem"), home.path().join("privkey.pem"));
    let put = |made: &(String, String)| {
        std::fs::write(&certificate, &made.0).unwrap();
        std::fs::write(&key, &made.1).unwrap();
    };
    let (first, second) = (made(), made());
    put(&first);
    let source = TlsSource::Files { certificate: certificate.clone(), key: key.clone() };
    let relay = Relay::open(source, false).await;
    let before = shown(relay.address).await;
    for library in BOTH {
        assert_eq!(
            ask(library, relay.address, "localhost", first.0.as_bytes(), "/").await.unwrap().status,
            200
        );
    }
    assert_eq!(ask_plainly(relay.address, "/ca.crt").await.status, 404, "it is not for us to hand out");

    std::fs::write(&key, "broken").unwrap();
    put(&second);
    let renewed = async {
        while shown(relay.address).await == before {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    within(renewed).await;
    for library in BOTH {
        assert_eq!(
            ask(library, relay.address, "localhost", second.0.as_bytes(), "/").await.unwrap().status,
            200
        );
        ask(library, relay.address, "localhost", first.0.as_bytes(), "/").await.map(|_| ()).unwrap_err();
    }
    relay.close().await;
}

#[tokio::test]
async fn files_that_cannot_be_used_stop_the_start_with_what_to_do() {
    let home = TempDir::new().unwrap();
    let source =
        TlsSource::Files { certificate: home.path().join("no.pem"), key: home.path().join("no.key") };
    let failed = open(source, false).await.map(|_| ()).unwrap_err().to_string();
    assert!(
        failed.contains("[relay] certificate and key: ") && failed.contains("no.pem cannot be read"),
        "{failed}"
    );
}

#[test]
fn checking_a_configuration_looks_at_the_certificate_too() {
    let home = TempDir::new().unwrap();
    let config = home.path().join("my.toml");
    let text = "[relay]\ntls = \"files\"\ncertificate = \"fullchain.pem\"\nkey = \"privkey.pem\"\n";
    std::fs::write(&config, text).unwrap();
    let check = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_porthole"));
        let said = command.arg("check-config").arg(&config).output().unwrap();
        (said.status.code(), String::from_utf8(said.stderr).unwrap())
    };
    let (status, said) = check();
    assert_eq!(status, Some(78));
    assert!(
        said.contains("my.toml: [relay] certificate and key: ") && said.contains("cannot be read"),
        "{said}"
    );
    let (certificate, key) = made();
    std::fs::write(home.path().join("fullchain.pem"), &certificate).unwrap();
    std::fs::write(home.path().join("privkey.pem"), made().1).unwrap();
    let (status, said) = check();
    assert_eq!(status, Some(78));
    assert!(said.contains("not made together"), "{said}");
    std::fs::write(home.path().join("privkey.pem"), key).unwrap();
    assert_eq!(check(), (Some(0), String::new()));
}

#[tokio::test]
async fn a_camera_elsewhere_trusts_the_relay_by_its_authority_and_by_nothing_less() {
    let (home, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let relay = Relay::own(home.path()).await;
    let stranger = Relay::own(other.path()).await;
    let ca = home.path().join("ca.pem");
    std::fs::write(&ca, ask_plainly(relay.address, "/ca.pem").await.body).unwrap();
    let mut camera = Camera::at(relay.address, Some(&ca)).await;
    assert_eq!(camera.event().await, LinkEvent::Up);
    camera.link.close().await;
    for (address, ca) in [(relay.address, None), (stranger.address, Some(ca.as_path()))] {
        let mut camera = Camera::at(address, ca).await;
        assert!(matches!(camera.event().await, LinkEvent::Down { why: Loss::Tls, .. }));
        camera.link.close().await;
    }
    relay.close().await;
    stranger.close().await;
}

#[tokio::test]
async fn strangers_that_never_speak_or_speak_rubbish_are_let_go_of_and_nobody_notices() {
    let home = TempDir::new().unwrap();
    let relay = Relay::own(home.path()).await;
    let authority = ask_plainly(relay.address, "/ca.pem").await.body;
    let mut ann = Room::enter(relay.address, "porthole", "ann").await.unwrap();
    let rubbish: [&[u8]; 7] = [
        b"",
        b"\x16",
        b"\x16\x03\x01\xff\xff",
        b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
        b"\x16\x16\x16\x16\x16\x16\x16\x16\x16\x16",
        b"\x00\xff\x00\xff",
        b"GET ",
    ];
    let mut strangers = Vec::new();
    for round in 0..20 {
        for said in rubbish {
            let mut stranger = TcpStream::connect(relay.address).await.unwrap();
            // Where there is no more room it is cut at once.
            let _ = stranger.write_all(said).await;
            strangers.push(stranger);
        }
        let call = format!("c{round}");
        ann.offer(&call, "v=0").await.expect("whoever is inside is heard");
    }
    // Each is let go of by itself.
    for stranger in &mut strangers {
        let mut rest = Vec::new();
        let _ = within(stranger.read_to_end(&mut rest)).await;
        let rest = String::from_utf8_lossy(&rest);
        assert!(!rest.contains("200 OK"), "{rest}");
    }
    for library in BOTH {
        assert_eq!(ask(library, relay.address, "localhost", &authority, "/").await.unwrap().status, 200);
    }
    relay.close().await;
}

#[tokio::test]
async fn the_end_does_not_wait_for_hands_that_are_half_shaken() {
    let home = TempDir::new().unwrap();
    let relay = Relay::own(home.path()).await;
    let address = relay.address;
    let mut half = TcpStream::connect(address).await.unwrap();
    half.write_all(b"\x16\x03\x01\x02\x00\x01").await.unwrap();
    let _silent = TcpStream::connect(address).await.unwrap();
    relay.close().await;
    assert!(TcpStream::connect(address).await.is_err(), "the port is let go of");
}

struct Relay {
    link: Link,
    address: SocketAddr,
}

impl Relay {
    /// With an authority of its own in `home`.
    async fn own(home: &Path) -> Self {
        Self::open(TlsSource::Own { authority: Some(home.join("authority.pem")) }, false).await
    }

    async fn open(source: TlsSource, redirect: bool) -> Self {
        let link = open(source, redirect).await.unwrap();
        let address = link.page().expect("a relay serves a page");
        Self { link, address }
    }

    async fn close(self) {
        within(self.link.close()).await;
    }
}

async fn open(source: TlsSource, redirect: bool) -> Result<Link, embedded::OpenFailed> {
    let relay = RelaySettings {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        tls: TlsSettings { source, redirect },
        ..RelaySettings::default()
    };
    let room = RoomSettings { access: Access::Open, ..RoomSettings::default() };
    embedded::open_alone(relay, &room, &IceSettings::default()).await
}

/// A camera in a relay elsewhere.
struct Camera {
    link: Link,
    events: mpsc::Receiver<LinkEvent>,
    _status: watch::Sender<Status>,
}

impl Camera {
    async fn at(address: SocketAddr, ca: Option<&Path>) -> Self {
        let text = format!(
            "[room]\naccess = \"open\"\n[relay]\nlisten = \"127.0.0.1:0\"\ntls = \"off\"\nmode = \"external\"\n\
             url = \"https://localhost:{}\"\ndialect = \"porthole\"",
            address.port()
        );
        let settings = porthole_core::config::load("camera.toml", &text, &|_| None).unwrap();
        let RelayMode::External(relay) = &settings.relay.mode else { panic!("{text}") };
        let relay = ExternalRelay { ca: ca.map(Path::to_owned), ..*relay.clone() };
        let (desk, events) = mpsc::channel(EVENTS);
        let (status, health) =
            watch::channel(Status { link: true, room: RoomState::In, ..Status::default() });
        let link =
            external::open(&settings.relay, &relay, &settings.room, &IceSettings::default(), desk, health)
                .await
                .unwrap();
        Self { link, events, _status: status }
    }

    async fn event(&mut self) -> LinkEvent {
        within(self.events.recv()).await.expect("an event")
    }
}

/// A certificate for `localhost` that trusts itself, and its key.
fn made() -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut how = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    how.is_ca = rcgen::IsCa::ExplicitNoCa;
    (how.self_signed(&key).unwrap().pem(), key.serialize_pem())
}
