//! Rules as they are written: TOML, one file per family.
//!
//! Knows: the files and their fields. Must not know: how a rule is run.
//!
//! `docs/rules.md` is the manual; the short of it: a rule has a `pattern`, or stands `beside` a
//! name and has a `value` or a `judge`; its named group `secret` is what gets sealed (else the
//! whole match), and `core` is the part of it that must look like a secret (else all of it).

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{check::Check, edges::Edges, engine::EngineError, judge::Judge, pem::Extend};
use crate::inspect::Confidence;

/// The files that are compiled in.
const FILES: [(&str, &str); 34] = [
    ("ai.toml", include_str!("rules/ai.toml")),
    ("aitools.toml", include_str!("rules/aitools.toml")),
    ("cloud.toml", include_str!("rules/cloud.toml")),
    ("hosting.toml", include_str!("rules/hosting.toml")),
    ("forges.toml", include_str!("rules/forges.toml")),
    ("ci.toml", include_str!("rules/ci.toml")),
    ("flags.toml", include_str!("rules/flags.toml")),
    ("payment.toml", include_str!("rules/payment.toml")),
    ("fintech.toml", include_str!("rules/fintech.toml")),
    ("messaging.toml", include_str!("rules/messaging.toml")),
    ("chat.toml", include_str!("rules/chat.toml")),
    ("marketing.toml", include_str!("rules/marketing.toml")),
    ("crm.toml", include_str!("rules/crm.toml")),
    ("social.toml", include_str!("rules/social.toml")),
    ("registries.toml", include_str!("rules/registries.toml")),
    ("productivity.toml", include_str!("rules/productivity.toml")),
    ("scraping.toml", include_str!("rules/scraping.toml")),
    (
        "observability.toml",
        include_str!("rules/observability.toml"),
    ),
    ("analytics.toml", include_str!("rules/analytics.toml")),
    ("databases.toml", include_str!("rules/databases.toml")),
    ("data.toml", include_str!("rules/data.toml")),
    ("maps.toml", include_str!("rules/maps.toml")),
    ("iot.toml", include_str!("rules/iot.toml")),
    ("vpn.toml", include_str!("rules/vpn.toml")),
    ("identity.toml", include_str!("rules/identity.toml")),
    ("security.toml", include_str!("rules/security.toml")),
    ("keys.toml", include_str!("rules/keys.toml")),
    ("crypto.toml", include_str!("rules/crypto.toml")),
    ("assignments.toml", include_str!("rules/assignments.toml")),
    ("services.toml", include_str!("rules/services.toml")),
    ("commands.toml", include_str!("rules/commands.toml")),
    ("files.toml", include_str!("rules/files.toml")),
    ("devices.toml", include_str!("rules/devices.toml")),
    ("prose.toml", include_str!("rules/prose.toml")),
];

/// Why a set of rules can't be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// A file is not the TOML that rules are written in.
    #[error("{file}: {reason}")]
    File {
        /// The file's name.
        file: String,
        /// What is wrong, with line and column.
        reason: Box<toml::de::Error>,
    },
    /// A rule says something it must not.
    #[error("{file}: rule `{rule}`: {reason}")]
    Rule {
        /// The file's name.
        file: String,
        /// The rule's id.
        rule: String,
        /// What is wrong.
        reason: String,
    },
    /// The rules are fine, but this machine can't run them.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Where a rule was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    file: String,
    rule: String,
}

impl Origin {
    pub(super) fn new(file: &str, rule: &str) -> Self {
        Self {
            file: file.to_owned(),
            rule: rule.to_owned(),
        }
    }

    pub(super) fn error(&self, reason: impl Into<String>) -> RuleError {
        RuleError::Rule {
            file: self.file.clone(),
            rule: self.rule.clone(),
            reason: reason.into(),
        }
    }
}

/// A rule and where it was written.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) origin: Origin,
    pub(super) text: RuleText,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rule: Vec<RuleText>,
}

