//! The second pass over one text: from triggers to findings.
//!
//! Knows: the rules and the text. Must not know: where hits come from.

use std::collections::BTreeSet;

use regex::bytes::Regex;

use super::{engine::Hit, overlap, pattern, rule::Rule};
use crate::inspect::Finding;

/// The state of one scan.
pub(super) struct Sweep<'a> {
    rules: &'a [Rule],
    text: &'a [u8],
    /// For each rule, where its next match may begin: what lies before has been looked at.
    next: Vec<usize>,
    /// With the index of their rule: of two that are equal, the rule that was written first wins.
    findings: Vec<(usize, Finding)>,
    /// Where names end that may stand above their values, in order.
    above: Vec<usize>,
    /// How often each rule was tried at a place.
    #[cfg(test)]
    pub(super) tries: Vec<usize>,
}

/// What one scan found.
pub(super) struct Swept {
    /// In order and apart.
    pub(super) findings: Vec<Finding>,
    /// Where names end that may stand above their values, in order.
    pub(super) above: Vec<usize>,
}

/// Every rule's trigger as an expression of its own: one finds where it begins, the other one says whether
/// a part of the text is one.
pub(super) struct Triggers(Vec<Option<(Regex, Regex)>>);

impl Triggers {
    /// The triggers of these rules, which a [`Sweep`] must have, too.
    pub(super) fn of(rules: &[Rule]) -> Self {
        let compile = |rule: &Rule| {
            let trigger = &rule.trigger.pattern;
            let exact = pattern::compile(&format!(r"\A(?:{trigger})\z"));
            Some((pattern::compile(trigger).ok()?, exact.ok()?))
        };
        Self(rules.iter().map(compile).collect())
    }
}

impl<'a> Sweep<'a> {
    pub(super) fn new(rules: &'a [Rule], text: &'a [u8]) -> Self {
        Self {
            rules,
            text,
            next: vec![0; rules.len()],
            findings: Vec::new(),
            above: Vec::new(),
            #[cfg(test)]
            tries: vec![0; rules.len()],
        }
    }

    /// Looks for what made a trigger fire.
    ///
    /// A place where a rule was tried is not tried again, whatever fires behind it: so a text costs
    /// each rule no more tries than it has bytes.
    pub(super) fn check(&mut self, hit: Hit) {
        let (Some(rule), Some(next)) = (self.rules.get(hit.rule), self.next.get_mut(hit.rule))
        else {
            return;
        };
        if rule.is_named_above(self.text, hit.end) {
            self.above.push(hit.end);
        }
        let starts = rule.starts(hit.end);
        *next = (*next).max(starts.start);
        while *next < starts.end {
            let start = *next;
            *next += 1;
            #[cfg(test)]
            {
                self.tries[hit.rule] += 1;
            }
            let candidate = rule.at(self.text, start);
            let finding = candidate.and_then(|candidate| rule.judge(self.text, &candidate));
            if let Some(finding) = finding {
                *next = (*next).max(finding.range.end);
                self.findings.push((hit.rule, finding));
            }
        }
    }

    /// Finds the triggers one rule at a time, without the first pass.
    pub(super) fn check_everywhere(&mut self, triggers: &Triggers) {
        for (rule, trigger) in triggers.0.iter().enumerate() {
            if let Some((trigger, exact)) = trigger {
                self.check_all(rule, trigger, exact);
            }
        }
    }

    /// As in the first pass, every end that a trigger has at one start counts, and ends come in
    /// order: behind the name `telegram bot` the value is not where it is behind `telegram`.
    fn check_all(&mut self, rule: usize, trigger: &Regex, exact: &Regex) {
        let lengths = self.rules[rule].trigger.lengths();
        let mut ends = BTreeSet::new();
        let mut from = 0;
        while let Some(found) = trigger.find_at(self.text, from) {
            let rest = &self.text[found.start()..];
            let is_match =
                |length: &usize| rest.get(..*length).is_some_and(|part| exact.is_match(part));
            let lengths = lengths.clone().filter(is_match);
            ends.extend(lengths.map(|length| found.start() + length));
            from = found.start() + 1;
        }
        for end in ends {
            self.check(Hit { rule, end });
        }
    }

    /// What was found.
    pub(super) fn finish(mut self) -> Swept {
        self.findings
            .sort_by_key(|(rule, finding)| (*rule, finding.range.start));
        let findings = self.findings.into_iter().map(|(_, finding)| finding);
        // Rules may have been tried one by one.
        self.above.sort_unstable();
        Swept {
            findings: overlap::settle(findings.collect()),
            above: self.above,
        }
    }
}
