//! The shells around the core: what touches the world on its behalf. Must not decide anything about calls.

pub mod link;
