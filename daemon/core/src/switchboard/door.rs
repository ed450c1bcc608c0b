//! The door of a room that opens to keys: what an offer has to prove, which proofs were taken, and how often each key
//! knocks. Must not know calls.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::doubts::Doubts;
use super::rate::OfferRate;
use super::{Relay, SwitchboardSettings};
use crate::access::proof::{self, Around};
use crate::access::{Key, KeyId, KeyRing, Stamp, Unusable};
use crate::ids::{Name, PeerId};
use crate::whep::{Bearer, Refusal, Signed};
use crate::wire::limits::{SIGNED_MOST, TAKEN_PROOFS};
use crate::wire::{Offer, Reason, Shape};

/// The first 72 bits of a proof, which is as good as random: enough to know it again.
type Trace = [u8; 12];

/// Who may come in. Only what a key proves makes it remember more, apart from a bounded number of [`Doubts`].
#[derive(Debug, Default)]
pub(super) struct Door {
    ring: Option<KeyRing>,
    /// A moment, and the date at it.
    date: Option<(Instant, Stamp)>,
    taken: BTreeMap<KeyId, VecDeque<Trace>>,
    offers: OfferRate<KeyId>,
    repeats: OfferRate<KeyId>,
    doubts: Doubts,
    /// About players, by where they are.
    player_doubts: Doubts,
}

impl Door {
    /// These are the keys from now on.
    pub(super) fn hang(&mut self, ring: KeyRing) {
        // A key may come back, with the file that an owner restores; some that are gone are remembered for that.
        if self.taken.len() > ring.keys().len() + KeyRing::REVOKED {
            self.taken.retain(|id, _| ring.get(id).is_some());
        }
        self.ring = Some(ring);
    }

    /// It is this date now.
    pub(super) fn date(&mut self, date: Stamp, now: Instant) {
        self.date = Some((now, date));
    }

    /// The date at `when`, where it is known at all; to the second.
    pub(super) fn date_at(&self, when: Instant) -> Option<Stamp> {
        let (then, Stamp(date)) = self.date?;
        let after = when.saturating_duration_since(then).as_secs();
        let before = then.saturating_duration_since(when).as_secs();
        Some(Stamp(date.saturating_add(after).saturating_sub(before)))
    }

    /// When this key expires, if it does.
    pub(super) fn expires(&self, key: &Key) -> Option<Instant> {
        let (then, Stamp(date)) = self.date?;
        then.checked_add(Duration::from_secs(key.until?.0.saturating_sub(date)))
    }

    /// What has become of the key of a call.
    ///
    /// # Errors
    /// Why it opens the door no more.
    pub(super) fn recheck(&self, key: &Key, now: Instant) -> Result<Key, Reason> {
        let today = self.usable(&key.id, now)?;
        let same = today.secret == key.secret && today.role == key.role;
        if same { Ok(today.clone()) } else { Err(Reason::RevokedKey) }
    }

    /// The key that an offer proves. `vouched`: the relay vouches for its sender, who can so be told from others.
    ///
    /// # Errors
    /// Why it is not let in. A vouched sender without a right proof is not listened to for a while.
    pub(super) fn prove(
        &mut self,
        offer: &Offer,
        vouched: bool,
        settings: &SwitchboardSettings,
        now: Instant,
    ) -> Result<Key, Reason> {
        let sender = offer.from.as_ref().filter(|_| vouched);
        if sender.is_some_and(|sender| self.doubts.about(sender, now)) {
            return Err(Reason::TooOften);
        }
        let proved = self.proved(offer, settings, now);
        match (sender, &proved) {
            (Some(sender), Ok(_)) => self.doubts.dispel(sender),
            (Some(sender), Err(Reason::NotAllowed)) => self.doubts.cast(sender, now),
            _ => {}
        }
        proved
    }

    /// The key that a player shows. A right one is always taken, whatever others at `from` have shown: it costs nothing
    /// to look. Whoever shows wrong ones is told to wait, longer each time.
    ///
    /// # Errors
    /// Why it is not let in. That a key has expired is only for who has it to know; of one that was revoked nothing but
    /// its id is left to tell.
    pub(super) fn shown(&mut self, shown: &Bearer, from: &Name, now: Instant) -> Result<Key, Reason> {
        let found = self.ring.as_ref().and_then(|ring| ring.get(&shown.key));
        match found.map(|key| proof::is_same(&key.secret, &shown.secret)) {
            Some(true) => {
                self.player_doubts.dispel(from);
                self.usable(&shown.key, now).cloned()
            }
            found => Err(self.unproved(&shown.key, found.is_some(), from, now)),
        }
    }

