//! A Hyperscan database, in block mode, reporting only where a pattern ended.
//!
//! Knows: the `hyperscan` crate. Everything that is peculiar to it ends here:
//! - every end offset fires, so one pattern may fire many times for one match;
//! - a panic in its callback would abort, so the callback only appends to a vector;
//! - lengths are cut to 32 bits, so long texts go in blocks ([`BLOCK`]) that overlap;
//! - scratch space belongs to one scan at a time, so it is kept in a pool.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use hyperscan::{
    BlockDatabase, DatabaseBuilder, Matching, Pattern, PatternFlags, Patterns, Platform, Scratch,
    Serialized,
};

/// How much is scanned at once, in bytes: it bounds the memory that hits can take.
const BLOCK: usize = 1 << 20;

/// No trigger is longer than this, in bytes: what two blocks have in common.
pub(in super::super) const LONGEST_TRIGGER: usize = 1 << 10;

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

/// Compiled patterns, and scratch space for as many scans as ever ran at once.
pub(super) struct Database {
    database: BlockDatabase,
    idle: Mutex<Vec<Scratch>>,
}

impl Database {
    /// Compiles patterns, of which there must be one.
    pub(super) fn compile(patterns: &[&str]) -> Result<Self, EngineError> {
        Platform::is_valid().map_err(EngineError::Platform)?;
        let patterns = patterns
            .iter()
            .map(|text| Pattern::with_flags(*text, PatternFlags::DOTALL))
            .collect::<Result<Vec<_>, _>>()
            .map_err(EngineError::Compile)?;
        let database = Patterns(patterns).build().map_err(EngineError::Compile)?;
        Ok(Self::of(database))
    }

    /// What [`Database::serialize`] gave, if this version and processor can run it.
    pub(super) fn deserialize(bytes: &[u8]) -> Option<Self> {
        Platform::is_valid().ok()?;
        bytes.deserialize().ok().map(Self::of)
    }

    pub(super) fn serialize(&self) -> Result<Vec<u8>, EngineError> {
        let bytes = self.database.serialize().map_err(EngineError::Compile)?;
        Ok(bytes.as_ref().to_vec())
    }

    fn of(database: BlockDatabase) -> Self {
        let idle = Mutex::new(Vec::new());
        Self { database, idle }
    }

    /// Calls `on_match` with the position of a pattern and the end of its match, in the order of these ends.
    pub(super) fn scan(
        &self,
        text: &[u8],
        on_match: &mut dyn FnMut(usize, usize),
    ) -> Result<(), EngineError> {
        let scratch = self.borrow_scratch()?;
        let outcome = self.scan_blocks(text, &scratch, on_match);
        self.idle_scratches().push(scratch);
        outcome
    }

    fn scan_blocks(
        &self,
        text: &[u8],
        scratch: &Scratch,
        on_match: &mut dyn FnMut(usize, usize),
    ) -> Result<(), EngineError> {
        let mut matches = Vec::new();
        let mut done = 0;
        while done < text.len() {
            let until = text.len().min(done + BLOCK);
            let from = done.saturating_sub(LONGEST_TRIGGER);
            let block = text.get(from..until).unwrap_or_default();
            self.scan_block(block, scratch, &mut matches)?;
            let ends = matches.drain(..);
            ends.map(|(pattern, end)| (pattern as usize, from + end as usize))
                .filter(|(_, end)| *end > done)
                .for_each(|(pattern, end)| on_match(pattern, end));
            done = until;
        }
        Ok(())
    }

    fn scan_block(
        &self,
        block: &[u8],
        scratch: &Scratch,
        matches: &mut Vec<(u32, u32)>,
    ) -> Result<(), EngineError> {
        let on_match = |pattern: u32, _from: u64, end: u64, _flags: u32| {
            let found = (pattern, end as u32);
            if matches.last() != Some(&found) {
                matches.push(found);
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

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}
