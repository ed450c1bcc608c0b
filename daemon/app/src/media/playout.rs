//! The playout-delay header extension (webrtc.org "playout-delay", version 1): tells the browser to show frames as they
//! come instead of buffering them. Must not know calls.

use gst::prelude::*;

/// The extension's name in an SDP.
pub const URI: &str = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";

/// Minimum 0 and maximum 0, twelve bits each, in units of 10 ms.
const NO_DELAY: [u8; 3] = [0, 0, 0];

/// Lets `payloader` write the extension into every packet, where the offer has it among `extensions`.
pub fn attach(payloader: &gst::Element, extensions: &[(u8, String)]) {
    let number = extensions.iter().find(|(_, uri)| uri == URI).map(|(number, _)| *number);
    // 1 to 14 is what the one-byte form can say (RFC 8285, section 4.2).
    let Some(number) = number.filter(|n| (1..=14).contains(n)) else { return };
    let Some(pad) = payloader.static_pad("src") else { return };
    pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, move |_, info| {
        match &mut info.data {
            Some(gst::PadProbeData::Buffer(buffer)) => write(buffer.make_mut(), number),
            Some(gst::PadProbeData::BufferList(list)) => {
                let list = list.make_mut();
                list.foreach_mut(|mut buffer, _| {
                    write(buffer.make_mut(), number);
                    std::ops::ControlFlow::Continue(Some(buffer))
                });
            }
            _ => {}
        }
        gst::PadProbeReturn::Ok
    });
}

fn write(buffer: &mut gst::BufferRef, number: u8) {
    if let Ok(mut packet) = gst_rtp::RTPBuffer::from_buffer_writable(buffer) {
        let _ = packet.add_extension_onebyte_header(number, &NO_DELAY);
    }
}
