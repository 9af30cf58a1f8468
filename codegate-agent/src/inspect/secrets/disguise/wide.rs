//! UTF-16 in a text of bytes: every second one is zero, as text of Windows looks that was read as
//! something else.
//!
//! Knows: UTF-16 of ASCII, both byte orders. Must not know: where the text came from.

use super::{Views, Way, is_text};

/// Fewer characters than this in a row are chance, or a table of small numbers.
const LEAST: usize = 12;

pub(super) fn add(text: &[u8], views: &mut Views) {
    let mut from = 0;
    while let Some(zero) = memchr::memchr(0, text.get(from..).unwrap_or_default()) {
        let zero = from + zero;
        from = match run(text, zero, views) {
            Some(end) => end,
            None => zero + 1,
        };
    }
}

/// A run whose first zero stands here: behind a character, or before it.
fn run(text: &[u8], zero: usize, views: &mut Views) -> Option<usize> {
    let little = zero.checked_sub(1).map(|start| characters(text, start, 0));
    let little = little.unwrap_or_default();
    let big = characters(text, zero, 1);
    // A byte of other text before or behind a run makes it look as long in the wrong order.
    let strange = !little.first().is_some_and(u8::is_ascii_alphanumeric);
    let is_big = big.len() > little.len() || big.len() == little.len() && strange;
    let (decoded, start) = if is_big {
        (big, zero)
    } else {
        (little, zero - 1)
    };
    if decoded.len() < LEAST {
        return None;
    }
    let end = start + 2 * decoded.len();
    views.begin();
    views.push(&decoded, start..end, Way::Pairs);
    Some(end)
}

/// The characters of pairs from a place on, which stand at this place of a pair.
fn characters(text: &[u8], start: usize, character: usize) -> Vec<u8> {
    let of = |pair: &[u8]| {
        let (c, zero) = (pair.get(character)?, pair.get(1 - character)?);
        (*zero == 0 && is_text(*c)).then_some(*c)
    };
    let pairs = text.get(start..).unwrap_or_default().chunks_exact(2);
    pairs.map_while(of).collect()
}
