//! A rule, ready to run: what it looks for, and what must be true of what it finds.
//!
//! Knows: its own pattern and conditions. Must not know: other rules, or the engine.

use std::{ops::Range, sync::Arc};

use regex::bytes::{Captures, Regex, RegexBuilder};

use super::{
    assignment::{self, Beside},
    check::Check,
    edges::Edges,
    judge::{self, Judge, Site},
    pem::Extend,
    source::{Class, Origin, RuleError, RuleText, Source},
    trigger::Trigger,
};
use crate::inspect::{Confidence, Finding, Kind};

/// How far before a match, and behind its start, a keyword may stand, in bytes.
const NEARBY: usize = 160;

/// One way a secret looks.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) origin: Origin,
    pub(super) id: Arc<str>,
    pub(super) kind: Kind,
    pub(super) trigger: Trigger,
    shape: Shape,
    confidence: Confidence,
    conditions: Conditions,
    extend: Option<Extend>,
}

#[derive(Debug)]
enum Shape {
    /// It has a form of its own.
    Token {
        pattern: Regex,
        edges: Edges,
        /// How far behind the trigger a match may go on, in bytes.
        reach: usize,
    },
    /// It is the value beside a name.
    Beside(Beside),
}

/// What must be true of a secret's core.
#[derive(Debug)]
struct Conditions {
    keywords: Vec<String>,
    entropy: f32,
    needs: Vec<Class>,
    judge: Option<Judge>,
    check: Option<Check>,
    allow: Vec<Regex>,
}

/// A place where the pattern matches, before the conditions are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Where the match begins, name and all.
    pub(super) start: usize,
    /// What would be sealed.
    pub(super) secret: Range<usize>,
    /// The part of it that must look like a secret.
    pub(super) core: Range<usize>,
    /// How it stands there.
    pub(super) site: Site,
}

/// What a rule says of a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) secret: Range<usize>,
    pub(super) confidence: Confidence,
}

impl Rule {
    pub(super) fn compile(source: Source) -> Result<Self, RuleError> {
        let Source { origin, text } = source;
        let fail = |reason: String| origin.error(reason);
        let kind = Kind::parse(&text.kind).ok_or_else(|| {
            fail(format!(
                "`{}` is no kind: 2 to 12 of A-Z and 0-9",
                text.kind
            ))
        })?;
        let (trigger, shape) = shape(&text).map_err(fail)?;
        let confidence = text.confidence.into();
        Ok(Self {
            id: text.id.as_str().into(),
            kind,
            trigger,
            shape,
            confidence,
            extend: text.extend,
            conditions: Conditions::compile(text).map_err(fail)?,
            origin,
        })
    }

    /// Whether a trigger that ended here is worth a closer look.
    pub(super) fn is_worth_it(&self, text: &[u8], end: usize) -> bool {
        match &self.shape {
            Shape::Token { .. } => true,
            Shape::Beside(_) => assignment::may_follow(text, end),
        }
    }

    /// The first candidate that begins in a part of the text; the text around is looked at, too.
    pub(super) fn find(&self, text: &[u8], starts: Range<usize>) -> Option<Candidate> {
        match &self.shape {
            Shape::Token {
                pattern,
                edges,
                reach,
            } => {
                let visible = text.len().min(starts.end.saturating_add(*reach));
                find_token(pattern, *edges, text.get(..visible)?, &starts)
            }
            Shape::Beside(beside) => beside.find(text, &starts),
        }
    }

    /// Asks the conditions, and settles the bounds.
    pub(super) fn judge(&self, text: &[u8], candidate: &Candidate) -> Option<Verdict> {
        let secret = match self.extend {
            Some(extend) => extend.settle(text, candidate.secret.clone())?,
            None => candidate.secret.clone(),
        };
        let core = text.get(candidate.core.clone())?;
        let sure = self.conditions.hold(text, candidate, core)?;
        let confidence = if sure {
            self.confidence
        } else {
            Confidence::Medium.min(self.confidence)
        };
        Some(Verdict { secret, confidence })
    }

