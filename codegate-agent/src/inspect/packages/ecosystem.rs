//! The ecosystems, and what others call them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a package comes from. The numbers are part of the index's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum Ecosystem {
    /// JavaScript.
    #[serde(rename = "npm")]
    Npm = 1,
    /// Python.
    PyPI = 2,
    /// Rust.
    #[serde(rename = "crates.io")]
    Crates = 3,
    /// Go modules.
    Go = 4,
    /// Java and its kin.
    Maven = 5,
    /// Ruby.
    RubyGems = 6,
    /// .NET.
    NuGet = 7,
    /// PHP.
    Packagist = 8,
}

impl Ecosystem {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Npm,
        Self::PyPI,
        Self::Crates,
        Self::Go,
        Self::Maven,
        Self::RubyGems,
        Self::NuGet,
        Self::Packagist,
    ];

    /// Its name in OSV's schema, which is also the folder in OSV's bucket.
    pub fn osv_name(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::PyPI => "PyPI",
            Self::Crates => "crates.io",
            Self::Go => "Go",
            Self::Maven => "Maven",
            Self::RubyGems => "RubyGems",
            Self::NuGet => "NuGet",
            Self::Packagist => "Packagist",
        }
    }

    /// Its type in package URLs.
    pub fn purl_type(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::PyPI => "pypi",
            Self::Crates => "cargo",
            Self::Go => "golang",
            Self::Maven => "maven",
            Self::RubyGems => "gem",
            Self::NuGet => "nuget",
            Self::Packagist => "composer",
        }
    }

    /// From a name in OSV's schema; what follows a colon there (a registry of its own) is left out.
    pub fn from_osv(name: &str) -> Option<Self> {
        let name = name.split(':').next().unwrap_or(name);
        Self::ALL.into_iter().find(|e| e.osv_name() == name)
    }

    /// From the type of a package URL, in whatever case.
    pub fn from_purl_type(name: &str) -> Option<Self> {
        let same = |e: &Self| e.purl_type().eq_ignore_ascii_case(name);
        Self::ALL.into_iter().find(same)
    }

    /// From any of its names: OSV's, the package URL's, or in lower case (as files are named).
    pub fn from_any(name: &str) -> Option<Self> {
        Self::from_osv(name)
            .or_else(|| Self::from_purl_type(name))
            .or_else(|| {
                let same = |e: &Self| e.osv_name().eq_ignore_ascii_case(name);
                Self::ALL.into_iter().find(same)
            })
            .or_else(|| (name == "crates").then_some(Self::Crates))
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.osv_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back() {
        for ecosystem in Ecosystem::ALL {
            assert_eq!(Ecosystem::from_osv(ecosystem.osv_name()), Some(ecosystem));
            assert_eq!(Ecosystem::from_any(ecosystem.purl_type()), Some(ecosystem));
            let lower = ecosystem.osv_name().to_lowercase();
            assert_eq!(Ecosystem::from_any(&lower), Some(ecosystem));
        }
        assert_eq!(
            Ecosystem::from_osv("Maven:https://x"),
            Some(Ecosystem::Maven)
        );
        assert_eq!(Ecosystem::from_osv("Debian"), None);
    }
}
