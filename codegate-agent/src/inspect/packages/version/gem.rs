//! RubyGems' versions: segments of digits or letters; letters make a pre-release.

use std::cmp::Ordering;

use super::{Number, runs};

pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (segments(a)?, segments(b)?);
    for i in 0..a.len().max(b.len()) {
        let a = a.get(i).map_or("0", String::as_str);
        let b = b.get(i).map_or("0", String::as_str);
        let order = match (Number::parse(a), Number::parse(b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            (Some(_), None) => Ordering::Greater,
            (None, Some(_)) => Ordering::Less,
            (None, None) => a.cmp(b),
        };
        if order.is_ne() {
            return Some(order);
        }
    }
    Some(Ordering::Equal)
}

/// A hyphen says that what follows is a pre-release.
fn segments(text: &str) -> Option<Vec<String>> {
    let text = text.trim().replace('-', ".pre.");
    let well = text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c == '.' || c.is_ascii_alphanumeric());
    let segments = text.split('.').flat_map(runs).map(str::to_owned);
    well.then(|| segments.collect())
}
