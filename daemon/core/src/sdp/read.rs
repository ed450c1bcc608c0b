//! The few lines of an offer that matter.
