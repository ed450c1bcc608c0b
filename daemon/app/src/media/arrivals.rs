//! Notices that a device comes into the machine, or a clip into its folder, so that what is lost or was never there is not
//! looked for later than it could be found. Must not know whether anything is.

use std::ffi::{CString, OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::StreamExt;
use inotify::{Event, EventMask, EventStream, Inotify, WatchDescriptor, WatchMask, Watches};
use porthole_core::config::settings::{AudioSource, MediaSettings, VideoSource};
use porthole_core::event::MediaEvent;

use super::Events;
use super::cameras::DEVICES;

/// Bytes of inotify events that are read at once.
const BUFFER: usize = 4096;
/// What is heard of: a device is there first and may be opened by us only after udev has seen to it.
const COMES: WatchMask =
    WatchMask::CREATE.union(WatchMask::MOVED_TO).union(WatchMask::ATTRIB).union(WatchMask::ONLYDIR);
/// Where the nodes of sound cards are, below [`DEVICES`]. The folder comes with the first card.
const SOUND: &str = "snd";

/// How long nobody listens after that went wrong; doubled each time, up to [`AGAIN_MOST`].
const AGAIN: Duration = Duration::from_secs(1);
/// See [`AGAIN`].
const AGAIN_MOST: Duration = Duration::from_secs(60);

/// Says [`MediaEvent::DeviceCame`] whenever something came that may be the camera or the microphone. Where the system tells
/// of nothing, a lost one is found a little later.
pub async fn follow(settings: MediaSettings, events: Events) {
    let wanted = Wanted::of(&settings);
    if !wanted.is_nothing() {
        follow_in(Path::new(DEVICES), &wanted, &|_| events.send(MediaEvent::DeviceCame)).await;
    }
}

/// Tells what comes into `folder`, for ever. After what was not heard, a name that nothing has is told: it is worth a look.
async fn follow_in(folder: &Path, wanted: &Wanted, tell: &impl Fn(&OsStr)) {
    let mut again = AGAIN;
    let mut missed = false;
    loop {
        let error = match Listening::begin(folder, wanted) {
            Ok(listening) => {
                again = AGAIN;
                if std::mem::take(&mut missed) {
                    tell(OsStr::new(""));
                }
                listening.listen(tell).await
            }
            Err(error) => error,
        };
        log::debug!("devices that come are not heard of for {again:?}: {error}");
        missed = true;
        tokio::time::sleep(again).await;
        again = (again * 2).min(AGAIN_MOST);
    }
}

/// What is waited for.
#[derive(Debug, Default)]
struct Wanted {
    /// Any camera.
    cameras: bool,
    /// Any microphone.
    microphones: bool,
    /// This clip: its folder and name.
    clip: Option<(PathBuf, OsString)>,
}

impl Wanted {
    fn of(settings: &MediaSettings) -> Self {
        let clip = match &settings.video.source {
            VideoSource::File(clip) => {
                clip.parent().zip(clip.file_name()).map(|(folder, name)| (folder.to_owned(), name.to_owned()))
            }
            _ => None,
        };
        Self {
            // Its own path may be a link that another device gets.
            cameras: matches!(settings.video.source, VideoSource::Auto(_) | VideoSource::Camera(_)),
            microphones: matches!(settings.audio.source, AudioSource::Auto | AudioSource::Alsa(_)),
            clip,
        }
    }

    fn is_nothing(&self) -> bool {
        !self.cameras && !self.microphones && self.clip.is_none()
    }
}

/// Whether a file of [`DEVICES`] is a camera's.
fn is_camera(name: &OsStr) -> bool {
    ["video", "media"].iter().any(|kind| name.to_string_lossy().starts_with(kind))
}

/// Whether a file of [`SOUND`] is one that records, such as `pcmC1D0c`.
fn is_microphone(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("pcmC") && name.ends_with('c')
}

/// Whether we may open a device. Sound cards are in the kernel's list before udev has seen to their nodes, and one that is
/// opened too early would be taken for lost.
fn may_open(path: &Path) -> bool {
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else { return false };
    // SAFETY: access(2) reads the path, which lives until it returns and ends in a zero.
    unsafe { libc::access(path.as_ptr(), libc::R_OK | libc::W_OK) == 0 }
}

/// What is listened to.
struct Listening<'a> {
    wanted: &'a Wanted,
    sound_folder: PathBuf,
    changes: EventStream<[u8; BUFFER]>,
    watches: Watches,
    devices: Option<WatchDescriptor>,
    sound: Option<WatchDescriptor>,
    clip: Option<WatchDescriptor>,
}

