//! Names that are like the name of another, much-used package.
//!
//! Knows: the most downloaded names. Must not know: whether anything is bad; likeness is a
//! suspicion. A name is looked up in the forms that it may be mistaken in, and by the letters that a slip of
//! the finger, or two, may have made of others.

mod edit;
mod forms;
mod letters;

use foldhash::{HashMap, HashMapExt};

use super::{Ecosystem, Package};
use letters::{Bags, Letters, Tails};

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
    /// With their ranks, the best first.
    names: Vec<(Box<str>, u32)>,
    ranks: HashMap<Box<str>, u32>,
    /// By their letters, for one slip.
    once: Bags<1>,
    /// Those that are typed much, for a slip on the first letter.
    tails: Tails,
    /// And for two slips.
    twice: Bags<2>,
    /// By the hash of what the eye may read.
    folded: HashMap<u64, u32>,
    /// By the hash of their words, in whatever order.
    words: HashMap<u64, u32>,
    /// In Maven, by what is left without the beginning of the group.
    groups: HashMap<Box<str>, u32>,
    /// How many names each scope has.
    scopes: HashMap<Box<str>, u32>,
    /// The well-known scopes, and by their letters.
    scope_names: Vec<Box<str>>,
    scope_letters: Bags<1>,
}

impl Likeness {
    /// For names with their ranks, from 0.
    pub fn new(ecosystem: Ecosystem, mut top: Vec<(String, u32)>) -> Self {
        top.sort_by_key(|(_, rank)| *rank);
        let mut likeness = Self {
            ecosystem,
            names: Vec::with_capacity(top.len()),
            ranks: HashMap::with_capacity(top.len()),
            once: Bags::default(),
            tails: Tails::default(),
            twice: Bags::default(),
            folded: HashMap::with_capacity(top.len()),
            words: HashMap::new(),
            groups: HashMap::new(),
            scopes: HashMap::new(),
            scope_names: Vec::new(),
            scope_letters: Bags::default(),
        };
        for (name, rank) in top {
            if let Some(package) = Package::new(ecosystem, &name) {
                likeness.add(package.name(), rank);
            }
        }
        likeness.once.finish();
        likeness.twice.finish();
        likeness.know_scopes();
        likeness
    }

    fn know_scopes(&mut self) {
        let known = self.scopes.iter().filter(|(_, count)| **count >= SCOPE);
        let mut known: Vec<(&Box<str>, &u32)> = known.collect();
        known.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
        self.scope_names = known.into_iter().map(|(name, _)| name.clone()).collect();
        for (id, scope) in (0..).zip(&self.scope_names) {
            self.scope_letters.push(scope, id);
        }
        self.scope_letters.finish();
    }

