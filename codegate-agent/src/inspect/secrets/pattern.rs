//! A regular expression that is compiled when it is first needed.
//!
//! Two hundred of them would take a tenth of a second and ten megabytes at start, and most never
//! run: a rule's trigger has to fire first.
//!
//! Knows: regular expressions. Must not know: rules.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

/// An expression over bytes, anchored at its start; `\w` and `\b` are ASCII, as in the first pass.
#[derive(Debug)]
pub(super) struct Pattern {
    text: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Takes an expression whose syntax is sound.
    pub(super) fn anchored(text: &str) -> Self {
        Self {
            text: format!("^(?:{text})"),
            compiled: OnceLock::new(),
        }
    }

    /// The compiled expression; `None` if it is larger than the engine's limit, which is told once.
    pub(super) fn get(&self) -> Option<&Regex> {
        let compile = || {
            compile(&self.text)
                .inspect_err(|error| tracing::error!(%error, "a rule can't be used"))
                .ok()
        };
        self.compiled.get_or_init(compile).as_ref()
    }
}

/// Compiles an expression at once.
pub(super) fn compile(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text)
        .unicode(false)
        .build()
        .map_err(|error| format!("pattern: {error}"))
}
