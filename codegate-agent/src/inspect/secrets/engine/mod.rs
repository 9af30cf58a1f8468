//! The first pass: where triggers ended, found by some Hyperscan databases. One looks at all of a text, the
//! others only around its [landmarks](super::landmarks), one for each kind.
//!
//! Knows: triggers, and nothing of rules but their index. Must not know: what becomes of a hit.

mod database;
mod gathered;

use std::path::Path;

use super::{
    kept::Kept,
    landmarks::{Landmark, Words},
};
use database::Database;
use gathered::Gathered;

pub(super) use database::{EngineError, LONGEST_TRIGGER};

/// What stands between the patterns of two databases where they are told apart from others.
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
    /// Around these only, or everywhere.
    pub(super) around: Option<Landmark>,
}

/// The compiled triggers.
#[derive(Debug)]
pub(super) struct Engine(Vec<Part>);

/// Triggers that are looked for in the same places.
#[derive(Debug)]
struct Part {
    around: Option<Landmark>,
    database: Database,
    /// The rule of each trigger.
    rules: Vec<usize>,
}

/// What a [`Part`] is made of; there is a trigger at least.
struct Plan<'a> {
    around: Option<Landmark>,
    triggers: Vec<&'a str>,
    rules: Vec<usize>,
}

impl Engine {
    /// Compiles triggers; a [`Hit`] names them by their position.
    pub(super) fn compile(sought: &[Sought<'_>]) -> Result<Self, EngineError> {
        Self::of(&Plan::of(sought))
    }

    fn of(plans: &[Plan<'_>]) -> Result<Self, EngineError> {
        let parts = plans
            .iter()
            .map(|plan| Ok(plan.part(Database::compile(&plan.triggers)?)));
        Ok(Self(parts.collect::<Result<_, _>>()?))
    }

    /// What was compiled before and kept in a folder, or else compiles triggers, and keeps that.
    ///
    /// Hyperscan itself refuses what another version of it compiled, or for another processor.
    pub(super) fn kept_or_compiled(sought: &[Sought<'_>], dir: &Path) -> Result<Self, EngineError> {
        let plans = Plan::of(sought);
        let kept = Plan::kept(&plans, dir);
        let bytes = kept.read();
        if let Some(engine) = bytes.and_then(|bytes| Self::deserialize(&plans, &bytes)) {
            return Ok(engine);
        }
        let engine = Self::of(&plans)?;
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
        self.0.iter().try_for_each(|part| match part.around {
            Some(landmark) => part.scan_around(landmark, text, words, on_hit),
            None => part.scan(text, |end| end, on_hit),
        })
    }

    /// Each part's bytes, behind their length.
    fn serialize(&self) -> Result<Vec<u8>, EngineError> {
        let mut all = Vec::new();
        for part in &self.0 {
            let bytes = part.database.serialize()?;
            all.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            all.extend_from_slice(&bytes);
        }
        Ok(all)
    }

    fn deserialize(plans: &[Plan<'_>], mut bytes: &[u8]) -> Option<Self> {
        let mut next = || {
            let (length, rest) = bytes.split_first_chunk()?;
            let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
            let (database, rest) = rest.split_at_checked(length)?;
            bytes = rest;
            Database::deserialize(database)
        };
        let parts = plans.iter().map(|plan| Some(plan.part(next()?)));
        parts.collect::<Option<_>>().map(Self)
    }
}

impl<'a> Plan<'a> {
    fn of(sought: &[Sought<'a>]) -> Vec<Self> {
        let places = Landmark::ALL.into_iter().map(Some);
        let plans = std::iter::once(None).chain(places).map(|around| {
            let sought = sought.iter().enumerate();
            let chosen = sought.filter(|(_, sought)| sought.around == around);
            let (rules, triggers) = chosen.map(|(rule, sought)| (rule, sought.trigger)).unzip();
            Self {
                around,
                triggers,
                rules,
            }
        });
        plans.filter(|plan| !plan.triggers.is_empty()).collect()
    }

    fn part(&self, database: Database) -> Part {
        Part {
            around: self.around,
            database,
            rules: self.rules.clone(),
        }
    }

    fn kept(plans: &[Self], dir: &Path) -> Kept {
        let mut patterns = Vec::new();
        for plan in plans {
            patterns.extend_from_slice(&plan.triggers);
            patterns.push(BETWEEN);
        }
        Kept::of(dir, &patterns)
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
        self.database.scan(bytes, &mut |pattern, end| {
            if let Some(rule) = self.rules.get(pattern) {
                let (rule, end) = (*rule, place(end));
                on_hit(Hit { rule, end });
            }
        })
    }

    fn scan_around(
        &self,
        landmark: Landmark,
        text: &[u8],
        words: &Words,
        on_hit: &mut dyn FnMut(Hit),
    ) -> Result<(), EngineError> {
        let mut gathered = Gathered::default();
        words.around(landmark, text, |part| {
            if !gathered.takes(&part) {
                self.scan_gathered(text, &mut gathered, on_hit)?;
            }
            gathered.add(text, part);
            Ok(())
        })?;
        self.scan_gathered(text, &mut gathered, on_hit)
    }

    fn scan_gathered(
        &self,
        text: &[u8],
        gathered: &mut Gathered,
        on_hit: &mut dyn FnMut(Hit),
    ) -> Result<(), EngineError> {
        let bytes = gathered.bytes(text);
        let scanned = self.scan(bytes, |end| gathered.lead_back(end), on_hit);
        gathered.clear();
        scanned
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests;
