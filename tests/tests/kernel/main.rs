//! The eBPF programs by themselves, in a real kernel: what they redirect, remember, answer and refuse,
//! and that they leave no trace. Each test has a network namespace and a cgroup of its own.
//!
//! They need root, BPF and cgroup2. Where that is lacking they fail and say so; they never skip.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests panic"
)]

mod class;
mod datagram;
mod exempt;
mod failed;
mod field;
mod flow;
mod heart;
mod learn;
mod lifetime;
mod names;
mod namespace;
mod process;
mod quic;
mod redirect;
mod syn;
mod wait;
