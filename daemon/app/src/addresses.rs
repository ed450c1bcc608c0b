//! The addresses of this machine, as others can use them. Must not know what for.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;

/// The addresses of this machine that a browser elsewhere can use, the likeliest first.
///
/// # Errors
/// The system's, where it does not tell.
pub fn own() -> io::Result<Vec<IpAddr>> {
    let up = if_addrs::get_if_addrs()?.into_iter().filter(|interface| interface.is_oper_up());
    Ok(usable(up.map(|interface| interface.ip())))
}

/// Those that can stand in a link: no loopback, no IPv6 link-local (it needs a zone, which browsers do not take).
fn usable(addresses: impl Iterator<Item = IpAddr>) -> Vec<IpAddr> {
    let elsewhere = addresses.filter(|address| match address {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_unspecified(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unspecified() && !v6.is_unicast_link_local(),
    });
    let rank = |address: &IpAddr| match address {
        IpAddr::V4(v4) if v4.is_private() => 0,
        IpAddr::V4(v4) if !v4.is_link_local() => 1,
        IpAddr::V6(_) => 2,
        IpAddr::V4(_) => 3,
    };
    let ranked: BTreeSet<(u8, IpAddr)> = elsewhere.map(|address| (rank(&address), address)).collect();
    ranked.into_iter().map(|(_, address)| address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_address_comes_first_and_useless_ones_never() {
        let all = [
            "169.254.7.7",
            "2001:db8::7",
            "fe80::1",
            "203.0.113.5",
            "127.0.0.1",
            "::1",
            "10.0.0.9",
            "10.0.0.9",
        ];
        let all = all.iter().map(|text| text.parse::<IpAddr>().unwrap());
        let usable: Vec<String> = usable(all).iter().map(ToString::to_string).collect();
        assert_eq!(usable, ["10.0.0.9", "203.0.113.5", "2001:db8::7", "169.254.7.7"]);
    }
}
