//! Text in base64 (RFC 4648, both alphabets) or hexadecimal, as it stands in Kubernetes' secrets,
//! headers, cookies and command lines.
//!
//! Knows: the encodings. Must not know: rules. Most that looks like base64 is none, or hides no text:
//! the first byte that is not text ends the attempt, so images cost no more than a look.

use std::ops::Range;

use super::{Views, Way, is_text, line_end, line_start};
use crate::inspect::secrets::landmarks::{self, Words};

/// The shortest encoded text, in characters: no shorter word is known. One of another kind is hardly ever all
/// text when it is decoded (once in a hundred thousand).
const LEAST: usize = landmarks::LEAST;
/// The shortest text in hexadecimal, in characters.
const LEAST_HEX: usize = 32;
/// How much stands in a view before and behind the decoded text, in bytes: its name, its quote.
const BEFORE: usize = 96;
const BEHIND: usize = 16;

/// What words have besides base64's characters.
const OTHERS: &[u8; 3] = b".=~";

/// What is no character of base64.
const NONE: u8 = 0xff;

/// The six bits of each character, in both alphabets.
const SIX_BITS: [u8; 256] = {
    let mut table = [NONE; 256];
    let mut at = 0;
    while at < 26 {
        table[b'A' as usize + at] = at as u8;
        table[b'a' as usize + at] = at as u8 + 26;
        at += 1;
    }
    at = 0;
    while at < 10 {
        table[b'0' as usize + at] = at as u8 + 52;
        at += 1;
    }
    table[b'+' as usize] = 62;
    table[b'-' as usize] = 62;
    table[b'/' as usize] = 63;
    table[b'_' as usize] = 63;
    table
};

pub(super) fn add(text: &[u8], words: &Words, views: &mut Views) {
    let mut done = 0;
    for run in words.iter().flat_map(|word| of_base64(text, word)) {
        let word = text.get(run.clone()).unwrap_or_default();
        let Some(decoded) = hex(word).or_else(|| base64(word)) else {
            continue;
        };
        let behind = text.get(run.end..).unwrap_or_default();
        let padding = behind.iter().take(2).take_while(|byte| **byte == b'=');
        let raw = run.start..run.end + padding.count();
        views.begin();
        views.plain(
            text,
            line_start(text, raw.start, BEFORE).max(done)..raw.start,
        );
        views.push(&decoded, raw.clone(), Way::Whole);
        done = line_end(text, raw.end, BEHIND);
        views.plain(text, raw.end..done);
        done = raw.end;
    }
}

/// The runs of base64's characters within a word, as far as they are long enough.
fn of_base64<'a>(text: &'a [u8], word: &Range<usize>) -> impl Iterator<Item = Range<usize>> + 'a {
    let bytes = text.get(word.clone()).unwrap_or_default();
    let [a, b, c] = *OTHERS;
    let ends = memchr::memchr3_iter(a, b, c, bytes).chain([bytes.len()]);
    let mut next = word.start;
    let at = word.start;
    let runs = ends.map(move |end| {
        let start = next;
        next = at + end + 1;
        start..at + end
    });
    runs.filter(|run| run.len() >= LEAST)
}

fn base64(word: &[u8]) -> Option<Vec<u8>> {
    // A quantum of one character holds no byte.
    if word.len() % 4 == 1 {
        return None;
    }
    text_of(|| word.chunks(4).flat_map(quantum))
}

/// The bytes of four characters, or of the last two or three.
fn quantum(characters: &[u8]) -> impl Iterator<Item = u8> {
    let bits = characters.iter().fold(0, |bits, byte| {
        bits << 6 | u32::from(SIX_BITS[usize::from(*byte)])
    });
    let bits = bits << (6 * (4 - characters.len()));
    let shifts = [16, 8, 0].into_iter().take(characters.len() - 1);
    shifts.map(move |shift| (bits >> shift) as u8)
}

fn hex(word: &[u8]) -> Option<Vec<u8>> {
    if word.len() < LEAST_HEX || word.len() % 2 == 1 {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |pair: &[u8]| match pair {
        [a, b] => u8::try_from(digit(*a)? << 4 | digit(*b)?).ok(),
        _ => None,
    };
    // What is no digit is no text, either.
    text_of(|| word.chunks(2).map(|pair| byte(pair).unwrap_or_default()))
}

/// Bytes if all of them are text. Most words' are not, as their first ones show: so nothing is kept before
/// that is known.
fn text_of<B: Iterator<Item = u8>>(bytes: impl Fn() -> B) -> Option<Vec<u8>> {
    bytes().all(is_text).then(|| bytes().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::runs;

    #[test]
    fn words_have_base64_and_three_others() {
        for byte in 0..=u8::MAX {
            let is_of_base64 = SIX_BITS[usize::from(byte)] != NONE;
            let is_of_word = is_of_base64 || OTHERS.contains(&byte);
            assert_eq!(is_of_word, runs::is_key_character(byte), "{byte}");
        }
    }

    #[test]
    fn a_word_is_parted_where_it_is_no_base64() {
        let text = format!("{0}.{0}=={0}~-", "a/+_-0".repeat(3));
        let runs: Vec<_> = of_base64(text.as_bytes(), &(0..text.len())).collect();
        assert_eq!(runs, [0..18, 19..37, 39..57]);
    }
}
