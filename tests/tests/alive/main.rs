//! Alive or out of the way: what becomes of guarded connections while the agent is killed, stopped,
//! hung, paused or replaced under load. The figures that matter are printed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests panic"
)]

mod closed;
mod crowd;
mod gone;
mod hang;
mod pause;
mod slow;
mod upgrade;
