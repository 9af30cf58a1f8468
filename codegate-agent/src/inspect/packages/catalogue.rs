//! All that is known, from wherever it comes: the index, and what is compiled in.

use std::{path::Path, sync::OnceLock};

use super::{
    Ecosystem, Judgement, Likeness, Package, Purl, Record,
    index::{Index, IndexError},
    seed::{Seed, popular},
    verdict::{Facts, judge},
};

/// The rank from which on compiled-in names stand beside a list.
const AFTER: u32 = 500;

/// What the administrator decided: a package without a version stands for all its versions.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    /// Fine, whatever is known.
    pub allow: Vec<Purl>,
    /// As bad as malicious ones.
    pub deny: Vec<Purl>,
}

/// What is known about packages. One is enough for all threads.
#[derive(Debug)]
pub struct Catalogue {
    seed: Seed,
    index: Option<Index>,
    lists: Lists,
    /// By ecosystem, built when first asked for.
    likeness: [OnceLock<Likeness>; Ecosystem::ALL.len()],
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
        Self {
            seed: Seed::new(),
            index,
            lists: Lists::default(),
            likeness: Default::default(),
        }
    }

    /// With what the administrator decided.
    pub fn with_lists(self, lists: Lists) -> Self {
        Self { lists, ..self }
    }

    /// What is to be thought of a package, or a version of it. It costs microseconds, and takes no
    /// lock.
    pub fn check(&self, purl: &Purl) -> Judgement {
        let records = self.records(&purl.package);
        let likeness = self.likeness(purl.package.ecosystem);
        let popular = likeness.is_some_and(|l| l.rank(&purl.package).is_some());
        // What is known by name needs no likeness.
        let unknown = !popular && records.is_empty();
        let facts = Facts {
            popular,
            exists: unknown.then(|| self.exists(&purl.package)).flatten(),
            like: likeness
                .filter(|_| unknown)
                .and_then(|l| l.imitates(&purl.package)),
            allowed: self.lists.allow.iter().any(|listed| listed.covers(purl)),
            denied: self.lists.deny.iter().any(|listed| listed.covers(purl)),
            records,
        };
        judge(purl, &facts)
    }

    /// Makes ready what the first look-up in each ecosystem would wait for: some tenths of a second
    /// with millions of names.
    pub fn warm(&self) {
        for ecosystem in Ecosystem::ALL {
            self.likeness(ecosystem);
            if let Some(nobody) = Package::new(ecosystem, "\u{fffd}") {
                self.exists(&nobody);
            }
        }
    }

    fn likeness(&self, ecosystem: Ecosystem) -> Option<&Likeness> {
        let cell = self.likeness.get(ecosystem as usize - 1)?;
        Some(cell.get_or_init(|| Likeness::new(ecosystem, self.top(ecosystem))))
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

    /// The most downloaded names of an ecosystem and their ranks, from 0, and those that are compiled
    /// in, which are typed much whatever their rank.
    pub fn top(&self, ecosystem: Ecosystem) -> Vec<(String, u32)> {
        let listed = self.index.as_ref().map(|index| {
            index.top(ecosystem).unwrap_or_else(|error| {
                index.report(&error);
                Vec::new()
            })
        });
        let mut top = listed.unwrap_or_default();
        let first = u32::from(!top.is_empty()) * AFTER;
        top.extend(popular(ecosystem).map(str::to_owned).zip(first..));
        top
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
