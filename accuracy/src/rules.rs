//! The rules, as data: the same files that the scanner compiles in.
//!
//! Only what says how a secret looks is read. How rules are run is the scanner's business; that
//! fields are spelt right is checked where they are compiled.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

/// Where the files are, seen from this package.
const FILES: &str = "../codegate-agent/src/inspect/secrets/rules";

/// A rule and the family it belongs to.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Rule {
    /// The stem of the file's name.
    #[serde(skip)]
    pub(crate) family: String,
    pub(crate) id: String,
    pub(crate) pattern: Option<String>,
    #[serde(default)]
    pub(crate) beside: Vec<String>,
    pub(crate) value: Option<String>,
    #[serde(default)]
    pub(crate) keywords: Vec<String>,
    pub(crate) judge: Option<String>,
    /// What its values are not.
    #[serde(default)]
    pub(crate) allow: Vec<String>,
    pub(crate) check: Option<String>,
    pub(crate) extend: Option<String>,
    pub(crate) confidence: Option<String>,
    #[serde(default)]
    pub(crate) examples: Vec<String>,
    #[serde(default)]
    pub(crate) counter_examples: Vec<String>,
}

/// What may be asked of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Class {
    /// A format with a prefix or a structure of its own.
    Token,
    /// A value that its surroundings tell: a name, a URI, a line of a known file.
    Structured,
}

impl Class {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Structured => "structured",
        }
    }
}

impl Rule {
    pub(crate) fn class(&self) -> Class {
        let own_form = self.pattern.as_ref().is_some_and(|pattern| {
            !pattern.contains("(?P<secret>")
                && !pattern.contains("(?<secret>")
                && !pattern.contains("://")
        });
        if own_form && self.judge.is_none() && self.confidence.is_none() {
            Class::Token
        } else {
            Class::Structured
        }
    }
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    rule: Vec<Rule>,
}

/// All rules, by family.
pub(crate) fn read() -> Result<Vec<Rule>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILES);
    let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    let mut rules = Vec::new();
    for path in paths
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
    {
        rules.extend(read_file(path)?);
    }
    ensure!(!rules.is_empty(), "no rules in {}", folder.display());
    Ok(rules)
}

fn read_file(path: &Path) -> Result<Vec<Rule>> {
    let place = || path.display().to_string();
    let text = fs::read_to_string(path).with_context(place)?;
    let file: File = toml::from_str(&text).with_context(place)?;
    let family = path.file_stem().unwrap_or_default().to_string_lossy();
    let of_family = |rule| Rule {
        family: family.clone().into_owned(),
        ..rule
    };
    Ok(file.rule.into_iter().map(of_family).collect())
}
