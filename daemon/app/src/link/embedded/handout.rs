//! The ICE servers that a newcomer is told of, as browsers take them. Must not know rooms.

use std::time::Duration;

use porthole_core::ice::{Holder, IceSettings};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::keys;

/// What one newcomer gets.
#[derive(Debug, Clone, PartialEq)]
pub struct Handout {
    /// An `RTCIceServer[]` (W3C WebRTC, section 4.2.4).
    pub servers: Value,
    /// How long its credentials hold; `None`: for ever.
    pub lifetime: Option<Duration>,
}

impl Handout {
    /// Only what has no password.
    pub fn without_secrets(mut self) -> Self {
        if let Value::Array(servers) = &mut self.servers {
            servers.retain(|server| server.get("credential").is_none());
        }
        Self { lifetime: None, ..self }
    }
}

/// Where hand-outs come from.
#[derive(Debug, Clone)]
pub struct Ice(watch::Receiver<IceSettings>);

/// Of the servers there are at each moment.
impl From<watch::Receiver<IceSettings>> for Ice {
    fn from(settings: watch::Receiver<IceSettings>) -> Self {
        Self(settings)
    }
}

/// Of these servers for ever.
impl From<&IceSettings> for Ice {
    fn from(settings: &IceSettings) -> Self {
        Self(watch::channel(settings.clone()).1)
    }
}

impl Ice {
    /// As they are now.
    pub fn settings(&self) -> watch::Ref<'_, IceSettings> {
        self.0.borrow()
    }

    /// What somebody gets who comes now.
    pub fn now(&self) -> Handout {
        let ice = self.0.borrow();
        let servers =
            ice.servers(Holder::Viewer, keys::now()).into_iter().map(|server| match server.credentials {
                None => json!({ "urls": server.url }),
                Some(login) => {
                    json!({ "urls": server.url, "username": login.username, "credential": login.password })
                }
            });
        Handout { servers: servers.collect(), lifetime: ice.lifetime() }
    }
}
