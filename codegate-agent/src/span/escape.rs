//! JSON string escapes: taking them off, putting them on, and finding the way back.
//!
//! Knows: RFC 8259, section 7. Must not know: where a string stands, what it means.
//!
//! Everything here is total: a string that no JSON reader would accept is read as far as it makes
//! sense, and the rest of it stands for itself.

use std::ops::Range;

use memchr::memchr;
use wide::u8x16;

/// A stretch of an encoded string.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Run {
    /// Bytes that stand for themselves.
    Plain(Range<usize>),
    /// An escape, or the two of a surrogate pair.
    Escape { raw: Range<usize>, stands_for: char },
}

/// The stretches of an encoded string, from left to right.
struct Runs<'a> {
    encoded: &'a [u8],
    at: usize,
}

impl Iterator for Runs<'_> {
    type Item = Run;

    fn next(&mut self) -> Option<Run> {
        let rest = self.encoded.get(self.at..).filter(|r| !r.is_empty())?;
        let start = self.at;
        if let Some((stands_for, len)) = escape_at(rest) {
            self.at += len;
            let raw = start..self.at;
            return Some(Run::Escape { raw, stands_for });
        }
        // A backslash that begins no escape stands for itself.
        let plain = memchr(b'\\', rest.get(1..).unwrap_or_default());
        self.at += plain.map_or(rest.len(), |at| at + 1);
        Some(Run::Plain(start..self.at))
    }
}

/// The escape that a text begins with, and how long it is.
fn escape_at(text: &[u8]) -> Option<(char, usize)> {
    match short(text) {
        Some(stands_for) => Some((char::from(stands_for), 2)),
        None => unicode_at(text),
    }
}

/// What the escape of two characters stands for that a text begins with, if one does.
fn short(text: &[u8]) -> Option<u8> {
    match text {
        [b'\\', kind, ..] => simple(*kind),
        _ => None,
    }
}

/// What a backslash and this character stand for.
#[inline]
fn simple(kind: u8) -> Option<u8> {
    Some(match kind {
        b'"' | b'\\' | b'/' => kind,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        _ => return None,
    })
}

/// The `\uXXXX`, or the pair of them, that a text begins with. A lone surrogate stands for U+FFFD.
fn unicode_at(text: &[u8]) -> Option<(char, usize)> {
    const LEN: usize = 6;
    let first = code_unit(text)?;
    if let Some(c) = char::from_u32(first) {
        return Some((c, LEN));
    }
    let second = text.get(LEN..).and_then(code_unit);
    let pair = second.filter(|low| first < 0xDC00 && (0xDC00..0xE000).contains(low));
    let Some(low) = pair else {
        return Some((char::REPLACEMENT_CHARACTER, LEN));
    };
    let joined = 0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00);
    let c = char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER);
    Some((c, 2 * LEN))
}

/// The UTF-16 code unit that a text's first six bytes, `\uXXXX`, say.
fn code_unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |unit, &digit| {
        Some(unit << 4 | char::from(digit).to_digit(16)?)
    })
}

/// Appends what an encoded string (without its quotes) stands for.
///
/// Every text of every request passes here, and code is full of escapes: so sixteen bytes are copied
/// at a time, also those that turn out to be behind a backslash and are written over.
pub(crate) fn decode(encoded: &[u8], out: &mut Vec<u8>) {
    let base = out.len();
    // No escape is shorter than what it stands for.
    out.resize(base + encoded.len(), 0);
    let room = out.get_mut(base..).unwrap_or_default();
    let (mut from, mut to) = (0, 0);
    loop {
        let plain = copy_plain(
            encoded.get(from..).unwrap_or_default(),
            room.get_mut(to..).unwrap_or_default(),
        );
        from += plain;
        to += plain;
        let Some(rest) = encoded.get(from..).filter(|r| !r.is_empty()) else {
            break;
        };
        if let (Some(byte), Some(place)) = (short(rest), room.get_mut(to)) {
            *place = byte;
            from += 2;
            to += 1;
            continue;
        }
        // A backslash that begins no escape stands for itself.
        let (stands_for, len) = escape_at(rest).unwrap_or(('\\', 1));
        let mut utf8 = [0; 4];
        for &byte in stands_for.encode_utf8(&mut utf8).as_bytes() {
            if let Some(place) = room.get_mut(to) {
                *place = byte;
            }
            to += 1;
        }
        from += len;
    }
    out.truncate(base + to);
}