    /// What becomes of a verdict.
    pub(super) fn finding(&self, verdict: Verdict) -> Finding {
        Finding {
            range: verdict.secret,
            kind: self.kind,
            rule: self.id.clone(),
            confidence: verdict.confidence,
        }
    }
}

/// A rule's trigger and shape.
fn shape(text: &RuleText) -> Result<(Trigger, Shape), String> {
    let trigger = |pattern: &str| Trigger::of(pattern).map_err(|error| format!("pattern: {error}"));
    match (&text.pattern, text.beside.as_slice()) {
        (Some(pattern), []) => {
            let trigger = trigger(pattern)?;
            let shape = Shape::Token {
                pattern: regex(pattern)?,
                edges: text.edges,
                reach: trigger.whole.map_or(text.reach, |whole| whole + 1),
            };
            Ok((trigger, shape))
        }
        (None, names @ [_, ..]) => {
            if text.value.is_none() && text.judge.is_none() {
                return Err("a rule `beside` names needs a `value` or a `judge`".into());
            }
            let beside = Beside::compile(names, text.value.as_deref(), text.judge)?;
            Ok((trigger(&assignment::any_of(names))?, Shape::Beside(beside)))
        }
        _ => Err("it needs either a `pattern` or names that it stands `beside`".into()),
    }
}

/// A regular expression over bytes; its `\w` and `\b` are ASCII, like the first pass's.
pub(super) fn regex(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .unicode(false)
        .build()
        .map_err(|error| format!("pattern: {error}"))
}

fn find_token(
    pattern: &Regex,
    edges: Edges,
    text: &[u8],
    starts: &Range<usize>,
) -> Option<Candidate> {
    let mut from = starts.start;
    while from < starts.end {
        let captures = pattern.captures_at(text, from)?;
        let whole = captures.get(0)?.range();
        if whole.start >= starts.end {
            return None;
        }
        if edges.allow(text, &whole) {
            return Some(candidate(&captures, whole));
        }
        from = whole.start + 1;
    }
    None
}

fn candidate(captures: &Captures<'_>, whole: Range<usize>) -> Candidate {
    let group = |name| captures.name(name).map(|group| group.range());
    let secret = group("secret").unwrap_or_else(|| whole.clone());
    let core = group("core").unwrap_or_else(|| secret.clone());
    Candidate {
        start: whole.start,
        secret,
        core,
        site: Site::Free,
    }
}

impl Conditions {
    fn compile(text: RuleText) -> Result<Self, String> {
        Ok(Self {
            keywords: text
                .keywords
                .iter()
                .map(|word| word.to_ascii_lowercase())
                .collect(),
            entropy: text.entropy,
            needs: text.needs,
            judge: text.judge,
            check: text.check,
            allow: text
                .allow
                .iter()
                .map(|allow| regex(allow))
                .collect::<Result<_, _>>()?,
        })
    }

    /// `None` if they don't hold, else whether the rule may be as sure as it says.
    fn hold(&self, text: &[u8], candidate: &Candidate, core: &[u8]) -> Option<bool> {
        let looks_right = judge::entropy(core) >= self.entropy
            && self.needs.iter().all(|class| class.is_in(core))
            && !judge::is_stand_in(core)
            && !self.allow.iter().any(|allow| allow.is_match(core))
            && self
                .judge
                .is_none_or(|judge| judge.accepts(core, candidate.site))
            && self.has_keyword(text, candidate.start);
        if !looks_right {
            return None;
        }
        self.check.map_or(Some(true), |check| check.grade(core))
    }

    fn has_keyword(&self, text: &[u8], at: usize) -> bool {
        if self.keywords.is_empty() {
            return true;
        }
        let until = text.len().min(at.saturating_add(NEARBY));
        let around = text
            .get(at.saturating_sub(NEARBY)..until)
            .unwrap_or_default();
        let around = around.to_ascii_lowercase();
        let finder = |word: &String| memchr::memmem::find(&around, word.as_bytes()).is_some();
        self.keywords.iter().any(finder)
    }
}
