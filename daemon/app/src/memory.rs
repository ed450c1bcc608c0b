//! What the C library's allocator and the kernel are told, so that a daemon that lives for months stays small. Must not
//! know who allocates.

mod code;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use self::code::leave as leave_code;

/// Keeps the allocator to a few arenas and large blocks out of them. GStreamer runs a dozen threads a call; with an
/// arena for each of them (the default is eight a core) what one call frees is of no use to the next, and one picture
/// among small things keeps a whole arena from shrinking. And keeps the kernel from rounding up to huge pages: x264 asks
/// for those for its pictures, which costs 8 MiB at 720p, and makes it two or three hundredths faster. Called once, before
/// there are threads.
#[cfg(target_env = "gnu")]
pub fn tune() {
    const ARENAS: libc::c_int = 2;
    const LARGE_BYTES: libc::c_int = 256 * 1024;
    for (name, value) in [(libc::M_ARENA_MAX, ARENAS), (libc::M_MMAP_THRESHOLD, LARGE_BYTES)] {
        // SAFETY: mallopt(3) only sets a number inside the allocator; no other thread exists yet. What it does not
        // take stays as it was.
        unsafe { libc::mallopt(name, value) };
    }
    // SAFETY: prctl(2) with these numbers changes a flag of this process. Kernels without huge pages do not know it.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) };
}

/// How long memory is not given back again after it was.
const PAUSE: Duration = Duration::from_secs(10);
/// How long nobody has to have come or gone before what only coming and going needs is left. Devices are still opening and
/// closing before that.
const SETTLE: Duration = Duration::from_secs(3);

/// Gives free memory back to the system whenever something large has gone, at once and at most every [`PAUSE`]; and
/// leaves the code that was run when somebody came or went, a short while after that.
#[derive(Debug, Clone)]
pub struct Returns {
    gone: mpsc::Sender<()>,
    stirs: watch::Sender<Stir>,
}

/// What stirs.
#[derive(Debug, Clone, Copy, Default)]
struct Stir {
    /// Somebody watches, or is about to.
    busy: bool,
    /// Calls that began.
    calls: u32,
}

impl Returns {
    /// Starts the tasks that do it; they end with the last clone. Nobody watches at first.
    pub fn start() -> Self {
        let (gone, mut heard) = mpsc::channel(1);
        tokio::spawn(async move {
            while heard.recv().await.is_some() {
                // A panic in there would be the allocator's.
                let _ = tokio::task::spawn_blocking(give_back).await;
                tokio::time::sleep(PAUSE).await;
            }
        });
        let (stirs, stir) = watch::channel(Stir::default());
        tokio::spawn(leave_in_peace(stir));
        Self { gone, stirs }
    }

    /// Something large has gone.
    pub fn gone(&self) {
        // One that waits already stands for this one too.
        let _ = self.gone.try_send(());
    }

    /// Somebody watches, or nobody does.
    pub fn busy(&self, busy: bool) {
        self.stirs.send_if_modified(|stir| std::mem::replace(&mut stir.busy, busy) != busy);
    }

    /// A call begins.
    pub fn called(&self) {
        self.stirs.send_modify(|stir| stir.calls = stir.calls.wrapping_add(1));
    }
}

/// Leaves the code each time nothing has stirred for a while; ends when nothing can any more. Most of what a call runs it runs
/// while it begins: it is left behind even while somebody watches, who has what is still needed back within a frame.
async fn leave_in_peace(mut stir: watch::Receiver<Stir>) {
    loop {
        match tokio::time::timeout(SETTLE, stir.changed()).await {
            Ok(Ok(())) => continue,
            Ok(Err(_)) => return,
            Err(_) => {}
        }
        let busy = stir.borrow().busy;
        let left = tokio::task::spawn_blocking(move || {
            // Whoever allocates is held up by it.
            if !busy {
                give_back();
            }
            leave_code();
        });
        let _ = left.await;
        if stir.changed().await.is_err() {
            return;
        }
    }
}

/// Gives free memory back to the system. Takes a few milliseconds.
#[cfg(target_env = "gnu")]
fn give_back() {
    // SAFETY: malloc_trim(3) is thread-safe and touches free memory only.
    unsafe { libc::malloc_trim(0) };
}

/// How old what was counted may be. Counting holds up whoever allocates, and strangers may ask as often as they like.
const COUNTED_FOR: Duration = Duration::from_millis(40);

/// Bytes that are allocated and not freed, through this process's C allocator.
pub fn in_use() -> Option<u64> {
    static COUNTED: Mutex<Option<(Instant, Option<u64>)>> = Mutex::new(None);
    let mut counted = COUNTED.lock().unwrap_or_else(PoisonError::into_inner);
    match *counted {
        Some((when, bytes)) if when.elapsed() < COUNTED_FOR => bytes,
        _ => counted.insert((Instant::now(), count())).1,
    }
}

#[cfg(target_env = "gnu")]
fn count() -> Option<u64> {
    // SAFETY: mallinfo2(3) is thread-safe and only counts.
    let counted = unsafe { libc::mallinfo2() };
    u64::try_from(counted.uordblks.saturating_add(counted.hblkhd)).ok()
}

/// Bytes of memory that this process takes up (VmRSS, proc(5)).
pub fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// Other C libraries do not say.
#[cfg(not(target_env = "gnu"))]
fn count() -> Option<u64> {
    None
}

/// Other C libraries have no arenas to limit.
#[cfg(not(target_env = "gnu"))]
pub fn tune() {}

/// Other C libraries give memory back by themselves.
#[cfg(not(target_env = "gnu"))]
fn give_back() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waits_for_peace_ends_with_the_last_that_could_say_so() {
        let (stirs, stir) = watch::channel(Stir::default());
        drop(stirs);
        // Only bounds a hang.
        let ended = tokio::time::timeout(Duration::from_secs(20), leave_in_peace(stir)).await;
        ended.unwrap();
    }
}
