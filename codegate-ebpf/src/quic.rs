//! QUIC flows that are looked at: the contract's part on what the programs and the agent tell each other.
//!
//! Which host a QUIC connection is for stands in its first packets, under keys that everybody can derive (RFC
//! 9001, section 5.2), but a program cannot. So it lets those packets through, which carry nothing but the
//! handshake, hands them to the agent, and holds what follows until that has read the name.

use crate::{Address, Original};

/// How many octets of a datagram, or of several that are sent at once, the agent is told.
pub const DATAGRAM: usize = 4_096;

/// Bits of a port's entry in [`SCREENED`](crate::maps::SCREENED). UDP to guarded addresses is looked at on the ports
/// that have one, and refused on others.
pub mod screens {
    /// Connections that are older than the guard are refused.
    pub const NO_OLD: u8 = 1;
}

/// Values of [`Standing::state`].
pub mod state {
    /// The socket was seen, but no handshake.
    pub const NEW: u32 = 0;
    /// A handshake was told to the agent: what is no handshake is held until it answers.
    pub const ASKED: u32 = 1;
    /// The agent leaves a connection alone: others of the socket get no further than their first packets without its word.
    pub const OPEN: u32 = 2;
    /// The agent refuses it, so that the client comes by TCP.
    pub const REFUSED: u32 = 3;
}

/// What one socket sends to one address.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Datagrams {
    /// The socket's cookie.
    pub socket: u64,
    /// Where they go.
    pub to: Address,
    /// Always 0: keys are compared as bytes.
    pub zero: u32,
}

impl Datagrams {
    /// The key of a socket's datagrams to an address.
    #[inline(always)]
    pub const fn new(socket: u64, to: Address) -> Self {
        Self {
            socket,
            to,
            zero: 0,
        }
    }
}

/// What became of them so far.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Who sent the first of them, as far as it was seen; all zeros if not.
    pub caller: Original,
    /// By [`connection`], the one that is asked about, or was answered last; 0 before the first.
    pub connection: u64,
    /// See [`state`].
    pub state: u32,
    /// Always 0.
    pub zero: u32,
}

impl Standing {
    /// Nothing is known of who sends.
    pub const NOBODY: Self = Self {
        caller: Original::NOBODY,
        connection: 0,
        state: state::NEW,
        zero: 0,
    };
}

/// What precedes the datagram in what the agent is told of a handshake.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Whose it is.
    pub datagrams: Datagrams,
    /// How many octets are there.
    pub length: u32,
    /// How many octets each datagram has but the last, if there are several; else 0.
    pub segment: u32,
}

/// A connection, by the id that its client has chosen for itself (RFC 9000, section 7.2): the same in all packets
/// of a handshake, and random, so that its first eight octets will do; or empty, where a socket has but
/// one connection. Never 0.
#[inline(always)]
pub const fn connection(first: [u8; 8], length: u8) -> u64 {
    let id = u64::from_be_bytes(first);
    let kept = match length {
        0 => 0,
        1..=7 => id & (u64::MAX << (64 - 8 * length as u32)),
        _ => id,
    };
    if kept == 0 { 1 } else { kept }
}

const _: () = {
    assert!(size_of::<Datagrams>() == 32);
    assert!(size_of::<Standing>() == 104);
    assert!(size_of::<Told>() == 40);
    assert!(connection([0xab; 8], 0) == 1);
    assert!(connection([0xab; 8], 1) == 0xab << 56);
    assert!(connection([0xab; 8], 20) == 0xabab_abab_abab_abab);
};
