//! Numbers of people and cards that have a shape and a checksum: how they are found.
//!
//! Knows: shapes, checks and words, which are data ([`super::cards`], [`super::national`]). Must not
//! know: any country.

use std::ops::Range;

use super::{
    context,
    digits::{is_word, stands_alone, word_len, word_start},
    policy::Family,
};
use crate::inspect::Confidence;

/// The longest number, without signs, in characters.
const LONGEST: usize = 24;
/// How far apart the numbers of a table may stand, in bytes.
const GAP: usize = 24;
/// How much shorter a number of a table may be than its neighbour, in digits.
const SHORTER: usize = 4;
/// How many letters may stand before a number's first digits.
const LETTERS: usize = 6;

/// A kind of number.
#[derive(Debug)]
pub(super) struct Number {
    /// The KIND of its placeholder.
    pub(super) kind: &'static str,
    /// Its rule's name.
    pub(super) rule: &'static str,
    pub(super) family: Family,
    /// How it is written when that is telling: `9` is a digit, `A` an upper-case letter, the rest
    /// stands for itself.
    pub(super) telling: &'static [&'static str],
    /// How it is written when only a word beside it tells what it is.
    pub(super) beside: &'static [&'static str],
    /// Those words, in lower case.
    pub(super) words: &'static [&'static str],
    /// What must be true of its digits and letters, without signs.
    pub(super) check: fn(&[u8]) -> bool,
}

/// All numbers, by the length of the first word of their shapes.
#[derive(Debug)]
pub(super) struct Numbers {
    by_first: Vec<Shapes>,
    /// By the length of a run of digits: which bytes can stand behind it if it is the first one of a shape.
    /// Most runs are part of something else (`u32`, `0x1f`), and cost no more than this look.
    behind_run: Vec<[bool; 256]>,
}

/// Shapes whose first words have one length, in the order in which they are tried.
#[derive(Debug, Clone, Default)]
struct Shapes {
    /// By a byte that stands behind the first word of one of them: what can fit there.
    followed: Vec<(u8, Vec<Shape>)>,
    /// Those that end there, which fit whatever follows.
    whole: Vec<Shape>,
}

#[derive(Debug, Clone, Copy)]
struct Shape {
    number: &'static Number,
    text: &'static [u8],
    telling: bool,
}

/// A number that was found.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) range: Range<usize>,
    pub(super) number: &'static Number,
    pub(super) confidence: Confidence,
}

impl Numbers {
    pub(super) fn new(numbers: impl Iterator<Item = &'static Number>) -> Self {
        let mut by_first = vec![Shapes::default(); LONGEST + 1];
        let mut behind_run = vec![[false; 256]; LONGEST + 1];
        for number in numbers {
            let telling = number.telling.iter().map(|text| (text, true));
            let beside = number.beside.iter().map(|text| (text, false));
            for (text, telling) in telling.chain(beside) {
                let text = text.as_bytes();
                let shape = Shape {
                    number,
                    text,
                    telling,
                };
                shape.mark_run(&mut behind_run);
                let first = word_len(text, 0, LONGEST);
                if let Some(shapes) = by_first.get_mut(first) {
                    shapes.add(shape, text.get(first).copied());
                }
            }
        }
        Self {
            by_first,
            behind_run,
        }
    }

    /// The number whose first digits are this run.
    pub(super) fn find(&self, text: &[u8], run: &Range<usize>) -> Option<Seen> {
        if !self.may_be_first(text, run) {
            return None;
        }
        let start = word_start(text, run.start, LETTERS + 1);
        self.at(text, start)
            .or_else(|| self.at(text, before(text, start)?))
    }

    /// Whether a run can be the first one of a shape, by what stands before it and behind it.
    fn may_be_first(&self, text: &[u8], run: &Range<usize>) -> bool {
        let before = run.start.checked_sub(1).and_then(|at| text.get(at));
        let behind = text.get(run.end).copied().unwrap_or(b' ');
        let goes_on = self.behind_run.get(run.len());
        !before.is_some_and(|byte| is_word(*byte) && !byte.is_ascii_uppercase())
            && goes_on.is_some_and(|goes_on| goes_on.get(usize::from(behind)) == Some(&true))
    }

    fn at(&self, text: &[u8], start: usize) -> Option<Seen> {
        let first = word_len(text, start, LONGEST + 1);
        let shapes = self.by_first.get(first)?;
        let mut shapes = shapes.followed_by(text.get(start + first));
        shapes.find_map(|shape| shape.find(text, start))
    }
}

