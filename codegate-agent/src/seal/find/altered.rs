//! What a placeholder looks like after somebody altered it.
//!
//! Knows: how models and editors mangle words. Must not know: where in a text it looks.

use super::super::token::{BODY, Placeholder, symbol};
use crate::inspect::Kind;

/// The most separators inside a body: 24 characters in groups of four have five.
const MAX_BODY_GAPS: u32 = 5;
/// The longest separator: an underscore that was escaped twice over (`\\\_`), and one to spare.
const MAX_GAP: usize = 5;

/// The length of the mangled placeholder at `start`, where `CG` stands in either case.
pub(super) fn altered(text: &[u8], start: usize) -> Option<usize> {
    let rest = text.get(start + 2..)?;
    // Without a separator behind it, and inside a word, it is just two letters of that word.
    let in_word = start > 0 && text[start - 1].is_ascii_alphanumeric();
    if in_word && gap(rest) == 0 {
        return None;
    }
    let len = rewritten(rest).or_else(|| damaged(rest))?;
    Some(2 + len)
}

/// The same placeholder written differently: its checksum holds once case, separators and
/// look-alikes (O for 0, I and L for 1) are put right. `rest` is what follows `CG`.
fn rewritten(rest: &[u8]) -> Option<usize> {
    let letters = Letters::read(rest);
    (Kind::MIN..=Kind::MAX)
        .take_while(|&kind| !letters.gap_within(1..kind))
        .filter(|&kind| letters.gap_within(0..1) || letters.gap_within(kind..kind + 1))
        .find_map(|kind| letters.end_of(kind))
}

/// The letters and digits of a text in upper case, and where separators stood between them.
struct Letters {
    upper: [u8; Self::MAX],
    /// Where each ends in the text, which is never far.
    ends: [u8; Self::MAX],
    /// Bit `i` is set if a separator stands before letter `i`.
    gaps: u64,
    len: usize,
}

impl Letters {
    /// A KIND and a body.
    const MAX: usize = Kind::MAX + BODY;

    /// Reads until the first byte that belongs in no placeholder, or until there is enough.
    fn read(text: &[u8]) -> Self {
        let mut letters = Self {
            upper: [0; Self::MAX],
            ends: [0; Self::MAX],
            gaps: 0,
            len: 0,
        };
        let mut at = 0;
        while letters.len < Self::MAX && letters.gaps.count_ones() <= MAX_BODY_GAPS + 2 {
            let gap = gap(&text[at..]);
            at += gap;
            let Some(byte) = text.get(at).filter(|b| b.is_ascii_alphanumeric()) else {
                break;
            };
            at += 1;
            letters.upper[letters.len] = byte.to_ascii_uppercase();
            letters.ends[letters.len] = at as u8;
            letters.gaps |= u64::from(gap > 0) << letters.len;
            letters.len += 1;
        }
        letters
    }

    fn gap_within(&self, places: std::ops::Range<usize>) -> bool {
        places.into_iter().any(|i| self.gaps >> i & 1 == 1)
    }

    /// Where the placeholder whose KIND is the first `kind` letters ends, if its checksum holds.
    fn end_of(&self, kind: usize) -> Option<usize> {
        let (name, body) = self.upper.get(..self.len)?.split_at_checked(kind)?;
        if body.len() < BODY {
            return None;
        }
        let name = Kind::parse(std::str::from_utf8(name).ok()?)?;
        let body = body.first_chunk::<BODY>()?.map(|letter| match letter {
            b'O' => b'0',
            b'I' | b'L' => b'1',
            other => other,
        });
        Placeholder::from_body(name, &body)?;
        self.ends.get(kind + BODY - 1).copied().map(usize::from)
    }
}

/// A frame like ours around something as random as our bodies, whose checksum does not hold.
/// `rest` is what follows `CG`.
fn damaged(rest: &[u8]) -> Option<usize> {
    let first = Some(gap(rest)).filter(|&len| len > 0)?;
    let kind = run(&rest[first..], u8::is_ascii_alphanumeric);
    let framed = (Kind::MIN..=Kind::MAX).contains(&kind.len()) && one_case(kind);
    let at = first + kind.len();
    let second = Some(gap(&rest[at..])).filter(|&len| framed && len > 0)?;
    let body = &rest[at + second..];
    // Lower case behind upper case may be a word that the placeholder is glued to.
    [
        run(body, |b| b.is_ascii_uppercase() || b.is_ascii_digit()),
        run(body, u8::is_ascii_alphanumeric),
    ]
    .into_iter()
    .find(|body| random(body))
    .map(|body| at + second + body.len())
}

/// Whether a word is what a body with a character or two altered, missing or added looks like, and
/// what an identifier, a date, a hexadecimal digest or a name in camel case does not.
fn random(word: &[u8]) -> bool {
    if !(BODY - 2..=BODY + 2).contains(&word.len()) {
        return false;
    }
    let digits = word.iter().filter(|b| b.is_ascii_digit()).count();
    let turns = word
        .windows(2)
        .filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit())
        .count();
    let distinct = word.iter().fold(0_u128, |set, &b| set | 1 << (b & 127));
    (2..=18).contains(&digits)
        && turns >= 3
        && distinct.count_ones() >= 10
        && one_case(word)
        && word
            .iter()
            .all(|b| symbol(b.to_ascii_uppercase()).is_some())
        && word.iter().any(|b| !b.is_ascii_hexdigit())
}

fn one_case(word: &[u8]) -> bool {
    !(word.iter().any(u8::is_ascii_uppercase) && word.iter().any(u8::is_ascii_lowercase))
}

/// The length of the separator that a text begins with; 0 if with none.
fn gap(text: &[u8]) -> usize {
    let len = run(text, |b| matches!(b, b'_' | b'-' | b'\\')).len();
    if len <= MAX_GAP { len } else { 0 }
}

/// The longest beginning of a text that has only such bytes.
fn run(text: &[u8], such: impl Fn(&u8) -> bool) -> &[u8] {
    let len = text.iter().position(|b| !such(b)).unwrap_or(text.len());
    &text[..len]
}
