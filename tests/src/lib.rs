//! The lab: a small internet inside the machine, where CodeGate is tried out with real clients.
//!
//! A [`Lab`] is two network namespaces joined by a cable. In one of them, the *host*, the clients
//! and the agent run; in the other, the *net*, stand a DNS server and the services, on their real
//! names and behind real TLS, signed by the lab's own authority. Neither has a route out.
//! Processes are started in a [`Place`]: a namespace, a cgroup, a user and a view of `/etc`.
//!
//! Everything here is test code: it panics with a clear reason where the machine lacks something,
//! and never skips.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests panic: a lab that cannot be built is a failed test with a reason"
)]

mod addresses;
pub mod agent;
pub mod ask;
mod bpffs;
pub mod cgroup;
pub mod clients;
pub mod coding;
pub mod dns;
mod front;
mod http3;
pub mod journal;
mod laboratory;
pub mod model;
pub mod netns;
pub mod pki;
pub mod place;
pub mod process;
pub mod proxy;
pub mod reply;
pub mod samples;
mod scale;
pub mod table;
mod tap;
mod wait;

pub use agent::Agent;
pub use ask::{Dialect, events, placeholders};
pub use coding::Coding;
pub use http3::Http3;
pub use journal::{Arrived, Journal};
pub use laboratory::{Lab, Site};
pub use model::{Asked, Say, Turn};
pub use place::Place;
pub use process::{Cmd, Finished, Running};
pub use proxy::Proxy;
pub use reply::{Ending, Reply};
pub use scale::many;
pub use table::Table;
pub use wait::until;
