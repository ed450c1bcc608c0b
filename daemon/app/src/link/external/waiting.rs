//! What the camera wants to say while the relay is away: a bounded number of messages, for a bounded time. Must not
//! know clocks, nor what a message means.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use porthole_core::wire::Outgoing;

/// Most messages that wait. The oldest makes room for the newest.
pub const MOST: usize = 64;
/// How long one waits. Whoever it was for has given up by then, or asks again.
pub const LONGEST: Duration = Duration::from_secs(30);

/// Messages in the order in which they were said.
#[derive(Debug, Default)]
pub struct Waiting {
    messages: VecDeque<(Instant, Outgoing)>,
    lost: u64,
}

impl Waiting {
    /// Keeps a message that was said at `said`. One that says the same takes the place of the earlier one.
    pub fn keep(&mut self, message: Outgoing, said: Instant) {
        self.forget(&message);
        if self.messages.len() == MOST {
            self.messages.pop_front();
            self.lost += 1;
        }
        self.messages.push_back((said, message));
    }

    /// Puts a message back that could not be sent after all. It goes first.
    pub fn put_back(&mut self, message: Outgoing, said: Instant) {
        if self.messages.len() < MOST {
            self.messages.push_front((said, message));
        } else {
            self.lost += 1;
        }
    }

    /// Drops what says the same as `message`.
    pub fn forget(&mut self, message: &Outgoing) {
        self.messages.retain(|(_, kept)| kept != message);
    }

    /// The next message that is not too old at `now`, with the time at which it was said.
    pub fn next(&mut self, now: Instant) -> Option<(Outgoing, Instant)> {
        self.expire(now);
        self.messages.pop_front().map(|(said, message)| (message, said))
    }

    /// How many still wait at `now`.
    pub fn count(&mut self, now: Instant) -> usize {
        self.expire(now);
        self.messages.len()
    }

    /// How many were given up so far, for their age or their number.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    fn expire(&mut self, now: Instant) {
        let before = self.messages.len();
        self.messages.retain(|(said, _)| now.saturating_duration_since(*said) < LONGEST);
        self.lost += (before - self.messages.len()) as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(event: &'static str) -> Outgoing {
        Outgoing::new(None, event, [])
    }

    fn events(waiting: &mut Waiting, now: Instant) -> Vec<String> {
        std::iter::from_fn(|| waiting.next(now)).map(|(message, _)| message.event.into_owned()).collect()
    }

    #[test]
    fn messages_come_out_in_the_order_in_which_they_were_said() {
        let (mut waiting, now) = (Waiting::default(), Instant::now());
        ["a", "b", "c"].into_iter().for_each(|event| waiting.keep(said(event), now));
        assert_eq!(events(&mut waiting, now), ["a", "b", "c"]);
        assert_eq!(waiting.lost(), 0);
    }

    #[test]
    fn the_same_message_again_waits_once_and_last() {
        let (mut waiting, now) = (Waiting::default(), Instant::now());
        ["a", "b", "a"].into_iter().for_each(|event| waiting.keep(said(event), now));
        assert_eq!(events(&mut waiting, now), ["b", "a"]);
        assert_eq!(waiting.lost(), 0);
    }

    #[test]
    fn the_newest_sixty_four_are_kept_and_the_others_counted() {
        let (mut waiting, now) = (Waiting::default(), Instant::now());
        for number in 0..100 {
            waiting.keep(Outgoing::new(None, format!("{number}"), []), now);
        }
        assert_eq!((waiting.count(now), waiting.lost()), (64, 36));
        assert_eq!(events(&mut waiting, now).first().map(String::as_str), Some("36"));
    }

    #[test]
    fn after_thirty_seconds_a_message_is_given_up() {
        let (mut waiting, now) = (Waiting::default(), Instant::now());
        waiting.keep(said("old"), now);
        waiting.keep(said("new"), now + Duration::from_secs(1));
        assert_eq!(waiting.count(now + LONGEST - Duration::from_millis(1)), 2);
        assert_eq!(events(&mut waiting, now + LONGEST), ["new"]);
        assert_eq!(waiting.lost(), 1);
    }

    #[test]
    fn what_could_not_be_sent_goes_first_and_keeps_its_age() {
        let (mut waiting, now) = (Waiting::default(), Instant::now());
        ["a", "b"].into_iter().for_each(|event| waiting.keep(said(event), now));
        let (message, said_at) = waiting.next(now + Duration::from_secs(5)).unwrap();
        assert_eq!(said_at, now);
        waiting.put_back(message, said_at);
        assert_eq!(events(&mut waiting, now), ["a", "b"]);
    }
}
