//! Sets on a camera what the core has judged. A control that fails is said and stops nothing. Must not judge.

use std::path::Path;

use gst::glib;
use gst::prelude::*;
use porthole_core::plan::camera::Camera;
use porthole_core::plan::controls::{Control, Range, Setting, plain};

use super::v4l2::{Driver, Node};

/// Says what cannot be set as the configuration wants it.
pub fn complain(complaints: &[String]) {
    for complaint in complaints {
        log::warn!("{complaint}; the picture goes on without it");
    }
}

/// Sets controls of a V4L2 camera.
pub fn set_v4l2(camera: &Camera, settings: &[Setting]) {
    if settings.is_empty() {
        return;
    }
    let device = match Node::open(Path::new(&camera.node)) {
        Ok(device) => device,
        Err(error) => {
            log::warn!("the controls of {} cannot be set: {error}", camera.node);
            return;
        }
    };
    for Setting { id, name, value, asked } in settings {
        // Every value of V4L2 that is judged fits: the ranges come from the same 32 bits.
        #[expect(clippy::cast_possible_truncation, reason = "from 32 bits, see above")]
        let set = device.set(*id, *value as i32);
        match set {
            Ok(()) => log::debug!("camera {}: {name} = {value}", camera.card),
            Err(error) if *asked => log::warn!(
                "the camera {} did not take {name} = {value}: {error}; often an automatic has to be switched off first \
                 (auto_exposure = \"manual\", white_balance_automatic = false)",
                camera.card
            ),
            Err(error) => log::debug!("camera {}: {name} = {value} not taken: {error}", camera.card),
        }
    }
}

/// The properties that an element has beside those of its parents, as controls: libcamera's are like that.
pub fn properties(element: &gst::Element) -> Vec<Control> {
    let own = element.list_properties();
    let own = own.iter().filter(|spec| spec.owner_type() == element.type_());
    own.zip(0..)
        .filter_map(|(spec, id)| {
            let (range, default) = range(spec)?;
            let writable = spec.flags().contains(glib::ParamFlags::WRITABLE);
            Some(Control { id, name: plain(spec.name()), range, default, value: None, writable })
        })
        .collect()
}

fn range(spec: &glib::ParamSpec) -> Option<(Range, f64)> {
    if let Some(spec) = spec.downcast_ref::<glib::ParamSpecBoolean>() {
        return Some((Range::Switch, f64::from(u8::from(spec.default_value()))));
    }
    if let Some(spec) = spec.downcast_ref::<glib::ParamSpecInt>() {
        let (least, most) = (i64::from(spec.minimum()), i64::from(spec.maximum()));
        return Some((Range::Number { least, most, step: 1 }, f64::from(spec.default_value())));
    }
    if let Some(spec) = spec.downcast_ref::<glib::ParamSpecFloat>() {
        let (least, most) = (f64::from(spec.minimum()), f64::from(spec.maximum()));
        return Some((Range::Decimal { least, most }, f64::from(spec.default_value())));
    }
    if let Some(spec) = spec.downcast_ref::<glib::ParamSpecDouble>() {
        return Some((Range::Decimal { least: spec.minimum(), most: spec.maximum() }, spec.default_value()));
    }
    let class = glib::EnumClass::with_type(spec.value_type())?;
    let words =
        class.values().iter().map(|value| (i64::from(value.value()), value.nick().to_owned())).collect();
    let default = spec.default_value().get::<&glib::EnumValue>().map_or(0, glib::EnumValue::value);
    Some((Range::Menu { words }, f64::from(default)))
}

/// Sets properties that [`properties`] has told of.
pub fn set_properties(element: &gst::Element, settings: &[Setting]) {
    for Setting { name, value, .. } in settings {
        let own = element.list_properties();
        let spec =
            own.iter().find(|spec| spec.owner_type() == element.type_() && plain(spec.name()) == *name);
        let Some(spec) = spec else { continue };
        if spec.downcast_ref::<glib::ParamSpecBoolean>().is_some() {
            element.set_property(spec.name(), *value != 0.0);
        } else {
            element.set_property_from_str(spec.name(), &value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use porthole_core::config::settings::{ControlValue, Look};
    use porthole_core::plan::controls::judge;

    use super::*;

    /// videobalance stands for libcamerasrc: its properties are numbers with a fraction, too.
    #[test]
    fn properties_of_an_element_are_judged_and_set_like_controls() {
        gst::init().unwrap();
        let element = gst::ElementFactory::make("videobalance").build().unwrap();
        let controls = properties(&element);
        let controls_wanted = vec![
            ("brightness".to_owned(), ControlValue::Decimal(-0.5)),
            ("contrast".to_owned(), ControlValue::Number(2)),
            ("hue".to_owned(), ControlValue::Number(3)),
            ("qos".to_owned(), ControlValue::Switch(false)),
        ];
        let judgement = judge("it", &controls, &Look { controls: controls_wanted, ..Look::default() });
        assert_eq!(judgement.complaints.len(), 2, "{judgement:?}");
        assert_eq!(judgement.complaints[0], "video.controls.hue = 3: the camera it allows -1 to 1");
        assert!(
            judgement.complaints[1]
                .contains(": the camera it has no such control; it has: contrast (0 to 2)"),
            "{judgement:?}"
        );
        set_properties(&element, &judgement.settings);
        let set = |name: &str| element.property::<f64>(name);
        assert_eq!((set("brightness"), set("contrast"), set("hue")), (-0.5, 2.0, 0.0));
    }

    #[test]
    fn words_of_a_property_are_set_by_their_beginning() {
        gst::init().unwrap();
        let element = gst::ElementFactory::make("videotestsrc").build().unwrap();
        let word = vec![("pattern".to_owned(), ControlValue::Word("chroma".to_owned()))];
        let judgement = judge("it", &properties(&element), &Look { controls: word, ..Look::default() });
        assert_eq!(judgement.complaints, Vec::<String>::new());
        set_properties(&element, &judgement.settings);
        let pattern = element.property_value("pattern").serialize().unwrap().to_string();
        assert!(pattern.to_lowercase().contains("chroma"), "{pattern}");
    }
}
