//! What guarded names are in another place of the machine: a container has an `/etc/hosts`, an
//! `/etc/resolv.conf` and a network of its own, and a process in it that asks for a name may get addresses
//! that nobody else gets.
//!
//! Knows: those two files, DNS, network namespaces. Must not know: which names are guarded, or what is
//! done with an address.
//!
//! All of it is somebody else's: a file may be a link, a pipe or endless, a resolver may be dead or lie.
//! So everything has a bound here, and nothing is read, asked or waited for without one. An answer that is
//! missing costs a hint; the addresses are nothing more than that.

mod ask;
mod etc;
mod hosts;
mod servers;

pub use ask::{Found, ask};
pub use etc::{View, view};
pub use hosts::Entry;
pub use servers::Servers;
