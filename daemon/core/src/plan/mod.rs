//! What to make of the devices of a board: which camera, in which mode, with which controls; which microphone; which
//! encoder. It is all decided from what others have found, so must not open, ask or measure anything.

pub mod camera;
pub mod controls;
pub mod encoder;
pub mod level;
pub mod mode;
pub mod sound;