/// A rule of secrets: what is looked for. The manual is docs/rules.md.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SecretRule")]
pub struct RuleText {
    /// Unique, lower case with dashes: shown to the user, and the name to replace it or to switch
    /// it off by.
    pub(super) id: String,
    /// Not to be used, whatever else is said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) off: bool,
    /// The KIND of its placeholders: 2 to 12 of A-Z and 0-9.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) kind: String,
    /// What it looks like.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) pattern: Option<String>,
    /// Or: the names it stands beside, as expressions whose case is ignored.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) beside: Vec<String>,
    /// The name must go on as that of a key does: what is no secret has the same form.
    #[serde(default)]
    pub(super) named: bool,
    /// The value beside the name; without it, whatever value stands there is judged.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) value: Option<String>,
    /// Words of which one must stand close by, in any case.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) keywords: Vec<String>,
    /// How sure a match is; the default is high.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) confidence: ConfidenceText,
    /// The least Shannon entropy of the core, in bits per byte.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) entropy: f32,
    /// Classes of characters of which the core must have one each.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) needs: Vec<Class>,
    /// A condition on the core that no pattern can express.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) judge: Option<Judge>,
    /// A structure or checksum.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) check: Option<Check>,
    /// What may stand around it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) edges: Edges,
    /// How far a match may go on, in bytes, where the pattern has no bound.
    #[serde(default = "reach", skip_serializing_if = "is_usual_reach")]
    pub(super) reach: usize,
    /// How far it goes on behind the pattern.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) extend: Option<Extend>,
    /// Cores that are no secrets.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) allow: Vec<String>,
    /// Texts in which it is found: exactly what stands between « and ».
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) examples: Vec<String>,
    /// Texts in which nothing is found.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) counter_examples: Vec<String>,
}

/// [`Confidence`] as it is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Confidence")]
pub(super) enum ConfidenceText {
    Low,
    Medium,
    #[default]
    High,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn is_usual_reach(value: &usize) -> bool {
    *value == reach()
}

/// Enough for whatever is not a document of its own.
fn reach() -> usize {
    2 << 10
}

impl From<ConfidenceText> for Confidence {
    fn from(text: ConfidenceText) -> Self {
        match text {
            ConfidenceText::Low => Self::Low,
            ConfidenceText::Medium => Self::Medium,
            ConfidenceText::High => Self::High,
        }
    }
}

/// A class of characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Class {
    Lower,
    Upper,
    Digit,
    /// A sign that services ask for in passwords, and that names, numbers and sentences do without.
    Symbol,
}

impl Class {
    pub(super) fn is_in(self, text: &[u8]) -> bool {
        text.iter().any(match self {
            Self::Lower => u8::is_ascii_lowercase,
            Self::Upper => u8::is_ascii_uppercase,
            Self::Digit => u8::is_ascii_digit,
            Self::Symbol => |byte: &u8| b"!@#$%^&*+~?".contains(byte),
        })
    }
}

/// The rules that are compiled in.
pub(super) fn builtin() -> Result<Vec<Source>, RuleError> {
    let mut sources = Vec::new();
    for (file, text) in FILES {
        sources.extend(read(file, text)?);
    }
    Ok(sources)
}

/// No id may occur twice: it is the name to switch a rule off by.
pub(super) fn check_ids(sources: &[Source]) -> Result<(), RuleError> {
    let mut ids = HashSet::new();
    let twice = sources.iter().find(|source| !ids.insert(&source.text.id));
    twice.map_or(Ok(()), |source| Err(source.origin.error("its id is taken")))
}

/// The rules of one file.
pub(super) fn read(file: &str, text: &str) -> Result<Vec<Source>, RuleError> {
    let parsed: File = toml::from_str(text).map_err(|reason| RuleError::File {
        file: file.to_owned(),
        reason: Box::new(reason),
    })?;
    let source = |text: RuleText| Source {
        origin: Origin::new(file, &text.id),
        text,
    };
    Ok(parsed.rule.into_iter().map(source).collect())
}
