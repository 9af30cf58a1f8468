//! All that is looked for in a text, and what becomes of it.

use std::{ops::Range, path::Path};

use super::{
    Finding, Known,
    memory::{Memory, Owned},
    pii::{Action, Pii, Policy},
    secrets::{self, RuleError, Scanner, UserRules},
};

/// A segment of a text that is made of pieces has at least so many bytes, where there are as many.
const SEGMENT: usize = 16 << 10;

/// How much of a text before and behind a segment is looked at with it, in bytes: names, keywords and
/// neighbours stand nearer than this to what they say something about.
const CONTEXT: usize = 512;

/// Secrets and personal data, by one policy. One is enough for all threads.
#[derive(Debug)]
pub struct Inspector {
    secrets: Scanner,
    pii: Pii,
    memory: Memory,
}

/// What was found in a text. No two findings overlap; each list is in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspection {
    /// What must not leave the machine.
    pub sealed: Vec<Finding>,
    /// What may leave, and is worth telling.
    pub reported: Vec<Finding>,
}

/// Whose text it is.
#[derive(Clone, Copy)]
pub struct Owner<'a> {
    /// The user.
    pub uid: u32,
    /// What they named.
    pub known: Option<&'a dyn Known>,
}

impl Inspector {
    /// The rules that are compiled in, and personal data as the policy says.
    ///
    /// # Errors
    /// If a rule is wrong or this processor can't run the engine.
    pub fn builtin(policy: Policy) -> Result<Self, RuleError> {
        Ok(Self::new(Scanner::builtin()?, policy))
    }

    /// The rules that are compiled in and the user's, and personal data as the policy says; what is
    /// compiled of the rules is kept in the folder.
    ///
    /// # Errors
    /// If a rule is wrong or this processor can't run the engine.
    pub fn with_rules(
        rules: &UserRules,
        policy: Policy,
        kept: Option<&Path>,
    ) -> Result<Self, RuleError> {
        Ok(Self::new(Scanner::with_rules(rules, kept)?, policy))
    }

    /// Rules of secrets, and personal data as the policy says.
    pub fn new(secrets: Scanner, policy: Policy) -> Self {
        Self {
            secrets,
            pii: Pii::new(policy),
            memory: Memory::new(),
        }
    }

    /// Everything in a text of any bytes. What is a secret is not told of again as personal.
    pub fn inspect(&self, text: &[u8]) -> Inspection {
        let mut sealed = self.secrets.scan(text);
        let mut reported = Vec::new();
        for personal in self.pii.scan(text, &sealed) {
            match personal.action {
                Action::Redact => sealed.push(personal.finding),
                Action::Report => reported.push(personal.finding),
                Action::Off => {}
            }
        }
        sealed.sort_by_key(|finding| finding.range.start);
        Inspection { sealed, reported }
    }

    /// Everything in a text that is made of pieces, which end at these places (in order), each of
    /// them a text of its own: what reaches out of one is no finding.
    ///
    /// What the owner has sent before is remembered, so a conversation that comes again with one more
    /// message costs little more than that message. The outcome is the same without memory.
    pub fn inspect_pieces(
        &self,
        text: &[u8],
        ends: impl IntoIterator<Item = usize>,
        owner: Option<Owner<'_>>,
    ) -> Inspection {
        let memory = owner.map(|owner| self.memory.of(owner.uid));
        let mut all = Inspection::default();
        for segment in segments(text.len(), ends) {
            self.inspect_segment(text, segment, memory.as_ref(), &mut all);
        }
        match owner.and_then(|owner| owner.known) {
            Some(known) => all.with(known.find(text)),
            None => all,
        }
    }

    fn inspect_segment(
        &self,
        text: &[u8],
        segment: Range<usize>,
        memory: Option<&Owned<'_>>,
        all: &mut Inspection,
    ) {
        let base = segment.start.saturating_sub(CONTEXT);
        let until = text.len().min(segment.end.saturating_add(CONTEXT));
        let view = text.get(base..until).unwrap_or_default();
        let part = segment.start - base..segment.end - base;
        let scan = || self.inspect(view).within(&part);
        match memory {
            Some(memory) => all.append(&memory.recall(view, part.clone(), scan), base),
            None => all.append(&scan(), base),
        }
    }
}

/// Cuts a text at the ends of pieces into segments that are neither tiny nor many.
fn segments(
    len: usize,
    ends: impl IntoIterator<Item = usize>,
) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    let mut ends = ends.into_iter().filter(move |end| *end < len);
    std::iter::from_fn(move || {
        let from = start;
        let end = ends.find(|end| end.saturating_sub(from) >= SEGMENT);
        start = end.unwrap_or(len);
        (from < len).then_some(from..start)
    })
}

impl Inspection {
    /// What lies in a part of the text.
    fn within(mut self, part: &Range<usize>) -> Self {
        let is_in = |f: &Finding| part.start <= f.range.start && f.range.end <= part.end;
        self.sealed.retain(is_in);
        self.reported.retain(is_in);
        self
    }

    /// Adds what was found in a view that begins at a place of the text.
    fn append(&mut self, view: &Self, base: usize) {
        let moved = |finding: &Finding| Finding {
            range: base + finding.range.start..base + finding.range.end,
            ..finding.clone()
        };
        self.sealed.extend(view.sealed.iter().map(moved));
        self.reported.extend(view.reported.iter().map(moved));
    }

    /// With more that must not leave the machine, in any order.
    fn with(mut self, more: Vec<Finding>) -> Self {
        if more.is_empty() {
            return self;
        }
        self.sealed.extend(more);
        self.sealed = secrets::settle(self.sealed);
        let sealed = &self.sealed;
        self.reported.retain(|f| is_free(sealed, &f.range));
        self
    }
}

/// Whether no finding (they are in order and apart) overlaps a range.
fn is_free(findings: &[Finding], range: &Range<usize>) -> bool {
    let before = findings.partition_point(|f| f.range.start < range.end);
    let last = before.checked_sub(1).and_then(|last| findings.get(last));
    last.is_none_or(|last| last.range.end <= range.start)
}

#[cfg(test)]
mod tests;
