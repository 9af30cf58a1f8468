//! Values that a user named, found in text though only keyed hashes of them are kept.
//!
//! Knows: hashes of values, keys. Must not know: where they are kept, or what a text is.
//!
//! Three looks, each rarer and dearer than the one before. At every byte of the text the next eight
//! bytes (four, for short values) are multiplied by a secret number, and a bit says whether any value
//! begins so. Where it does, a keyed polynomial over as many bytes as such values have is compared,
//! once for each length. Where that agrees, the value's MAC decides, which is the one that its
//! placeholder carries. So a text costs about a nanosecond a byte, however many values there are.
//!
//! A value is found wherever its bytes stand; one of fewer than eight, only as a word of its own.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
    sync::Arc,
};

use super::{
    keys::{UserKeys, WINDOW_BITS},
    token::MAC_LEN,
};
use crate::inspect::{Confidence, Finding, Kind, Known};

/// The rule that is told to have found a literal.
pub(super) const RULE: &str = "literal";
/// The shortest value, in bytes.
pub(super) const SHORTEST: usize = NARROW;
/// The longest value, in bytes.
pub(super) const LONGEST: usize = 4 << 10;
/// The most values of one user.
pub(super) const MOST: usize = 10_000;
/// The most lengths that one user's values may have: each costs a hash where values begin alike.
pub(super) const MOST_LENGTHS: usize = 64;

const WIDE: usize = 8;
const NARROW: usize = 4;
/// Bits of a table for each value in it, as a power of two: one place in 256 is looked at twice.
const SPARE_BITS: u32 = 8;

/// What is kept of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Literal {
    pub(super) mac: [u8; MAC_LEN],
    pub(super) kind: Kind,
    /// Bytes.
    pub(super) len: usize,
    /// Of its first bytes.
    pub(super) window: u32,
    /// Of all its bytes.
    pub(super) print: u64,
}

impl Literal {
    /// What to keep of a value, which is not shorter than [`SHORTEST`].
    pub(super) fn of(keys: &UserKeys, kind: Kind, value: &[u8]) -> Self {
        let window = value.get(..WIDE).or(value.get(..NARROW));
        Self {
            mac: keys.mac(value),
            kind,
            len: value.len(),
            window: keys.window(word(window.unwrap_or_default())),
            print: keys.print(value),
        }
    }
}

/// All values that a user named.
pub struct Literals {
    keys: Arc<UserKeys>,
    rule: Arc<str>,
    wide: Table,
    narrow: Table,
}

/// Values of which the same number of bytes is looked at first.
#[derive(Default)]
struct Table {
    /// A bit for each [`UserKeys::window`], cut by `shift`.
    bits: Vec<u64>,
    shift: u32,
    by_window: HashMap<u32, Vec<Group>>,
}

/// Values of one length that begin alike.
struct Group {
    len: usize,
    by_print: HashMap<u64, ([u8; MAC_LEN], Kind)>,
}

impl Literals {
    pub(super) fn new(keys: Arc<UserKeys>, literals: &[Literal]) -> Self {
        let (wide, narrow): (Vec<_>, Vec<_>) = literals.iter().partition(|l| l.len >= WIDE);
        Self {
            keys,
            rule: RULE.into(),
            wide: Table::new(&wide),
            narrow: Table::new(&narrow),
        }
    }

    fn find_with<const N: usize>(&self, table: &Table, text: &[u8], found: &mut Vec<Finding>) {
        if table.bits.is_empty() {
            return;
        }
        for (at, window) in text.windows(N).enumerate() {
            let window = self.keys.window(word(window));
            if !table.may_hold(window) {
                continue;
            }
            for group in table.by_window.get(&window).into_iter().flatten() {
                let range = at..at.saturating_add(group.len);
                if let Some(kind) = self.settle(group, text, &range) {
                    found.push(Finding {
                        range,
                        kind,
                        rule: Arc::clone(&self.rule),
                        confidence: Confidence::High,
                    });
                }
            }
        }
    }

    fn settle(&self, group: &Group, text: &[u8], range: &Range<usize>) -> Option<Kind> {
        let value = text.get(range.clone())?;
        let (mac, kind) = group.by_print.get(&self.keys.print(value))?;
        let stands = value.len() >= WIDE || is_word(text, range);
        (stands && self.keys.verify(value, mac)).then_some(*kind)
    }
}

impl Known for Literals {
    fn find(&self, text: &[u8]) -> Vec<Finding> {
        let mut found = Vec::new();
        self.find_with::<WIDE>(&self.wide, text, &mut found);
        self.find_with::<NARROW>(&self.narrow, text, &mut found);
        found
    }
}

impl std::fmt::Debug for Literals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Literals").finish_non_exhaustive()
    }
}

impl Table {
    fn new(literals: &[&Literal]) -> Self {
        let mut table = Self::default();
        if literals.is_empty() {
            return table;
        }
        let bits = (literals.len().ilog2() + 1 + SPARE_BITS).min(WINDOW_BITS);
        table.shift = WINDOW_BITS - bits;
        table.bits = vec![0; (1 << bits) / 64];
        for literal in literals {
            table.add(literal);
        }
        table
    }

    fn add(&mut self, literal: &Literal) {
        let bit = literal.window >> self.shift;
        if let Some(bits) = self.bits.get_mut(bit as usize / 64) {
            *bits |= 1 << (bit % 64);
        }
        let groups = self.by_window.entry(literal.window).or_default();
        let value = (literal.print, (literal.mac, literal.kind));
        match groups.iter_mut().find(|group| group.len == literal.len) {
            Some(group) => group.by_print.extend([value]),
            None => groups.push(Group {
                len: literal.len,
                by_print: HashMap::from([value]),
            }),
        }
    }

