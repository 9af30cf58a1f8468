//! The beginning of QUIC connections, as far as a program can read it: which packets a datagram is made of (RFC
//! 9000, sections 12.2 and 17; RFC 9369 for version 2).
//!
//! The bytes are a process's: nothing in them is believed before it is checked, and what cannot be followed is
//! taken for something that has to wait.

use codegate_ebpf::quic;

use crate::packet::Packet;

/// What a datagram, or several that are sent at once, is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Initial packets and padding.
    Initials,
    /// An Initial packet, and behind it something else: early data, perhaps.
    Mixed,
    /// Another packet with a long header.
    Later,
    /// A packet of an established connection, as it seems: it has neither a version nor a length.
    Short,
    /// No QUIC, or none of a version that the agent can read.
    Foreign,
}

/// Of a first octet: a long header follows; the bit that is always set.
const LONG: u8 = 0x80;
const FIXED: u8 = 0x40;

/// The versions (RFC 9000, section 15; RFC 9369, section 3.1).
const V1: u32 = 1;
const V2: u32 = 0x6b33_43cf;

/// More packets than the beginning of a connection is sent in at once.
const PACKETS: usize = 8;
/// The longest connection id.
const LONGEST: u32 = 20;

/// Everything up to the length of the first connection id.
#[repr(C)]
#[derive(Clone, Copy)]
struct Head {
    first: u8,
    version: [u8; 4],
    id: u8,
}

/// What is at the beginning of `datagram`, of whose `length` octets each `segment` are one of several; 0 if there
/// is one. Of what is longer than its datagrams is the rest is not looked at.
#[inline(always)]
pub(crate) fn kind(datagram: Packet, length: u32, segment: u32) -> Kind {
    let first: u8 = datagram.load(0).unwrap_or_default();
    if first & LONG == 0 {
        return if first & FIXED == 0 {
            Kind::Foreign
        } else {
            Kind::Short
        };
    }
    let Some(head) = datagram.load::<Head>(0) else {
        return Kind::Foreign;
    };
    match is_initial(head) {
        None => Kind::Foreign,
        Some(false) => Kind::Later,
        Some(true) if are_initials(datagram, length, segment) => Kind::Initials,
        Some(true) => Kind::Mixed,
    }
}

/// Which connection a packet with a long header at the beginning of `datagram` belongs to.
#[inline(always)]
pub(crate) fn connection(datagram: Packet) -> Option<u64> {
    let head: Head = datagram.load(0)?;
    let at = size_of::<Head>() as u32 + u32::from(head.id);
    let length: u8 = datagram.load(at)?;
    // Whatever follows an id in such a packet is longer than this.
    let id: [u8; 8] = datagram.load(at + 1)?;
    Some(quic::connection(id, length))
}

/// Whether a long header is an Initial packet's; `None` in a version that nobody here can read.
#[inline(always)]
fn is_initial(head: Head) -> Option<bool> {
    let kind = head.first >> 4 & 3;
    match u32::from_be_bytes(head.version) {
        V1 => Some(kind == 0),
        V2 => Some(kind == 1),
        _ => None,
    }
}

/// Whether there is nothing but Initial packets and padding.
#[inline(always)]
fn are_initials(datagram: Packet, length: u32, segment: u32) -> bool {
    let segment = if segment == 0 { length } else { segment };
    let (mut at, mut end) = (0, segment.min(length));
    for _ in 0..PACKETS {
        let is_first = at == 0 || at + segment == end;
        match behind(datagram, at, is_first) {
            Some(Next::Packet(next)) if next <= end => at = next,
            Some(Next::Padding) => at = end,
            _ => return false,
        }
        if at == end {
            if end == length {
                return true;
            }
            end = (end + segment).min(length);
        }
    }
    false
}

/// What comes behind a packet.
enum Next {
    Packet(u32),
    /// Some senders fill a datagram up behind its last packet.
    Padding,
}

/// Goes behind the Initial packet at `at`; `None` if there is none.
#[inline(always)]
fn behind(datagram: Packet, at: u32, is_first: bool) -> Option<Next> {
    let first: u8 = datagram.load(at)?;
    if first == 0 && !is_first {
        return Some(Next::Padding);
    }
    let head: Head = datagram.load(at)?;
    if first & LONG == 0 || is_initial(head) != Some(true) {
        return None;
    }
    let at = behind_id(at + 5, head.id)?;
    let at = behind_id(at, datagram.load(at)?)?;
    let (token, at) = variable(datagram, at)?;
    let (rest, at) = variable(datagram, at + token)?;
    Some(Next::Packet(at + rest))
}

/// Goes behind a connection id whose length is at `at`.
#[inline(always)]
fn behind_id(at: u32, length: u8) -> Option<u32> {
    let length = u32::from(length);
    (length <= LONGEST).then_some(at + 1 + length)
}

/// An integer (RFC 9000, section 16) and what is behind it. None here needs eight octets, and those that are used
/// have four behind them at least.
#[inline(always)]
fn variable(datagram: Packet, at: u32) -> Option<(u32, u32)> {
    let octets: [u8; 4] = datagram.load(at)?;
    let whole = u32::from_be_bytes(octets) & 0x3fff_ffff;
    match octets[0] >> 6 {
        0 => Some((whole >> 24, at + 1)),
        1 => Some((whole >> 16, at + 2)),
        2 => Some((whole, at + 4)),
        _ => None,
    }
}
