//! Guarded names, as the kernel knows them: hashes, because it cannot hold text of any length.
//!
//! A name is hashed as it stands in a message, from its last octet to its first, so that one walk gives
//! the hash of the name and of everything above it. The hash is keyed by a seed of each load. Two names may still share one: then
//! an address is looked at that need not be, and the SNI tells.

/// FNV's prime for 64 bits.
const PRIME: u64 = 0x100_0000_01b3;

/// How many ports a name can have in the kernel; the agent knows the rest.
pub const PORTS: usize = 8;

/// The least time that a learned address is guarded, in seconds: clients keep addresses for longer than
/// a short TTL allows.
pub const LEAST_TTL: u32 = 10 * 60;

/// The most, in seconds.
pub const MOST_TTL: u32 = 24 * 60 * 60;

/// How much of a DNS message is looked at, in bytes; what is longer is odd.
pub const MESSAGE: usize = 2048;

/// How many steps are taken through the records of an answer, one for each label of a name and one for
/// each record; what needs more is odd.
pub const STEPS: usize = 128;

/// Bits of [`Heard::odd`]: why the agent should look at an answer itself.
pub mod odd {
    /// More than [`MESSAGE`](super::MESSAGE) bytes, or truncated by its sender (RFC 1035, TC).
    pub const CUT: u32 = 1;
    /// Records that need more than [`STEPS`](super::STEPS).
    pub const MANY: u32 = 1 << 1;
    /// Records that may hold addresses in another form: SVCB and HTTPS (RFC 9460).
    pub const SERVICE: u32 = 1 << 2;
    /// It does not follow RFC 1035.
    pub const SHAPE: u32 = 1 << 3;
    /// An address could not be stored.
    pub const NOT_STORED: u32 = 1 << 4;
}

/// The key of `NAMES`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NameKey {
    /// See [`hash`].
    pub hash: u64,
    /// 1 if it stands for all names below this one, but not for the name itself; else 0.
    pub below: u32,
    /// Always 0: keys are compared as bytes.
    pub zero: u32,
}

impl NameKey {
    /// The key of a name, or of what is below it.
    #[inline(always)]
    pub const fn new(hash: u64, below: bool) -> Self {
        Self {
            hash,
            below: below as u32,
            zero: 0,
        }
    }
}

/// On which ports a name is guarded: network order, 0 after the last. None at all means that a name is
/// taken out of what a wildcard says.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NamePorts {
    /// The ports.
    pub ports: [u16; PORTS],
}

/// What precedes a DNS message in the ring buffer `ANSWERS`: the answer to a question for a guarded name.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// How many bytes of the message follow, at most [`MESSAGE`].
    pub length: u32,
    /// See [`odd`]; 0 if the kernel has learned all that there is.
    pub odd: u32,
}

/// One more octet, which stands before those that were hashed already. Letters count as lower case; that
/// some other octets are taken for each other thereby does not matter, as hosts' names have none of them.
#[inline(always)]
pub const fn step(hash: u64, octet: u8) -> u64 {
    (hash ^ (octet | 0x20) as u64).wrapping_mul(PRIME)
}

/// The hash of a name, without the root's dot. Labels are preceded by their length (RFC 1035, section
/// 3.1).
pub fn hash(seed: u64, name: &str) -> u64 {
    name.rsplit('.').fold(seed, |hash, label| {
        let hash = label.bytes().rev().fold(hash, step);
        step(hash, label.len() as u8)
    })
}

const _: () = {
    assert!(size_of::<NameKey>() == 16);
    assert!(size_of::<NamePorts>() == 16);
    assert!(size_of::<Heard>() == 8);
};
