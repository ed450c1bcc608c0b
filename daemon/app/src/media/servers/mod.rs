//! STUN and TURN servers as an ICE agent takes them: by address, for it would look up names while a call waits, and without
//! TLS, which it does not speak ([`tunnel`]). Must not know agents or calls.

mod tunnel;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use porthole_core::ice::{IceSettings, Over, Place};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// How long an address is believed, and how soon a name that was not known is looked up again.
const BELIEVED: Duration = Duration::from_secs(300);
const AGAIN: Duration = Duration::from_secs(15);
/// How long looking up one name may take.
const LOOK_UP: Duration = Duration::from_secs(5);
/// How long the first round may keep the daemon from starting.
const FIRST_ROUND: Duration = Duration::from_secs(2);

/// How a server is reached from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Where; one of each family at most.
    pub at: Vec<SocketAddr>,
    /// Whether over TCP.
    pub tcp: bool,
}

/// The ways to all servers, by their URL. One that is not known now is missing.
pub type Ways = Arc<HashMap<String, Way>>;

/// Settings, and the ways to their servers.
#[derive(Debug, Clone)]
pub struct Served {
    /// What holds for the next call.
    pub ice: IceSettings,
    /// See [`Ways`].
    pub ways: watch::Receiver<Ways>,
}

/// Keeps settings and ways together for as long as somebody listens. What has changed in `ice` holds when its ways are
/// known.
pub async fn follow(mut ice: watch::Receiver<IceSettings>) -> watch::Receiver<Served> {
    async fn served(ice: IceSettings) -> Served {
        let ways = open(&ice).await;
        Served { ice, ways }
    }
    let first = ice.borrow_and_update().clone();
    let (publish, listen) = watch::channel(served(first).await);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                changed = ice.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let now = ice.borrow_and_update().clone();
                    publish.send_replace(served(now).await);
                }
                () = publish.closed() => return,
            }
        }
    });
    listen
}

/// Looks after the ways to the servers of `ice` for as long as somebody listens.
pub async fn open(ice: &IceSettings) -> watch::Receiver<Ways> {
    let urls = ice.stun.iter().chain(ice.turn.iter().map(|server| &server.url));
    let (publish, mut ways) = watch::channel(Ways::default());
    let publish = Arc::new(publish);
    let mut fixed = HashMap::new();
    let mut names = Vec::new();
    for (url, place) in urls.filter_map(|url| Some((url.clone(), Place::of(url)?))) {
        match (place.over, place.address()) {
            // A browser asks these; our agent only asks over UDP.
            (Over::Tls, _) if url.starts_with("stuns:") => {}
            (Over::Tls, _) => match tunnel::open(place, ice.ca.clone(), publish.clone()).await {
                Ok(at) => _ = fixed.insert(url, Way { at, tcp: true }),
                Err(error) => log::warn!("the camera goes without {url}: {error}"),
            },
            (over, Some(ip)) => {
                let way = Way { at: vec![SocketAddr::new(ip, place.port)], tcp: over == Over::Tcp };
                fixed.insert(url, way);
            }
            (_, None) => names.push((url, place)),
        }
    }
    publish.send_replace(Arc::new(fixed.clone()));
    ways.mark_unchanged();
    if !names.is_empty() {
        tokio::spawn(keep(fixed, names, publish));
        let _ = timeout(FIRST_ROUND, ways.changed()).await;
    }
    ways
}

/// Looks up names again and again.
async fn keep(fixed: HashMap<String, Way>, names: Vec<(String, Place)>, publish: Arc<watch::Sender<Ways>>) {
    let mut known: HashMap<String, Way> = HashMap::new();
    let mut told: HashMap<String, String> = HashMap::new();
    loop {
        let mut complete = true;
        for (url, place) in &names {
            match look_up(place).await {
                Ok(at) => {
                    if told.remove(url).is_some() {
                        log::info!("{} is known again", place.host);
                    }
                    known.insert(url.clone(), Way { at, tcp: place.over == Over::Tcp });
                }
                Err(why) => {
                    complete = false;
                    // What was known stays: a name server that is away does not move other servers.
                    if !known.contains_key(url) && told.get(url) != Some(&why) {
                        log::warn!("calls go without {url}, whose name cannot be looked up: {why}");
                        told.insert(url.clone(), why);
                    }
                }
            }
        }
        let all = fixed.iter().chain(&known).map(|(url, way)| (url.clone(), way.clone()));
        publish.send_replace(Arc::new(all.collect()));
        tokio::select! {
            () = sleep(if complete { BELIEVED } else { AGAIN }) => {}
            () = publish.closed() => return,
        }
    }
}

