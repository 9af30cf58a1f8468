//! Composer's versions: numbers, then a stability, in the order of PHP's `version_compare`.

use std::cmp::Ordering;

use super::{Number, runs};

/// Composer fills up with zeros to so many numbers.
const NUMBERS: usize = 4;

pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (parts(a)?, parts(b)?);
    let (a, b) = (a.iter().map(String::as_str), b.iter().map(String::as_str));
    let (mut a, mut b) = (a.fuse(), b.fuse());
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Some(Ordering::Equal),
            (Some(a), Some(b)) => part_order(a, b),
            // `1.0` is `1`, and later than `1.0-RC1`.
            (Some(a), None) => part_order(a, missing(a)),
            (None, Some(b)) => part_order(missing(b), b),
        };
        if order.is_ne() {
            return Some(order);
        }
    }
}

fn parts(text: &str) -> Option<Vec<String>> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_prefix('v').unwrap_or(&text);
    let text = text.split(['+', '#']).next()?;
    let well = text.starts_with(|c: char| c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    let mut parts: Vec<String> = text
        .split(['.', '-', '_'])
        .flat_map(runs)
        .map(str::to_owned)
        .collect();
    let numbers = parts
        .iter()
        .take_while(|part| Number::parse(part).is_some());
    let numbers = numbers.count();
    let zeros = std::iter::repeat_n("0".to_owned(), NUMBERS.saturating_sub(numbers));
    parts.splice(numbers..numbers, zeros);
    well.then_some(parts)
}

fn missing(against: &str) -> &'static str {
    match Number::parse(against) {
        Some(_) => "0",
        None => "",
    }
}

fn part_order(a: &str, b: &str) -> Ordering {
    match (Number::parse(a), Number::parse(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => rank(a).cmp(&rank(b)),
    }
}

fn rank(part: &str) -> u8 {
    match part {
        "dev" => 0,
        "alpha" | "a" => 1,
        "beta" | "b" => 2,
        "rc" | "c" => 3,
        "" | "stable" => 4,
        "patch" | "pl" | "p" => 6,
        part if Number::parse(part).is_some() => 5,
        _ => 0,
    }
}
