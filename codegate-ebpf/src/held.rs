//! SYNs that are held: the contract's part on what the programs and the agent tell each other.
//!
//! A client whose SYN gets to the agent's listener is connected, whether its service is there or not. So the programs hold
//! the SYN and hand it to the agent, which dials first: then it sends the SYN on, or answers it as the network did.

/// How many octets of a SYN the agent is told: the largest headers of IP and TCP. One that brings data (RFC 7413) is not
/// held.
pub const SYN: usize = 128;

/// What precedes the packet, from its IP header on, in what the agent is told of a SYN.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The socket's cookie.
    pub socket: u64,
    /// Cookie of its network namespace.
    pub netns: u64,
    /// How many octets are there.
    pub length: u32,
    /// Always 0.
    pub zero: u32,
}

const _: () = assert!(size_of::<Held>() == 24);
