//! The relay between two real HTTP peers: what upstream sees, and what the client gets back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]
#![allow(unreachable_pub, reason = "the modules of one test binary")]

mod answers;
mod packages;
mod refusals;
mod requests;
mod rig;
