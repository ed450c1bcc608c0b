//! Asking device nodes what they are: all at once, each on a thread of its own and for a bounded time. One whose driver hangs
//! is not asked again while it still does, or it would cost a thread and the wait each time; what one says too late is used
//! the next time. Must not know what is asked.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Those that are known to hang or to be slow, for all who ask: they do so on threads of their own.
pub struct Nodes<A> {
    slow: Arc<Mutex<BTreeMap<PathBuf, Slow<A>>>>,
    /// Called when one that was late has said something that is kept.
    late: Arc<dyn Fn() + Send + Sync>,
}

/// One that did not answer in time.
struct Slow<A> {
    node: Option<Identity>,
    answer: Answer<A>,
}

enum Answer<A> {
    /// It still hangs, or has said something since.
    Due(Receiver<io::Result<A>>),
    /// What it has said.
    Kept(A),
}

/// What comes of beginning to ask.
enum Begun<A> {
    Asked(Question<A>),
    /// It has said this before.
    Known(A),
    /// It was asked before, and hangs.
    Hangs,
}

struct Question<A> {
    node: Option<Identity>,
    answer: Receiver<io::Result<A>>,
    /// Nobody waits for the answer any more.
    late: Arc<AtomicBool>,
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
        Self { slow: self.slow.clone(), late: self.late.clone() }
    }
}

impl<A> Default for Nodes<A> {
    fn default() -> Self {
        Self::new(|| {})
    }
}

impl<A> Nodes<A> {
    /// `late` is called, on any thread, whenever one has said what is kept when nobody waited for it any more: that is worth
    /// another look, and it is not asked again for that.
    pub fn new(late: impl Fn() + Send + Sync + 'static) -> Self {
        Self { slow: Arc::default(), late: Arc::new(late) }
    }
}

