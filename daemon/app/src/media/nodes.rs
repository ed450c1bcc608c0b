//! Asking device nodes what they are: all at once, each on a thread of its own and for a bounded time. One whose driver hangs
//! is not asked again while it still does, or it would cost a thread and the wait each time. Must not know what is asked.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Those that are known to hang, for all who ask: they do so on threads of their own.
#[derive(Debug)]
pub struct Nodes<A>(Arc<Mutex<BTreeMap<PathBuf, Hangs<A>>>>);

/// A question that was not answered in time.
#[derive(Debug)]
struct Hangs<A> {
    node: Option<Identity>,
    answer: Receiver<io::Result<A>>,
}

/// What changes when a device is plugged in again: its node is another one then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    place: (u64, u64),
    device: u64,
    changed: (i64, i64),
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Silent {
    /// The system says why.
    Refused(io::Error),
    /// It has not answered in this time.
    Late(Duration),
    /// It has not answered before, and still does not.
    Hangs,
}

impl Identity {
    fn of(node: &Path) -> Option<Self> {
        let found = fs::metadata(node).ok()?;
        let changed = (found.ctime(), found.ctime_nsec());
        Some(Self { place: (found.dev(), found.ino()), device: found.rdev(), changed })
    }
}

impl<A> Clone for Nodes<A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<A> Default for Nodes<A> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<A: Send + 'static> Nodes<A> {
    /// Asks each of `nodes`, and waits for all together no longer than `patience`. Blocks.
    pub fn ask(
        &self,
        nodes: &[PathBuf],
        patience: Duration,
        ask: impl Fn(&Path) -> io::Result<A> + Clone + Send + 'static,
    ) -> Vec<Result<A, Silent>> {
        let until = Instant::now() + patience;
        let begun: Vec<_> = nodes.iter().map(|node| self.begin(node, ask.clone())).collect();
        let each = nodes.iter().zip(begun);
        each.map(|(node, begun)| self.end(node, begun.ok_or(Silent::Hangs)?, until, patience)).collect()
    }

    /// `None`: it hangs.
    fn begin(&self, node: &Path, ask: impl Fn(&Path) -> io::Result<A> + Send + 'static) -> Option<Hangs<A>> {
        let identity = Identity::of(node);
        let mut hanging = self.hanging();
        if let Some(hangs) = hanging.get(node) {
            let waits = matches!(hangs.answer.try_recv(), Err(TryRecvError::Empty));
            if waits && hangs.node == identity {
                return None;
            }
            // It has come round, or is another device.
            hanging.remove(node);
        }
        drop(hanging);
        let (tell, answer) = sync_channel(1);
        let of_thread = node.to_owned();
        std::thread::spawn(move || {
            // Nobody may wait any more.
            let _ = tell.send(ask(&of_thread));
        });
        Some(Hangs { node: identity, answer })
    }

    fn end(&self, node: &Path, begun: Hangs<A>, until: Instant, patience: Duration) -> Result<A, Silent> {
        match begun.answer.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(answer) => answer.map_err(Silent::Refused),
            Err(RecvTimeoutError::Timeout) => {
                self.hanging().insert(node.to_owned(), begun);
                Err(Silent::Late(patience))
            }
            Err(RecvTimeoutError::Disconnected) => {
                Err(Silent::Refused(io::Error::other("whoever asked it panicked")))
            }
        }
    }

    fn hanging(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Hangs<A>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;

    use super::*;

    /// Only bounds a hang.
    const LIMIT: Duration = Duration::from_secs(20);

    #[test]
    fn a_node_that_hangs_is_not_asked_again_until_it_is_another_one_or_has_come_round() {
        let folder = tempfile::tempdir().unwrap();
        let node = folder.path().join("video0");
        fs::write(&node, "").unwrap();
        let (nodes, asked) = (Nodes::default(), Arc::new(AtomicUsize::new(0)));
        let (let_go, held) = channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let look = || {
            let (count, held) = (asked.clone(), held.clone());
            let answers = nodes.ask(std::slice::from_ref(&node), Duration::ZERO, move |_| {
                count.fetch_add(1, Ordering::SeqCst);
                let _ = held.lock().unwrap().recv();
                Ok(())
            });
            // Its thread may begin later than nobody waits for it.
            answers.into_iter().next().unwrap()
        };
        let asked_so_often = |times| {
            let until = Instant::now() + LIMIT;
            while asked.load(Ordering::SeqCst) != times {
                assert!(Instant::now() < until, "asked {asked:?} times and not {times}");
                std::thread::yield_now();
            }
        };
        assert!(matches!(look(), Err(Silent::Late(_))));
        asked_so_often(1);
        for _ in 0..10 {
            assert!(matches!(look(), Err(Silent::Hangs)));
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        let other = folder.path().join("other");
        fs::write(&other, "").unwrap();
        fs::rename(&other, &node).unwrap();
        assert!(matches!(look(), Err(Silent::Late(_))));
        asked_so_often(2);
        assert!(matches!(look(), Err(Silent::Hangs)));
        // Both come round, and whoever is asked from now on answers at once.
        drop(let_go);
        let until = Instant::now() + LIMIT;
        while matches!(look(), Err(Silent::Hangs)) {
            assert!(Instant::now() < until, "it has come round");
            std::thread::yield_now();
        }
        asked_so_often(3);
    }

    #[test]
    fn nobody_waits_for_one_after_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let all = ["video0", "video1"].map(|name| folder.path().join(name));
        let (tell, told) = channel();
        let told = Arc::new(Mutex::new(told));
        let answers = Nodes::default().ask(&all, LIMIT, move |node| {
            if node.ends_with("video1") {
                tell.send(()).map_err(io::Error::other)
            } else {
                told.lock().unwrap().recv_timeout(LIMIT * 2).map_err(io::Error::other)
            }
        });
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    }

    #[test]
    fn what_the_system_says_is_passed_on_and_nothing_is_remembered_of_it() {
        let nodes = Nodes::<()>::default();
        for _ in 0..2 {
            let answers = nodes
                .ask(&[PathBuf::from("/nowhere")], LIMIT, |_| Err(io::ErrorKind::PermissionDenied.into()));
            let [Err(Silent::Refused(error))] = &answers[..] else { panic!("{answers:?}") };
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        }
    }
}
