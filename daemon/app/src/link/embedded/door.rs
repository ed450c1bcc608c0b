//! Who is inside, counted in all and by address, and who gives way to whom where there is no room left. Must not know what
//! anybody says.

use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

use super::guard::one_of;

/// Most who were told to give way and have not gone yet.
const LEAVING: usize = 32;

/// Lets in so many, in all and from each address; of IPv6 from each network.
///
/// Loopback has no bound of its own beside `most`: a reverse proxy on this machine stands for everybody behind it.
///
/// Where it is full, whoever has not settled down gives way to a newcomer: the oldest from the newcomer's own address where
/// that has all it may have, else the oldest from the address that has the most of them.
#[derive(Debug, Clone)]
pub struct Door {
    inside: Arc<Mutex<Inside>>,
    most: usize,
    most_per_address: usize,
}

#[derive(Debug, Default)]
struct Inside {
    next: u64,
    /// The oldest first.
    places: BTreeMap<u64, Arc<Place>>,
    by_address: HashMap<IpAddr, usize>,
    /// Who was told to go and is still here.
    leaving: usize,
}

/// What is known of one who is inside.
#[derive(Debug)]
pub struct Place {
    address: IpAddr,
    settled: AtomicBool,
    gives_way: AtomicBool,
    waits: AtomicWaker,
}

/// A place inside a [`Door`], given back when dropped.
#[derive(Debug)]
pub struct Seat {
    inside: Arc<Mutex<Inside>>,
    number: u64,
    place: Arc<Place>,
}

impl Door {
    /// Lets in at most `most`, and at most `most_per_address` from one address that is not loopback.
    pub fn new(most: usize, most_per_address: usize) -> Self {
        Self { inside: Arc::default(), most, most_per_address }
    }

    /// A seat, unless there is none left and nobody who would give way.
    pub fn enter(&self, address: IpAddr) -> Option<Seat> {
        let address = one_of(address);
        let mut inside = lock(&self.inside);
        let here = inside.by_address.get(&address).copied().unwrap_or(0);
        let gives_way = if here >= self.most_per_address && !address.is_loopback() {
            Some(inside.oldest_unsettled(address)?)
        } else if inside.places.len() >= self.most {
            let greediest = inside.greediest()?;
            Some(inside.oldest_unsettled(greediest)?)
        } else {
            None
        };
        if let Some(number) = gives_way {
            inside.turn_out(number)?;
        }
        Some(inside.seat(self.inside.clone(), address))
    }
}

impl Inside {
    fn seat(&mut self, inside: Arc<Mutex<Self>>, address: IpAddr) -> Seat {
        let place = Arc::new(Place {
            address,
            settled: AtomicBool::new(false),
            gives_way: AtomicBool::new(false),
            waits: AtomicWaker::new(),
        });
        let number = self.next;
        self.next += 1;
        self.places.insert(number, place.clone());
        *self.by_address.entry(address).or_default() += 1;
        Seat { inside, number, place }
    }

    fn unsettled(&self) -> impl Iterator<Item = (&u64, &Arc<Place>)> {
        self.places.iter().filter(|(_, place)| !place.settled.load(Ordering::Acquire))
    }

    fn oldest_unsettled(&self, address: IpAddr) -> Option<u64> {
        self.unsettled().find(|(_, place)| place.address == address).map(|(number, _)| *number)
    }

    /// The address with the most who have not settled down.
    fn greediest(&self) -> Option<IpAddr> {
        let mut counts: HashMap<IpAddr, usize> = HashMap::new();
        for (_, place) in self.unsettled() {
            *counts.entry(place.address).or_default() += 1;
        }
        counts.into_iter().max_by_key(|(_, count)| *count).map(|(address, _)| address)
    }

    /// Tells one to give way; `None` where too many have been told and are still here.
    fn turn_out(&mut self, number: u64) -> Option<()> {
        if self.leaving >= LEAVING {
            return None;
        }
        let place = self.remove(number)?;
        self.leaving += 1;
        place.gives_way.store(true, Ordering::Release);
        place.waits.wake();
        Some(())
    }

    fn remove(&mut self, number: u64) -> Option<Arc<Place>> {
        let place = self.places.remove(&number)?;
        if let Some(here) = self.by_address.get_mut(&place.address) {
            *here -= 1;
            if *here == 0 {
                self.by_address.remove(&place.address);
            }
        }
        Some(place)
    }
}

impl Place {
    /// Gives way to nobody from now on.
    pub fn settle(&self) {
        self.settled.store(true, Ordering::Release);
    }