async fn look_up(place: &Place) -> Result<Vec<SocketAddr>, String> {
    let found = timeout(LOOK_UP, tokio::net::lookup_host((place.host.as_str(), place.port))).await;
    let found: Vec<SocketAddr> = found
        .map_err(|_| format!("no answer within {LOOK_UP:?}"))?
        .map_err(|error| error.to_string())?
        .collect();
    let at = [found.iter().find(|one| one.is_ipv4()), found.iter().find(|one| one.is_ipv6())];
    let at: Vec<SocketAddr> = at.into_iter().flatten().copied().collect();
    if at.is_empty() { Err("it has no address".to_owned()) } else { Ok(at) }
}

/// Loopback, of both families.
fn loopback() -> [IpAddr; 2] {
    [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
}

#[cfg(test)]
mod tests {
    use porthole_core::ice::{Credentials, TurnLogin, TurnServer};

    use super::*;

    #[tokio::test]
    async fn what_changes_in_the_settings_holds_with_its_ways() {
        let ice = |stun: &str| IceSettings { stun: vec![stun.to_owned()], ..IceSettings::default() };
        let (change, settings) = watch::channel(ice("stun:192.0.2.1"));
        let mut served = follow(settings).await;
        let ways = served.borrow_and_update().ways.clone();
        assert!(ways.borrow().contains_key("stun:192.0.2.1"));
        change.send_replace(ice("stun:192.0.2.2"));
        served.changed().await.unwrap();
        let Served { ice, ways } = served.borrow().clone();
        assert_eq!(ice.stun, ["stun:192.0.2.2"]);
        assert_eq!(ways.borrow().keys().collect::<Vec<_>>(), ["stun:192.0.2.2"]);
    }

    #[tokio::test]
    async fn every_server_has_its_way_and_one_that_nobody_knows_has_none() {
        let turn = |url: &str| {
            let login = Credentials { username: "me".into(), password: "wonder".into() };
            TurnServer { url: url.into(), login: TurnLogin::Password(login) }
        };
        let ice = IceSettings {
            stun: ["stun:192.0.2.1", "stun:localhost:3479", "stuns:192.0.2.1", "stun:nobody.invalid"]
                .map(str::to_owned)
                .into(),
            turn: ["turn:[2001:db8::1]:80?transport=tcp", "turns:192.0.2.2"].map(turn).into(),
            ..IceSettings::default()
        };
        let mut ways = open(&ice).await;
        let round = timeout(LOOK_UP * 3, ways.wait_for(|ways| ways.contains_key("stun:localhost:3479")));
        let ways = round.await.unwrap().unwrap().clone();
        let at = |text: &str| vec![text.parse::<SocketAddr>().unwrap()];
        assert_eq!(ways["stun:192.0.2.1"], Way { at: at("192.0.2.1:3478"), tcp: false });
        assert_eq!(
            ways["turn:[2001:db8::1]:80?transport=tcp"],
            Way { at: at("[2001:db8::1]:80"), tcp: true }
        );
        let Way { at, tcp } = &ways["stun:localhost:3479"];
        assert!(!tcp && at.iter().all(|at| at.ip().is_loopback() && at.port() == 3479), "{at:?}");
        let tunnel = &ways["turns:192.0.2.2"];
        assert!(
            tunnel.tcp && tunnel.at.iter().all(|at| at.ip().is_loopback() && at.port() != 5349),
            "{tunnel:?}"
        );
        assert!(!ways.contains_key("stun:nobody.invalid") && !ways.contains_key("stuns:192.0.2.1"));
        assert_eq!(ways.len(), 4);
    }
}
