//! The first pass: where triggers ended, found by two Hyperscan databases. One looks at all of a text, the
//! other one only around its [landmarks](super::landmarks).
//!
//! Knows: triggers, and nothing of rules but their index. Must not know: what becomes of a hit.

mod database;
mod gathered;

use std::path::Path;

use super::{kept::Kept, landmarks::Words};
use database::Database;
use gathered::Gathered;

pub(super) use database::{EngineError, LONGEST_TRIGGER};

/// What stands between the patterns of the two databases where they are told apart from others.
const BETWEEN: &str = "\0";

/// A trigger has matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    /// The index of the rule.
    pub(super) rule: usize,
    /// The offset behind the trigger's last byte.
    pub(super) end: usize,
}

/// What the first pass looks for on behalf of a rule, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sought<'a> {
    pub(super) trigger: &'a str,
    /// Around landmarks only.
    pub(super) by_landmarks: bool,
}

/// The compiled triggers.
#[derive(Debug)]
pub(super) struct Engine {
    everywhere: Part,
    by_landmarks: Part,
}

/// Triggers that are looked for in the same places.
#[derive(Debug)]
struct Part {
    /// None if there are no such triggers.
    database: Option<Database>,
    /// The rule of each trigger.
    rules: Vec<usize>,
}

/// Which triggers are looked for where.
struct Plan<'a> {
    everywhere: Triggers<'a>,
    by_landmarks: Triggers<'a>,
}

#[derive(Default)]
struct Triggers<'a> {
    patterns: Vec<&'a str>,
    rules: Vec<usize>,
}

impl Engine {
    /// Compiles triggers; a [`Hit`] names them by their position.
    pub(super) fn compile(sought: &[Sought<'_>]) -> Result<Self, EngineError> {
        let plan = Plan::of(sought);
        Ok(Self {
            everywhere: plan.everywhere.compile()?,
            by_landmarks: plan.by_landmarks.compile()?,
        })
    }

    /// What was compiled before and kept in a folder, or else compiles triggers, and keeps that.
    ///
    /// Hyperscan itself refuses what another version of it compiled, or for another processor.
    pub(super) fn kept_or_compiled(sought: &[Sought<'_>], dir: &Path) -> Result<Self, EngineError> {
        let kept = Plan::of(sought).kept(dir);
        let bytes = kept.read();
        if let Some(engine) = bytes.and_then(|bytes| Self::deserialize(Plan::of(sought), &bytes)) {
            return Ok(engine);
        }
        let engine = Self::compile(sought)?;
        match engine.serialize() {
            Ok(bytes) => kept.write(&bytes),
            Err(error) => tracing::debug!(%error, "compiled patterns are not kept"),
        }
        Ok(engine)
    }

    /// Calls `on_hit` for every hit in a text, whose words are known: each rule's in the order of their ends.
    pub(super) fn scan(
        &self,
        text: &[u8],
        words: &Words,
        on_hit: &mut dyn FnMut(Hit),
    ) -> Result<(), EngineError> {
        self.everywhere.scan(text, |end| end, on_hit)?;
        if self.by_landmarks.database.is_none() {
            return Ok(());
        }
        let mut gathered = Gathered::default();
        for part in words.surroundings(text) {
            if !gathered.takes(&part) {
                self.scan_gathered(text, &mut gathered, on_hit)?;
            }
            gathered.add(text, part);
        }
        self.scan_gathered(text, &mut gathered, on_hit)
    }

    fn scan_gathered(
        &self,
        text: &[u8],
        gathered: &mut Gathered,
        on_hit: &mut dyn FnMut(Hit),
    ) -> Result<(), EngineError> {
        let bytes = gathered.bytes(text);
        let scanned = self
            .by_landmarks
            .scan(bytes, |end| gathered.lead_back(end), on_hit);
        gathered.clear();
        scanned
    }

    fn serialize(&self) -> Result<Vec<u8>, EngineError> {
        let first = self.everywhere.serialize()?;
        let second = self.by_landmarks.serialize()?;
        let length = (first.len() as u64).to_le_bytes();
        Ok([&length[..], &first, &second].concat())
    }

    fn deserialize(plan: Plan<'_>, bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let (first, second) = rest.split_at_checked(length)?;
        Some(Self {
            everywhere: plan.everywhere.deserialize(first)?,
            by_landmarks: plan.by_landmarks.deserialize(second)?,
        })
    }
}

impl<'a> Plan<'a> {
    fn of(sought: &[Sought<'a>]) -> Self {
        let among = |by_landmarks| {
            let sought = sought.iter().enumerate();
            let chosen = sought.filter(|(_, sought)| sought.by_landmarks == by_landmarks);
            let (rules, patterns) = chosen.map(|(rule, sought)| (rule, sought.trigger)).unzip();
            Triggers { patterns, rules }
        };
        Self {
            everywhere: among(false),
            by_landmarks: among(true),
        }
    }

    fn kept(&self, dir: &Path) -> Kept {
        let (first, second) = (&self.everywhere.patterns, &self.by_landmarks.patterns);
        Kept::of(dir, &[&first[..], &[BETWEEN], &second[..]].concat())
    }
}

impl Triggers<'_> {
    fn compile(self) -> Result<Part, EngineError> {
        let some = !self.patterns.is_empty();
        let database = some
            .then(|| Database::compile(&self.patterns))
            .transpose()?;
        Ok(Part {
            database,
            rules: self.rules,
        })
    }

    fn deserialize(self, bytes: &[u8]) -> Option<Part> {
        let database = match self.patterns.is_empty() {
            true => None,
            false => Some(Database::deserialize(bytes)?),
        };
        Some(Part {
            database,
            rules: self.rules,
        })
    }
}

impl Part {
    /// Calls `on_hit` with what `place` says of the end of each match.
    fn scan(
        &self,
        bytes: &[u8],
        mut place: impl FnMut(usize) -> usize,
        on_hit: &mut dyn FnMut(Hit),
    ) -> Result<(), EngineError> {
        let Some(database) = &self.database else {
            return Ok(());
        };
        database.scan(bytes, &mut |pattern, end| {
            if let Some(rule) = self.rules.get(pattern) {
                let (rule, end) = (*rule, place(end));
                on_hit(Hit { rule, end });
            }
        })
    }

    fn serialize(&self) -> Result<Vec<u8>, EngineError> {
        self.database
            .as_ref()
            .map_or_else(|| Ok(Vec::new()), Database::serialize)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests;
