//! Notices that a device comes into the machine, or a clip into its folder, so that what is lost or was never there is not
//! looked for later than it could be found. Must not know whether anything is.

use std::ffi::{CString, OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use inotify::{Inotify, WatchDescriptor, WatchMask, Watches};
use porthole_core::config::settings::{AudioSource, MediaSettings, VideoSource};
use porthole_core::event::MediaEvent;

use super::Events;
use super::cameras::DEVICES;

/// Bytes of inotify events that are read at once.
const BUFFER: usize = 4096;
/// Where the nodes of sound cards are, below [`DEVICES`]. The folder comes with the first card.
const SOUND: &str = "snd";

/// Says [`MediaEvent::DeviceCame`] whenever something came that may be the camera or the microphone. Where the system tells
/// of nothing, a lost one is found a little later.
pub async fn follow(settings: MediaSettings, events: Events) {
    let tell = move |_: &OsStr| events.send(MediaEvent::DeviceCame);
    let wanted = Wanted::of(&settings);
    if wanted.is_nothing() {
        return;
    }
    if let Err(error) = listen(Path::new(DEVICES), &wanted, tell).await {
        log::debug!("devices that come are not heard of: {error}");
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

/// What is watched.
struct Watch {
    devices: Option<WatchDescriptor>,
    sound: Option<WatchDescriptor>,
    clip: Option<WatchDescriptor>,
}

/// Tells the names of everything in `folder` that is `wanted`, for ever.
async fn listen(folder: &Path, wanted: &Wanted, tell: impl Fn(&OsStr)) -> io::Result<()> {
    let inotify = Inotify::init()?;
    // A device is there first and may be opened by us only after udev has seen to it.
    let comes = WatchMask::CREATE | WatchMask::MOVED_TO | WatchMask::ATTRIB | WatchMask::ONLYDIR;
    let mut watches = inotify.watches();
    let clip = match &wanted.clip {
        Some((folder, _)) => Some(watches.add(folder, comes | WatchMask::CLOSE_WRITE)?),
        None => None,
    };
    let devices = if wanted.cameras || wanted.microphones { Some(watches.add(folder, comes)?) } else { None };
    let mut watch = Watch { devices, sound: None, clip };
    let sound = folder.join(SOUND);
    let follow_sound = |watches: &mut Watches, watch: &mut Watch| {
        watch.sound = watches.add(&sound, comes).ok();
    };
    if wanted.microphones {
        follow_sound(&mut watches, &mut watch);
    }
    let mut changes = inotify.into_event_stream([0; BUFFER])?;
    while let Some(change) = changes.next().await {
        let change = change?;
        let (Some(name), from) = (change.name, Some(change.wd)) else { continue };
        if from == watch.devices {
            if wanted.cameras && is_camera(&name) {
                tell(&name);
            }
            if wanted.microphones && name == SOUND {
                follow_sound(&mut watches, &mut watch);
                // Some may have been there before it was watched.
                for node in fs::read_dir(&sound).into_iter().flatten().flatten() {
                    if is_microphone(&node.file_name()) && may_open(&node.path()) {
                        tell(&node.file_name());
                    }
                }
            }
        }
        if from == watch.sound && is_microphone(&name) && may_open(&sound.join(&name)) {
            tell(&name);
        }
        if from == watch.clip && wanted.clip.as_ref().is_some_and(|(_, clip)| *clip == name) {
            tell(&name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt;
    use tokio::sync::mpsc;

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
        let (says, mut said) = mpsc::unbounded_channel();
        let listening =
            listen(folder, wanted, move |name| says.send(name.to_string_lossy().into_owned()).unwrap());
        tokio::pin!(listening);
        // It listens from its first look on.
        assert!((&mut listening).now_or_never().is_none());
        comes(folder);
        fs::write(folder.join(last), "").unwrap();
        let hearing = async {
            let mut names: Vec<String> = Vec::new();
            while let Some(name) = said.recv().await.filter(|name| name != last) {
                names.push(name);
            }
            // A file that is made may be told twice.
            names.dedup();
            names
        };
        tokio::select! {
            ended = &mut listening => panic!("{ended:?}"),
            names = tokio::time::timeout(LIMIT, hearing) => names.expect("the last is told"),
        }
    }
}
