//! Names of sessions: ten characters that sort as the sessions began.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

/// A session's name: milliseconds since 1970 (42 bits) and a count within them (8 bits), in
/// Crockford's base32, lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u64);

/// A text that is no session's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a session id; expected 10 characters, such as 06ghw2kzbm")]
pub struct BadId;

const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: u32 = 10;

impl Id {
    /// The name of a session that begins now: greater than `last`, even if the clock went back.
    pub(super) fn after(last: Option<Self>, now: Timestamp) -> Self {
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let fresh = (millis & ((1 << 42) - 1)) << 8;
        Self(last.map_or(fresh, |last| fresh.max(last.0 + 1)))
    }

    pub(super) fn from_key(key: u64) -> Self {
        Self(key)
    }

    pub(super) fn key(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in (0..LENGTH).rev() {
            let digit = DIGITS[(self.0 >> (5 * place) & 31) as usize];
            write!(f, "{}", char::from(digit))?;
        }
        Ok(())
    }
}

impl FromStr for Id {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        if text.len() != LENGTH as usize {
            return Err(BadId);
        }
        let value = |byte: u8| DIGITS.iter().position(|d| *d == byte.to_ascii_lowercase());
        text.bytes()
            .try_fold(0, |id, byte| Some(id << 5 | value(byte)? as u64))
            .map(Self)
            .ok_or(BadId)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_as_sessions_began_and_read_back() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let first = Id::after(None, now);
        let second = Id::after(Some(first), now);
        let earlier_clock = Id::after(Some(second), "2020-01-01T00:00:00Z".parse().unwrap());
        let later = Id::after(Some(second), "2026-11-22T10:00:01Z".parse().unwrap());
        assert!(first < second && second < earlier_clock && second < later);
        for id in [first, second, earlier_clock, later] {
            assert_eq!(id.to_string().len(), 10);
            assert_eq!(id.to_string().parse(), Ok(id));
            assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
        }
        assert!(first.to_string() < later.to_string());
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "06ghw2kzb",
            "06ghw2kzbmm",
            "06ghw2kzbu",
            "06ghw2kz é",
            "../../etc/",
        ] {
            assert_eq!(text.parse::<Id>(), Err(BadId), "{text}");
        }
    }

    #[test]
    fn a_clock_before_1970_does_no_harm() {
        let id = Id::after(None, Timestamp::MIN);
        assert_eq!(id.to_string(), "0000000000");
    }
}
