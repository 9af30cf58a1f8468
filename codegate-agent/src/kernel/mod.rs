//! The kernel's side of the guard: loads the eBPF programs, attaches them, fills and reads their maps.
//!
//! Knows: cgroups, network namespaces, sockets' options, and the names whose addresses are guarded.
//! Must not know: TLS, HTTP, providers, or what becomes of a redirected connection. It is the only
//! module that touches a map.
//!
//! When it must choose, it favours the machine over the guard: whatever goes wrong in here, the
//! connections of processes that are none of our business work as they would without us.

mod addresses;
mod answers;
mod btf;
mod cgroup;
mod classes;
mod dns;
mod error;
mod failed;
mod guarded;
mod heart;
mod hooks;
mod image;
mod inherit;
mod layout;
mod learned;
mod load;
mod log;
mod mounts;
mod names;
mod netns;
mod newcomers;
mod pins;
mod probe;
mod quic;
mod ring;
mod socket;
mod syn;
mod wait;

pub use cgroup::{Cgroups, cgroup_id, find_cgroup2};
pub use classes::ProcessClass;
pub use dns::{Answer, read as read_answer};
pub use error::KernelError;
pub use heart::{Heart, Pulse};
pub use hooks::{Counters, Hooks, Redirected};
pub use image::{Ancestor, Image};
pub use inherit::Guarded;
pub use load::{Lost, Options, order as programs};
pub use names::{Host, Names, Timing};
pub use pins::{Pinned, Pins};
pub use probe::{OLDEST, bpffs, release, verify, version};
pub use quic::{Handshake, Handshakes, Sender, connection};

/// Re-exported so that callers need not know the contract's crate.
pub use codegate_ebpf::{Counter, DEFAULT_MARK, Newcomer};
pub use netns::netns_cookie;
pub use newcomers::Newcomers;
pub use socket::mark;
pub use syn::{HeldSyn, Syns};