/// Copies what stands before the first backslash; says how many bytes that are. What is behind
/// them in `to` may be overwritten.
fn copy_plain(from: &[u8], to: &mut [u8]) -> usize {
    const LANES: usize = 16;
    let (blocks, rest) = from.as_chunks::<LANES>();
    let (places, _) = to.as_chunks_mut::<LANES>();
    for (i, (block, place)) in blocks.iter().zip(places).enumerate() {
        *place = *block;
        let backslashes = u8x16::new(*block).simd_eq(u8x16::splat(b'\\'));
        let found = backslashes.to_bitmask();
        if found != 0 {
            return i * LANES + found.trailing_zeros() as usize;
        }
    }
    let done = from.len() - rest.len();
    let plain = rest.iter().position(|&b| b == b'\\').unwrap_or(rest.len());
    for (place, byte) in to.iter_mut().skip(done).zip(rest.iter().take(plain)) {
        *place = *byte;
    }
    done + plain
}

/// The bytes of an encoded string that a range of what it stands for came from. What the range
/// cuts, such as a surrogate pair, is covered wholly.
pub(crate) fn covering(encoded: &[u8], decoded: Range<usize>) -> Range<usize> {
    let mut start = None;
    let mut at = 0;
    for run in (Runs { encoded, at: 0 }) {
        let (raw, len, plain) = match run {
            Run::Plain(raw) => (raw.clone(), raw.len(), true),
            Run::Escape { raw, stands_for } => (raw, stands_for.len_utf8(), false),
        };
        let inside = |to: usize| raw.start + (to - at);
        if start.is_none() && decoded.start < at + len {
            start = Some(if plain {
                inside(decoded.start)
            } else {
                raw.start
            });
        }
        if let Some(start) = start
            && decoded.end <= at + len
        {
            let end = match plain {
                true => inside(decoded.end),
                false if decoded.end <= at => raw.start,
                false => raw.end,
            };
            return start..end.max(start);
        }
        at += len;
    }
    start.unwrap_or(encoded.len())..encoded.len()
}

/// Where the decoded bytes of one string came from; small, since only escapes are kept.
#[derive(Debug, Default)]
pub(crate) struct Offsets {
    /// Behind each escape: its place in the decoded bytes, and in the encoded ones.
    after: Vec<(usize, usize)>,
}

impl Offsets {
    /// Like [`decode`], and keeps the way back.
    pub(crate) fn decode(encoded: &[u8], out: &mut Vec<u8>) -> Self {
        let base = out.len();
        let mut after = Vec::new();
        for run in (Runs { encoded, at: 0 }) {
            match run {
                Run::Plain(range) => out.extend_from_slice(encoded.get(range).unwrap_or_default()),
                Run::Escape { raw, stands_for } => {
                    out.extend_from_slice(stands_for.encode_utf8(&mut [0; 4]).as_bytes());
                    after.push((out.len() - base, raw.end));
                }
            }
        }
        Self { after }
    }

    /// Where a decoded byte, which must not be inside of an escape, came from.
    pub(crate) fn raw(&self, decoded: usize) -> usize {
        let before = self.after.partition_point(|&(at, _)| at <= decoded);
        let last = before.checked_sub(1).and_then(|i| self.after.get(i));
        last.map_or(decoded, |&(at, raw)| raw + (decoded - at))
    }
}

/// Escapes a text for a string that is `depth` JSON strings deep; depth 0 leaves it as it is.
///
/// The text becomes valid UTF-8 on the way (whatever is not, U+FFFD), or the JSON would not be
/// valid. Only what must be escaped is, and three line separators that JSON lets stand but some
/// readers of event streams split lines at: U+0085, U+2028 and U+2029.
pub fn escape(text: &[u8], depth: u8) -> Vec<u8> {
    if depth == 0 {
        return text.to_vec();
    }
    let once = escape_once(&String::from_utf8_lossy(text));
    (1..depth)
        .fold(once, |text, _| escape_once(&text))
        .into_bytes()
}

