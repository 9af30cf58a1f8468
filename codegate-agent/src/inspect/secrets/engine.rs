//! The first pass: one Hyperscan database, in block mode, reporting only where a trigger ended.
//!
//! Knows: the `hyperscan` crate, and nothing of rules but their index. Everything that is peculiar
//! to that crate ends here:
//! - every end offset fires, so one rule may fire many times for one match;
//! - a panic in its callback would abort, so the callback only appends to a vector;
//! - lengths are cut to 32 bits, so long texts go in blocks ([`BLOCK`]) that overlap;
//! - scratch space belongs to one scan at a time, so it is kept in a pool.

use std::{
    fmt,
    path::Path,
    sync::{Mutex, PoisonError},
};

use hyperscan::{
    BlockDatabase, DatabaseBuilder, Matching, Pattern, PatternFlags, Patterns, Platform, Scratch,
    Serialized,
};

use super::kept::Kept;

/// How much is scanned at once, in bytes: it bounds the memory that hits can take.
const BLOCK: usize = 1 << 20;

/// No trigger is longer than this, in bytes: what two blocks have in common.
pub(super) const LONGEST_TRIGGER: usize = 1 << 10;

/// A trigger has matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    /// The index of the rule.
    pub(super) rule: usize,
    /// The offset behind the trigger's last byte.
    pub(super) end: usize,
}

/// Why the engine can't work.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The processor lacks what Hyperscan needs (SSSE3 on x86-64).
    #[error("this processor can't run hyperscan: {0}")]
    Platform(hyperscan::Error),
    /// The patterns can't be compiled.
    #[error("the patterns can't be compiled: {0}")]
    Compile(hyperscan::Error),
    /// A scan failed.
    #[error("the scan failed: {0}")]
    Scan(hyperscan::Error),
}

/// The compiled triggers, and scratch space for as many scans as ever ran at once.
pub(super) struct Engine {
    database: BlockDatabase,
    idle: Mutex<Vec<Scratch>>,
}

impl Engine {
    /// Compiles triggers; a [`Hit`] names them by their position.
    pub(super) fn compile(triggers: &[&str]) -> Result<Self, EngineError> {
        Platform::is_valid().map_err(EngineError::Platform)?;
        let patterns = triggers
            .iter()
            .map(|text| Pattern::with_flags(*text, PatternFlags::DOTALL))
            .collect::<Result<Vec<_>, _>>()
            .map_err(EngineError::Compile)?;
        let database = Patterns(patterns).build().map_err(EngineError::Compile)?;
        Ok(Self::of(database))
    }

    /// What was compiled before and kept in a folder, or else compiles triggers, and keeps that.
    ///
    /// The engine itself refuses what another version of it compiled, or for another processor.
    pub(super) fn kept_or_compiled(triggers: &[&str], dir: &Path) -> Result<Self, EngineError> {
        Platform::is_valid().map_err(EngineError::Platform)?;
        let kept = Kept::of(dir, triggers);
        let database = kept.read().and_then(|bytes| bytes.deserialize().ok());
        if let Some(database) = database {
            return Ok(Self::of(database));
        }
        let engine = Self::compile(triggers)?;
        match engine.database.serialize() {
            Ok(bytes) => kept.write(&bytes),
            Err(error) => tracing::debug!(%error, "compiled patterns are not kept"),
        }
        Ok(engine)
    }

    fn of(database: BlockDatabase) -> Self {
        let idle = Mutex::new(Vec::new());
        Self { database, idle }
    }

    /// Calls `on_hit` for every hit in a text, in the order of their ends, each once.
    pub(super) fn scan(&self, text: &[u8], on_hit: &mut dyn FnMut(Hit)) -> Result<(), EngineError> {
        let scratch = self.borrow_scratch()?;
        let outcome = self.scan_blocks(text, &scratch, on_hit);
        self.idle_scratches().push(scratch);
        outcome
    }

    fn scan_blocks(
        &self,
        text: &[u8],
        scratch: &Scratch,
        on_hit: &mut dyn FnMut(Hit),
    ) -> Result<(), EngineError> {
        let mut hits = Vec::new();
        let mut done = 0;
        while done < text.len() {
            let until = text.len().min(done + BLOCK);
            let from = done.saturating_sub(LONGEST_TRIGGER);
            let block = text.get(from..until).unwrap_or_default();
            self.scan_block(block, scratch, &mut hits)?;
            hits.drain(..)
                .map(|(rule, end)| Hit {
                    rule: rule as usize,
                    end: from + end as usize,
                })
                .filter(|hit| hit.end > done)
                .for_each(&mut *on_hit);
            done = until;
        }
        Ok(())
    }

    fn scan_block(
        &self,
        block: &[u8],
        scratch: &Scratch,
        hits: &mut Vec<(u32, u32)>,
    ) -> Result<(), EngineError> {
        let on_match = |rule: u32, _from: u64, end: u64, _flags: u32| {
            let hit = (rule, end as u32);
            if hits.last() != Some(&hit) {
                hits.push(hit);
            }
            Matching::Continue
        };
        self.database
            .scan(block, scratch, on_match)
            .map_err(EngineError::Scan)
    }

    fn borrow_scratch(&self) -> Result<Scratch, EngineError> {
        let idle = self.idle_scratches().pop();
        match idle {
            Some(scratch) => Ok(scratch),
            None => self.database.alloc_scratch().map_err(EngineError::Scan),
        }
    }

    /// Held for a push or a pop only; a poisoned lock still guards a sound vector.
    fn idle_scratches(&self) -> std::sync::MutexGuard<'_, Vec<Scratch>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    const TRIGGERS: [&str; 2] = ["ab+c", "xyz"];

    fn hits(engine: &Engine, text: &str) -> Vec<(usize, usize)> {
        let mut hits = Vec::new();
        let mut on_hit = |hit: Hit| hits.push((hit.rule, hit.end));
        engine.scan(text.as_bytes(), &mut on_hit).unwrap();
        hits
    }

    #[test]
    fn what_was_compiled_before_is_taken_and_finds_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Engine::kept_or_compiled(&TRIGGERS, dir.path()).unwrap();
        let first = hits(&open(), "abbc xyz");
        assert_eq!(first, [(0, 4), (1, 8)]);
        assert_eq!(hits(&open(), "abbc xyz"), first);
        // It is what was kept that finds, not what would be compiled.
        let other = Engine::compile(&["other"]).unwrap();
        let kept = Kept::of(dir.path(), &TRIGGERS);
        kept.write(&other.database.serialize().unwrap());
        assert_eq!(hits(&open(), "abbc other"), [(0, 10)]);
    }

    #[test]
    fn what_the_engine_refuses_is_compiled_again() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Engine::kept_or_compiled(&TRIGGERS, dir.path()).unwrap();
        drop(open());
        let kept = Kept::of(dir.path(), &TRIGGERS);
        let mut of_another_version = kept.read().unwrap();
        of_another_version[4] ^= 0x55;
        for refused in [&of_another_version[..], b"", b"other"] {
            kept.write(refused);
            assert_eq!(hits(&open(), "abbc xyz"), [(0, 4), (1, 8)]);
            assert_ne!(kept.read().unwrap(), refused);
        }
    }
}
