//! The second pass over one text: from triggers to findings.
//!
//! Knows: the rules and the text. Must not know: where hits come from.

use std::ops::Range;

use super::{engine::Hit, overlap, rule::Rule};
use crate::inspect::Finding;

/// The state of one scan.
pub(super) struct Sweep<'a> {
    rules: &'a [Rule],
    text: &'a [u8],
    /// For each rule, where its next match may begin: what lies before has been looked at.
    next: Vec<usize>,
    /// With the index of their rule: of two that are equal, the rule that was written first wins.
    findings: Vec<(usize, Finding)>,
}

impl<'a> Sweep<'a> {
    pub(super) fn new(rules: &'a [Rule], text: &'a [u8]) -> Self {
        Self {
            rules,
            text,
            next: vec![0; rules.len()],
            findings: Vec::new(),
        }
    }

    /// Looks for what made a trigger fire: matches of its rule that begin in the window before it.
    pub(super) fn check(&mut self, hit: Hit) {
        if let Some(rule) = self.rules.get(hit.rule)
            && rule.is_worth_it(self.text, hit.end)
        {
            self.look(
                hit.rule,
                rule,
                hit.end.saturating_sub(rule.trigger.longest)..hit.end,
            );
        }
    }

    /// As if every trigger had fired everywhere.
    pub(super) fn check_everywhere(&mut self) {
        for (index, rule) in self.rules.iter().enumerate() {
            self.look(index, rule, 0..self.text.len());
        }
    }

    fn look(&mut self, index: usize, rule: &Rule, starts: Range<usize>) {
        let Some(next) = self.next.get_mut(index) else {
            return;
        };
        *next = (*next).max(starts.start);
        while *next < starts.end
            && let Some(candidate) = rule.find(self.text, *next..starts.end)
        {
            *next = candidate.start + 1;
            if let Some(verdict) = rule.judge(self.text, &candidate) {
                *next = (*next).max(verdict.secret.end);
                self.findings.push((index, rule.finding(verdict)));
            }
        }
    }

    /// The findings, in order and apart.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        self.findings
            .sort_by_key(|(rule, finding)| (*rule, finding.range.start));
        overlap::settle(
            self.findings
                .into_iter()
                .map(|(_, finding)| finding)
                .collect(),
        )
    }
}