fn escape_once(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' | '\u{85}' | '\u{2028}' | '\u{2029}' => push_unicode(c, &mut out),
            _ => out.push(c),
        }
    }
    out
}

/// Appends `\uXXXX` for a character of the basic plane.
fn push_unicode(c: char, out: &mut String) {
    out.push_str("\\u");
    for shift in [12, 8, 4, 0] {
        out.extend(char::from_digit(u32::from(c) >> shift & 15, 16));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(encoded: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        decode(encoded, &mut out);
        out
    }

    #[test]
    fn every_escape_is_read() {
        let encoded = br#"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u2028x"#;
        assert_eq!(
            decoded(encoded),
            "\"\\/\u{8}\u{c}\n\r\té😀\u{2028}x".as_bytes()
        );
    }

    #[test]
    fn lone_surrogates_and_broken_escapes_are_tolerated() {
        assert_eq!(decoded(br"\ud83dx"), "\u{fffd}x".as_bytes());
        assert_eq!(decoded(br"\ude00\ud83d"), "\u{fffd}\u{fffd}".as_bytes());
        assert_eq!(decoded(br"\ud83d\ud83d\ude00"), "\u{fffd}😀".as_bytes());
        for broken in [r"\", r"a\", r"\u12", r"\x41", r"\u12g4", r"\\\"] {
            let text = decoded(broken.as_bytes());
            assert!(!text.is_empty(), "{broken}");
        }
    }

    #[test]
    fn a_cut_pair_is_covered_wholly() {
        let encoded = br"a\ud83d\ude00b";
        assert_eq!(covering(encoded, 2..3), 1..13);
        assert_eq!(covering(encoded, 0..3), 0..13);
        assert_eq!(covering(encoded, 5..6), 13..14);
        assert_eq!(covering(encoded, 1..5), 1..13);
        assert_eq!(covering(encoded, 1..1), 1..1);
        assert_eq!(covering(encoded, 6..6), 14..14);
        assert_eq!(covering(encoded, 90..99), 14..14);
    }

    #[test]
    fn separators_that_break_lines_are_escaped() {
        let escaped = escape("a\u{85}\u{2028}\u{2029}\u{1}".as_bytes(), 1);
        assert_eq!(escaped, br"a\u0085\u2028\u2029\u0001");
    }

    #[test]
    fn what_is_not_utf8_becomes_valid_json() {
        let escaped = escape(b"\xff\"\x00", 2);
        let inner: String =
            serde_json::from_str(&format!("\"{}\"", String::from_utf8(escaped).unwrap())).unwrap();
        let text: String = serde_json::from_str(&format!("\"{inner}\"")).unwrap();
        assert_eq!(text, "\u{fffd}\"\0");
    }

    proptest! {
        #[test]
        fn reads_as_serde_does(text in ".{0,40}") {
            let encoded = serde_json::to_string(&text).unwrap();
            let inner = &encoded.as_bytes()[1..encoded.len() - 1];
            prop_assert_eq!(decoded(inner), text.as_bytes());
        }

        #[test]
        fn decoding_undoes_escaping(text in "[\\PC\\x00-\\x1f\"\\\\\u{2028}]{0,40}", depth in 0_u8..5) {
            let mut now = escape(text.as_bytes(), depth);
            for _ in 0..depth {
                now = decoded(&now);
            }
            prop_assert_eq!(now, text.as_bytes());
        }

        #[test]
        fn never_panics_and_both_ways_back_agree(encoded in prop::collection::vec(
            prop::sample::select(b"\\\\\\uudD83e0n\"a\xc3\xa9".to_vec()), 0..40,
        )) {
            let mut out = Vec::new();
            let offsets = Offsets::decode(&encoded, &mut out);
            prop_assert_eq!(&decoded(&encoded), &out);
            for at in 0..=out.len() {
                let covered = covering(&encoded, at..out.len());
                prop_assert!(covered.start <= covered.end && covered.end <= encoded.len());
                if out.get(at).is_none_or(|b| b.is_ascii()) {
                    prop_assert_eq!(offsets.raw(at), covered.start);
                }
            }
        }
    }
}
