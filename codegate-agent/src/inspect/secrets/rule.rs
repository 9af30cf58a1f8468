//! A rule, ready to run: what it looks for, and what becomes of what it finds.
//!
//! Knows: its own pattern and conditions. Must not know: other rules, or the engine.

use std::{fmt, ops::Range, sync::Arc};

use regex::bytes::Captures;
use regex_syntax::hir::Hir;

use super::{
    assignment::{self, Beside},
    columns,
    conditions::Conditions,
    edges::{self, Edges},
    engine::Sought,
    judge::Site,
    landmarks::{Held, Landmark},
    pattern::Pattern,
    pem::Extend,
    source::{Class, Origin, RuleError, RuleText, Source},
    trigger::{self, Trigger},
};
use crate::inspect::{Confidence, Finding, Kind};

/// One way a secret looks.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) origin: Origin,
    pub(super) trigger: Trigger,
    pub(super) id: Arc<str>,
    /// All that it finds is around these, its trigger included.
    around: Option<Landmark>,
    kind: Kind,
    shape: Shape,
    confidence: Confidence,
    conditions: Conditions,
    extend: Option<Extend>,
}

#[derive(Debug)]
enum Shape {
    /// It has a form of its own.
    Token(Token),
    /// It is the value beside a name.
    Beside(Beside),
}

#[derive(Debug)]
struct Token {
    /// Anchored at its start. Searching for the start would be a trap: over base64 with long runs
    /// of one letter, a pattern with counted repetitions takes milliseconds for a kilobyte.
    pattern: Pattern,
    edges: Edges,
    /// The longest match, in bytes.
    reach: usize,
}

/// A place where the pattern matches, before the conditions are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Where the match begins.
    pub(super) start: usize,
    /// What would be sealed.
    pub(super) secret: Range<usize>,
    /// The part of it that must look like a secret.
    pub(super) core: Range<usize>,
    /// How it stands there.
    pub(super) site: Site,
}

impl Rule {
    pub(super) fn compile(source: Source) -> Result<Self, RuleError> {
        let Source { origin, text } = source;
        let fail = |reason: String| origin.error(reason);
        check_id(&text.id).map_err(fail)?;
        let kind = Kind::parse(&text.kind)
            .ok_or_else(|| format!("`{}` is no kind: 2 to 12 of A-Z and 0-9", text.kind))
            .map_err(fail)?;
        let (trigger, around, shape) = shape(&text).map_err(fail)?;
        Ok(Self {
            id: text.id.as_str().into(),
            around,
            kind,
            trigger,
            shape,
            confidence: text.confidence.into(),
            extend: text.extend,
            conditions: Conditions::compile(&text).map_err(fail)?,
            origin,
        })
    }

    /// What the first pass looks for on its behalf.
    pub(super) fn sought(&self) -> Sought<'_> {
        Sought {
            trigger: &self.trigger.pattern,
            around: self.around,
        }
    }

    /// Where a match may begin that makes the trigger end at a place.
    pub(super) fn starts(&self, end: usize) -> Range<usize> {
        match &self.shape {
            Shape::Token(_) => {
                let last = end.checked_sub(self.trigger.shortest);
                end.saturating_sub(self.trigger.longest)..last.map_or(0, |last| last + 1)
            }
            // The name ends there: what counts as the start is the place behind it.
            Shape::Beside(_) => end..end + 1,
        }
    }

    /// Whether it knows a name that ends here and may stand above its value.
    pub(super) fn is_named_above(&self, text: &[u8], end: usize) -> bool {
        matches!(&self.shape, Shape::Beside(beside) if beside.takes_any())
            && text.get(end..).is_some_and(columns::may_stand_above)
    }

    /// The candidate that begins at a place.
    pub(super) fn at(&self, text: &[u8], start: usize) -> Option<Candidate> {
        match &self.shape {
            Shape::Token(token) => token.at(text, start),
            Shape::Beside(beside) => beside.behind(text, start),
        }
    }

    /// Asks the conditions, and settles the bounds.
    pub(super) fn judge(&self, text: &[u8], candidate: &Candidate) -> Option<Finding> {
        let range = match self.extend {
            Some(extend) => extend.settle(text, candidate.secret.clone())?,
            None => candidate.secret.clone(),
        };
        let sure = self.conditions.hold(text, candidate)?;
        Some(Finding {
            range,
            kind: self.kind,
            rule: self.id.clone(),
            confidence: self.confidence.min(sure),
        })
    }
}