impl<'a> Listening<'a> {
    /// From now on everything in `folder` that is `wanted` is heard of.
    fn begin(folder: &Path, wanted: &'a Wanted) -> io::Result<Self> {
        let inotify = Inotify::init()?;
        let mut watches = inotify.watches();
        let clip = match &wanted.clip {
            Some((folder, _)) => Some(watches.add(folder, COMES | WatchMask::CLOSE_WRITE)?),
            None => None,
        };
        let any = wanted.cameras || wanted.microphones;
        let devices = if any { Some(watches.add(folder, COMES)?) } else { None };
        let changes = inotify.into_event_stream([0; BUFFER])?;
        let sound_folder = folder.join(SOUND);
        let mut listening = Self { wanted, sound_folder, changes, watches, devices, sound: None, clip };
        if wanted.microphones {
            listening.follow_sound();
        }
        Ok(listening)
    }

    fn follow_sound(&mut self) {
        self.sound = self.watches.add(&self.sound_folder, COMES).ok();
    }

    /// Tells the names of what comes, until that goes wrong.
    async fn listen(mut self, tell: &impl Fn(&OsStr)) -> io::Error {
        loop {
            match self.changes.next().await {
                Some(Ok(change)) => {
                    if let Err(error) = self.hear(change, tell) {
                        return error;
                    }
                }
                Some(Err(error)) => return error,
                None => return io::Error::other("the system tells nothing any more"),
            }
        }
    }

    fn hear(&mut self, change: Event<OsString>, tell: &impl Fn(&OsStr)) -> io::Result<()> {
        let from = Some(change.wd);
        if change.mask.contains(EventMask::Q_OVERFLOW) {
            return Err(io::Error::other("more came at once than the system keeps"));
        }
        // The folder of sound cards goes with the last one, and is told of when it comes.
        if change.mask.contains(EventMask::IGNORED) && (from == self.devices || from == self.clip) {
            return Err(io::Error::other("the folder is gone"));
        }
        let Some(name) = change.name else { return Ok(()) };
        if from == self.devices {
            if self.wanted.cameras && is_camera(&name) {
                tell(&name);
            }
            if self.wanted.microphones && name == SOUND {
                self.follow_sound();
                // Some may have been there before it was watched.
                for node in fs::read_dir(&self.sound_folder).into_iter().flatten().flatten() {
                    if is_microphone(&node.file_name()) && may_open(&node.path()) {
                        tell(&node.file_name());
                    }
                }
            }
        }
        if from == self.sound && is_microphone(&name) && may_open(&self.sound_folder.join(&name)) {
            tell(&name);
        }
        if from == self.clip && self.wanted.clip.as_ref().is_some_and(|(_, clip)| *clip == name) {
            tell(&name);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::sync::mpsc::{self, UnboundedReceiver};

    use super::*;

    /// Only bounds a hang.
    const LIMIT: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn cameras_and_microphones_that_come_are_told_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(SOUND)).unwrap();
        let files =
            ["snd/pcmC0D0p", "snd/pcmC1D0c", "snd/controlC1", "video2", "media0", "ttyUSB0", "pcmC1D0c"];
        let comes = |dev: &Path| files.iter().for_each(|file| fs::write(dev.join(file), "").unwrap());
        assert_eq!(told(folder.path(), &both(), comes, "video9").await, ["pcmC1D0c", "video2", "media0"]);
        let cameras = Wanted { microphones: false, ..both() };
        let comes = |dev: &Path| fs::write(dev.join("snd/pcmC2D0c"), "").unwrap();
        assert_eq!(told(folder.path(), &cameras, comes, "video8").await, [""; 0]);
    }