    fn add(&mut self, name: &str, rank: u32) {
        let id = self.names.len() as u32;
        self.names.push((name.into(), rank));
        self.ranks.entry(name.into()).or_insert(rank);
        // The better rank came first, and stays.
        self.folded.entry(forms::folded_hash(name)).or_insert(id);
        if let Some(words) = forms::words(name) {
            self.words.entry(words).or_insert(id);
        }
        if let Some(tail) = forms::without_group_root(name) {
            self.groups.entry(tail.into()).or_insert(id);
        }
        if let Some((scope, _)) = scoped(name) {
            *self.scopes.entry(scope.into()).or_default() += 1;
        }
        let lower = forms::typed(name);
        let name = lower.as_ref();
        let names = [Some(name), forms::without_number(name)];
        for name in names.into_iter().flatten() {
            if rank < NEAR {
                self.once.push(name, id);
            }
            if rank < MUCH {
                self.tails.push(name, id);
            }
            if rank < MUCH && name.len() >= edit::TWICE {
                self.twice.push(name, id);
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
        match self.rank(package) {
            Some(_) => None,
            None => self.imitates(package),
        }
    }

    /// The much-used name that the name of a package is like which is none itself.
    pub(super) fn imitates(&self, package: &Package) -> Option<Like> {
        let name = package.name();
        self.by_form(name)
            .or_else(|| self.by_edit(name))
            .or_else(|| self.by_scope(name))
            .or_else(|| self.by_group(name))
            .or_else(|| self.by_affix(name))
    }

    fn by_form(&self, name: &str) -> Option<Like> {
        let same = |other: &&str| forms::folded(other) == forms::folded(name);
        let other = self.name(self.folded.get(&forms::folded_hash(name)));
        if let Some(other) = other.filter(same) {
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
        let same = |other: &&str| forms::shuffled(other) == forms::shuffled(name);
        let other = self
            .name(self.words.get(&forms::words(name)?))
            .filter(same)?;
        Some(like(other, "word-order", "has its words in another order"))
    }

    fn by_edit(&self, name: &str) -> Option<Like> {
        let name = forms::typed(name);
        let name = name.as_ref();
        let letters = Letters::of(name);
        if letters.length() > letters::LONGEST {
            return None;
        }
        let mut best: Option<u32> = None;
        let mut slip = |id| {
            let rank = self.names.get(id as usize).map_or(NEAR, |(_, rank)| *rank);
            self.better(id, &mut best, |other| edit::is_slip(other, name, rank));
        };
        self.once.near(&letters, &mut slip);
        self.tails.near(name, &mut slip);
        if best.is_none() && name.len() >= edit::TWICE {
            let slips = |other: &str| edit::is_double_slip(other, name);
            self.twice
                .near(&letters, |id| self.better(id, &mut best, slips));
        }
        let other = self.name(best.as_ref())?;
        Some(like(other, "slip", "is a slip of the finger away from it"))
    }

    /// Whether a name is near, and better than what was found before.
    fn better(&self, id: u32, best: &mut Option<u32>, near: impl Fn(&str) -> bool) {
        let better = best.is_none_or(|best| id < best);
        let Some(other) = self.name(Some(&id)).filter(|_| better) else {
            return;
        };
        let other = forms::typed(other);
        if near(&other) || forms::without_number(&other).is_some_and(near) {
            *best = Some(id);
        }
    }

    /// Any package below a scope that is like a well-known one.
    fn by_scope(&self, name: &str) -> Option<Like> {
        let (scope, rest) = scoped(name)?;
        if self.scopes.contains_key(scope) {
            return None;
        }
        let mut best: Option<u32> = None;
        self.scope_letters.near(&Letters::of(scope), |id| {
            let better = best.is_none_or(|best| id < best);
            let other = self.scope_names.get(id as usize);
            if better && other.is_some_and(|other| edit::is_slip(other, scope, 0)) {
                best = Some(id);
            }
        });
        let near = best.and_then(|id| self.scope_names.get(id as usize));
        let other = near
            .map(AsRef::as_ref)
            .or_else(|| self.longer_scope(scope, rest))?;
        let name = format!("{other}/{rest}");
        Some(like(
            &name,
            "scope",
            "has a scope that is like a well-known one",
        ))
    }

    /// `@types-x/node` for `@types/node`.
    fn longer_scope<'s>(&self, scope: &'s str, rest: &str) -> Option<&'s str> {
        let ends = scope.match_indices(['-', '_', '.']);
        let mut shorter = ends.filter_map(|(at, _)| scope.get(..at));
        shorter.find(|other| {
            let known = self.scopes.get(*other).is_some_and(|count| *count >= SCOPE);
            let listed = || self.ranks.contains_key(format!("{other}/{rest}").as_str());
            known && (*other == "@types" || listed())
        })
    }

    /// In Maven, the same artifact of a group that only begins differently (`org` for `com`).
    fn by_group(&self, name: &str) -> Option<Like> {
        let tail = forms::without_group_root(name)?;
        let other = self.name(self.groups.get(tail))?;
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
        // Where nothing stands between them, the word may be part of a name of its own.
        let language = forms::without_language(self.ecosystem, name);
        let apart = |bare: &&str| {
            let (before, after) = name.split_once(*bare).unwrap_or_default();
            before.ends_with('-') || after.starts_with(['-', '.'])
        };
        if let Some(bare) = language.filter(|bare| most(bare) || (much(bare) && apart(bare))) {
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
        if let Some(bare) = forms::without_release(name).filter(most) {
            return Some(weak(bare, "addition", "adds nothing but a number to it"));
        }
        let (scope, rest) = scoped(name)?;
        (scope.get(1..) == Some(rest) && most(&rest))
            .then(|| weak(rest, "scope", "differs by its scope"))
    }

    fn name(&self, id: Option<&u32>) -> Option<&str> {
        self.names.get(*id? as usize).map(|(name, _)| name.as_ref())
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests;