    #[inline]
    fn may_hold(&self, window: u32) -> bool {
        let bit = window >> self.shift;
        let bits = self.bits.get(bit as usize / 64);
        bits.is_some_and(|bits| bits >> (bit % 64) & 1 == 1)
    }
}

/// Why a user may not have these lengths beside those that they have.
pub(super) fn check_lengths(lengths: &[usize], have: &[usize]) -> Result<(), String> {
    let wrong = |len: &&usize| !(SHORTEST..=LONGEST).contains(*len);
    if let Some(len) = lengths.iter().find(wrong) {
        return Err(format!(
            "a value has {SHORTEST} to {LONGEST} bytes, not {len}"
        ));
    }
    let distinct: BTreeSet<_> = lengths.iter().chain(have).collect();
    match (lengths.len() + have.len() <= MOST, distinct.len()) {
        (false, _) => Err(format!("a user has at most {MOST} values")),
        (true, n) if n > MOST_LENGTHS => Err(format!(
            "a user's values have at most {MOST_LENGTHS} different lengths, these would be {n}"
        )),
        (true, _) => Ok(()),
    }
}

/// Up to eight bytes as a number.
#[inline]
fn word(bytes: &[u8]) -> u64 {
    if let Ok(eight) = bytes.try_into() {
        return u64::from_le_bytes(eight);
    }
    if let Ok(four) = bytes.try_into() {
        return u64::from(u32::from_le_bytes(four));
    }
    0
}

/// Whether neither a letter nor a digit stands beside a range.
fn is_word(text: &[u8], range: &Range<usize>) -> bool {
    let inside = |at: Option<usize>| {
        let byte = at.and_then(|at| text.get(at));
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80)
    };
    !inside(range.start.checked_sub(1)) && !inside(Some(range.end))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use proptest::{collection::vec, prelude::*};
    use zeroize::Zeroizing;

    use super::{super::keys::Keys, *};

    fn keys(root: u8) -> Arc<UserKeys> {
        Keys::new(Zeroizing::new([root; 32])).of(1000).unwrap()
    }

    fn literals(values: &[Vec<u8>]) -> Literals {
        let (keys, kind) = (keys(7), Kind::parse("SECRET").unwrap());
        let of = |value: &Vec<u8>| Literal::of(&keys, kind, value);
        Literals::new(
            Arc::clone(&keys),
            &values.iter().map(of).collect::<Vec<_>>(),
        )
    }

    fn found(values: &[&str], text: &str) -> Vec<String> {
        let values: Vec<_> = values.iter().map(|v| v.as_bytes().to_vec()).collect();
        let found = literals(&values).find(text.as_bytes());
        let value = |f: &Finding| text[f.range.clone()].to_owned();
        found.iter().map(value).collect()
    }

    #[test]
    fn a_value_is_found_wherever_its_bytes_stand() {
        let text = "xhunter2hunter2y \"hunter2hunter2\"";
        assert_eq!(found(&["hunter2hunter2"], text), ["hunter2hunter2"; 2]);
        assert!(found(&["hunter2hunter2"], "Hunter2hunter2").is_empty());
        assert!(found(&[], text).is_empty());
        assert!(found(&["hunter2hunter2"], "hunter2").is_empty());
    }

    #[test]
    fn a_short_value_is_a_word_of_its_own() {
        assert_eq!(
            found(&["Falcon"], "the Falcon, Falcons, aFalcon"),
            ["Falcon"]
        );
        assert_eq!(found(&["zeta"], "zeta"), ["zeta"]);
    }

    #[test]
    fn values_that_begin_alike_are_told_apart() {
        let values = ["Project-Alpha", "Project-Beta1", "Project-Al"];
        let text = "Project-Alpha Project-Beta2 Project-Beta1";
        let mut all = found(&values, text);
        all.sort();
        assert_eq!(all, ["Project-Al", "Project-Alpha", "Project-Beta1"]);
    }

    #[test]
    fn another_key_keeps_other_hashes() {
        let kind = Kind::parse("SECRET").unwrap();
        let of = |root| Literal::of(&keys(root), kind, b"hunter2hunter2");
        assert_ne!(of(1).mac, of(2).mac);
        assert_ne!(of(1).print, of(2).print);
        assert_ne!(of(1).window, of(2).window);
    }

    #[test]
    fn what_would_cost_too_much_is_refused() {
        assert!(check_lengths(&[4, 4096], &[]).is_ok());
        assert!(check_lengths(&[3], &[]).is_err());
        assert!(check_lengths(&[4097], &[]).is_err());
        let many: Vec<_> = (8..8 + MOST_LENGTHS).collect();
        assert!(check_lengths(&many, &[8, 9]).is_ok());
        assert!(check_lengths(&many, &[4]).is_err());
        assert!(check_lengths(&vec![8; MOST], &[8]).is_err());
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_a_plain_search_finds(
            values in vec(vec(0_u8..3, 4..12), 0..20),
            text in vec(0_u8..3, 0..400),
        ) {
            let mut expected = Vec::new();
            for value in values.iter().collect::<std::collections::BTreeSet<_>>() {
                let at = |at: usize| text[at..].starts_with(value);
                expected.extend((0..text.len()).filter(|&i| at(i)).map(|i| i..i + value.len()));
            }
            let mut all: Vec<_> =
                literals(&values).find(&text).into_iter().map(|f| f.range).collect();
            let key = |range: &Range<usize>| (range.start, range.end);
            all.sort_by_key(key);
            expected.sort_by_key(key);
            prop_assert_eq!(all, expected);
        }
    }
}
