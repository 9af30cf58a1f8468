//! Versions: which of two is the later one, by the rules of each ecosystem.

mod composer;
mod gem;
mod maven;
mod nuget;
mod pep440;
mod semver;

use std::cmp::Ordering;

use super::Ecosystem;

/// The longest text that is taken for a version, in bytes.
const LONGEST: usize = 256;

/// Compares two versions; `None` if one of them is none.
pub fn compare(ecosystem: Ecosystem, a: &str, b: &str) -> Option<Ordering> {
    if a.len() > LONGEST || b.len() > LONGEST {
        return None;
    }
    match ecosystem {
        Ecosystem::Npm | Ecosystem::Crates | Ecosystem::Go => semver(a, b),
        Ecosystem::PyPI => Some(pep440::Version::parse(a)?.cmp(&pep440::Version::parse(b)?)),
        Ecosystem::Maven => maven::compare(a, b),
        Ecosystem::RubyGems => gem::compare(a, b),
        Ecosystem::NuGet => nuget::compare(a, b),
        Ecosystem::Packagist => composer::compare(a, b),
    }
}

/// Compares two versions by Semantic Versioning; `None` if one of them is none.
pub(super) fn semver(a: &str, b: &str) -> Option<Ordering> {
    if a.len() > LONGEST || b.len() > LONGEST {
        return None;
    }
    Some(semver::Version::parse(a)?.cmp(&semver::Version::parse(b)?))
}

/// A number of any length: digits without leading zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Number<'a>(&'a str);

impl<'a> Number<'a> {
    const ZERO: Number<'static> = Number("");

    /// `None` unless the text is digits and nothing else.
    fn parse(text: &'a str) -> Option<Self> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| Self(text.trim_start_matches('0')))
    }
}

impl Ord for Number<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let longer = self.0.len().cmp(&other.0.len());
        longer.then_with(|| self.0.cmp(other.0))
    }
}

impl PartialOrd for Number<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Splits where digits and other characters meet.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let digit = rest.bytes().next()?.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != digit);
        let (run, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        Some(run)
    })
}

#[cfg(test)]
mod tests;
