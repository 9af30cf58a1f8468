//! Names that are a slip of the finger apart.
//!
//! That two names differ by one character says little: thousands of honest ones do. What is taken for
//! a slip here depends on what fingers do (exchange, double, miss a key for its neighbour), on where
//! in the name it is, and on how much the other name is typed.

use super::{MOST, MUCH};

/// Names shorter than this are too many and too near each other: only two characters in the wrong
/// order are a slip then.
const SHORT: usize = 5;
/// Names shorter than this are never like each other.
const TOO_SHORT: usize = 4;
/// Names of this length and more have few neighbours by chance.
const LONG: usize = 7;
/// From here on, one letter that is missing is hardly another word.
const VERY_LONG: usize = 9;
/// Names of this length and more have none: what is left of one is no other word.
const UNIQUE: usize = 12;
/// Parts of a name that are no longer than this are mostly abbreviations, and each has its own meaning.
const ABBREVIATION: usize = 4;
/// Names of this length and more may have two slips in them.
pub(super) const TWICE: usize = 8;

/// The rows of a keyboard.
const KEYS: [&str; 4] = ["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// One change that makes a name of another.
enum Edit {
    Swapped,
    Inserted(char),
    Missing(char),
    Replaced(char, char),
}

/// Where it is, and what is around it.
struct Slip<'a> {
    right: &'a [char],
    edit: Edit,
    start: usize,
    at_end: bool,
    rank: u32,
}

/// Whether `name` is a slip of the finger away from `right`, which is of this rank.
pub(super) fn is_slip(right: &str, name: &str, rank: u32) -> bool {
    if differ_much(right, name) {
        return false;
    }
    let (right, name): (Vec<char>, Vec<char>) = (right.chars().collect(), name.chars().collect());
    let same = |(a, b): &(&char, &char)| a == b;
    let start = right.iter().zip(&name).take_while(same).count();
    let (a, b) = (right.get(start..), name.get(start..));
    let (Some(a), Some(b)) = (a, b) else {
        return false;
    };
    let end = a.iter().rev().zip(b.iter().rev()).take_while(same).count();
    let (a, b) = (a.get(..a.len() - end), b.get(..b.len() - end));
    let edit = match (a, b) {
        (Some([a, b]), Some([c, d])) if a == d && b == c => Edit::Swapped,
        (Some([]), Some([more])) => Edit::Inserted(*more),
        (Some([less]), Some([])) => Edit::Missing(*less),
        (Some([a]), Some([b])) => Edit::Replaced(*a, *b),
        _ => return false,
    };
    let slip = Slip {
        right: &right,
        edit,
        start,
        at_end: end == 0,
        rank,
    };
    slip.is_likely()
}

