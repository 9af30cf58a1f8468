//! Finding secrets in text: a set of rules, run in two passes.
//!
//! Knows: bytes of decoded text and the rules, which are data (`rules/*.toml`). Must not know: JSON,
//! HTTP, who is asking, or what becomes of a finding.
//!
//! The first pass are Hyperscan databases made of every rule's *trigger*, a prefix of what the
//! rule's pattern accepts ([`trigger`]); they tell only where a trigger ended. But for one they need not look at all
//! of the text, but only where something long or odd stands ([`landmarks`]). The second pass runs
//! the pattern itself in a small window around that place ([`rule`]), finds the exact bounds, and
//! asks the rule's conditions. Both passes come from one pattern, so they cannot disagree.
//!
//! When it must choose: a format with a prefix of its own is taken even if its checksum is wrong
//! (a placeholder too many is restored on the way back, a secret too few is lost); a value that is
//! only *named* like a secret must look like one.

mod assignment;
mod check;
mod columns;
mod conditions;
mod disguise;
mod documented;
mod edges;
mod engine;
mod example;
mod judge;
mod kept;
mod landmarks;
mod memorable;
mod name;
mod overlap;
mod pattern;
mod pem;
mod rule;
mod shape;
mod source;
mod stand_in;
mod sweep;
#[cfg(test)]
mod tests;
mod ties;
mod trigger;
mod user;
mod views;
mod words;

use std::path::Path;

use engine::{Engine, Sought};
use landmarks::Words;
use rule::Rule;
use sweep::{Sweep, Swept, Triggers};

pub(super) use overlap::settle;
pub use source::{RuleError, RuleText};
pub use user::UserRules;

use super::Finding;

/// The rules and the database that triggers them. One is enough for all threads.
#[derive(Debug)]
pub struct Scanner {
    rules: Vec<Rule>,
    engine: Engine,
}

impl Scanner {
    /// A scanner with the rules that are compiled in.
    ///
    /// # Errors
    /// If a rule is wrong (a test proves that none is) or this processor can't run Hyperscan.
    pub fn builtin() -> Result<Self, RuleError> {
        Self::with_rules(&UserRules::default(), None)
    }

    /// A scanner with the rules that are compiled in, as far as the user's leave them in place, and
    /// the user's own. What is compiled of them is kept in the folder, if there is one, where the next
    /// start finds it: compiling takes a second.
    ///
    /// # Errors
    /// If a rule is wrong, or all rules together are too much for the engine.
    pub fn with_rules(rules: &UserRules, kept: Option<&Path>) -> Result<Self, RuleError> {
        Self::from_sources(rules.over(source::builtin()?), kept)
    }

    fn from_sources(sources: Vec<source::Source>, kept: Option<&Path>) -> Result<Self, RuleError> {
        source::check_ids(&sources)?;
        let rules = sources
            .into_iter()
            .map(Rule::compile)
            .collect::<Result<Vec<_>, _>>()?;
        let sought: Vec<Sought<'_>> = rules.iter().map(Rule::sought).collect();
        let engine = match kept {
            Some(dir) => Engine::kept_or_compiled(&sought, dir),
            None => Engine::compile(&sought),
        };
        let engine = engine.map_err(|error| blame(&rules, error))?;
        Ok(Self { rules, engine })
    }

    /// Every secret in a text of any bytes: in order, none overlapping another, with exact bounds.
    ///
    /// What is percent-encoded, escaped, or wrapped in base64, hexadecimal or UTF-16 is found, too: one
    /// level of that is looked through.
    pub fn scan(&self, text: &[u8]) -> Vec<Finding> {
        let words = Words::of(text);
        let found = self.scan_plain(text, &words);
        let views = disguise::views(text, &words);
        if views.is_empty() {
            return found;
        }
        let hidden = views.bytes();
        views.lead_back(self.scan_plain(hidden, &Words::of(hidden)), found)
    }

    /// What stands in a text as it is, also below its name.
    fn scan_plain(&self, text: &[u8], words: &Words) -> Vec<Finding> {
        let swept = self.sweep(text, words);
        let views = columns::views(text, &swept.above);
        if views.is_empty() {
            return swept.findings;
        }
        let moved = views.bytes();
        views.lead_back(
            self.sweep(moved, &Words::of(moved)).findings,
            swept.findings,
        )
    }

    /// What stands in a text as it is, beside its name.
    ///
    /// If the engine fails (no memory for its scratch space), every pattern is run over the whole
    /// text instead: slow, but nothing is missed.
    fn sweep(&self, text: &[u8], words: &Words) -> Swept {
        let mut sweep = Sweep::new(&self.rules, text);
        match self.engine.scan(text, words, &mut |hit| sweep.check(hit)) {
            Ok(()) => sweep.finish(),
            Err(error) => {
                tracing::warn!(%error, "the first pass failed; running every rule on its own");
                self.scan_one_by_one(&Triggers::of(&self.rules), text)
            }
        }
    }

    fn scan_one_by_one(&self, triggers: &Triggers, text: &[u8]) -> Swept {
        let mut sweep = Sweep::new(&self.rules, text);
        sweep.check_everywhere(triggers);
        sweep.finish()
    }

    /// How often triggers fire in a text: the first pass alone, to be measured.
    pub fn triggers(&self, text: &[u8]) -> usize {
        let mut count = 0;
        match self
            .engine
            .scan(text, &Words::of(text), &mut |_| count += 1)
        {
            Ok(()) => count,
            Err(_) => 0,
        }
    }

    /// How many rules there are.
    pub fn rules(&self) -> usize {
        self.rules.len()
    }
}

/// Says which rule made the whole set impossible to compile.
fn blame(rules: &[Rule], error: engine::EngineError) -> RuleError {
    let culprit = rules
        .iter()
        .find(|rule| Engine::compile(&[rule.sought()]).is_err());
    match culprit {
        Some(rule) => rule.origin.error(format!("hyperscan: {error}")),
        None => RuleError::Engine(error),
    }
}
