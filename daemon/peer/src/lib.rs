//! A cheap WebRTC viewer for tests and measurements: twenty of them fit on one thread.
//!
//! [`Stand`] is a thread that viewers sit on, [`Viewer`] one end of one call (no decoder: it takes the packets
//! apart into frames and counts them), [`room`] the signalling through Porthole's own relay, and [`Caller`] both
//! together: somebody who opens the page and calls.
//!
//! ```no_run
//! # fn answer_from_the_camera(_: &str) -> String { String::new() }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use porthole_peer::{Options, Stand, Viewer};
//! use std::time::Duration;
//!
//! let stand = Stand::new()?;
//! let (viewer, offer) = Viewer::offer(&stand, &Options::default())?;
//! viewer.accept(&answer_from_the_camera(&offer))?;
//! let facts = viewer.wait_blocking(Duration::from_secs(20), |facts| facts.first_key_frame.is_some())?;
//! println!("{} bytes in the first key frame", facts.key_frame_bytes);
//! # Ok(()) }
//! ```
//!
//! For development only; nothing of the product depends on it. Must not know GStreamer, nor how the daemon works
//! inside: it sees what any browser sees.

mod caller;
mod facts;
pub mod room;
mod rtp;
mod stand;
mod viewer;

use std::net::{IpAddr, Ipv4Addr};

pub use caller::{Caller, Signs};
pub use facts::{Codec, Facts};
pub use stand::Stand;
pub use viewer::{Options, Sound, Viewer};

/// What can go wrong on the viewer's side.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// A socket or thread could not be made.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// An SDP or candidate could not be read or applied.
    #[error("{0}")]
    Rtc(String),
    /// The viewer is closed.
    #[error("the viewer is closed")]
    Closed,
    /// What was waited for has not happened. With the facts as they were then.
    #[error("not within {0:?}: {1:?}")]
    TooLate(std::time::Duration, Box<Facts>),
    /// The call ended before what was waited for happened. With the last facts.
    #[error("over: {0:?}")]
    Over(Box<Facts>),
    /// The relay said something else than expected, or nothing.
    #[error("relay: {0}")]
    Room(#[from] room::RoomError),
}

/// The address a viewer on this machine uses to reach a camera on this machine: the first IPv4 address that is not
/// loopback (libnice passes over loopback while there is another), else 127.0.0.1.
pub fn host_address() -> IpAddr {
    let addresses = if_addrs::get_if_addrs().unwrap_or_default();
    let usable = |ip: &IpAddr| matches!(ip, IpAddr::V4(v4) if !v4.is_loopback() && !v4.is_link_local());
    addresses.iter().map(if_addrs::Interface::ip).find(usable).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}
