//! What must be true of a candidate besides its pattern.
//!
//! Knows: one rule's conditions. Must not know: patterns, bounds.

use regex::bytes::Regex;

use super::{
    check::Check,
    documented,
    judge::{self, Judge},
    pattern,
    rule::Candidate,
    source::{Class, RuleText},
    stand_in,
};
use crate::inspect::Confidence;

/// How far before a match, and behind its start, a keyword may stand, in bytes.
const NEARBY: usize = 160;

/// The conditions of one rule.
#[derive(Debug)]
pub(super) struct Conditions {
    keywords: Vec<String>,
    entropy: f32,
    needs: Vec<Class>,
    judge: Option<Judge>,
    check: Option<Check>,
    allow: Vec<Regex>,
}

impl Conditions {
    pub(super) fn compile(text: &RuleText) -> Result<Self, String> {
        let lower = |word: &String| word.to_ascii_lowercase();
        let allow = text.allow.iter().map(|allow| pattern::compile(allow));
        Ok(Self {
            keywords: text.keywords.iter().map(lower).collect(),
            entropy: text.entropy,
            needs: text.needs.clone(),
            judge: text.judge,
            check: text.check,
            allow: allow.collect::<Result<_, _>>()?,
        })
    }

    /// `None` if they don't hold, else how sure they let the rule be.
    pub(super) fn hold(&self, text: &[u8], candidate: &Candidate) -> Option<Confidence> {
        let core = text.get(candidate.core.clone())?;
        let looks_right = judge::entropy(core) >= self.entropy
            && self.needs.iter().all(|class| class.is_in(core))
            && !stand_in::is_stand_in(core)
            && !self.allow.iter().any(|allow| allow.is_match(core));
        let is_accepted = |judge: Judge| judge.accepts(core, candidate.site);
        let holds = looks_right
            && self.judge.is_none_or(is_accepted)
            && self.has_keyword(text, candidate.start)
            && !documented::is_documented(core);
        match self.check {
            _ if !holds => None,
            Some(check) => {
                let sure = check.grade(core, text.get(candidate.core.end..)?);
                // Nobody types a right checksum behind a row by chance.
                sure.filter(|sure| *sure == Confidence::High || !self.is_typed(core))
            }
            None => (!self.is_typed(core)).then_some(Confidence::High),
        }
    }

    /// Whether somebody typed what only a generator makes: the pattern alone says what it is. Beside a
    /// name, a row of letters may be what somebody chose.
    fn is_typed(&self, core: &[u8]) -> bool {
        let is_generated = self.judge.is_none() && matches!(self.check, None | Some(Check::Crc32));
        is_generated && stand_in::has_row(core)
    }

    fn has_keyword(&self, text: &[u8], at: usize) -> bool {
        if self.keywords.is_empty() {
            return true;
        }
        let nearby = at.saturating_sub(NEARBY)..text.len().min(at.saturating_add(NEARBY));
        let around = text.get(nearby).unwrap_or_default().to_ascii_lowercase();
        let is_there = |word: &String| memchr::memmem::find(&around, word.as_bytes()).is_some();
        self.keywords.iter().any(is_there)
    }
}