impl Shapes {
    fn add(&mut self, shape: Shape, behind: Option<u8>) {
        let Some(behind) = behind else {
            self.whole.push(shape);
            let all = self.followed.iter_mut();
            return all.for_each(|(_, shapes)| shapes.push(shape));
        };
        match self.followed.iter_mut().find(|(byte, _)| *byte == behind) {
            Some((_, shapes)) => shapes.push(shape),
            None => {
                let before = self.whole.iter().copied();
                let shapes = before.chain([shape]).collect();
                self.followed.push((behind, shapes));
            }
        }
    }

    fn followed_by(&self, behind: Option<&u8>) -> impl Iterator<Item = &Shape> {
        let known = self.followed.iter().find(|(byte, _)| Some(byte) == behind);
        known.map_or(&self.whole, |(_, shapes)| shapes).iter()
    }
}

/// A single letter, digit or pair of letters may stand before the first run: `1 84 12`, `AB 12`.
fn before(text: &[u8], start: usize) -> Option<usize> {
    let sign = start.checked_sub(1)?;
    if !text.get(sign).is_some_and(|byte| b" -.".contains(byte)) {
        return None;
    }
    let word = word_start(text, sign, 3);
    (1..=2).contains(&(sign - word)).then_some(word)
}

impl Shape {
    /// Marks, for the length of its first run of two digits or more, which bytes can follow that.
    fn mark_run(&self, behind: &mut [[bool; 256]]) {
        let runs = self.text.chunk_by(|a, b| (*a == b'9') == (*b == b'9'));
        let mut end = 0;
        for run in runs {
            end += run.len();
            if run.first() == Some(&b'9')
                && run.len() >= 2
                && let Some(behind) = behind.get_mut(run.len())
            {
                let next = self.text.get(end);
                for (byte, may_follow) in (0..=u8::MAX).zip(behind) {
                    // Behind its end is what may stand around a number, which is no part of a word.
                    *may_follow |= next.map_or(!is_word(byte), |sign| fits(*sign, byte));
                }
                return;
            }
        }
    }

    fn find(&self, text: &[u8], start: usize) -> Option<Seen> {
        let range = start..start + self.text.len();
        let written = text.get(range.clone())?;
        if !self
            .text
            .iter()
            .zip(written)
            .all(|(shape, byte)| fits(*shape, *byte))
        {
            return None;
        }
        if !stands_alone(text, &range) || !(self.number.check)(Bare::of(written).as_ref()) {
            return None;
        }
        let named = context::says(text, &range, self.number.words);
        (named || (self.telling && !self.is_in_table(text, &range))).then_some(Seen {
            range,
            number: self.number,
            confidence: if named {
                Confidence::High
            } else {
                Confidence::Medium
            },
        })
    }

    /// Whether a number stands beside it that is about as long and is none of this kind.
    fn is_in_table(&self, text: &[u8], range: &Range<usize>) -> bool {
        let before = text.get(..range.start).unwrap_or_default();
        let gap = before
            .iter()
            .rev()
            .take(GAP)
            .take_while(|byte| parts(**byte));
        let end = range.start - gap.count();
        let left = text.get(word_start(text, end, LONGEST)..end);
        let after = text.get(range.end..).unwrap_or_default();
        let gap = after.iter().take(GAP).take_while(|byte| parts(**byte));
        let start = range.end + gap.count();
        let right = text.get(start..start + word_len(text, start, LONGEST));
        let first = self
            .text
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric());
        let least = first.count().saturating_sub(SHORTER).max(2);
        let strange = |word: Option<&[u8]>| {
            let number = |word: &&[u8]| word.len() >= least && word.iter().all(u8::is_ascii_digit);
            word.filter(number)
                .is_some_and(|word| !(self.number.check)(word))
        };
        strange(left) || strange(right)
    }
}

/// The letters and digits of a number, without what stands between them.
struct Bare {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Bare {
    fn of(written: &[u8]) -> Self {
        let mut bare = Self {
            bytes: [0; LONGEST],
            len: 0,
        };
        let kept = written.iter().filter(|byte| byte.is_ascii_alphanumeric());
        for (place, byte) in bare.bytes.iter_mut().zip(kept) {
            *place = *byte;
            bare.len += 1;
        }
        bare
    }
}

impl AsRef<[u8]> for Bare {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// What stands between the numbers of a table or a list.
fn parts(byte: u8) -> bool {
    b" \t\r\n,;".contains(&byte)
}

fn fits(shape: u8, byte: u8) -> bool {
    match shape {
        b'9' => byte.is_ascii_digit(),
        b'A' => byte.is_ascii_uppercase(),
        sign => byte == sign,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{cards, national};

    #[test]
    fn every_shape_has_two_digits_in_a_row_that_it_is_found_by() {
        for number in [&cards::CARD].into_iter().chain(national::numbers()) {
            for shape in number.telling.iter().chain(number.beside) {
                assert!(shape.contains("99"), "{}: {shape}", number.rule);
            }
        }
    }
}
