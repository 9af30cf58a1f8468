//! How TCP connections begin: a client's SYN, and what the network answers to one.
//!
//! Knows: packets, raw sockets. Must not know: who made a connection, what becomes of it.

mod raw;
mod syn;

pub use raw::Raw;
pub use syn::{Answer, Syn};
