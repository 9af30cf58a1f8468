//! Which landmark whatever a pattern matches holds, and how far before it a match begins.
//!
//! Knows: regular expressions. Must not know: rules, texts.

use regex_syntax::hir::{Capture, Class, ClassBytes, Hir, HirKind};

use super::{LEAST, LEAST_OF_LETTERS, Landmark};
use crate::inspect::runs;

/// A landmark that each match of a pattern holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Held {
    pub(super) landmark: Landmark,
    /// At most how many bytes of the match stand before it.
    pub(super) before: usize,
}

impl Held {
    /// The first landmark that every match of this pattern holds, as far as its parts tell.
    ///
    /// With `digit`, what must look like a secret in a match has a digit: its group `core`, or else
    /// `secret`, or else all of it.
    pub(in super::super) fn by(hir: &Hir, digit: bool) -> Option<Self> {
        let groups = ["core", "secret"].into_iter();
        let core = groups.clone().find(|name| has_group(hir, name));
        let pattern = Pattern {
            core: digit.then_some(core),
        };
        match pattern.word(hir) {
            Some(word) => word.or_digit(pattern.core == Some(None)).held(Some(0)),
            None => pattern.held(hir),
        }
    }

    /// The landmark, if a trigger of this length is whole around it that begins so far before the match at most.
    pub(in super::super) fn around(self, before: usize, trigger: usize) -> Option<Landmark> {
        let is_near = before + self.before <= self.landmark.before();
        (is_near && trigger <= self.landmark.behind()).then_some(self.landmark)
    }

    /// What either of two has: one kind of landmark, and as far before it as any.
    fn or(self, other: Self) -> Option<Self> {
        let before = self.before.max(other.before);
        (self.landmark == other.landmark).then_some(Self { before, ..self })
    }

    fn behind(self, before: usize) -> Self {
        let before = before + self.before;
        Self { before, ..self }
    }
}

fn has_group(hir: &Hir, name: &str) -> bool {
    match hir.kind() {
        HirKind::Capture(capture) => {
            capture.name.as_deref() == Some(name) || has_group(&capture.sub, name)
        }
        kind => kind.subs().iter().any(|sub| has_group(sub, name)),
    }
}

/// What all matches of a part have in common that consist of a word's bytes only.
#[derive(Debug, Clone, Copy, Default)]
struct Word {
    shortest: usize,
    digit: bool,
    /// A digit, or letters of both cases.
    mixed: bool,
}

impl Word {
    fn and(self, next: Self) -> Self {
        Self {
            shortest: self.shortest + next.shortest,
            digit: self.digit || next.digit,
            mixed: self.mixed || next.mixed,
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            shortest: self.shortest.min(other.shortest),
            digit: self.digit && other.digit,
            mixed: self.mixed && other.mixed,
        }
    }

    fn or_digit(self, digit: bool) -> Self {
        let digit = self.digit || digit;
        Self { digit, ..self }
    }

    fn held(self, before: Option<usize>) -> Option<Held> {
        let is_long =
            self.digit && self.shortest >= LEAST || self.mixed && self.shortest >= LEAST_OF_LETTERS;
        let held = |before| Held {
            landmark: Landmark::LongWord,
            before,
        };
        before.filter(|_| is_long).map(held)
    }
}

struct Pattern {
    /// The group that has a digit, if one has; `Some(None)` is the whole.
    core: Option<Option<&'static str>>,
}

