//! How often somebody may begin: a handshake of Socket.IO, or a player's call. Counted in all and by address, so that one
//! who asks all the time is turned away before everybody else is. Must not know what a handshake is.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Instant;

use super::guard::{Bucket, one_of};

/// Beginnings a second and at once, from everywhere.
const ALL: (u32, u32) = (50, 200);
/// The same from one address, or of IPv6 from one network.
const EACH: (u32, u32) = (5, 40);
/// Most addresses that are counted one by one. Beyond them only the count of all holds.
const MOST_ADDRESSES: usize = 1024;

/// The counts.
pub struct Handshakes {
    all: Bucket,
    each: HashMap<IpAddr, Bucket>,
}

impl Handshakes {
    /// Nobody has asked yet.
    pub fn new(now: Instant) -> Self {
        Self { all: Bucket::new(ALL.0, ALL.1, now), each: HashMap::new() }
    }

    /// Whether `from` may begin once more. Loopback has no count of its own: a reverse proxy there stands for everybody.
    pub fn take(&mut self, from: Option<IpAddr>, now: Instant) -> bool {
        let own = from.map(one_of).filter(|address| !address.to_canonical().is_loopback());
        if let Some(address) = own {
            if self.each.len() >= MOST_ADDRESSES && !self.each.contains_key(&address) {
                self.each.retain(|_, bucket| !bucket.is_full(now));
            }
            let counted = self.each.len() < MOST_ADDRESSES || self.each.contains_key(&address);
            let fresh = || Bucket::new(EACH.0, EACH.1, now);
            if counted && !self.each.entry(address).or_insert_with(fresh).take(now) {
                return false;
            }
        }
        self.all.take(now)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;

    fn address(number: u32) -> Option<IpAddr> {
        Some(Ipv4Addr::from_bits(0x0a00_0000 + number).into())
    }

    #[test]
    fn who_asks_all_the_time_is_turned_away_and_the_others_are_not() {
        let now = Instant::now();
        let mut handshakes = Handshakes::new(now);
        let taken = (0..1000).filter(|_| handshakes.take(address(1), now)).count();
        assert_eq!(taken, EACH.1 as usize);
        assert!(handshakes.take(address(2), now));
        assert!(handshakes.take(address(1), now + Duration::from_secs(1)), "nobody is turned away for good");
    }

    #[test]
    fn everybody_together_has_a_bound_too_and_so_has_what_is_kept() {
        let now = Instant::now();
        let mut handshakes = Handshakes::new(now);
        let taken = (0..10_000).filter(|number| handshakes.take(address(*number), now)).count();
        assert_eq!(taken, ALL.1 as usize);
        assert!(handshakes.each.len() <= MOST_ADDRESSES);
    }

    #[test]
    fn a_proxy_on_this_machine_stands_for_everybody() {
        let now = Instant::now();
        let mut handshakes = Handshakes::new(now);
        let here = Some(Ipv4Addr::LOCALHOST.into());
        assert_eq!((0..1000).filter(|_| handshakes.take(here, now)).count(), ALL.1 as usize);
    }
}