    /// The key with which a link to a picture is signed. As above, one that holds is let in whatever came before it.
    ///
    /// # Errors
    /// Why it is not let in.
    pub(super) fn signed(
        &mut self,
        shown: &Signed,
        room: &Name,
        from: &Name,
        now: Instant,
    ) -> Result<Key, Refusal> {
        let Signed { key, until, proof } = shown;
        let holds = |found: &Key| proof::is_of_snapshot(proof, &found.secret, room.as_str(), key, *until);
        let found = self.ring.as_ref().and_then(|ring| ring.get(key)).map(holds);
        if found != Some(true) {
            return Err(Refusal::Call(self.unproved(key, found.is_some(), from, now)));
        }
        self.player_doubts.dispel(from);
        let usable = self.usable(key, now).cloned().map_err(Refusal::Call)?;
        let today = self.date_at(now).map_or(0, |Stamp(date)| date);
        let lasts = until.0.checked_sub(today).filter(|lasts| (1..=SIGNED_MOST.as_secs()).contains(lasts));
        if lasts.is_some() { Ok(usable) } else { Err(Refusal::Stale) }
    }

    /// Somebody at `from` has named a key, `known` or not, without having it: why it is not let in.
    fn unproved(&mut self, key: &KeyId, known: bool, from: &Name, now: Instant) -> Reason {
        match self.usable(key, now) {
            Err(reason @ (Reason::RevokedKey | Reason::ShuttingDown)) if !known => reason,
            _ => self.doubt(from, now),
        }
    }

    /// Somebody at `from` has shown what is no key: why it is not let in.
    pub(super) fn doubt(&mut self, from: &Name, now: Instant) -> Reason {
        if self.player_doubts.about(from, now) {
            return Reason::TooOften;
        }
        self.player_doubts.cast(from, now);
        Reason::NotAllowed
    }

    /// Takes a proof that holds. `false`: it was taken before.
    pub(super) fn takes(&mut self, key: &KeyId, proof: &str) -> bool {
        let Some(trace) = proof.as_bytes().first_chunk::<{ size_of::<Trace>() }>() else { return false };
        let taken = self.taken.entry(key.clone()).or_default();
        let new = !taken.contains(trace);
        if new {
            taken.truncate(TAKEN_PROOFS - 1);
            taken.push_front(*trace);
        }
        new
    }

    /// Counts an offer. `false`: one too many of this key.
    pub(super) fn admits(&mut self, key: &KeyId, now: Instant) -> bool {
        self.offers.admits(key, now)
    }

    /// Counts an offer that has come before. `false`: one too many of this key.
    pub(super) fn admits_again(&mut self, key: &KeyId, now: Instant) -> bool {
        self.repeats.admits(key, now)
    }

    /// How many proofs are remembered.
    pub(super) fn taken(&self) -> usize {
        self.taken.values().map(VecDeque::len).sum()
    }

    /// How many peers are not listened to, or were not of late.
    pub(super) fn doubted(&self) -> usize {
        self.doubts.len() + self.player_doubts.len()
    }

    fn usable(&self, id: &KeyId, now: Instant) -> Result<&Key, Reason> {
        // Not the key's fault, and no reason for a page to stay away.
        let (Some(ring), Some(date)) = (&self.ring, self.date_at(now)) else {
            return Err(Reason::ShuttingDown);
        };
        ring.usable(id, date).map_err(|why| match why {
            Unusable::Unknown => Reason::NotAllowed,
            Unusable::Expired => Reason::ExpiredKey,
            Unusable::Revoked => Reason::RevokedKey,
        })
    }

    fn proved(&self, offer: &Offer, settings: &SwitchboardSettings, now: Instant) -> Result<Key, Reason> {
        let Offer { from: Some(from), tag: Some(tag), to, .. } = offer else {
            return Err(Reason::NotAllowed);
        };
        // Some relays tell nobody who is there, so a page cannot know whom it calls. Ours does.
        let to = match to {
            Some(_) => settings.me.as_str(),
            None if settings.relay == Relay::Own => return Err(Reason::NotAllowed),
            None => "",
        };
        let Offer { key: Some(key), proof: Some(proof), shape: Shape::Porthole, .. } = offer else {
            return Err(Reason::NotAllowed);
        };
        let key = self.usable(key, now)?;
        // Whomever the offer says it is for: the proof has to be for this camera.
        let around = Around { to, ..around(&settings.room.room, from, &settings.me, tag) };
        let holds = proof::is_of_offer(proof, &key.secret, around, &offer.sdp);
        if holds { Ok(key.clone()) } else { Err(Reason::NotAllowed) }
    }
}

/// What stands around a proof, from names.
pub(super) fn around<'a>(room: &'a PeerId, from: &'a PeerId, to: &'a PeerId, call: &'a PeerId) -> Around<'a> {
    Around { room: room.as_str(), from: from.as_str(), to: to.as_str(), call: call.as_str() }
}