    #[tokio::test]
    async fn the_first_sound_card_of_all_is_told_though_its_folder_comes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let comes = |dev: &Path| {
            fs::create_dir(dev.join(SOUND)).unwrap();
            fs::write(dev.join("snd/pcmC0D0c"), "").unwrap();
        };
        assert_eq!(told(folder.path(), &both(), comes, "video9").await, ["pcmC0D0c"]);
    }

    #[tokio::test]
    async fn a_clip_is_waited_for_in_its_own_folder() {
        let folder = tempfile::tempdir().unwrap();
        let wanted =
            Wanted { clip: Some((folder.path().to_owned(), "yard.mp4".into())), ..Wanted::default() };
        let comes = |folder: &Path| {
            for file in ["yard.mp4.part", "video0"] {
                fs::write(folder.join(file), "").unwrap();
            }
        };
        assert_eq!(told(folder.path(), &wanted, comes, "yard.mp4").await, [""; 0]);
    }

    #[tokio::test]
    async fn after_more_than_the_system_keeps_there_is_a_look_and_whatever_comes_is_told_again() {
        let folder = tempfile::tempdir().unwrap();
        let kept = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
        let kept: usize = kept.trim().parse().unwrap();
        let comes = |dev: &Path| {
            for number in 0..=kept {
                // Two of the same in a row would be one.
                let name = dev.join(["ttyS0", "ttyS1"][number % 2]);
                fs::write(&name, "").unwrap();
                fs::remove_file(&name).unwrap();
            }
            fs::write(dev.join("video7"), "").unwrap();
        };
        let tells_again = |dev: &Path| fs::write(dev.join("video8"), "").unwrap();
        assert_eq!(hears(folder.path(), &both(), comes, tells_again).await, ["", "video8"]);
    }

    #[tokio::test]
    async fn a_folder_that_goes_and_comes_back_is_listened_to_again() {
        let folder = tempfile::tempdir().unwrap();
        let clips = folder.path().join("clips");
        fs::create_dir(&clips).unwrap();
        let wanted = Wanted { clip: Some((clips.clone(), "yard.mp4".into())), ..Wanted::default() };
        let comes = |_: &Path| {
            fs::remove_dir(&clips).unwrap();
            fs::create_dir(&clips).unwrap();
        };
        let tells_again = |_: &Path| fs::write(clips.join("yard.mp4"), "").unwrap();
        assert_eq!(hears(folder.path(), &wanted, comes, tells_again).await, ["", "yard.mp4"]);
    }

    /// What is told of what `comes`, and then of what comes `after` the look.
    async fn hears(
        folder: &Path,
        wanted: &Wanted,
        comes: impl FnOnce(&Path),
        after: impl FnOnce(&Path),
    ) -> Vec<String> {
        listened(folder, wanted, comes, async |mut said| {
            let mut names = vec![said.recv().await.unwrap()];
            after(folder);
            names.push(said.recv().await.unwrap());
            names
        })
        .await
    }

    #[test]
    fn what_is_waited_for_is_what_the_configuration_may_mean() {
        let of = |text: &str| {
            let settings = porthole_core::config::load("test.toml", text, &|_| None).unwrap().media;
            let wanted = Wanted::of(&settings);
            (wanted.cameras, wanted.microphones, wanted.clip)
        };
        assert_eq!(of(""), (true, true, None));
        assert_eq!(of("[video]\nsource = \"test\"\n[audio]\nsource = \"auto\"\n"), (false, true, None));
        assert_eq!(of("[video]\nsource = \"test\"\n[audio]\nsource = \"none\"\n"), (false, false, None));
        let clip = Some((PathBuf::from("/srv"), "yard.mp4".into()));
        let text = "[video]\nsource = \"file\"\nfile = \"/srv/yard.mp4\"\n[audio]\nsource = \"none\"\n";
        assert_eq!(of(text), (false, false, clip));
    }

    fn both() -> Wanted {
        Wanted { cameras: true, microphones: true, clip: None }
    }

    /// What is told of what `comes`, before `last`, which is told in any case.
    async fn told(folder: &Path, wanted: &Wanted, comes: impl FnOnce(&Path), last: &str) -> Vec<String> {
        let all_come = |folder: &Path| {
            comes(folder);
            fs::write(folder.join(last), "").unwrap();
        };
        listened(folder, wanted, all_come, async |mut said| {
            let mut names: Vec<String> = Vec::new();
            while let Some(name) = said.recv().await.filter(|name| name != last) {
                names.push(name);
            }
            // A file that is made may be told twice.
            names.dedup();
            names
        })
        .await
    }

    /// What `hearing` makes of the names that are told once this `comes`.
    async fn listened(
        folder: &Path,
        wanted: &Wanted,
        comes: impl FnOnce(&Path),
        hearing: impl AsyncFnOnce(UnboundedReceiver<String>) -> Vec<String>,
    ) -> Vec<String> {
        let (says, said) = mpsc::unbounded_channel();
        let tell = move |name: &OsStr| says.send(name.to_string_lossy().into_owned()).unwrap();
        let listening = follow_in(folder, wanted, &tell);
        tokio::pin!(listening);
        // It listens from its first look on.
        assert!((&mut listening).now_or_never().is_none());
        comes(folder);
        tokio::select! {
            () = &mut listening => unreachable!("it listens for ever"),
            names = tokio::time::timeout(LIMIT, hearing(said)) => names.expect("all of it is told"),
        }
    }
}
