//! Names of packages: two spellings that a registry takes for one are one here.

use std::{
    cmp::Ordering,
    hash::{Hash, Hasher},
};

use super::Ecosystem;

/// The longest name that is taken for one, in bytes. The longest real ones are Go's paths.
const LONGEST: usize = 512;

/// A package: its ecosystem and its normalised name. Two spellings of one are equal.
#[derive(Debug, Clone)]
pub struct Package {
    /// Where it comes from.
    pub ecosystem: Ecosystem,
    name: String,
    /// As it was written, where that differs and people would miss it.
    written: Option<Box<str>>,
}

impl Package {
    /// Normalises a name; `None` if no registry could have it (empty, too long, blanks in it).
    ///
    /// Any other character may stand in it: names made of look-alikes are just what we are after.
    pub fn new(ecosystem: Ecosystem, name: &str) -> Option<Self> {
        let name = name.trim();
        let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '`');
        if name.is_empty() || name.len() > LONGEST || name.contains(bad) {
            return None;
        }
        let written = name;
        let name = normalised(ecosystem, name);
        let shown = matches!(
            ecosystem,
            Ecosystem::Crates | Ecosystem::NuGet | Ecosystem::Go
        );
        let written = (shown && name != written).then(|| written.into());
        (!name.is_empty()).then_some(Self {
            ecosystem,
            name,
            written,
        })
    }

    /// The name as people know it: `serde_json` and `Newtonsoft.Json`, if it was written so.
    pub fn shown(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.name)
    }

    fn key(&self) -> (Ecosystem, &str) {
        (self.ecosystem, &self.name)
    }

    /// The normalised name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The packages that a path within one could belong to, the longest first. Only in Go does a
    /// path that is imported not say where the module's name ends.
    pub fn candidates(&self) -> impl Iterator<Item = &str> {
        let cuts = (self.ecosystem == Ecosystem::Go).then(|| {
            let cuts = self.name.rmatch_indices('/');
            // A host alone is no module.
            cuts.map(|(at, _)| &self.name[..at])
                .filter(|cut| cut.contains('/'))
        });
        std::iter::once(self.name.as_str()).chain(cuts.into_iter().flatten())
    }
}

impl PartialEq for Package {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Package {}

impl PartialOrd for Package {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Package {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl Hash for Package {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

fn normalised(ecosystem: Ecosystem, name: &str) -> String {
    match ecosystem {
        Ecosystem::PyPI => pep503(name),
        Ecosystem::Crates => name.to_lowercase().replace('_', "-"),
        Ecosystem::Go => without_major(name.trim_end_matches('/')).to_owned(),
        Ecosystem::NuGet | Ecosystem::Packagist => name.to_lowercase(),
        Ecosystem::Npm | Ecosystem::Maven | Ecosystem::RubyGems => name.to_owned(),
    }
}

/// PEP 503: lower case, runs of `-`, `_` and `.` are one `-`. Extras (`[socks]`) are left out.
fn pep503(name: &str) -> String {
    let name = name.split('[').next().unwrap_or(name);
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            c => out.extend(c.to_lowercase()),
        }
    }
    out
}

/// A Go module's path without the `/vN` that only says its major version.
fn without_major(path: &str) -> &str {
    match path.rsplit_once("/v") {
        Some((module, major)) if is_major(major) && module.contains('/') => module,
        _ => path,
    }
}

fn is_major(text: &str) -> bool {
    !text.is_empty() && text.len() < 6 && text.bytes().all(|b| b.is_ascii_digit()) && text != "0"
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    fn name(ecosystem: Ecosystem, name: &str) -> String {
        Package::new(ecosystem, name).unwrap().name().to_owned()
    }

    #[test]
    fn what_a_registry_takes_for_one_is_one() {
        assert_eq!(name(Ecosystem::PyPI, "Zope.Interface"), "zope-interface");
        assert_eq!(name(Ecosystem::PyPI, "a-_.b"), "a-b");
        assert_eq!(name(Ecosystem::PyPI, "requests[socks]"), "requests");
        assert_eq!(name(Ecosystem::Crates, "Serde_JSON"), "serde-json");
        assert_eq!(name(Ecosystem::NuGet, "Newtonsoft.Json"), "newtonsoft.json");
        assert_eq!(
            name(Ecosystem::Npm, "@Scope/JSONStream"),
            "@Scope/JSONStream"
        );
        assert_eq!(name(Ecosystem::Go, "github.com/A/b/v2"), "github.com/A/b");
        assert_eq!(name(Ecosystem::Go, "gopkg.in/yaml.v3"), "gopkg.in/yaml.v3");
    }

    #[test]
    fn what_cannot_be_a_name_is_none() {
        for bad in ["", "  ", "two words", "a\u{0}b", &"x".repeat(513)] {
            assert_eq!(Package::new(Ecosystem::Npm, bad), None, "{bad:?}");
        }
        assert_eq!(Package::new(Ecosystem::PyPI, "[all]"), None);
    }

    #[test]
    fn only_a_path_in_go_may_belong_to_a_shorter_one() {
        let go = Package::new(Ecosystem::Go, "github.com/a/b/c/d").unwrap();
        let all: Vec<_> = go.candidates().collect();
        assert_eq!(
            all,
            [
                "github.com/a/b/c/d",
                "github.com/a/b/c",
                "github.com/a/b",
                "github.com/a"
            ]
        );
        let npm = Package::new(Ecosystem::Npm, "@a/b").unwrap();
        assert_eq!(npm.candidates().collect::<Vec<_>>(), ["@a/b"]);
    }
}
