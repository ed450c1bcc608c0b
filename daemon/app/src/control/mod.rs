//! The local socket of a daemon: who is at this machine and may open it asks how things are, and gives orders. Must not
//! know the network, nor how an order is obeyed.
//!
//! Where it is: `$RUNTIME_DIRECTORY`, else `$STATE_DIRECTORY` (both from systemd), else `/run/porthole` for root, else
//! `$XDG_RUNTIME_DIR/porthole`, else the state directory. Its name is `control-PORT`, after the port the daemon listens on, so
//! that daemons beside each other have one each; a daemon that takes any free port has one after its configuration. Who may
//! open it is decided by the file system: the owner, and the group where the folder is one of the machine's.
//!
//! What is said: one JSON object a line, each request answered by one reply, in order. `"porthole": 1` is the version.
//!
//! ```json
//! {"porthole": 1, "ask": "status"}
//! {"porthole": 1, "ask": "reload"}
//! {"porthole": 1, "order": "look"}
//! {"porthole": 1, "status": {"healthy": true, …}, "words": ["The camera is in its room.", …]}
//! {"porthole": 1, "taken": ["room.max_calls"], "waits": ["relay.listen"]}
//! {"porthole": 1, "error": "unknown", "sentence": "…"}
//! ```
//!
//! A new order is a variant of [`Order`](porthole_core::order::Order), obeyed in the core's `switchboard/orders.rs`; everything
//! here carries it as it is, and answers with the status after it.

mod asking;
mod listener;
mod place;
mod report;
mod talk;
mod words;

pub use asking::{NoAnswer, ask, find, is_anybody_there};
pub use listener::{Control, Known, NotOpened, open};
pub use place::{Place, folders};
pub use report::Facts;
pub use talk::{Request, VERSION};
