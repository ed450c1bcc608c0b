//! The encoder inside a camera, while it runs: its bitrate is a control of the camera, where it has one. Must not know who
//! watches.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use porthole_core::plan::camera::Camera;
use porthole_core::plan::controls::{Control, own_bitrate};

use super::v4l2::{Driver, Node};

/// A camera that encodes by itself.
#[derive(Clone)]
pub struct OwnEncoder(Arc<Inner>);

struct Inner {
    open: Box<dyn Fn() -> io::Result<Box<dyn Driver>> + Send + Sync>,
    controls: Vec<Control>,
    /// kbit/s that are still to be set; 0: none.
    due: AtomicU32,
}

impl OwnEncoder {
    /// That of this one.
    pub fn of(camera: &Camera) -> Self {
        let node = PathBuf::from(&camera.node);
        // A second opening of the node: only pictures are had by one alone.
        Self::new(camera.controls.clone(), move || Ok(Box::new(Node::open(&node)?)))
    }

    fn new(
        controls: Vec<Control>,
        open: impl Fn() -> io::Result<Box<dyn Driver>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner { open: Box::new(open), controls, due: AtomicU32::new(0) }))
    }

    /// Whether it can be told a bitrate at all.
    pub fn takes_bitrates(&self) -> bool {
        own_bitrate(&self.0.controls, 1000).is_some()
    }

    /// Tells it a bitrate, in the background: a driver may hang. `refused` is called, with the reason, where it does not
    /// take that. While one is on its way there the last that is told replaces the others.
    pub fn set_bitrate(&self, kbit: u32, refused: impl FnOnce(io::Error) + Send + 'static) {
        let mut kbit = kbit.max(1);
        if self.0.due.swap(kbit, Ordering::Relaxed) != 0 {
            return;
        }
        let inner = self.0.clone();
        tokio::task::spawn_blocking(move || {
            let last = loop {
                let result = inner.set(kbit);
                match inner.due.compare_exchange(kbit, 0, Ordering::Relaxed, Ordering::Relaxed) {
                    Ok(_) => break result,
                    Err(newer) => kbit = newer,
                }
            };
            if let Err(error) = last {
                refused(error);
            }
        });
    }
}

impl Inner {
    fn set(&self, kbit: u32) -> io::Result<()> {
        let Some(setting) = own_bitrate(&self.controls, kbit) else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        #[expect(clippy::cast_possible_truncation, reason = "within the range that came from 32 bits")]
        (self.open)()?.set(setting.id, setting.value as i32)?;
        log::debug!("the camera is to give {kbit} kbit/s");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use porthole_core::plan::controls::Range;

    use super::super::v4l2::{Capability, ControlEntry, FormatEntry, IntervalEntry, MenuEntry, SizeEntry};
    use super::*;

    const BITRATE: u32 = 0x99_09cf;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_running_camera_is_told_the_last_bitrate_that_was_wanted_while_it_took_one() {
        let (told, hears) = channel();
        let (lets, waits) = channel();
        let waits = Arc::new(Mutex::new(waits));
        let own = OwnEncoder::new(vec![bitrate(25_000_000)], move || {
            Ok(Box::new(Slow { told: told.clone(), waits: waits.clone() }))
        });
        assert!(own.takes_bitrates());
        own.set_bitrate(2000, |error| panic!("{error}"));
        assert_eq!(hears.recv(), Ok((BITRATE, 2_000_000)));
        own.set_bitrate(1500, |error| panic!("{error}"));
        own.set_bitrate(40_000, |error| panic!("{error}"));
        lets.send(()).unwrap();
        assert_eq!(hears.recv(), Ok((BITRATE, 25_000_000)), "what it can at most");
        lets.send(()).unwrap();
        // Nothing else: what it is told next comes next.
        while own.0.due.load(Ordering::Relaxed) != 0 {
            tokio::task::yield_now().await;
        }
        own.set_bitrate(800, |error| panic!("{error}"));
        assert_eq!(hears.recv(), Ok((BITRATE, 800_000)));
        lets.send(()).unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_camera_that_takes_no_other_bitrate_while_it_runs_is_known_by_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let node = file.path().to_owned();
        let own = OwnEncoder::new(vec![bitrate(8_000_000)], move || Ok(Box::new(Node::open(&node)?)));
        let (refused, hears) = tokio::sync::oneshot::channel();
        own.set_bitrate(1000, |error| drop(refused.send(error)));
        assert_eq!(hears.await.unwrap().raw_os_error(), Some(libc::ENOTTY));
        let without = OwnEncoder::new(Vec::new(), || Err(io::ErrorKind::Other.into()));
        assert!(!without.takes_bitrates());
    }

    fn bitrate(most: i64) -> Control {
        Control {
            id: BITRATE,
            name: "video_bitrate".to_owned(),
            range: Range::Number { least: 25_000, most, step: 25_000 },
            default: 1_000_000.0,
            value: None,
            writable: true,
        }
    }

    /// Says what is set on it, and takes until it is let.
    struct Slow {
        told: Sender<(u32, i32)>,
        waits: Arc<Mutex<Receiver<()>>>,
    }

    impl Driver for Slow {
        fn set(&self, id: u32, value: i32) -> io::Result<()> {
            self.told.send((id, value)).unwrap();
            self.waits.lock().unwrap().recv().unwrap();
            Ok(())
        }

        fn capability(&self) -> io::Result<Capability> {
            unreachable!("it is only set")
        }

        fn format(&self, _: &mut FormatEntry) -> io::Result<()> {
            unreachable!("it is only set")
        }

        fn size(&self, _: &mut SizeEntry) -> io::Result<()> {
            unreachable!("it is only set")
        }

        fn interval(&self, _: &mut IntervalEntry) -> io::Result<()> {
            unreachable!("it is only set")
        }

        fn control(&self, _: &mut ControlEntry) -> io::Result<()> {
            unreachable!("it is only set")
        }

        fn menu(&self, _: &mut MenuEntry) -> io::Result<()> {
            unreachable!("it is only set")
        }

        fn value(&self, _: u32) -> io::Result<i32> {
            unreachable!("it is only set")
        }
    }
}
