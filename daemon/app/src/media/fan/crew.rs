//! The threads on which calls are sent what is for them: as few as keep up, and one more wherever one is held up. Must not
//! know what they send.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// One thread for so many that wait at once.
const SHARE: usize = 8;
/// Who is busy with one piece of work for longer is held up, and others go on without.
const HELD_UP: Duration = Duration::from_millis(15);
/// A thread that has had nothing to do for so long ends.
const REST: Duration = Duration::from_secs(2);

/// Something to be done, on whichever thread.
pub trait Work: Send + Sync + 'static {
    /// Does it. May block, if it must.
    fn work(self: Arc<Self>);
}

/// The threads. Cheap to clone; they end by themselves.
#[derive(Clone)]
pub struct Crew(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Threads that are of use at once.
    cores: usize,
    rest: Duration,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Arc<dyn Work>>,
    /// Threads at work, by number, with when each began what it does.
    busy: HashMap<u64, Instant>,
    /// Threads that wait; the last one was at work last.
    idle: Vec<(u64, Arc<Condvar>)>,
    /// Threads that were called and have not come yet: where there is too little of the processor more of them do not help.
    coming: usize,
    started: u64,
}

impl Crew {
    /// Nobody yet.
    pub fn new() -> Self {
        Self::resting(REST)
    }

    /// Threads that end when they have had nothing to do for so long.
    pub fn resting(rest: Duration) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Shared { state: Mutex::default(), cores, rest }))
    }

    /// Has something done soon. Never blocks. Behind somebody who is held up it is seen to with the next [`Self::rouse`].
    pub fn post(&self, work: Arc<dyn Work>) {
        self.0.lock().waiting.push_back(work);
        self.rouse();
    }

    /// Sees that somebody is at what waits: whoever was at it may be held up. To be called whenever there is more to do. Never
    /// blocks.
    pub fn rouse(&self) {
        let now = Instant::now();
        let mut state = self.0.lock();
        if state.waiting.is_empty() {
            return;
        }
        let wanted = state.waiting.len().div_ceil(SHARE).min(self.0.cores);
        // Whoever is held up does not count, so nobody waits for long behind one that is.
        if state.busy.values().filter(|since| now < **since + HELD_UP).count() >= wanted {
            return;
        }
        // Each of them takes one.
        if state.coming >= state.waiting.len() {
            return;
        }
        state.coming += 1;
        if let Some((number, bell)) = state.idle.pop() {
            state.busy.insert(number, now);
            bell.notify_one();
            return;
        }
        state.started += 1;
        let number = state.started;
        state.busy.insert(number, now);
        drop(state);
        let shared = self.0.clone();
        let started = std::thread::Builder::new().name("crew".to_owned()).spawn(move || shared.serve(number));
        if let Err(error) = started {
            // It is done by those there are, or they are looked for again with the next frame.
            let mut state = self.0.lock();
            state.busy.remove(&number);
            state.coming -= 1;
            drop(state);
            log::debug!("no thread for viewers: {error}");
        }
    }

    /// How many threads there are.
    #[cfg(test)]
    pub fn size(&self) -> usize {
        let state = self.0.lock();
        state.busy.len() + state.idle.len()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, number: u64) {
        let bell = Arc::new(Condvar::new());
        let mut state = self.lock();
        state.coming -= 1;
        loop {
            if let Some(work) = state.waiting.pop_front() {
                state.busy.insert(number, Instant::now());
                drop(state);
                work.work();
                state = self.lock();
                continue;
            }
            state.busy.remove(&number);
            state.idle.push((number, bell.clone()));
            let rests = |state: &mut State| state.idle.iter().any(|(idle, _)| *idle == number);
            state = match bell.wait_timeout_while(state, self.rest, rests) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
            if rests(&mut state) {
                state.idle.retain(|(idle, _)| *idle != number);
                return;
            }
            state.coming -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Only bounds a hang.
    const LIMIT: Duration = Duration::from_secs(20);
    /// Between two posts.
    const MOMENT: Duration = Duration::from_millis(1);

    /// Says that it began, and waits until it is let go.
    struct Task(Sender<()>, Mutex<Receiver<()>>);

    impl Work for Task {
        fn work(self: Arc<Self>) {
            // Not everybody listens.
            let _ = self.0.send(());
            let _ = self.1.lock().unwrap().recv();
        }
    }

    /// A task that ends when the sender is gone, and hears of its beginning.
    fn task() -> (Arc<Task>, Receiver<()>, Sender<()>) {
        let ((say, said), (let_go, held)) = (channel(), channel());
        (Arc::new(Task(say, Mutex::new(held))), said, let_go)
    }

    /// A task that ends at once.
    fn quick() -> (Arc<Task>, Receiver<()>) {
        let (task, said, _) = task();
        (task, said)
    }

    #[test]
    fn whoever_is_held_up_holds_up_nobody_else() {
        let crew = Crew::resting(LIMIT);
        let mut held = Vec::new();
        for _ in 0..5 {
            let (slow, began, let_go) = task();
            crew.post(slow);
            while began.recv_timeout(MOMENT).is_err() {
                crew.rouse();
            }
            held.push(let_go);
        }
        let (last, began) = quick();
        crew.post(last);
        while began.recv_timeout(MOMENT).is_err() {
            crew.rouse();
        }
        drop(held);
    }

    #[test]
    fn nobody_is_called_for_what_others_are_coming_for() {
        let crew = Crew::resting(LIMIT);
        let ((work, _), (other, began)) = (quick(), quick());
        crew.0.lock().coming = 1;
        crew.post(work);
        assert_eq!(crew.size(), 0);
        crew.post(other);
        began.recv_timeout(LIMIT).unwrap();
        assert_eq!(crew.size(), 1);
    }

    #[test]
    fn threads_end_when_there_is_nothing_to_do_and_begin_again() {
        let crew = Crew::resting(Duration::from_millis(1));
        for _ in 0..3 {
            let (work, began) = quick();
            crew.post(work);
            began.recv_timeout(LIMIT).unwrap();
            while crew.size() > 0 {
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn everything_that_is_posted_is_done() {
        let crew = Crew::new();
        let all: Vec<_> = (0..200)
            .map(|_| {
                let (work, began) = quick();
                crew.post(work);
                began
            })
            .collect();
        for began in all {
            began.recv_timeout(LIMIT).unwrap();
        }
    }
}
