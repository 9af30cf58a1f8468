//! Regular expressions that are compiled when they are first needed.

use std::{ops::Range, sync::LazyLock};

use regex::{Captures, Regex};

/// A pattern; one that is wrong finds nothing, and fails its test.
pub(super) struct Pattern(pub(super) LazyLock<Option<Regex>>);

impl Pattern {
    pub(super) const fn new(make: fn() -> Option<Regex>) -> Self {
        Self(LazyLock::new(make))
    }

    pub(super) fn all<'t>(&self, text: &'t str) -> impl Iterator<Item = Captures<'t>> {
        self.0
            .iter()
            .flat_map(move |regex| regex.captures_iter(text))
    }

    pub(super) fn first<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        self.0.as_ref()?.captures(text)
    }

    pub(super) fn is_in(&self, text: &str) -> bool {
        self.0.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

/// A group's text, and where it stands in a text that begins at `base`.
pub(super) fn group<'t>(
    found: &Captures<'t>,
    i: usize,
    base: usize,
) -> Option<(&'t str, Range<usize>)> {
    let group = found.get(i)?;
    Some((group.as_str(), base + group.start()..base + group.end()))
}

macro_rules! patterns {
    ($($name:ident = $pattern:expr;)*) => {
        $(static $name: $crate::inspect::packages::extract::pattern::Pattern =
            $crate::inspect::packages::extract::pattern::Pattern::new(|| regex::Regex::new($pattern).ok());)*

        #[cfg(test)]
        #[test]
        fn every_pattern_compiles() {
            $(assert!($name.0.is_some(), stringify!($name));)*
        }
    };
}
pub(super) use patterns;
