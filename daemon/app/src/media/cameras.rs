//! The cameras of this machine: every device node of V4L2, and what libcamera has. Looks anew each time it is asked, so
//! that a camera is found wherever it has come back. Must not know what a camera is wanted for.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gst::prelude::*;
use porthole_core::config::settings::CameraName;
use porthole_core::plan::camera::{self, Camera, Holder, Nature};

use super::element::{MediaError, exists};
use super::inquiry;
use super::nodes::{self, Silent};
use super::v4l2::Node;

/// Where the kernel and udev put devices.
pub const DEVICES: &str = "/dev";
/// Device nodes, with what is known of those that hang.
pub type Nodes = nodes::Nodes<Camera>;
/// How long a device may take to say what it is. What is left until a camera without a picture counts as lost has to do for
/// the first frame of the test picture: a node that hangs makes no lost camera of one that was never there.
const ANSWER: Duration = Duration::from_secs(2);

/// Every camera, and what looks like one: V4L2's in the order of their numbers, then libcamera's.
pub fn all(nodes: &Nodes) -> Vec<Camera> {
    let mut cameras = v4l2(Path::new(DEVICES), None, nodes);
    cameras.extend(libcamera());
    cameras
}

/// The camera that is meant, and all others that were looked at: libcamera, which takes its time, is only asked where
/// it may be meant, and where a name that stays leads to a camera, no other is asked, which might not answer.
pub fn find(name: &CameraName, known: &Nodes) -> Result<(Camera, Vec<Camera>), MediaError> {
    let nodes = |only| v4l2(Path::new(DEVICES), only, known);
    let path = match name {
        CameraName::V4l2(path) => path.as_deref(),
        _ => None,
    };
    let node = path.and_then(|path| fs::canonicalize(path).ok());
    let real = node.as_ref().map(|node| node.to_string_lossy().into_owned());
    if node.is_some() && node.as_deref() != path {
        let all = nodes(node.as_deref());
        if let Ok(camera) = camera::pick(&all, name, real.as_deref()) {
            return Ok((camera.clone(), all));
        }
    }
    let all = match name {
        CameraName::V4l2(_) => nodes(None),
        CameraName::Libcamera(_) => libcamera(),
        CameraName::Any => {
            let mut found = nodes(None);
            if found.iter().all(|camera| camera.unusable().is_some()) {
                found.extend(libcamera());
            }
            found
        }
    };
    let camera = camera::pick(&all, name, real.as_deref()).cloned().map_err(|why| {
        let wanted = matches!(name, CameraName::Libcamera(_));
        MediaError::Failed(if wanted && !has_libcamera() { MISSING_LIBCAMERA.to_owned() } else { why })
    })?;
    Ok((camera, all))
}

/// What to do where libcamera is wanted and not there.
pub const MISSING_LIBCAMERA: &str =
    "libcamera's GStreamer element is missing; install it with: apt-get install gstreamer1.0-libcamera";

/// Whether cameras of libcamera can be used at all.
pub fn has_libcamera() -> bool {
    exists("libcamerasrc")
}

/// The V4L2 nodes in `folder`, or only one of them.
fn v4l2(folder: &Path, only: Option<&Path>, known: &Nodes) -> Vec<Camera> {
    let number = |name: &str| name.strip_prefix("video")?.parse::<u32>().ok();
    let mut nodes: Vec<(u32, PathBuf)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((number(entry.file_name().to_str()?)?, entry.path())))
        .filter(|(_, node)| only.is_none_or(|only| only == node))
        .collect();
    nodes.sort();
    let names = stable_names(&folder.join("v4l"));
    let nodes: Vec<PathBuf> = nodes.into_iter().map(|(_, node)| node).collect();
    // One that cannot be used may be another time.
    let usable = |camera: &Camera| camera.unusable().is_none();
    let answers = known.ask(&nodes, ANSWER, usable, |node| {
        Node::open(node).and_then(|device| inquiry::ask(&node.to_string_lossy(), &device))
    });
    let mut cameras: Vec<Camera> = nodes
        .into_iter()
        .zip(answers)
        .map(|(path, answer)| {
            let node = path.to_string_lossy().into_owned();
            let mut camera = answer.unwrap_or_else(|silent| unknown(&node, why(silent)));
            camera.stable = names.get(&path).cloned().unwrap_or_default();
            camera
        })
        .collect();
    if !cameras.is_empty() {
        let mut open = holders();
        for camera in &mut cameras {
            camera.open_in = open.remove(Path::new(&camera.node)).unwrap_or_default();
        }
    }
    cameras
}

/// Why a node does not say what it is, for a person.
fn why(silent: Silent) -> String {
    match silent {
        Silent::Refused(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            "this user may not open it; add it to the group `video`: usermod -aG video USER".to_owned()
        }
        Silent::Refused(error) => format!("it cannot be asked: {error}"),
        Silent::Late(patience) => {
            format!("it says nothing within {patience:?}; unplug it and plug it in again")
        }
        Silent::Hangs => {
            "it was asked before and still says nothing; unplug it and plug it in again".to_owned()
        }
    }
}

