//! Which of the cameras that were found is meant, and by which name it is found again. Must not look for one.

use serde::Serialize;

use super::controls::Control;
use super::mode::{Format, Offer};
use crate::config::settings::CameraName;

/// A camera, or something that looks like one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Camera {
    /// What it is opened by: `/dev/video0`, or libcamera's own name for it.
    pub node: String,
    /// Names that stay when it comes back under another number: those of `/dev/v4l/by-id`, then those of
    /// `/dev/v4l/by-path`.
    pub stable: Vec<String>,
    /// What it calls itself.
    pub card: String,
    /// The kernel's driver, or `libcamera`.
    pub driver: String,
    /// Where it is plugged in, in the kernel's words.
    pub bus: String,
    /// What its driver says it is.
    pub nature: Nature,
    /// The pictures it gives.
    pub offers: Vec<Offer>,
    /// What can be set on it.
    pub controls: Vec<Control>,
    /// Who has it open, as far as this user may see.
    pub open_in: Vec<Holder>,
    /// Why nothing more is known of it.
    pub trouble: Option<String>,
}

/// What a driver says its device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Nature {
    /// It gives pictures.
    Camera,
    /// It gives pictures when somebody (libcamera) has set up what lies before it.
    Part,
    /// It takes pictures and gives other ones: an encoder, a decoder, a scaler.
    Converter,
    /// It has no pictures to give: metadata, an output, a radio.
    NoPicture,
    /// libcamera knows what it is.
    Libcamera,
}

/// A program that has a device open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Its number.
    pub pid: u32,
    /// Its name.
    pub program: String,
}

/// Drivers whose devices are stages of a Raspberry Pi's picture processor, whatever else they say they are.
const STAGES: &[&str] = &["bcm2835-isp", "bcm2835-codec", "pispbe", "rpivid", "rpi-hevc-dec", "rp1-cfe"];

impl Camera {
    /// Why it cannot be used, for a person. `None`: it can.
    pub fn unusable(&self) -> Option<String> {
        if let Some(trouble) = &self.trouble {
            return Some(trouble.clone());
        }
        let stage = STAGES.contains(&self.driver.as_str()) || self.nature == Nature::Part;
        let why = match self.nature {
            Nature::Libcamera => return None,
            Nature::Converter => "it converts pictures and takes none",
            Nature::NoPicture => "it gives no pictures",
            Nature::Camera | Nature::Part if stage => {
                r#"it is a part of the board's camera processor: use the camera by libcamera (source = "libcamera")"#
            }
            Nature::Camera | Nature::Part => {
                let usable = self.offers.iter().any(|offer| offer.format != Format::Other);
                if usable {
                    return None;
                }
                "it offers no format that can be used (raw, MJPEG or H.264)"
            }
        };
        Some(why.to_owned())
    }

    /// Whether `path` is a name of it. Links are for the caller to follow.
    pub fn is_called(&self, path: &str) -> bool {
        self.node == path || self.stable.iter().any(|name| name == path)
    }
}

/// The camera that `name` means, out of all `cameras` in their order: V4L2 before libcamera. `real` is the node behind a
/// path that is a link.
///
/// # Errors
/// Why there is none, with what to do, for a person.
pub fn pick<'c>(cameras: &'c [Camera], name: &CameraName, real: Option<&str>) -> Result<&'c Camera, String> {
    let usable = |camera: &&Camera| camera.unusable().is_none();
    let libcamera = |camera: &&Camera| camera.nature == Nature::Libcamera;
    let list = |of: &dyn Fn(&&Camera) -> bool| {
        let names: Vec<&str> =
            cameras.iter().filter(usable).filter(of).map(|camera| camera.node.as_str()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    match name {
        CameraName::Any => {
            let mut found = cameras.iter().filter(usable);
            found
                .find(|camera| !libcamera(camera))
                .or_else(|| cameras.iter().filter(usable).find(libcamera))
                .ok_or_else(|| "there is no camera; plug one in, and see `porthole devices`".to_owned())
        }
        CameraName::V4l2(None) => cameras
            .iter()
            .filter(usable)
            .find(|camera| !libcamera(camera))
            .ok_or_else(|| "there is no V4L2 camera; plug one in, and see `porthole devices`".to_owned()),
        CameraName::V4l2(Some(path)) => {
            let path = path.to_string_lossy();
            let called =
                |camera: &&Camera| camera.is_called(&path) || real.is_some_and(|real| camera.is_called(real));
            let camera = cameras.iter().filter(|camera| !libcamera(camera)).find(called).ok_or_else(|| {
                format!(
                    "the camera {path} is not there; check that it is plugged in (cameras that are there: {})",
                    list(&|camera| !libcamera(camera))
                )
            })?;
            match camera.unusable() {
                None => Ok(camera),
                Some(why) => Err(format!("the camera {path} cannot be used: {why}")),
            }
        }
        CameraName::Libcamera(None) => cameras
            .iter()
            .find(libcamera)
            .ok_or_else(|| "libcamera has no camera; check the cable, and see `porthole devices`".to_owned()),
        CameraName::Libcamera(Some(name)) => {
            let called =
                |camera: &&Camera| libcamera(camera) && (camera.node == *name || camera.card == *name);
            cameras.iter().find(called).ok_or_else(|| {
                format!("libcamera has no camera called {name} (it has: {})", list(&libcamera))
            })
        }
    }
}

/// The name by which `camera` is found again when it comes back: what says what it is, unless another camera is called
/// the same; else where it is plugged in. `None`: it has no name that stays.
///
/// Cameras without a serial number share one name below `by-id`, and which of them it leads to is chance.
pub fn stable_name<'c>(camera: &'c Camera, all: &[Camera]) -> Option<&'c str> {
    let twins = all.iter().filter(|other| other.card == camera.card && other.nature == Nature::Camera);
    // One device may have several nodes: they share the bus.
    let twin = twins.into_iter().any(|other| other.bus != camera.bus);
    let of = |folder: &str| camera.stable.iter().map(String::as_str).find(|name| name.contains(folder));
    let (id, path) = (of("/by-id/"), of("/by-path/"));
    if twin { path.or(id) } else { id.or(path) }
}
