//! Where a token may begin and end.
//!
//! `\b` is not enough: in text whose escapes are still literal, a token stands right behind the
//! `n` of a `\n`, the digits of a `%3D`, or the `m` of a terminal's colour.
//!
//! Knows: bytes around a match. Must not know: rules.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What may stand around a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Edges {
    /// No letter or digit before it, and none behind it.
    #[default]
    Word,
    /// Neither these nor what base64 has besides them: for tokens that begin like common base64.
    Blob,
    /// None before it.
    Start,
    /// None behind it.
    End,
    /// Anything: the pattern itself says where it begins and ends.
    Any,
}

impl Edges {
    /// Whether a token may begin here.
    pub(super) fn open(self, text: &[u8], at: usize) -> bool {
        match self {
            Self::Word | Self::Start => opens(text, at),
            Self::Blob => {
                opens(text, at) && !is_sign(at.checked_sub(1).and_then(|at| text.get(at)))
            }
            Self::End | Self::Any => true,
        }
    }

    /// Whether a token may end here.
    pub(super) fn close(self, text: &[u8], at: usize) -> bool {
        match self {
            Self::Word | Self::End => closes(text, at),
            Self::Blob => closes(text, at) && !is_sign(text.get(at)),
            Self::Start | Self::Any => true,
        }
    }
}

/// Base64 beyond letters and digits.
fn is_sign(byte: Option<&u8>) -> bool {
    matches!(byte, Some(b'+' | b'/'))
}

/// Whether a word can begin here: no letter or digit stands before it, or only an escape's.
fn opens(text: &[u8], at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    match before.last() {
        Some(last) if last.is_ascii_alphanumeric() => ends_in_escape(before),
        _ => true,
    }
}

/// Whether a word can end here: no letter, digit or underscore follows.
pub(super) fn closes(text: &[u8], at: usize) -> bool {
    !text
        .get(at)
        .is_some_and(|next| next.is_ascii_alphanumeric() || *next == b'_')
}

/// Whether what stands between quotes goes on here, behind a sign: `?9847`, `-23d9`.
pub(super) fn goes_on(behind: &[u8]) -> bool {
    matches!(behind, [sign, next, ..]
        if b"?!^*$#+=-./~".contains(sign) && next.is_ascii_alphanumeric())
}

/// How much of a value stands before the first space or punctuation beyond ASCII: U+2028 or `。`
/// ends an unquoted value as `\n` or `.` does, but is a byte like any other to a byte pattern.
pub(super) fn before_wide_sign(value: &[u8]) -> usize {
    let is_sign = |bytes: &[u8]| {
        matches!(
            bytes,
            [0xc2, 0xa0 | 0xab | 0xbb] | [0xe2 | 0xe3, 0x80] | [0xef, 0xbc | 0xbd]
        )
    };
    let sign = value.windows(2).position(is_sign);
    sign.unwrap_or(value.len())
}

/// Whether the last character belongs to `\n`, `\x1b`, `\u0022`, `%3D` or `ESC [ 0 m`.
fn ends_in_escape(text: &[u8]) -> bool {
    match text {
        [.., b'\\', b'n' | b'r' | b't' | b'b' | b'f' | b'v' | b'0'] => true,
        [.., b'%', a, b] if is_hex(&[*a, *b]) => true,
        [.., b'\\', b'x', a, b] if is_hex(&[*a, *b]) => true,
        [.., b'\\', b'u', a, b, c, d] if is_hex(&[*a, *b, *c, *d]) => true,
        [rest @ .., b'm'] => ends_in_colour(rest),
        _ => false,
    }
}

fn ends_in_colour(text: &[u8]) -> bool {
    let is_parameter = |byte: &u8| byte.is_ascii_digit() || *byte == b';';
    let parameters = text
        .iter()
        .rev()
        .take(16)
        .take_while(|byte| is_parameter(byte))
        .count();
    let before = text.len() - parameters;
    before.checked_sub(1).and_then(|at| text.get(at)) == Some(&b'[')
}

fn is_hex(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_opens_at_the_start_and_behind_what_is_no_word() {
        for before in ["", " ", "\"", "=", "_", "-", "é", "\u{2028}", "\u{c}"] {
            assert!(opens(before.as_bytes(), before.len()), "{before:?}");
        }
        for before in ["a", "Z", "9", "nn", "0x1b", "[xm"] {
            assert!(!opens(before.as_bytes(), before.len()), "{before:?}");
        }
    }

    #[test]
    fn a_word_opens_behind_a_literal_escape() {
        for before in [
            r"\n",
            r"\\n",
            r"\t",
            r"\x1b",
            r"\u0022",
            r"\u2028",
            "%3D",
            "%22",
            "\u{1b}[1;32m",
        ] {
            assert!(opens(before.as_bytes(), before.len()), "{before:?}");
        }
    }

    #[test]
    fn wide_spaces_and_punctuation_end_a_value() {
        for sign in ["\u{2028}", "\u{a0}", "”", "»", "。", "、", "，", "）"] {
            assert_eq!(
                before_wide_sign(format!("pässwort{sign}x").as_bytes()),
                9,
                "{sign:?}"
            );
        }
    }

    #[test]
    fn a_value_goes_on_behind_a_sign() {
        assert!(goes_on(b"?9") && goes_on(b"-a") && goes_on(b"=x"));
        assert!(!goes_on(b"\"") && !goes_on(b"==") && !goes_on(b"a") && !goes_on(b". "));
    }

    #[test]
    fn a_word_closes_where_none_goes_on() {
        assert!(closes(b"", 0) && closes(b"-", 0) && closes(b"\\n", 0) && closes(b"%22", 0));
        assert!(!closes(b"a", 0) && !closes(b"_", 0) && !closes(b"0", 0));
    }
}
