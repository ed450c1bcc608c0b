//! Viewers that watch while something is measured. Must not know what is measured.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use porthole_peer::room::RoomError;
use porthole_peer::{Caller, Facts, Options, PeerError, Stand};

use crate::Fault;
use crate::daemon::Daemon;

/// Bounds a call that never gets its picture.
pub const CALL_LIMIT: Duration = Duration::from_secs(20);

/// A page turned away tries again after this long.
const TURNED_AWAY_PAUSE: Duration = Duration::from_millis(200);

/// Names are never used twice: a camera counts the offers of each.
static CALLERS: AtomicU64 = AtomicU64::new(0);

/// Viewers on one thread of their own.
pub struct Crowd<'a> {
    daemon: &'a Daemon,
    stand: Stand,
    callers: Vec<Caller>,
}

impl<'a> Crowd<'a> {
    /// Nobody yet.
    pub fn new(daemon: &'a Daemon) -> Result<Self, Fault> {
        Ok(Self { daemon, stand: Stand::new()?, callers: Vec::new() })
    }

    /// One more call, just offered. Waits where the relay wants fewer connections at once, as a page would.
    pub async fn call(&self) -> Result<Caller, Fault> {
        let name = format!("bench-{}", CALLERS.fetch_add(1, Ordering::Relaxed));
        let options = Options::default();
        loop {
            match Caller::place(&self.stand, self.daemon.relay, &self.daemon.room, &name, &options).await {
                Err(PeerError::Room(RoomError::TooMany)) => tokio::time::sleep(TURNED_AWAY_PAUSE).await,
                placed => return Ok(placed?),
            }
        }
    }

    /// Makes it `size` viewers who all have their picture, by calling or by hanging up, one after the other.
    pub async fn resize(&mut self, size: usize) -> Result<(), Fault> {
        while self.callers.len() < size {
            let caller = self.call().await?;
            see(self.daemon, &caller).await?;
            self.callers.push(caller);
        }
        while self.callers.len() > size {
            if let Some(caller) = self.callers.pop() {
                caller.hang_up();
            }
        }
        self.daemon.wait(CALL_LIMIT, |status| status.calls == size && status.live == size).await?;
        Ok(())
    }

    /// Waits until a caller has picture and sound; what it has seen until then.
    pub async fn see(&self, caller: &Caller) -> Result<Facts, Fault> {
        see(self.daemon, caller).await
    }

    /// What all of them have seen.
    pub fn facts(&self) -> Vec<Facts> {
        self.callers.iter().map(Caller::facts).collect()
    }
}

async fn see(daemon: &Daemon, caller: &Caller) -> Result<Facts, Fault> {
    let wanted = |facts: &Facts| facts.first_key_frame.is_some() && facts.first_sound.is_some();
    caller.viewer().wait(CALL_LIMIT, wanted).await.map_err(|error| {
        format!("no picture: {error}; signalled: {:?}; log:\n{}", caller.signs(), daemon.log_tail()).into()
    })
}
