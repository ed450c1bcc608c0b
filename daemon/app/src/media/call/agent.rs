//! webrtcbin's ICE agent, set to what the configuration says: servers, ports, addresses. Must not know what is negotiated.

use std::net::IpAddr;

use gst::prelude::*;
use porthole_core::access::Stamp;
use porthole_core::ice::{Credentials, Holder, IcePolicy, IceSettings};

use super::super::element::MediaError;

/// Sets the agent of a new webrtcbin. Errors when the configuration leaves no address to call from.
pub fn set(webrtc: &gst::Element, ice: &IceSettings, now: Stamp) -> Result<(), MediaError> {
    for server in ice.servers(Holder::Camera, now) {
        match server.credentials {
            None => ask_stun(webrtc, server.url),
            Some(credentials) => add_turn(webrtc, server.url, &credentials),
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
    for address in addresses(ice)? {
        agent.emit_by_name::<bool>("add-local-ip-address", &[&address.to_string()]);
    }
    Ok(())
}

/// The agent asks one server, and only over UDP; the first one is it.
fn ask_stun(webrtc: &gst::Element, url: &str) {
    let asked = webrtc.property::<Option<String>>("stun-server").is_some();
    if let (false, Some(("stun", place))) = (asked, url.split_once(':')) {
        webrtc.set_property("stun-server", format!("stun://{place}"));
    }
}

fn add_turn(webrtc: &gst::Element, url: &str, credentials: &Credentials) {
    let (scheme, place) = url.split_once(':').unwrap_or(("turn", url));
    let [username, password] = [&credentials.username, &credentials.password].map(|text| percent(text));
    let full = format!("{scheme}://{username}:{password}@{place}");
    if !webrtc.emit_by_name::<bool>("add-turn-server", &[&full]) {
        log::warn!("the TURN server {url} was not taken; see ice.turn in the configuration");
    }
}

/// The addresses to call from; none, where that is left to the agent.
fn addresses(ice: &IceSettings) -> Result<Vec<IpAddr>, MediaError> {
    let all = if_addrs::get_if_addrs().unwrap_or_default();
    let up = all.iter().filter(|interface| interface.is_oper_up());
    // What has no way off the machine or needs a zone to be used: the agent passes over the one and cannot write the other.
    let usable: Vec<(&str, IpAddr)> = up
        .map(|interface| (interface.name.as_str(), interface.ip()))
        .filter(|(_, address)| match address {
            IpAddr::V4(v4) => !v4.is_loopback(),
            IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local(),
        })
        .collect();
    if ice.filter.is_open() {
        // The agent takes no loopback of its own accord, and where there is nothing else it needs to be told.
        let alone = usable.iter().all(|(_, address)| matches!(address, IpAddr::V4(v4) if v4.is_link_local()));
        return Ok(if alone { vec![IpAddr::from([127, 0, 0, 1])] } else { Vec::new() });
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
    Ok(wanted)
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