/// Whether more differs than one change explains. It is asked of many names, and most end here.
fn differ_much(right: &str, name: &str) -> bool {
    /// The bytes of a character, at most.
    const WIDE: usize = 4;
    let same = |(a, b): &(&u8, &u8)| a == b;
    let start = right.bytes().zip(name.bytes());
    let start = start.take_while(|(a, b)| a == b).count();
    let (a, b) = (&right.as_bytes()[start..], &name.as_bytes()[start..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(same).count();
    let most = match right.is_ascii() && name.is_ascii() {
        true => 2,
        false => 2 * WIDE,
    };
    a.len().max(b.len()) - end > most
}

impl Slip<'_> {
    fn is_likely(&self) -> bool {
        let length = self.right.len();
        match self.edit {
            _ if length < TOO_SHORT => false,
            Edit::Swapped => length >= SHORT || self.rank < MUCH,
            _ if length < SHORT => false,
            Edit::Inserted(c) => self.inserted(c),
            Edit::Missing(c) => self.missing(c),
            Edit::Replaced(a, b) => self.replaced(a, b),
        }
    }

    fn inserted(&self, c: char) -> bool {
        let (much, long) = (self.rank < MUCH, self.right.len() >= LONG);
        let (before, after) = self.neighbours();
        let near = [before, after]
            .into_iter()
            .flatten()
            .any(|n| are_neighbours(n, c));
        match c {
            '-' | '_' | '.' => true,
            // `redis4` is of a series; so is `python3-x`.
            c if c.is_ascii_digit() => !self.at_end && self.start > 0 && much && long,
            c if before == Some(c) || after == Some(c) => true,
            _ if self.start == 0 => near && self.rank < MOST,
            _ if self.right.len() >= UNIQUE && c != 's' => true,
            // Word endings: a `scheduler` is no `schedule`.
            'r' | 'd' if self.at_end && before == Some('e') => false,
            's' if self.at_end => much || long,
            _ if self.at_end => much && long,
            _ => much || (near && long),
        }
    }

    fn missing(&self, c: char) -> bool {
        let (length, much) = (self.right.len(), self.rank < MUCH);
        let (before, after) = (
            self.before(self.start),
            self.right.get(self.start + 1).copied(),
        );
        match c {
            '-' | '_' | '.' => true,
            c if c.is_ascii_digit() => !self.at_end && much,
            c if before == Some(c) || after == Some(c) => true,
            _ if self.start == 0 => much && length >= LONG,
            _ if length >= UNIQUE => true,
            's' if self.at_end => self.rank < MOST && length > SHORT,
            _ if self.at_end && length < LONG => self.rank < MOST,
            _ if self.at_end => much,
            _ => much || length >= VERY_LONG,
        }
    }

    fn replaced(&self, a: char, b: char) -> bool {
        let (much, most) = (self.rank < MUCH, self.rank < MOST);
        let length = self.right.len();
        let long = length >= LONG;
        let finger = are_neighbours(a, b) || (is_vowel(a) && is_vowel(b));
        match (a.is_ascii_digit(), b.is_ascii_digit()) {
            // `boto2` and `boto3` are a series, not a slip.
            (true, true) => false,
            _ if self.is_in_abbreviation() => false,
            // A digit in the middle of a word.
            (false, true) if most => !self.at_end || are_neighbours(a, b),
            (true, false) | (false, true) => much && long && !self.at_end && self.start > 0,
            _ if self.start == 0 => {
                are_neighbours(a, b) && ((much && long) || (most && length > SHORT))
            }
            _ if most => long || finger,
            _ => much && long && finger,
        }
    }

    /// Whether the part of the name that it is in is one of several, and short.
    fn is_in_abbreviation(&self) -> bool {
        let is_edge = |c: &char| !c.is_alphanumeric();
        let (before, after) = self.right.split_at(self.start.min(self.right.len()));
        let left = before.iter().rev().take_while(|c| !is_edge(c)).count();
        let right = after.iter().take_while(|c| !is_edge(c)).count();
        let length = left + right;
        length < self.right.len() && length <= ABBREVIATION
    }

    fn neighbours(&self) -> (Option<char>, Option<char>) {
        (self.before(self.start), self.right.get(self.start).copied())
    }

    fn before(&self, at: usize) -> Option<char> {
        self.right.get(at.checked_sub(1)?).copied()
    }
}

/// Whether two slips of the plainest kinds make `name` of `right`: keys exchanged, struck twice or
/// once too few, a neighbour struck, a vowel for another.
pub(super) fn is_double_slip(right: &str, name: &str) -> bool {
    let parts = |name| str::split(name, |c: char| !c.is_alphanumeric());
    let abbreviation = |(a, b): (&str, &str)| a != b && a.len() <= ABBREVIATION;
    let several = || parts(right).nth(1).is_some();
    right != name
        && two_slips(right, name)
        && !(several() && parts(right).zip(parts(name)).any(abbreviation))
}

fn two_slips(right: &str, name: &str) -> bool {
    if right.is_ascii() && name.is_ascii() {
        return plain(right.as_bytes(), name.as_bytes(), None, 2);
    }
    let (right, name): (Vec<char>, Vec<char>) = (right.chars().collect(), name.chars().collect());
    plain(&right, &name, None, 2)
}

fn plain<C: Copy + PartialEq + Into<char>>(
    right: &[C],
    name: &[C],
    before: Option<C>,
    left: u32,
) -> bool {
    let (mut right, mut name, mut before) = (right, name, before);
    while let ([a, rest @ ..], [b, after @ ..]) = (right, name)
        && a == b
    {
        (right, name, before) = (rest, after, Some(*a));
    }
    if right.is_empty() && name.is_empty() {
        return true;
    }
    let Some(left) = left.checked_sub(1) else {
        return false;
    };
    let swapped = match (right, name) {
        ([a, b, rest @ ..], [c, d, after @ ..]) if a == d && b == c => {
            plain(rest, after, Some(*a), left)
        }
        _ => false,
    };
    let twice = match (right, name) {
        (_, [c, after @ ..]) if before == Some(*c) || right.first() == Some(c) => {
            plain(right, after, before, left)
        }
        _ => false,
    };
    let once = match (right, name) {
        ([c, rest @ ..], _) if before == Some(*c) || rest.first() == Some(c) => {
            plain(rest, name, Some(*c), left)
        }
        _ => false,
    };
    let other = match (right, name) {
        ([a, rest @ ..], [b, after @ ..]) if before.is_some() => {
            let (from, to): (char, char) = ((*a).into(), (*b).into());
            let finger = are_neighbours(from, to) || (is_vowel(from) && is_vowel(to));
            let letters = from.is_alphabetic() && to.is_alphabetic();
            finger && letters && plain(rest, after, Some(*a), left)
        }
        _ => false,
    };
    swapped || twice || once || other
}

fn is_vowel(c: char) -> bool {
    matches!(c, 'a' | 'e' | 'i' | 'o' | 'u')
}

/// Whether a finger that aims at one key may hit the other.
fn are_neighbours(a: char, b: char) -> bool {
    let place = |c: char| {
        let of = |(row, keys): (usize, &&str)| Some((row, keys.find(c)?));
        KEYS.iter().enumerate().find_map(of)
    };
    let (Some((row, x)), Some((other, y))) = (place(a), place(b)) else {
        return false;
    };
    // Each row stands half a key to the right of the one above.
    let (x, y) = (2 * x + row, 2 * y + other);
    row.abs_diff(other) <= 1 && x.abs_diff(y) <= 2 && a != b
}
