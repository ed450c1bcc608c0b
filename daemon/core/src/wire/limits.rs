//! The bounds on everything a stranger may send. Sizes in bytes, times in [`std::time::Duration`].

use std::time::Duration;

/// Largest message the link takes, before it is parsed.
pub const MESSAGE_BYTES: usize = 256 * 1024;
/// Largest SDP.
pub const SDP_BYTES: usize = 64 * 1024;
/// Largest fragment of an SDP with a player's candidates.
pub const FRAGMENT_BYTES: usize = 16 * 1024;
/// Most m-lines in an SDP.
pub const SDP_MEDIA: usize = 16;
/// Most lines in an SDP.
pub const SDP_LINES: usize = 2000;
/// Longest candidate line.
pub const CANDIDATE_BYTES: usize = 1024;
/// Longest `sdpMid`.
pub const MID_BYTES: usize = 64;
/// Longest `usernameFragment` (RFC 8839 section 5.4).
pub const UFRAG_BYTES: usize = 256;
/// Longest proof that is looked at; a right one has 43 characters.
pub const PROOF_BYTES: usize = 64;
/// Most proofs of one key that are remembered, so that what was taken once is not taken again.
pub const TAKEN_PROOFS: usize = 1024;
/// For how long a peer is not listened to after its first wrong proof; the time doubles with each, up to
/// [`DOUBT_MOST`]. Whoever was not wrong for that long after it begins anew.
pub const DOUBT: Duration = Duration::from_secs(1);
/// See [`DOUBT`].
pub const DOUBT_MOST: Duration = Duration::from_secs(60);
/// Most viewers told to one viewer.
pub const WATCHERS: usize = 64;
/// Most peers read from one `room` message.
pub const ROOM_PEERS: usize = 256;
/// Most candidates a viewer may send for one call.
pub const CANDIDATES_PER_CALL: usize = 64;
/// Most candidates kept for offers that have not arrived yet, over all peers.
pub const EARLY_CANDIDATES: usize = 64;
/// How long a candidate waits for its offer.
pub const EARLY_CANDIDATE_LIFE: Duration = Duration::from_secs(10);
/// Most offers from one peer, or with one key, within [`OFFER_WINDOW`].
pub const OFFERS_PER_WINDOW: usize = 20;
/// See [`OFFERS_PER_WINDOW`].
pub const OFFER_WINDOW: Duration = Duration::from_secs(60);
/// Most peers, or keys, whose offers are counted; past it the one heard of longest ago is forgotten.
pub const COUNTED_PEERS: usize = 256;
/// Most calls that may be waiting for their answer at once.
pub const ANSWERING_AT_ONCE: usize = 8;
/// One in as many places is kept from a single key, for the others.
pub const KEPT_FOR_OTHERS: usize = 4;
/// Most calls that may be closing at once; more would mean that closing does not keep up with calling.
pub const CLOSING_AT_ONCE: usize = 32;
/// How long webrtcbin may take to answer.
pub const ANSWER_DEADLINE: Duration = Duration::from_secs(20);
/// How long ICE and DTLS may take.
pub const CONNECT_DEADLINE: Duration = Duration::from_secs(15);
/// How long a live viewer may be silent.
pub const SILENCE: Duration = Duration::from_secs(4);
/// The same for one that asked for no picture: browsers say something of sound every 7.5 seconds at the most (RFC 3550
/// section 6.2), and one of these may be lost.
pub const SOUND_SILENCE: Duration = Duration::from_secs(16);
/// How long a call that is being replaced may outlive the new one's offer.
pub const REPLACED_LIFE: Duration = Duration::from_secs(5);
/// How long a call outlives its viewer's `left`.
pub const LEFT_GRACE: Duration = Duration::from_secs(30);
/// How long a call that was hung up may take to close before it is given up.
pub const CLOSE_DEADLINE: Duration = Duration::from_secs(10);
/// Time between two attempts to open a camera or microphone that failed.
pub const CAPTURE_RETRY: Duration = Duration::from_secs(1);
/// The same for a camera for as long as [`CAPTURE_FRESH`] after a device came: its names and rights follow one by one.
pub const CAPTURE_RETRY_FRESH: Duration = Duration::from_millis(200);
/// See [`CAPTURE_RETRY_FRESH`].
pub const CAPTURE_FRESH: Duration = Duration::from_secs(2);
/// How long a camera may take to its first frame before viewers are told that there is no picture.
pub const CAPTURE_PATIENCE: Duration = Duration::from_secs(3);
/// How long it may take to look for a camera in the test picture's place before what comes is looked for anew.
pub const SEEK_PATIENCE: Duration = Duration::from_secs(20);
/// How often in a row an encoder is replaced before the calls that need it are ended.
pub const ENCODER_TRIES: u32 = 4;
/// Time between an encoder that failed at once and the next one.
pub const ENCODER_RETRY: Duration = Duration::from_millis(500);
/// How long an encoder that failed is out of favour.
pub const ENCODER_FAVOUR: Duration = Duration::from_secs(600);
/// Least time between two warnings that an encoder failed.
pub const ENCODER_WARNINGS: Duration = Duration::from_secs(60);
/// How long no encoded frame may be heard of while somebody watches.
pub const FRAMES_STILL: Duration = Duration::from_secs(10);
/// How long the camera is kept open for somebody who looks without calling.
pub const LOOK: Duration = Duration::from_secs(10);
/// How long whoever wants a picture waits for it.
pub const SNAPSHOT_DEADLINE: Duration = Duration::from_secs(15);
/// How long a picture is one of now.
pub const SNAPSHOT_LIFE: Duration = Duration::from_secs(1);
/// Most pictures for one key, and for one address, within [`OFFER_WINDOW`].
pub const SNAPSHOTS_PER_WINDOW: usize = 60;
/// Most that wait for a picture at once.
pub const SNAPSHOTS_WAITING: usize = 32;
/// How long a signed link to a picture may hold.
pub const SIGNED_MOST: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a viewer may take to answer an offer of ours.
pub const VIEWER_DEADLINE: Duration = Duration::from_secs(20);
/// A link that stays up for this long is more than a moment's.
pub const LINK_STEADY: Duration = Duration::from_secs(3);
/// A reason why the link is down that stays for this long is told in the log, where a person has to mend it.
pub const LOSS_STAYS: Duration = Duration::from_secs(5);
/// How long the camera waits before it calls the server of `[publish]` again, at first; the time doubles up to
/// [`PUBLISH_RETRY_MOST`], and [`PUBLISH_JITTER`] of it may be added.
pub const PUBLISH_RETRY: Duration = Duration::from_secs(1);
/// See [`PUBLISH_RETRY`].
pub const PUBLISH_RETRY_MOST: Duration = Duration::from_secs(60);
/// See [`PUBLISH_RETRY`].
pub const PUBLISH_JITTER: f64 = 0.25;
/// How long the camera waits for a sign of life after one spelling of joining, before it tries the next.
pub const JOIN_STEP: Duration = Duration::from_millis(300);
/// How long it waits before it asks again to be let in, at first; the time doubles up to [`JOIN_RETRY_MOST`].
pub const JOIN_RETRY: Duration = Duration::from_secs(4);
/// See [`JOIN_RETRY`].
pub const JOIN_RETRY_MOST: Duration = Duration::from_secs(60);
/// How long a relay may take to say that the camera is in the room, once everything was said.
pub const JOIN_SILENCE: Duration = Duration::from_secs(5);
/// A camera that is in its room for this long is there for more than a moment.
pub const ROOM_STEADY: Duration = Duration::from_secs(10);
/// For how long after the camera has come into a room the member that was there before makes the offer.
pub const NEWCOMER: Duration = Duration::from_secs(3);
/// Most refusals told one by one in the log within [`REFUSAL_NOTES_WINDOW`]; the rest is told as a sum.
pub const REFUSAL_NOTES: usize = 10;
/// See [`REFUSAL_NOTES`].
pub const REFUSAL_NOTES_WINDOW: Duration = Duration::from_secs(60);
/// Least time between two key frames asked for on behalf of viewers that lost something.
pub const KEY_FRAME_GAP: Duration = Duration::from_millis(500);
/// Least time between two key frames asked for on behalf of viewers that have just joined.
pub const JOIN_KEY_FRAME_GAP: Duration = Duration::from_millis(100);
/// A viewer whose queue overflows this often within [`OVERFLOW_WINDOW`] is hung up.
pub const OVERFLOWS: usize = 5;
/// What overflows sooner than this after a call went live has piled up before.
pub const OVERFLOW_GRACE: Duration = Duration::from_secs(2);
/// What overflows sooner than this after it was counted is still the same stall.
pub const OVERFLOW_GAP: Duration = Duration::from_secs(1);
/// See [`OVERFLOWS`].
pub const OVERFLOW_WINDOW: Duration = Duration::from_secs(20);
/// For how long somebody who has the floor may send nothing before it is taken back.
pub const FLOOR_SILENCE: Duration = Duration::from_secs(3);
/// Most who are heard at once where talkers are mixed.
pub const TALKERS: usize = 4;
/// Most wishes to talk in one call within [`OFFER_WINDOW`].
pub const TALKS_PER_WINDOW: usize = 120;
/// How long the speaker may take to be opened.
pub const SPEAKER_PATIENCE: Duration = Duration::from_secs(4);
/// How long calls may take to close at shutdown before the daemon stops waiting for them.
pub const SHUTDOWN_DEADLINE: Duration = Duration::from_millis(700);
