//! All that is known, from wherever it comes: the index, and what is compiled in.

use std::path::Path;

use super::{
    Ecosystem, Package, Record,
    index::{Index, IndexError},
    seed::{Seed, popular},
};

/// What is known about packages. One is enough for all threads.
#[derive(Debug)]
pub struct Catalogue {
    seed: Seed,
    index: Option<Index>,
}

impl Catalogue {
    /// With the index of a folder; without one, what is compiled in is all there is.
    ///
    /// # Errors
    /// If there is an index, and it cannot be used.
    pub fn open(dir: &Path) -> Result<Self, IndexError> {
        Ok(Self::new(Index::open(dir)?))
    }

    /// With this index, or with what is compiled in alone.
    pub fn new(index: Option<Index>) -> Self {
        let seed = Seed::new();
        Self { seed, index }
    }

    /// The index, if there is one.
    pub fn index(&self) -> Option<&Index> {
        self.index.as_ref()
    }

    /// How many records are compiled in.
    pub fn compiled_in(&self) -> usize {
        self.seed.len()
    }

    /// All records of a package. If the index cannot be read any more, that is said once, and what
    /// is compiled in still counts.
    pub fn records(&self, package: &Package) -> Vec<Record> {
        let mut records = self.seed.records(package).to_vec();
        if let Some(index) = &self.index {
            match index.records(package) {
                Ok(found) => records.extend(found),
                Err(error) => index.report(&error),
            }
        }
        records
    }

    /// The most downloaded names of an ecosystem and their ranks, from 0; without a list, those that
    /// are compiled in.
    pub fn top(&self, ecosystem: Ecosystem) -> Vec<(String, u32)> {
        let listed = self.index.as_ref().map(|index| {
            index.top(ecosystem).unwrap_or_else(|error| {
                index.report(&error);
                Vec::new()
            })
        });
        let compiled_in = || popular(ecosystem).map(str::to_owned).zip(0..).collect();
        listed
            .filter(|top| !top.is_empty())
            .unwrap_or_else(compiled_in)
    }

    /// Whether a package exists; `None` if nobody can tell.
    pub fn exists(&self, package: &Package) -> Option<bool> {
        let index = self.index.as_ref()?;
        index.exists(package).unwrap_or_else(|error| {
            index.report(&error);
            None
        })
    }
}
