//! Semantic Versioning 2.0, with the freedoms that npm and Go take: a `v` in front, and missing
//! parts for zero.

use std::cmp::Ordering;

use super::Number;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Version<'a> {
    core: [Number<'a>; 3],
    /// Empty for a release.
    pre: Vec<&'a str>,
}

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim().trim_start_matches(['v', 'V', '=']);
        let text = text.split('+').next().unwrap_or(text);
        let (core, pre) = match text.split_once('-') {
            Some((core, pre)) => (core, pre.split('.').collect()),
            None => (text, Vec::new()),
        };
        let mut parts = core.split('.').map(Number::parse);
        let first = parts.next()??;
        let mut part = || parts.next().unwrap_or(Some(Number::ZERO));
        let core = [first, part()?, part()?];
        let well = parts.next().is_none() && pre.iter().all(|part| !part.is_empty());
        well.then_some(Self { core, pre })
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let core = self.core.cmp(&other.core);
        core.then_with(|| prereleases(&self.pre, &other.pre))
    }
}

impl PartialOrd for Version<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Section 11: a release is later than its pre-releases, numbers come before words.
fn prereleases(a: &[&str], b: &[&str]) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => {
            let pairs = a.iter().zip(b).map(|(a, b)| identifiers(a, b));
            let first = pairs.into_iter().find(|order| order.is_ne());
            first.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
    }
}

/// One identifier of a pre-release.
pub(super) fn identifiers(a: &str, b: &str) -> Ordering {
    match (Number::parse(a), Number::parse(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}
