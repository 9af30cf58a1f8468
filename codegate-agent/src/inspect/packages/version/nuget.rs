//! NuGet's versions: up to four numbers, then Semantic Versioning's pre-releases in whatever case.

use std::cmp::Ordering;

use super::{Number, semver::identifiers};

pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    let ((a, a_pre), (b, b_pre)) = (split(&a)?, split(&b)?);
    let pre = match (a_pre, b_pre) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) => prereleases(a, b),
    };
    Some(a.cmp(&b).then(pre))
}

fn split(text: &str) -> Option<([Number<'_>; 4], Option<&str>)> {
    let text = text.trim().trim_start_matches('v');
    let text = text.split('+').next()?;
    let (core, pre) = match text.split_once('-') {
        Some((core, pre)) => (core, Some(pre)),
        None => (text, None),
    };
    let mut numbers = [Number::ZERO; 4];
    for (i, part) in core.split('.').enumerate() {
        *numbers.get_mut(i)? = Number::parse(part)?;
    }
    Some((numbers, pre))
}

fn prereleases(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => identifiers(a, b),
        };
        if order.is_ne() {
            return order;
        }
    }
}
