//! The ICE servers that a newcomer is told of, as browsers take them. Must not know rooms.

use std::time::Duration;

use porthole_core::ice::{Holder, IceSettings};
use serde_json::{Value, json};

use crate::keys;

/// What one newcomer gets.
#[derive(Debug, Clone, PartialEq)]
pub struct Handout {
    /// An `RTCIceServer[]` (W3C WebRTC, section 4.2.4).
    pub servers: Value,
    /// How long its credentials hold; `None`: for ever.
    pub lifetime: Option<Duration>,
}

/// Where hand-outs come from.
#[derive(Debug)]
pub struct Ice(IceSettings);

impl Ice {
    /// Of these servers.
    pub fn new(settings: &IceSettings) -> Self {
        Self(settings.clone())
    }

    /// What somebody gets who comes now.
    pub fn now(&self) -> Handout {
        let servers =
            self.0.servers(Holder::Viewer, keys::now()).into_iter().map(|server| match server.credentials {
                None => json!({ "urls": server.url }),
                Some(login) => {
                    json!({ "urls": server.url, "username": login.username, "credential": login.password })
                }
            });
        Handout { servers: servers.collect(), lifetime: self.0.lifetime() }
    }
}
