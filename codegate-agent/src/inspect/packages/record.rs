//! What is known about a package.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Affected;

/// One thing that is known about a package, and who says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its identifier at the source, as in `MAL-2025-2544`.
    pub id: String,
    /// What it says.
    pub status: Status,
    /// Which of our feeds brought it.
    pub feed: Feed,
    /// Who found it: a whole-package record of one alone is no proof against a popular name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// One line for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// When it was published, as the source says it (RFC 3339, or a date).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
    /// When it was last changed, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    /// Which versions it is about.
    pub affected: Affected,
}

/// What a record says about a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It does harm on purpose.
    Malicious,
    /// Its authors say that it should not be used any more.
    Deprecated,
    /// Its source is closed to changes.
    Archived,
    /// Nobody looks after it.
    Unmaintained,
    /// Its authors took it back.
    Yanked,
}

/// Where the index has a record from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Feed {
    /// Compiled in.
    Seed,
    /// OSV's bucket.
    Osv,
    /// RustSec's advisories.
    RustSec,
    /// Lists of the administrator's.
    Lists,
}

impl Status {
    /// All of them, in their order.
    pub(super) const ALL: [Self; 5] = [
        Self::Malicious,
        Self::Deprecated,
        Self::Archived,
        Self::Unmaintained,
        Self::Yanked,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malicious => "malicious",
            Self::Deprecated => "deprecated",
            Self::Archived => "archived",
            Self::Unmaintained => "unmaintained",
            Self::Yanked => "yanked",
        }
    }
}

impl Feed {
    /// All of them, in their order.
    pub(super) const ALL: [Self; 4] = [Self::Seed, Self::Osv, Self::RustSec, Self::Lists];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::Osv => "osv",
            Self::RustSec => "rustsec",
            Self::Lists => "lists",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
