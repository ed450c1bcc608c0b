//! What the relay hears of sockets, and in which order, and whom it tells of, as sentences. Must not know how a room decides.

use std::net::Ipv4Addr;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use porthole_core::config::settings::IceSettings;
use porthole_core::ids::Name;
use tower::{Layer, ServiceExt};

use super::super::entrance::{Entrance, LetsIn, RemoteAddress, socket_io};
use super::super::rooms::{Card, Role, Room};
use super::*;

#[tokio::test]
async fn what_was_said_first_is_heard_first_also_where_its_socket_may_be_spoken_to_only_in_between() {
    let said = said_by_a_socket(&[r#"42["join",{"room":"yard","from":"ann"}]"#, r#"42["offer",{}]"#]).await;
    let yard = Name::new("yard").unwrap();
    let own = Card { from: Name::new("cam").unwrap(), role: Role::Camera, name: String::new() };
    let hall = Hall::new([Room::new(yard.clone(), Some(own))], Some(yard));
    let (desk, mut events) = mpsc::channel(8);
    let ice = Ice::from(&IceSettings::default());
    let (mut relay, _inbox) = Relay::new(hall, Some(Events { desk }), None, ice);

    // Its join is heard before it may be spoken to, its offer after that, and the news of it last of all.
    let now = Arc::<Life>::default();
    let mut entered = None;
    for mut heard in said {
        if let Heard::Said { key, life, .. } = &mut heard {
            *life = now.clone();
            entered = Some(*key);
        }
        relay.hear(heard);
        now.enter();
    }
    relay.hear(Heard::Entered(entered.unwrap()));
    let names = std::iter::from_fn(|| match events.try_recv() {
        Ok(LinkEvent::Message { name, .. }) => Some(name),
        _ => None,
    });
    assert_eq!(names.collect::<Vec<_>>(), ["joined", "offer"]);
    assert_eq!(relay.hall.refusals().get("not-allowed"), None);
    assert!(relay.early.is_empty());
}

/// What the entrance brings of a socket that says this, in that order.
async fn said_by_a_socket(packets: &[&str]) -> Vec<Heard> {
    let (inbox, mut heard) = mpsc::channel(8);
    let entrance = Entrance::new(inbox, 1, LetsIn { gate: None, strangers: false });
    let (layer, _io) = socket_io(entrance);
    let router = Router::new().fallback_service(layer.layer(Router::new()));
    let ask = async |sid: &str, packet: Option<&str>| {
        let uri = format!("/socket.io/?EIO=4&transport=polling{sid}");
        let (verb, body) = packet.map_or(("GET", ""), |packet| ("POST", packet));
        let mut request = Request::builder().method(verb).uri(uri).body(Body::from(body.to_owned())).unwrap();
        request.extensions_mut().insert(RemoteAddress(Ipv4Addr::LOCALHOST.into()));
        let Ok(response) = router.clone().oneshot(request).await;
        to_bytes(response.into_body(), 4096).await.unwrap()
    };
    let open: Value = serde_json::from_slice(&ask("", None).await[1..]).unwrap();
    let sid = format!("&sid={}", open["sid"].as_str().unwrap());
    ask(&sid, Some("40")).await;
    assert!(matches!(heard.recv().await, Some(Heard::Entered(_))));
    let mut said = Vec::new();
    for packet in packets {
        ask(&sid, Some(packet)).await;
        said.extend(heard.recv().await);
    }
    said
}

#[test]
fn whoever_comes_and_goes_all_the_time_is_told_of_in_sums() {
    let start = Instant::now();
    let mut news = News { may: Bucket::new(NEWS.0, NEWS.1, start), untold: 0 };
    let peer = Name::new("moth").unwrap();
    for _ in 0..500 {
        news.note(&peer, "joined", start);
        news.note(&peer, "left", start);
    }
    assert_eq!(news.untold, 1000 - 60);
    news.note(&peer, "offer", start);
    assert_eq!(news.untold, 1000 - 60);
    news.note(&peer, "joined", start + std::time::Duration::from_secs(1));
    assert_eq!(news.untold, 0);
}