impl Pattern {
    /// The part as a word, if it matches nothing but a word's bytes.
    fn word(&self, hir: &Hir) -> Option<Word> {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Some(Word::default()),
            HirKind::Literal(literal) => word_of(&literal.0),
            HirKind::Class(Class::Bytes(class)) => word_of_class(class),
            HirKind::Class(Class::Unicode(_)) => None,
            HirKind::Capture(capture) => self.captured(capture),
            HirKind::Repetition(repetition) => {
                let word = self.word(&repetition.sub)?;
                Some(repeated(word, &repetition.sub, repetition.min as usize))
            }
            HirKind::Concat(parts) => parts
                .iter()
                .try_fold(Word::default(), |all, part| Some(all.and(self.word(part)?))),
            HirKind::Alternation(branches) => {
                let mut words = branches.iter().map(|branch| self.word(branch));
                let first = words.next()??;
                words.try_fold(first, |all, word| Some(all.or(word?)))
            }
        }
    }

    fn captured(&self, capture: &Capture) -> Option<Word> {
        let word = self.word(&capture.sub)?;
        let is_core = capture.name.is_some() && self.core == Some(capture.name.as_deref());
        Some(word.or_digit(is_core))
    }

    /// The landmark that a part holds which is no word.
    fn held(&self, hir: &Hir) -> Option<Held> {
        match hir.kind() {
            HirKind::Literal(literal) => {
                let before = memchr::memchr(b'@', &literal.0)?;
                let landmark = Landmark::Sign;
                Some(Held { landmark, before })
            }
            HirKind::Concat(parts) => self.held_among(parts),
            HirKind::Alternation(branches) => {
                let mut held = branches.iter().map(|branch| self.in_part(branch));
                let first = held.next()??;
                held.try_fold(first, |all, held| all.or(held?))
            }
            HirKind::Capture(capture) => self.in_part(&capture.sub),
            HirKind::Repetition(repetition) if repetition.min > 0 => self.in_part(&repetition.sub),
            _ => None,
        }
    }

    fn in_part(&self, part: &Hir) -> Option<Held> {
        match self.word(part) {
            Some(word) => word.held(Some(0)),
            None => self.held(part),
        }
    }

    fn held_among(&self, parts: &[Hir]) -> Option<Held> {
        // Where the next part begins at the latest, if there is a limit, and where the word does that it may
        // go on.
        let (mut at, mut start) = (Some(0), Some(0));
        let mut word = Word::default();
        for part in parts {
            let next = self.word(part);
            word = next.map_or_else(Word::default, |next| word.and(next));
            let held = match next {
                Some(_) => word.held(start),
                None => self.held(part).zip(at).map(|(held, at)| held.behind(at)),
            };
            if held.is_some() {
                return held;
            }
            let longest = part.properties().maximum_len();
            at = at.zip(longest).map(|(at, longest)| at + longest);
            if next.is_none() {
                start = at;
            }
        }
        None
    }
}

/// A part as often as it is there at least. Its characters are taken to be random.
fn repeated(word: Word, sub: &Hir, times: usize) -> Word {
    let random = match sub.kind() {
        HirKind::Class(Class::Bytes(class)) => Shares::of(class).among(times),
        _ => Word::default(),
    };
    let some = times > 0;
    Word {
        shortest: word.shortest * times,
        digit: word.digit && some || random.digit,
        mixed: word.mixed && some || random.mixed,
    }
}

/// How much of a class of characters is of a kind.
struct Shares {
    digits: f64,
    lower: f64,
    upper: f64,
}

impl Shares {
    fn of(class: &ClassBytes) -> Self {
        let count = |is: fn(&u8) -> bool| bytes(class).filter(is).count() as f64;
        let all = count(|_| true);
        Self {
            digits: count(u8::is_ascii_digit) / all,
            lower: count(u8::is_ascii_lowercase) / all,
            upper: count(u8::is_ascii_uppercase) / all,
        }
    }

    /// What so many random characters of the class have, but for one value in ten thousand.
    fn among(&self, times: usize) -> Word {
        const RARE: f64 = 1e-4;
        let none_of = |share: f64| (1.0 - share).powf(times as f64);
        Word {
            shortest: times,
            digit: none_of(self.digits) < RARE,
            mixed: none_of(self.digits + self.lower) + none_of(self.digits + self.upper) < RARE,
        }
    }
}

fn word_of(bytes: &[u8]) -> Option<Word> {
    let has = |is: fn(&u8) -> bool| bytes.iter().any(is);
    let is_word = bytes.iter().all(|byte| runs::is_key_character(*byte));
    is_word.then(|| Word {
        shortest: bytes.len(),
        digit: has(u8::is_ascii_digit),
        mixed: has(u8::is_ascii_digit)
            || has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase),
    })
}

fn word_of_class(class: &ClassBytes) -> Option<Word> {
    let digit = bytes(class).all(|byte| byte.is_ascii_digit());
    bytes(class).all(runs::is_key_character).then_some(Word {
        shortest: 1,
        digit,
        mixed: digit,
    })
}

fn bytes(class: &ClassBytes) -> impl Iterator<Item = u8> {
    class.iter().flat_map(|range| range.start()..=range.end())
}