fn unknown(node: &str, trouble: String) -> Camera {
    Camera {
        node: node.to_owned(),
        stable: Vec::new(),
        card: String::new(),
        driver: String::new(),
        bus: String::new(),
        nature: Nature::Camera,
        offers: Vec::new(),
        controls: Vec::new(),
        open_in: Vec::new(),
        trouble: Some(trouble),
    }
}

/// The links in `by-id` and `by-path`, by the node that each leads to.
fn stable_names(folder: &Path) -> BTreeMap<PathBuf, Vec<String>> {
    let mut names: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for kind in ["by-id", "by-path"] {
        let mut links: Vec<PathBuf> = fs::read_dir(folder.join(kind))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        links.sort();
        for link in links {
            if let Ok(node) = fs::canonicalize(&link) {
                names.entry(node).or_default().push(link.to_string_lossy().into_owned());
            }
        }
    }
    names
}

/// Which programs have which V4L2 nodes open, as far as this user may see; this program itself is left out.
fn holders() -> BTreeMap<PathBuf, Vec<Holder>> {
    let mut open: BTreeMap<PathBuf, Vec<Holder>> = BTreeMap::new();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        if pid == std::process::id() {
            continue;
        }
        for file in fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten() {
            let Ok(path) = fs::read_link(file.path()) else { continue };
            if path.parent() != Some(Path::new("/dev")) || !path.to_string_lossy().starts_with("/dev/video") {
                continue;
            }
            let program = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            let holder = Holder { pid, program: program.trim().to_owned() };
            let known = open.entry(path).or_default();
            if !known.contains(&holder) {
                known.push(holder);
            }
        }
    }
    open
}

/// The cameras that libcamera knows. Its provider is asked directly: a monitor of devices learns of them some time later.
fn libcamera() -> Vec<Camera> {
    let Some(provider) = gst::DeviceProviderFactory::by_name("libcameraprovider") else { return Vec::new() };
    provider
        .devices()
        .into_iter()
        .map(|device| {
            let element = device.create_element(None).ok();
            let name = element.as_ref().and_then(|element| {
                element
                    .find_property("camera-name")
                    .and_then(|_| element.property::<Option<String>>("camera-name"))
            });
            let card = device.display_name().to_string();
            Camera {
                node: name.unwrap_or_else(|| card.clone()),
                card,
                driver: "libcamera".to_owned(),
                nature: Nature::Libcamera,
                offers: device.caps().map(|caps| super::modes::read(&caps)).unwrap_or_default(),
                controls: element.as_ref().map(super::look::properties).unwrap_or_default(),
                trouble: None,
                ..unknown("", String::new())
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use porthole_core::wire::limits::CAPTURE_PATIENCE;

    use super::*;

    #[test]
    fn a_node_that_hangs_leaves_time_for_the_test_picture_before_the_camera_counts_as_lost() {
        let first_frame = Duration::from_secs(1);
        assert!(ANSWER + first_frame <= CAPTURE_PATIENCE);
    }

    #[test]
    fn nodes_are_found_in_the_order_of_their_numbers_with_the_names_that_lead_to_them() {
        let folder = tempfile::tempdir().unwrap();
        let dev = fs::canonicalize(folder.path()).unwrap();
        for node in ["video10", "video2", "video", "videotape", "v4l-subdev0"] {
            fs::write(dev.join(node), "").unwrap();
        }
        for (kind, name) in [("by-path", "usb-1.2"), ("by-id", "usb-Webcam"), ("by-id", "usb-Gone")] {
            fs::create_dir_all(dev.join("v4l").join(kind)).unwrap();
            let to = if name == "usb-Gone" { "../../video7" } else { "../../video10" };
            symlink(to, dev.join("v4l").join(kind).join(name)).unwrap();
        }
        let found = v4l2(&dev, None, &Nodes::default());
        let name = |camera: &Camera| camera.node.rsplit('/').next().unwrap().to_owned();
        assert_eq!(found.iter().map(name).collect::<Vec<_>>(), ["video2", "video10"]);
        let stable: Vec<_> = found[1].stable.iter().map(|name| name.rsplit("v4l/").next().unwrap()).collect();
        assert_eq!(stable, ["by-id/usb-Webcam", "by-path/usb-1.2"]);
        assert!(found[0].stable.is_empty());
        let only = v4l2(&dev, Some(&dev.join("video10")), &Nodes::default());
        assert_eq!(only.iter().map(name).collect::<Vec<_>>(), ["video10"]);
        assert_eq!(only[0].stable, found[1].stable);
        // A file is no device, and that is said of it rather than of the whole machine.
        assert!(
            found.iter().all(|camera| camera.unusable().unwrap().contains("cannot be asked")),
            "{found:?}"
        );
    }

    #[test]
    fn a_machine_without_devices_has_no_cameras() {
        assert_eq!(v4l2(Path::new("/nowhere"), None, &Nodes::default()), []);
    }
}
