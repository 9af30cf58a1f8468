//! Numbers that states give to people: shapes, words and, below, each one's check.
//!
//! From the issuers' public descriptions. A shape is `telling` where its signs and its checksum
//! together leave next to no room for chance; all else needs a word beside it.

mod americas;
mod elsewhere;
mod europe;

use super::number::Number;

/// All of them; where two shapes fit, the first one wins.
pub(super) fn numbers() -> impl Iterator<Item = &'static Number> {
    [europe::NUMBERS, americas::NUMBERS, elsewhere::NUMBERS]
        .into_iter()
        .flatten()
}

/// A day and a month that exist.
fn is_date(day: u64, month: u64) -> bool {
    let days = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// The number in a part of the digits; 0 where they end before.
fn part(digits: &[u8], from: usize, len: usize) -> u64 {
    let part = digits
        .get(from..from + len)
        .and_then(super::checksum::number);
    part.unwrap_or(0)
}
