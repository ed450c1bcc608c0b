//! Opening and closing what may hang in a driver: each on a thread that may block, for a bounded time, and never two at
//! once for one device. Whatever hangs is left behind and counted. Must not know what is opened.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard, RwLock, oneshot};

use super::element::{MediaError, failed};

/// How long closing may take before nobody waits for it any more.
const CLOSE: Duration = Duration::from_secs(10);

/// What is opened and has to be closed.
pub trait Closes: Send + 'static {
    /// Closes it. Blocks.
    fn close(self);
}

/// The way to one device: whoever holds it has the device open, or is about to.
#[derive(Debug, Clone, Default)]
pub struct Door(Arc<Mutex<()>>);

/// Something open, and the door that it keeps shut to others until it is closed.
#[derive(Debug)]
pub struct Held<T> {
    /// What is open.
    pub it: T,
    _door: OwnedMutexGuard<()>,
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Until whoever was in before is out.
    pub door: Duration,
    /// Until it is open.
    pub open: Duration,
}

impl Door {
    /// Opens something. What is open too late is closed again.
    ///
    /// # Errors
    /// What went wrong, or that it hangs.
    pub async fn open<T: Closes>(
        &self,
        what: &'static str,
        patience: Patience,
        open: impl FnOnce() -> Result<T, MediaError> + Send + 'static,
    ) -> Result<Held<T>, MediaError> {
        let door = tokio::time::timeout(patience.door, self.0.clone().lock_owned()).await;
        let door = door.map_err(|_| {
            failed(&format!(
                "{what} still hangs in its driver; if that does not end by itself, unplug the device and plug it in \
                 again, or restart the machine"
            ))
        })?;
        let (tell, told) = oneshot::channel();
        tokio::task::spawn_blocking(move || {
            let opened = open().map(|it| Held { it, _door: door });
            if let Err(Ok(late)) = tell.send(opened) {
                late.close();
            }
        });
        match tokio::time::timeout(patience.open, told).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(_)) => Err(failed(&format!("the thread that opened {what} panicked"))),
            Err(_) => Err(MediaError::TooLate { what, limit: patience.open }),
        }
    }
}

impl<T> Held<Option<T>> {
    /// What is open, where anything is.
    pub fn transpose(self) -> Option<Held<T>> {
        let Self { it, _door } = self;
        it.map(|it| Held { it, _door })
    }
}

impl<T: Closes> Closes for Option<T> {
    fn close(self) {
        if let Some(it) = self {
            it.close();
        }
    }
}

impl<T: Closes> Closes for Held<T> {
    fn close(self) {
        self.it.close();
    }
}

/// Closes things, and counts those that hang.
#[derive(Debug, Clone, Default)]
pub struct Porter {
    left: Arc<AtomicUsize>,
    /// Read as long as something is being closed.
    busy: Arc<RwLock<()>>,
}

impl Porter {
    /// Closes something in the background.
    pub fn close(&self, what: &'static str, it: impl Closes) {
        let left = self.left.clone();
        // Nobody waits for what comes after the wait for all has begun.
        let busy = self.busy.clone().try_read_owned();
        tokio::spawn(async move {
            let _busy = busy;
            let mut closing = tokio::task::spawn_blocking(move || it.close());
            if tokio::time::timeout(CLOSE, &mut closing).await.is_ok() {
                return;
            }
            let hang = left.fetch_add(1, Ordering::Relaxed) + 1;
            log::warn!("{what} did not close within {CLOSE:?}; its thread is left behind ({hang} now)");
            // It may come round.
            let _ = closing.await;
            left.fetch_sub(1, Ordering::Relaxed);
        });
    }

    /// Waits until everything is closed.
    pub async fn wait(&self) {
        let _all = self.busy.write().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    const PATIENCE: Patience = Patience { door: Duration::from_secs(20), open: Duration::from_secs(20) };
    const NONE: Patience = Patience { door: Duration::ZERO, open: Duration::ZERO };

    /// Closes when it is told to, and says so.
    struct Device(Receiver<()>, Sender<&'static str>);

    impl Closes for Device {
        fn close(self) {
            let _ = self.0.recv();
            self.1.send("closed").unwrap();
        }
    }

    #[tokio::test]
    async fn nobody_opens_a_device_before_it_is_closed() {
        let (door, porter) = (Door::default(), Porter::default());
        let ((let_go, held), (say, said)) = (channel(), channel());
        let first = door.open("the camera", PATIENCE, move || Ok(Device(held, say))).await.unwrap();
        porter.close("the camera", first);
        let refused = door.open("the camera", NONE, || Ok(Nothing)).await.err().unwrap().to_string();
        assert!(refused.contains("still hangs") && refused.contains("plug it in again"), "{refused}");
        let_go.send(()).unwrap();
        porter.wait().await;
        assert_eq!(said.try_recv(), Ok("closed"));
        door.open("the camera", PATIENCE, || Ok(Nothing)).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_open_too_late_is_closed_again() {
        let door = Door::default();
        let ((go, wait), (let_go, held), (say, said)) = (channel::<()>(), channel(), channel());
        let late = door.open("the camera", Patience { open: Duration::ZERO, ..PATIENCE }, move || {
            let _ = wait.recv();
            Ok(Device(held, say))
        });
        assert!(matches!(late.await.err(), Some(MediaError::TooLate { .. })));
        let_go.send(()).unwrap();
        go.send(()).unwrap();
        door.open("the camera", PATIENCE, || Ok(Nothing)).await.unwrap();
        assert_eq!(said.try_recv(), Ok("closed"));
    }

    #[derive(Debug)]
    struct Nothing;

    impl Closes for Nothing {
        fn close(self) {}
    }
}