impl<A: Clone + Send + 'static> Nodes<A> {
    /// Asks each of `nodes`, and waits for all together no longer than `patience`. What one says too late is the answer of
    /// the next time, and where it is worth to be kept for as long as the device is there: one that is always slow would
    /// never be found. Blocks.
    pub fn ask(
        &self,
        nodes: &[PathBuf],
        patience: Duration,
        keep: impl Fn(&A) -> bool + Clone + Send + 'static,
        ask: impl Fn(&Path) -> io::Result<A> + Clone + Send + 'static,
    ) -> Vec<Result<A, Silent>> {
        let until = Instant::now() + patience;
        let begun: Vec<_> = nodes.iter().map(|node| self.begin(node, keep.clone(), ask.clone())).collect();
        let each = nodes.iter().zip(begun);
        each.map(|(node, begun)| match begun {
            Begun::Asked(question) => self.end(node, question, until, patience),
            Begun::Known(answer) => Ok(answer),
            Begun::Hangs => Err(Silent::Hangs),
        })
        .collect()
    }

    fn begin(
        &self,
        node: &Path,
        keep: impl Fn(&A) -> bool + Send + 'static,
        ask: impl Fn(&Path) -> io::Result<A> + Send + 'static,
    ) -> Begun<A> {
        let identity = Identity::of(node);
        let mut all = self.slow();
        // It may be another device.
        let slow = all.remove(node).filter(|slow| slow.node == identity);
        let (begun, answer) = match slow.map(|slow| slow.answer) {
            Some(Answer::Kept(answer)) => (Begun::Known(answer.clone()), Some(Answer::Kept(answer))),
            Some(Answer::Due(due)) => match due.try_recv() {
                Err(TryRecvError::Empty) => (Begun::Hangs, Some(Answer::Due(due))),
                Ok(Ok(answer)) => {
                    let kept = keep(&answer).then(|| Answer::Kept(answer.clone()));
                    (Begun::Known(answer), kept)
                }
                // It may say something else now.
                Ok(Err(_)) | Err(TryRecvError::Disconnected) => {
                    (self.question(node, identity, keep, ask), None)
                }
            },
            None => (self.question(node, identity, keep, ask), None),
        };
        if let Some(answer) = answer {
            all.insert(node.to_owned(), Slow { node: identity, answer });
        }
        begun
    }

    fn question(
        &self,
        node: &Path,
        identity: Option<Identity>,
        keep: impl Fn(&A) -> bool + Send + 'static,
        ask: impl Fn(&Path) -> io::Result<A> + Send + 'static,
    ) -> Begun<A> {
        let (tell, answer) = sync_channel(1);
        let late = Arc::new(AtomicBool::new(false));
        let (node, is_late, say) = (node.to_owned(), late.clone(), self.late.clone());
        std::thread::spawn(move || {
            let answer = ask(&node);
            let keeps = answer.as_ref().is_ok_and(keep);
            // Nobody may wait any more.
            let _ = tell.send(answer);
            if keeps && is_late.load(Ordering::SeqCst) {
                say();
            }
        });
        Begun::Asked(Question { node: identity, answer, late })
    }

    fn end(
        &self,
        node: &Path,
        question: Question<A>,
        until: Instant,
        patience: Duration,
    ) -> Result<A, Silent> {
        let Question { node: identity, answer, late } = question;
        match answer.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(answer) => answer.map_err(Silent::Refused),
            Err(RecvTimeoutError::Timeout) => {
                // Whoever looks because it is told that it has come finds it.
                let mut all = self.slow();
                late.store(true, Ordering::SeqCst);
                if let Ok(answer) = answer.try_recv() {
                    return answer.map_err(Silent::Refused);
                }
                all.insert(node.to_owned(), Slow { node: identity, answer: Answer::Due(answer) });
                Err(Silent::Late(patience))
            }
            Err(RecvTimeoutError::Disconnected) => {
                Err(Silent::Refused(io::Error::other("whoever asked it panicked")))
            }
        }
    }

    fn slow(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Slow<A>>> {
        self.slow.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    /// Only bounds a hang.
    const LIMIT: Duration = Duration::from_secs(20);

    #[test]
    fn a_node_that_hangs_is_not_asked_again_until_it_is_another_one_or_has_come_round() {
        let held = Held::new();
        let look = || held.look(Duration::ZERO, |_| false);
        assert!(matches!(look(), Err(Silent::Late(_))));
        held.was_asked(1);
        for _ in 0..10 {
            assert!(matches!(look(), Err(Silent::Hangs)));
        }
        assert_eq!(held.asked.load(Ordering::SeqCst), 1);
        held.is_another();
        assert!(matches!(look(), Err(Silent::Late(_))));
        held.was_asked(2);
        assert!(matches!(look(), Err(Silent::Hangs)));
        // Both come round.
        (0..2).for_each(|_| held.go.send(()).unwrap());
        assert_eq!(held.come_round(|_| false), 2);
        // What it said is not worth to be kept, nor another look.
        held.go.send(()).unwrap();
        assert_eq!(held.look(LIMIT, |_| false).unwrap(), 3);
        held.was_asked(3);
        assert!(held.said.try_recv().is_err());
    }

    #[test]
    fn what_a_slow_node_says_too_late_is_used_from_the_next_time_on_for_as_long_as_it_is_that_node() {
        let held = Held::new();
        assert!(matches!(held.look(Duration::ZERO, |_| true), Err(Silent::Late(_))));
        held.was_asked(1);
        held.go.send(()).unwrap();
        held.said.recv_timeout(LIMIT).unwrap();
        for _ in 0..10 {
            assert_eq!(held.look(Duration::ZERO, |_| true).unwrap(), 1);
        }
        assert_eq!(held.asked.load(Ordering::SeqCst), 1);
        held.is_another();
        assert!(matches!(held.look(Duration::ZERO, |_| true), Err(Silent::Late(_))));
        held.was_asked(2);
    }

    #[test]
    fn what_a_slow_node_refuses_too_late_is_asked_again_and_not_worth_a_look() {
        let node = [PathBuf::from("/nowhere/video0")];
        let (tell, told) = channel();
        let nodes = Nodes::new(move || tell.send(()).unwrap());
        let (go, wait) = channel::<()>();
        let wait = Arc::new(Mutex::new(wait));
        let answers = nodes.ask(
            &node,
            Duration::ZERO,
            |()| true,
            move |_| {
                let _ = wait.lock().unwrap().recv();
                Err(io::ErrorKind::ResourceBusy.into())
            },
        );
        assert!(matches!(answers[..], [Err(Silent::Late(_))]));
        go.send(()).unwrap();
        let until = Instant::now() + LIMIT;
        while nodes.ask(&node, LIMIT, |()| true, |_| Ok(()))[0].is_err() {
            assert!(Instant::now() < until, "it is asked again");
            std::thread::yield_now();
        }
        assert!(told.try_recv().is_err());
    }

    /// A node that says, each time it is let go, how often it was asked.
    struct Held {
        folder: tempfile::TempDir,
        nodes: Nodes<usize>,
        asked: Arc<AtomicUsize>,
        go: Sender<()>,
        held: Arc<Mutex<Receiver<()>>>,
        /// That it has answered late.
        said: Receiver<()>,
    }

    impl Held {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("video0"), "").unwrap();
            let ((go, held), (say, said)) = (channel(), channel());
            let nodes = Nodes::new(move || say.send(()).unwrap());
            Self { folder, nodes, asked: Arc::default(), go, held: Arc::new(Mutex::new(held)), said }
        }

        fn look(
            &self,
            patience: Duration,
            keep: impl Fn(&usize) -> bool + Clone + Send + 'static,
        ) -> Result<usize, Silent> {
            let (asked, held) = (self.asked.clone(), self.held.clone());
            let node = self.folder.path().join("video0");
            let answers = self.nodes.ask(&[node], patience, keep, move |_| {
                let times = asked.fetch_add(1, Ordering::SeqCst) + 1;
                let _ = held.lock().unwrap().recv();
                Ok(times)
            });
            answers.into_iter().next().unwrap()
        }

        /// Its thread may begin later than nobody waits for it.
        fn was_asked(&self, times: usize) {
            let until = Instant::now() + LIMIT;
            while self.asked.load(Ordering::SeqCst) != times {
                assert!(Instant::now() < until, "asked {:?} times and not {times}", self.asked);
                std::thread::yield_now();
            }
        }

        fn is_another(&self) {
            let other = self.folder.path().join("other");
            fs::write(&other, "").unwrap();
            fs::rename(&other, self.folder.path().join("video0")).unwrap();
        }

        /// What it says once it does.
        fn come_round(&self, keep: impl Fn(&usize) -> bool + Copy + Send + 'static) -> usize {
            let until = Instant::now() + LIMIT;
            loop {
                match self.look(Duration::ZERO, keep) {
                    Ok(answer) => return answer,
                    Err(silent) => assert!(Instant::now() < until, "{silent:?}"),
                }
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn nobody_waits_for_one_after_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let all = ["video0", "video1"].map(|name| folder.path().join(name));
        let (tell, told) = channel();
        let told = Arc::new(Mutex::new(told));
        let answers = Nodes::default().ask(
            &all,
            LIMIT,
            |()| true,
            move |node| {
                if node.ends_with("video1") {
                    tell.send(()).map_err(io::Error::other)
                } else {
                    told.lock().unwrap().recv_timeout(LIMIT * 2).map_err(io::Error::other)
                }
            },
        );
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    }

    #[test]
    fn what_the_system_says_is_passed_on_and_nothing_is_remembered_of_it() {
        let nodes = Nodes::<()>::default();
        for _ in 0..2 {
            let answers = nodes.ask(
                &[PathBuf::from("/nowhere")],
                LIMIT,
                |()| true,
                |_| Err(io::ErrorKind::PermissionDenied.into()),
            );
            let [Err(Silent::Refused(error))] = &answers[..] else { panic!("{answers:?}") };
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        }
    }
}
