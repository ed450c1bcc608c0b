//! webrtcbin's ICE agent, set to what the configuration says: servers, ports, addresses. Must not know what is negotiated.

use std::net::{IpAddr, SocketAddr};

use gst::prelude::*;
use porthole_core::access::Stamp;
use porthole_core::ice::{Credentials, Holder, IcePolicy, IceSettings};

use super::super::element::MediaError;
use super::super::servers::Ways;

/// Sets the agent of a new webrtcbin. Errors when the configuration leaves no address to call from.
pub fn set(webrtc: &gst::Element, ice: &IceSettings, ways: &Ways, now: Stamp) -> Result<(), MediaError> {
    let own = Own::find(ice)?;
    let mut asked = false;
    for server in ice.servers(Holder::Camera, now) {
        // What is not known now is missing for this call, and said where it is looked up.
        let Some(way) = ways.get(server.url) else { continue };
        let Some(at) = way.at.iter().find(|at| own.speaks_to(at)) else { continue };
        match server.credentials {
            // The agent asks one STUN server, and the first one is it.
            None if !asked => {
                webrtc.set_property("stun-server", format!("stun://{at}"));
                asked = true;
            }
            None => {}
            Some(login) => add_turn(webrtc, server.url, *at, way.tcp, &login),
        }
    }
    if ice.policy == IcePolicy::Relay {
        webrtc.set_property_from_str("ice-transport-policy", "relay");
    }
    let agent = webrtc.property::<gst::glib::Object>("ice-agent");
    if let Some(ports) = &ice.ports {
        agent.set_property("min-rtp-port", u32::from(*ports.start()));
        agent.set_property("max-rtp-port", u32::from(*ports.end()));
    }
    if let Some(nice) = agent.property::<Option<gst::glib::Object>>("agent") {
        // UPnP asks strangers' routers for open ports; ICE-TCP costs a listening socket for each address and call.
        nice.set_property("upnp", false);
        nice.set_property("ice-tcp", ice.tcp);
    }
    for address in own.told {
        agent.emit_by_name::<bool>("add-local-ip-address", &[&address.to_string()]);
    }
    Ok(())
}

fn add_turn(webrtc: &gst::Element, url: &str, at: SocketAddr, tcp: bool, login: &Credentials) {
    let [username, password] = [&login.username, &login.password].map(|text| percent(text));
    let transport = if tcp { "tcp" } else { "udp" };
    let full = format!("turn://{username}:{password}@{at}?transport={transport}");
    if !webrtc.emit_by_name::<bool>("add-turn-server", &[&full]) {
        log::warn!("the TURN server {url} was not taken; see ice.turn in the configuration");
    }
}

/// This machine's own addresses, as far as calls use them.
struct Own {
    /// Those that the agent is told of; none, where that is left to the agent.
    told: Vec<IpAddr>,
    v4: bool,
    v6: bool,
}

impl Own {
    fn find(ice: &IceSettings) -> Result<Self, MediaError> {
        let all = if_addrs::get_if_addrs().unwrap_or_default();
        let up = all.iter().filter(|interface| interface.is_oper_up());
        // What has no way off the machine, or needs a zone to be used: the agent passes over the one, and the other cannot
        // be written.
        let usable: Vec<(&str, IpAddr)> = up
            .map(|interface| (interface.name.as_str(), interface.ip()))
            .filter(|(_, address)| match address {
                IpAddr::V4(v4) => !v4.is_loopback(),
                IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local(),
            })
            .collect();
        if ice.filter.is_open() {
            // The agent takes no loopback of its own accord, and where there is nothing else it needs to be told.
            let stray = |address: &IpAddr| matches!(address, IpAddr::V4(v4) if v4.is_link_local());
            let alone = usable.iter().all(|(_, address)| stray(address));
            let told = if alone { vec![IpAddr::from([127, 0, 0, 1])] } else { Vec::new() };
            return Ok(Self::of(usable.into_iter().map(|(_, address)| address).chain(told.clone()), told));
        }
        let wanted: Vec<IpAddr> = usable
            .iter()
            .filter(|(interface, address)| ice.filter.lets(interface, *address))
            .map(|(_, address)| *address)
            .collect();
        if wanted.is_empty() {
            let there: Vec<String> =
                usable.iter().map(|(interface, address)| format!("{address} ({interface})")).collect();
            return Err(MediaError::Failed(format!(
                "none of this machine's addresses is left by interfaces and addresses below [ice]; there are: {}",
                if there.is_empty() { "none".to_owned() } else { there.join(", ") }
            )));
        }
        Ok(Self::of(wanted.clone().into_iter(), wanted))
    }

    fn of(used: impl Iterator<Item = IpAddr>, told: Vec<IpAddr>) -> Self {
        let (mut v4, mut v6) = (false, false);
        used.for_each(|address| if address.is_ipv4() { v4 = true } else { v6 = true });
        Self { told, v4, v6 }
    }

    /// The agent speaks to servers of families only that it has an address of.
    fn speaks_to(&self, server: &SocketAddr) -> bool {
        if server.is_ipv4() { self.v4 } else { self.v6 }
    }
}

/// A user name or password inside a URL (RFC 3986, section 2.1).
fn percent(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_with_a_colon_or_an_at_sign_does_not_end_the_user_part_of_a_turn_url() {
        assert_eq!(percent("a:b@c/d"), "a%3Ab%40c%2Fd");
    }
}
