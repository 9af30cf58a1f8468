//! The grammar of placeholders: `CG_<KIND>_<24 characters of Crockford base32>`.

use crate::inspect::Kind;

/// A well-formed placeholder whose checksum holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Placeholder {
    /// What stands there.
    pub kind: Kind,
    /// The keyed MAC of the value: its first 100 bits, the last 4 of these 104 being zero.
    pub mac: [u8; 13],
}
