//! What the kernel says of a process: CPU time, memory, threads, file descriptors (`proc(5)`). Must not know which
//! process it is.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::time::{Duration, Instant};

/// `/proc/PID/stat` counts in these on every Linux (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// A process at one moment. Sizes in KiB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    pub rss: f64,
    pub pss: f64,
    /// Memory of its own that no file stands behind: heap and stacks.
    pub anonymous: f64,
    pub threads: f64,
    pub descriptors: f64,
}

/// A process by its id.
#[derive(Debug, Clone, Copy)]
pub struct Process(pub u32);

impl Process {
    /// CPU seconds (user and system, all threads, those that ended included) since it started. In steps of 10 ms.
    pub fn cpu_seconds(self) -> io::Result<f64> {
        used(&self.read("stat")?).map(|(_, seconds)| seconds).ok_or_else(|| unreadable("stat"))
    }

    /// The same of each thread there is, by its id, with its name (15 characters at most).
    pub fn threads(self) -> io::Result<HashMap<u32, (String, f64)>> {
        let ids = fs::read_dir(self.path("task"))?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
        // One that ends while it is looked at is none any more.
        Ok(ids.filter_map(|id| Some((id, used(&self.read(&format!("task/{id}/stat")).ok()?)?))).collect())
    }

    /// CPU over the next `interval`, in percent of one core.
    pub async fn cpu_percent(self, interval: Duration) -> io::Result<f64> {
        let (before, started) = (self.cpu_seconds()?, Instant::now());
        tokio::time::sleep(interval).await;
        Ok((self.cpu_seconds()? - before) / started.elapsed().as_secs_f64() * 100.0)
    }

    /// Everything but CPU.
    pub fn usage(self) -> io::Result<Usage> {
        let memory = self.read("smaps_rollup")?;
        let status = self.read("status")?;
        Ok(Usage {
            rss: number_after(&memory, "Rss:")?,
            pss: number_after(&memory, "Pss:")?,
            anonymous: number_after(&memory, "Anonymous:")?,
            threads: number_after(&status, "Threads:")?,
            descriptors: fs::read_dir(self.path("fd"))?.count() as f64,
        })
    }

    fn read(self, file: &str) -> io::Result<String> {
        fs::read_to_string(self.path(file))
    }

    fn path(self, file: &str) -> String {
        format!("/proc/{}/{file}", self.0)
    }
}

/// Name and CPU seconds out of a `stat`.
fn used(stat: &str) -> Option<(String, f64)> {
    // The name in parentheses may hold anything; utime and stime are fields 14 and 15, counted from 1.
    let (head, rest) = stat.rsplit_once(')')?;
    let name = head.split_once('(')?.1.to_owned();
    let mut fields = rest.split_whitespace().skip(11).map(str::parse::<f64>);
    let (user, system) = (fields.next()?.ok()?, fields.next()?.ok()?);
    Some((name, (user + system) / TICKS_PER_SECOND))
}

fn number_after(text: &str, key: &str) -> io::Result<f64> {
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.split_whitespace().next()?.parse().ok());
    value.ok_or_else(|| unreadable(key))
}

fn unreadable(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} of /proc could not be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_process_can_be_read() {
        let this = Process(std::process::id());
        let usage = this.usage().unwrap();
        assert!(usage.rss >= usage.anonymous && usage.anonymous > 0.0, "{usage:?}");
        assert!(usage.threads >= 1.0 && usage.descriptors >= 3.0, "{usage:?}");
    }

    #[test]
    fn a_thread_is_found_by_its_name_whatever_that_is() {
        let (tell, told) = std::sync::mpsc::channel::<()>();
        let (ready, up) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new().name("a) 1 (b".to_owned()).spawn(move || {
            ready.send(()).unwrap();
            let _ = told.recv();
        });
        up.recv().unwrap();
        let found = Process(std::process::id()).threads().unwrap();
        assert_eq!(found.values().filter(|(name, _)| name == "a) 1 (b").count(), 1, "{found:?}");
        drop(tell);
        thread.unwrap().join().unwrap();
        assert_eq!(
            used("7 (crew) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0"),
            Some(("crew".to_owned(), 2.0)),
            "as proc(5) counts"
        );
    }

    #[test]
    fn cpu_time_grows_while_there_is_work() {
        let this = Process(std::process::id());
        let before = this.cpu_seconds().unwrap();
        let mut work = 0_u64;
        while this.cpu_seconds().unwrap() <= before {
            work = std::hint::black_box(work.wrapping_mul(31).wrapping_add(7));
        }
    }
}