/// An id is printed, searched for and typed.
fn check_id(id: &str) -> Result<(), String> {
    const LONGEST: usize = 64;
    let of = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    match (1..=LONGEST).contains(&id.len()) && id.bytes().all(of) {
        true => Ok(()),
        false => Err("an id has 1 to 64 of a-z, 0-9 and `-`".into()),
    }
}

/// A rule's trigger, what that and all that it finds are around, and its shape.
fn shape(text: &RuleText) -> Result<(Trigger, Option<Landmark>, Shape), String> {
    match (&text.pattern, text.beside.as_slice()) {
        (Some(pattern), []) => {
            let hir = parsed(pattern)?;
            let trigger = Trigger::of_parsed(&hir).map_err(in_pattern)?;
            let around = held(text, &hir).and_then(|held| held.around(0, trigger.longest));
            let token = Token {
                pattern: Pattern::anchored(pattern),
                edges: text.edges,
                reach: trigger.whole.unwrap_or(text.reach),
            };
            Ok((trigger, around, Shape::Token(token)))
        }
        (None, names @ [_, ..]) => {
            if text.value.is_none() && text.judge.is_none() {
                return Err("a rule `beside` names needs a `value` or a `judge`".into());
            }
            let beside = Beside::compile(text.value.as_deref(), text.named)?;
            let trigger = Trigger::of(&assignment::any_of(names)).map_err(in_pattern)?;
            let value = text.value.as_deref().map(parsed).transpose()?;
            let name = trigger.longest + assignment::LONGEST_TIE;
            let held = value.and_then(|value| held(text, &value));
            let around = held.and_then(|held| held.around(name, trigger.longest));
            Ok((trigger, around, Shape::Beside(beside)))
        }
        _ => Err("it needs either a `pattern` or names that it stands `beside`".into()),
    }
}

/// The landmark that each match of its pattern or value holds.
fn held(text: &RuleText, hir: &Hir) -> Option<Held> {
    Held::by(hir, text.needs.contains(&Class::Digit))
}

fn parsed(pattern: &str) -> Result<Hir, String> {
    trigger::parse(pattern).map_err(in_pattern)
}

fn in_pattern(error: impl fmt::Display) -> String {
    format!("pattern: {error}")
}

impl Token {
    fn at(&self, text: &[u8], start: usize) -> Option<Candidate> {
        if !self.edges.open(text, start) {
            return None;
        }
        // One byte more than the longest match, for a `$` or `\b` at its end.
        let until = text.len().min(start.saturating_add(self.reach + 1));
        let (pattern, rest) = (self.pattern.get()?, text.get(start..until)?);
        // Captures take memory, and at most places there is nothing to capture.
        if !pattern.is_match(rest) {
            return None;
        }
        let captures = pattern.captures(rest)?;
        let whole = group(&captures, "0", start)?;
        if !self.edges.close(text, whole.end) {
            return None;
        }
        let mut secret = group(&captures, "secret", start).unwrap_or_else(|| whole.clone());
        secret.end = secret.start + edges::before_wide_sign(text.get(secret.clone())?);
        let core = group(&captures, "core", start).unwrap_or_else(|| secret.clone());
        Some(Candidate {
            start,
            secret,
            core,
            site: Site::Free,
        })
    }
}

/// Where a named group, or the whole match (`0`), stands in the text.
fn group(captures: &Captures<'_>, name: &str, start: usize) -> Option<Range<usize>> {
    let found = match name {
        "0" => captures.get(0),
        name => captures.name(name),
    };
    found.map(|found| start + found.start()..start + found.end())
}
