//! Inspection: pure functions from text to findings.
//!
//! Knows: bytes of decoded text. Must not know: HTTP, JSON, dialects, sockets, keys.

pub mod packages;
pub mod pii;
pub mod secrets;

mod inspector;
mod memory;
mod runs;

pub use inspector::{Inspection, Inspector, Owner};

use std::{fmt, ops::Range, sync::Arc};

/// Something in a text that must not leave the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Exactly the secret's bytes in the scanned text: no quote, comma or name.
    pub range: Range<usize>,
    /// What stands there, for the placeholder.
    pub kind: Kind,
    /// The rule that found it.
    pub rule: Arc<str>,
    /// How sure the rule is.
    pub confidence: Confidence,
}

/// Values that somebody named, so that no rule has to describe them.
pub trait Known {
    /// Where they stand in a text, in any order; they may overlap.
    fn find(&self, text: &[u8]) -> Vec<Finding>;
}

/// How sure a rule is of what it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// A guess from shape alone.
    Low,
    /// A name beside a random-looking value.
    Medium,
    /// A fixed prefix, a structure or a checksum.
    High,
}

impl Confidence {
    /// Its name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// The KIND of a placeholder: 2 to 12 characters of `A`–`Z` and `0`–`9`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind {
    bytes: [u8; Kind::MAX],
    len: u8,
}

impl Kind {
    /// The longest KIND, in bytes.
    pub const MAX: usize = 12;
    /// The shortest KIND, in bytes.
    pub const MIN: usize = 2;

    /// Parses a KIND; `None` if it is too short, too long, or has another character.
    pub fn parse(text: &str) -> Option<Self> {
        let valid = (Self::MIN..=Self::MAX).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        valid.then(|| {
            let mut bytes = [0; Self::MAX];
            for (to, from) in bytes.iter_mut().zip(text.bytes()) {
                *to = from;
            }
            Self {
                bytes,
                len: text.len() as u8,
            }
        })
    }

    /// The KIND's text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