    /// Whether it has to be given back. One task at a time is woken when that changes, the one that asked last.
    pub fn poll_gives_way(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.waits.register(cx.waker());
        if self.gives_way.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Resolves when it has to be given back.
    pub async fn gives_way(&self) {
        poll_fn(|cx| self.poll_gives_way(cx)).await;
    }
}

impl Seat {
    /// What is known of who sits there.
    pub fn place(&self) -> &Arc<Place> {
        &self.place
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut inside = lock(&self.inside);
        if inside.remove(self.number).is_none() {
            inside.leaving = inside.leaving.saturating_sub(1);
        }
    }
}

fn lock(inside: &Mutex<Inside>) -> MutexGuard<'_, Inside> {
    inside.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "192.0.2.1";
    const B: &str = "192.0.2.2";
    const C: &str = "192.0.2.3";

    #[test]
    fn a_door_counts_in_all_and_by_address_and_seats_are_given_back() {
        let door = Door::new(3, 2);
        let first = settled(&door, A).expect("a first");
        let _second = settled(&door, A).expect("a second");
        assert!(settled(&door, A).is_none(), "a third from one address");
        let _other = settled(&door, B).expect("another address");
        assert!(settled(&door, B).is_none(), "a fourth in all");
        drop(first);
        assert!(settled(&door, A).is_some(), "a seat that was given back");
    }

    #[test]
    fn loopback_has_no_bound_of_its_own_and_mapped_addresses_are_the_same() {
        let door = Door::new(5, 1);
        let seats: Vec<_> = (0..5).filter_map(|_| settled(&door, "127.0.0.1")).collect();
        assert_eq!(seats.len(), 5);
        drop(seats);
        let _mapped = settled(&door, "::ffff:192.0.2.1").expect("a first");
        assert!(settled(&door, A).is_none());
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_count_as_one() {
        let door = Door::new(10, 2);
        let _seats =
            ["2001:db8:0:1::1", "2001:db8:0:1:ffff::2"].map(|text| settled(&door, text).expect(text));
        assert!(settled(&door, "2001:db8:0:1:8000::3").is_none(), "a third from one network");
        let _next = settled(&door, "2001:db8:0:2::1").expect("the network next to it");
        let own: Vec<_> = (0..5).filter_map(|_| settled(&door, "::1")).collect();
        assert_eq!(own.len(), 5, "this machine has no bound of its own");
        let far = [A, B].map(|text| settled(&door, text).is_some());
        assert_eq!(far, [true, true], "addresses of IPv4 are one each");
    }

    #[test]
    fn whoever_sits_there_and_says_nothing_gives_way_to_a_newcomer_from_the_same_address() {
        let door = Door::new(10, 2);
        let other = enter(&door, B).unwrap();
        let silent = [enter(&door, A).unwrap(), enter(&door, A).unwrap()];
        let newcomer = enter(&door, A).expect("a place that was given up");
        assert_eq!(silent.each_ref().map(gives_way), [true, false], "the oldest");
        assert!(!gives_way(&newcomer) && !gives_way(&other));
        newcomer.place().settle();
        drop(silent);
        let _again = [enter(&door, A).unwrap(), enter(&door, A).unwrap()];
        assert!(!gives_way(&newcomer), "whoever has settled down stays");
    }

    #[test]
    fn where_all_is_full_whoever_has_taken_most_gives_way() {
        let door = Door::new(4, 3);
        let quiet = enter(&door, B).unwrap();
        let greedy = [(); 3].map(|()| enter(&door, A).unwrap());
        let _newcomer = enter(&door, C).expect("room is made");
        assert!(!gives_way(&quiet), "though it came first");
        assert_eq!(greedy.each_ref().map(gives_way), [true, false, false]);
    }

    #[test]
    fn those_who_were_told_to_give_way_and_do_not_are_bounded_too() {
        let door = Door::new(1, 1);
        let seats: Vec<_> = (0..1000).filter_map(|_| enter(&door, A)).collect();
        assert_eq!(seats.len(), 1 + LEAVING);
        drop(seats);
        let inside = lock(&door.inside);
        assert_eq!((inside.places.len(), inside.by_address.len(), inside.leaving), (0, 0, 0));
    }

    #[tokio::test]
    async fn whoever_waits_is_woken_when_it_has_to_give_way() {
        let door = Door::new(1, 1);
        let seat = enter(&door, A).unwrap();
        let waiting = tokio::spawn(async move { seat.place().gives_way().await });
        tokio::task::yield_now().await;
        let _newcomer = enter(&door, A).unwrap();
        waiting.await.unwrap();
    }

    fn enter(door: &Door, address: &str) -> Option<Seat> {
        door.enter(address.parse().unwrap())
    }

    fn settled(door: &Door, address: &str) -> Option<Seat> {
        enter(door, address).inspect(|seat| seat.place().settle())
    }

    fn gives_way(seat: &Seat) -> bool {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        seat.place().poll_gives_way(&mut cx).is_ready()
    }
}
