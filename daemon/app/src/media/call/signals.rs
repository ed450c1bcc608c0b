//! What webrtcbin tells, passed on as events. Must not know what is made of it.

use std::sync::Arc;

use gst::prelude::*;
use gst_webrtc::{WebRTCICEConnectionState, WebRTCPeerConnectionState};
use porthole_core::event::MediaEvent;
use porthole_core::ids::CallId;

use super::super::Events;
use super::super::speaker::Ear;
use super::again::Again;
use super::gates::Gates;
use super::outbox::Outbox;
use super::reports::Reports;
use super::way::Inquiries;
use super::{tweaks, way};

/// Connects webrtcbin's signals. The closures hold no reference to it.
pub fn connect(
    webrtc: &gst::Element,
    call: CallId,
    events: &Events,
    outbox: &Arc<Outbox>,
    (again, reports): (&Arc<Again>, &Arc<Reports>),
    (gates, inquiries): (&Arc<Gates>, &Arc<Inquiries>),
    ear: Ear,
) {
    let keyed = {
        let (events, gates) = (events.clone(), gates.clone());
        move || connected(call, &events, &gates)
    };
    let heard = {
        let (events, gates, weak) = (events.clone(), gates.clone(), webrtc.downgrade());
        move || {
            events.send(MediaEvent::Heard { call });
            // webrtcbin sums up its states late, and may never say the one in between.
            if !gates.are_open() {
                let (events, gates) = (events.clone(), gates.clone());
                let Some(webrtc) = weak.upgrade() else { return };
                webrtc.call_async(move |webrtc| look(webrtc, call, &events, &gates));
            }
        }
    };
    tweaks::attach(webrtc, again, reports, keyed, heard);
    // What a viewer says is heard by nobody unless its ear is open.
    webrtc.connect_pad_added(move |_, pad| {
        if pad.direction() == gst::PadDirection::Src {
            ear.attach(pad);
        }
    });
    {
        let (events, outbox) = (events.clone(), outbox.clone());
        webrtc.connect("on-ice-candidate", false, move |values| {
            let line = values.get(1).and_then(|v| v.get::<u32>().ok()).unwrap_or(0);
            if let Some(text) = values.get(2).and_then(|v| v.get::<String>().ok()) {
                outbox.put(line, text, &events);
            }
            None
        });
    }
    {
        let (events, gates) = (events.clone(), gates.clone());
        webrtc.connect_notify(Some("connection-state"), move |webrtc, _| {
            look(webrtc, call, &events, &gates);
        });
    }
    // The agent tells of a better way, too, by changing its state.
    let (events, inquiries) = (events.clone(), inquiries.clone());
    webrtc.connect_notify(Some("ice-connection-state"), move |webrtc, _| {
        let state = webrtc.property::<WebRTCICEConnectionState>("ice-connection-state");
        log::debug!(call = call.0; "ICE: {state:?}");
        match state {
            WebRTCICEConnectionState::Failed => {
                events.send(MediaEvent::CallFailed { call, reason: "no network path was found".to_owned() });
            }
            WebRTCICEConnectionState::Connected | WebRTCICEConnectionState::Completed => {
                way::report(webrtc, call, &events, &inquiries);
            }
            _ => {}
        }
    });
}

/// Reports what has become of the connection.
fn look(webrtc: &gst::Element, call: CallId, events: &Events, gates: &Gates) {
    let state = webrtc.property::<WebRTCPeerConnectionState>("connection-state");
    log::debug!(call = call.0; "connection: {state:?}");
    match state {
        WebRTCPeerConnectionState::Connected => connected(call, events, gates),
        WebRTCPeerConnectionState::Failed => {
            events.send(MediaEvent::CallFailed { call, reason: "the connection failed".to_owned() });
        }
        _ => {}
    }
}

/// The way is there, which is said once.
fn connected(call: CallId, events: &Events, gates: &Gates) {
    if let Some(waits) = gates.open() {
        events.send(MediaEvent::Connected { call, waits });
    }
}
