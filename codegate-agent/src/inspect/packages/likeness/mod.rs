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
/// Names of this rank or better are typed much, and mistyped in more ways.
const MUCH: u32 = 1_000;
/// Names of this rank or better are typed most.
const MOST: u32 = 300;
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
    /// Likewise, with two characters taken away.
    twice: Vec<(u64, u32)>,
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
            twice: Vec::new(),
            folded: HashMap::new(),
            shuffled: HashMap::new(),
            scopes: HashMap::new(),
        };
        for (name, rank) in top {
            if let Some(package) = Package::new(ecosystem, &name) {
                likeness.add(package.name(), rank);
            }
        }
        for index in [&mut likeness.shortened, &mut likeness.twice] {
            index.sort_unstable();
            index.dedup();
            index.shrink_to_fit();
        }
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
        for name in [Some(name), forms::without_number(name)]
            .into_iter()
            .flatten()
        {
            if rank < NEAR {
                each_shortened(name, |hash| self.shortened.push((hash, id)));
            }
            if rank < MUCH && has_room(name) {
                each_shortened_twice(name, |hash| self.twice.push((hash, id)));
            }
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
            // Before it had a scope, Babel published under names of its own.
            if name.starts_with("babel-") && other.starts_with("@babel/") {
                return None;
            }
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
            self.better(&self.shortened, hash, &mut best, |other, rank| {
                edit::is_slip(other, name, rank)
            });
        });
        if best.is_none() && has_room(name) {
            each_shortened_twice(name, |hash| {
                self.better(&self.twice, hash, &mut best, |other, _| {
                    edit::is_double_slip(other, name)
                });
            });
        }
        let other = self.name(best.as_ref())?;
        Some(like(other, "slip", "is a slip of the finger away from it"))
    }

    /// The best name of those with a hash that is near.
    fn better(
        &self,
        index: &[(u64, u32)],
        hash: u64,
        best: &mut Option<u32>,
        near: impl Fn(&str, u32) -> bool,
    ) {
        let from = index.partition_point(|(other, _)| *other < hash);
        let same = index.get(from..).unwrap_or_default().iter();
        for (_, id) in same.take_while(|(other, _)| *other == hash) {
            let Some(other) = self
                .name(Some(id))
                .filter(|_| best.is_none_or(|best| *id < best))
            else {
                continue;
            };
            let rank = self.ranks.get(other).copied().unwrap_or(NEAR);
            let bare = forms::without_number(other);
            if near(other, rank) || bare.is_some_and(|bare| near(bare, rank)) {
                *best = Some(*id);
            }
        }
    }

    /// Any package below a scope that is like a well-known one.
    fn by_scope(&self, name: &str) -> Option<Like> {
        let (scope, rest) = scoped(name)?;
        if self.scopes.contains_key(scope) {
            return None;
        }
        let known = self.scopes.iter().filter(|(_, count)| **count >= SCOPE);
        let near = known.filter(|(other, _)| {
            // `@types-x/node` for `@types/node`.
            let longer = scope.strip_prefix(other.as_ref());
            let longer = longer.is_some_and(|rest| rest.starts_with(['-', '_', '.']));
            let listed = || self.ranks.contains_key(format!("{other}/{rest}").as_str());
            edit::is_slip(other, scope, 0) || (longer && (listed() || other.as_ref() == "@types"))
        });
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
        let rank = |bare: &str| self.ranks.get(bare).copied();
        let much = |bare: &&str| rank(bare).is_some_and(|rank| rank < MUCH);
        let most = |bare: &&str| rank(bare).is_some_and(|rank| rank < MOST);
        let weak = |other: &str, rule, how| Like {
            weak: true,
            ..like(other, rule, how)
        };
        if let Some(bare) = forms::without_language(self.ecosystem, name).filter(much) {
            let how = "adds nothing but the language to it";
            return Some(weak(bare, "language", how));
        }
        if let Some(bare) = forms::without_praise(name).filter(most) {
            return Some(weak(
                bare,
                "addition",
                "adds a word to it that says nothing",
            ));
        }
        let (scope, rest) = scoped(name)?;
        (scope.get(1..) == Some(rest) && most(&rest))
            .then(|| weak(rest, "scope", "differs by its scope"))
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

/// Whether a name is long enough for two slips, and no longer than anybody would type.
fn has_room(name: &str) -> bool {
    const LONGEST: usize = 32;
    (edit::TWICE..=LONGEST).contains(&name.len()) && name.is_ascii()
}

/// Hashes of the name without one or any two of its characters; it is ASCII.
fn each_shortened_twice(name: &str, mut each: impl FnMut(u64)) {
    let mut shorter = String::with_capacity(name.len());
    each_shortened(name, &mut each);
    for at in 0..name.len() {
        shorter.clear();
        shorter.push_str(name.get(..at).unwrap_or_default());
        let kept = shorter.len();
        let rest = name.get(at + 1..).unwrap_or_default();
        for next in 0..rest.len() {
            shorter.truncate(kept);
            shorter.push_str(rest.get(..next).unwrap_or_default());
            shorter.push_str(rest.get(next + 1..).unwrap_or_default());
            each(hash(&shorter));
        }
    }
}

fn hash(name: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(name)
}

/// Hashes of the name, and of the name without each of its characters.
fn each_shortened(name: &str, mut each: impl FnMut(u64)) {
    each(hash(name));
    let mut shorter = String::with_capacity(name.len());
    let mut before = None;
    for (at, c) in name.char_indices() {
        // Of a run of the same character, each leaves the same.
        if before.replace(c) != Some(c) {
            shorter.clear();
            shorter.push_str(name.get(..at).unwrap_or_default());
            shorter.push_str(name.get(at + c.len_utf8()..).unwrap_or_default());
            each(hash(&shorter));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests;
