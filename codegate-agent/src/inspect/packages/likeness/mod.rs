//! Names that are like the name of another, much-used package.
//!
//! Knows: the most downloaded names. Must not know: whether anything is bad; likeness is a
//! suspicion. Every way of being like is exact but one: an edit of one character, which is found by
//! looking up what is left of both names when any one character is taken away.

mod edit;
mod forms;

use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
};

use super::{Ecosystem, Package};

/// Only names of this rank or better are worth imitating by a slip of the finger.
const NEAR: u32 = 5_000;
/// Only names of this rank or better are worth imitating by an addition.
const AFFIXED: u32 = 1_000;
/// A scope that so many of the most downloaded names have is well known.
const SCOPE: u32 = 3;

/// A name that another one is like, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Like {
    /// The much-used name.
    pub name: String,
    /// In what way, in one word: `word-order`.
    pub rule: &'static str,
    /// In what way, as a half-sentence: "has its words in another order".
    pub how: &'static str,
    /// Whether it takes more than this to be suspicious of a package that exists.
    pub weak: bool,
}

/// The most downloaded names of an ecosystem, by all that can be mistaken for them.
#[derive(Debug)]
pub struct Likeness {
    ecosystem: Ecosystem,
    names: Vec<Box<str>>,
    ranks: HashMap<Box<str>, u32>,
    /// Hashes of names with a character taken away, sorted, and whose they are.
    shortened: Vec<(u64, u32)>,
    folded: HashMap<String, u32>,
    shuffled: HashMap<String, u32>,
    scopes: HashMap<Box<str>, u32>,
}

impl Likeness {
    /// For names with their ranks, from 0.
    pub fn new(ecosystem: Ecosystem, mut top: Vec<(String, u32)>) -> Self {
        top.sort_by_key(|(_, rank)| *rank);
        let mut likeness = Self {
            ecosystem,
            names: Vec::with_capacity(top.len()),
            ranks: HashMap::with_capacity(top.len()),
            shortened: Vec::new(),
            folded: HashMap::new(),
            shuffled: HashMap::new(),
            scopes: HashMap::new(),
        };
        for (name, rank) in top {
            if let Some(package) = Package::new(ecosystem, &name) {
                likeness.add(package.name(), rank);
            }
        }
        likeness.shortened.sort_unstable();
        likeness
    }

    fn add(&mut self, name: &str, rank: u32) {
        let id = self.names.len() as u32;
        self.names.push(name.into());
        self.ranks.entry(name.into()).or_insert(rank);
        // The better rank came first, and stays.
        self.folded.entry(forms::folded(name)).or_insert(id);
        if let Some(shuffled) = forms::shuffled(name) {
            self.shuffled.entry(shuffled).or_insert(id);
        }
        if let Some((scope, _)) = scoped(name) {
            *self.scopes.entry(scope.into()).or_default() += 1;
        }
        if rank < NEAR {
            each_shortened(name, |hash| self.shortened.push((hash, id)));
        }
    }

    /// The rank of a package among the most downloaded, from 0.
    pub fn rank(&self, package: &Package) -> Option<u32> {
        let rank = |name| self.ranks.get(name).copied();
        package.candidates().find_map(rank)
    }

    /// The much-used name that a package's name is like; `None` if it is one itself.
    pub fn like(&self, package: &Package) -> Option<Like> {
        if self.rank(package).is_some() {
            return None;
        }
        let name = package.name();
        self.by_form(name)
            .or_else(|| self.by_edit(name))
            .or_else(|| self.by_scope(name))
            .or_else(|| self.by_group(name))
            .or_else(|| self.by_affix(name))
    }

    fn by_form(&self, name: &str) -> Option<Like> {
        let folded = forms::folded(name);
        if let Some(other) = self.name(self.folded.get(&folded)) {
            let (rule, how) = match (
                name.is_ascii(),
                scoped(name).is_some() != scoped(other).is_some(),
            ) {
                (false, _) => (
                    "look-alike",
                    "has letters of another script that look like its letters",
                ),
                (true, true) => ("scope", "differs by its scope"),
                (true, false) => (
                    "separators",
                    "differs by separators or look-alike characters",
                ),
            };
            return Some(like(other, rule, how));
        }
        let shuffled = forms::shuffled(name)?;
        let other = self.name(self.shuffled.get(&shuffled))?;
        Some(like(other, "word-order", "has its words in another order"))
    }

    fn by_edit(&self, name: &str) -> Option<Like> {
        let mut best: Option<u32> = None;
        each_shortened(name, |hash| {
            let from = self.shortened.partition_point(|(other, _)| *other < hash);
            let same = self.shortened.get(from..).unwrap_or_default().iter();
            for (_, id) in same.take_while(|(other, _)| *other == hash) {
                let near = |other: &str| edit::is_slip(other, name);
                if best.is_none_or(|best| *id < best) && self.name(Some(id)).is_some_and(near) {
                    best = Some(*id);
                }
            }
        });
        let other = self.name(best.as_ref())?;
        Some(like(
            other,
            "slip",
            "is one slip of the finger away from it",
        ))
    }

    /// Any package below a scope that is like a well-known one.
    fn by_scope(&self, name: &str) -> Option<Like> {
        let (scope, rest) = scoped(name)?;
        if self.scopes.contains_key(scope) {
            return None;
        }
        let known = self.scopes.iter().filter(|(_, count)| **count >= SCOPE);
        let near = known.filter(|(other, _)| edit::is_slip(other, scope));
        let (other, _) = near.max_by_key(|(_, count)| **count)?;
        let name = format!("{other}/{rest}");
        Some(like(
            &name,
            "scope",
            "has a scope that is like a well-known one",
        ))
    }

    /// In Maven, the same artifact of a group that only begins differently (`org` for `com`).
    fn by_group(&self, name: &str) -> Option<Like> {
        let (group, artifact) = name.split_once(':')?;
        let (_, tail) = group.split_once('.')?;
        let ends = format!(".{tail}:{artifact}");
        let other = self.names.iter().find(|other| other.ends_with(&ends))?;
        Some(like(
            other,
            "group",
            "is of a group that only begins differently",
        ))
    }

    fn by_affix(&self, name: &str) -> Option<Like> {
        let bare = forms::without_affix(self.ecosystem, name)?;
        let rank = self.ranks.get(bare)?;
        (*rank < AFFIXED).then(|| Like {
            weak: true,
            ..like(bare, "language", "adds nothing but the language to it")
        })
    }

    fn name(&self, id: Option<&u32>) -> Option<&str> {
        self.names.get(*id? as usize).map(AsRef::as_ref)
    }
}

fn like(name: &str, rule: &'static str, how: &'static str) -> Like {
    Like {
        name: name.to_owned(),
        rule,
        how,
        weak: false,
    }
}

/// An npm name's scope, and the rest.
fn scoped(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix('@').and_then(|_| name.split_once('/'))
}

/// Hashes of the name, and of the name without each of its characters.
fn each_shortened(name: &str, mut each: impl FnMut(u64)) {
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    each(hasher.hash_one(name));
    let mut shorter = String::with_capacity(name.len());
    let mut before = None;
    for (at, c) in name.char_indices() {
        // Of a run of the same character, each leaves the same.
        if before.replace(c) != Some(c) {
            shorter.clear();
            shorter.push_str(name.get(..at).unwrap_or_default());
            shorter.push_str(name.get(at + c.len_utf8()..).unwrap_or_default());
            each(hasher.hash_one(shorter.as_str()));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests;
