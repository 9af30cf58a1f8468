//! Telephone numbers: international ones (ITU-T E.164) by their `+`, national ones by a word beside
//! them.

use std::ops::Range;

use memchr::memchr_iter;

use super::{context, digits::is_word};

/// E.164 allows fifteen digits.
const MOST: usize = 15;
/// National numbers have no fewer.
const SHORTEST: usize = 9;
/// What may stand between their groups.
const SIGNS: &[u8] = b" -./()";
/// How long a number with its signs may be, in bytes.
const LONGEST: usize = 28;

const WORDS: [&str; 17] = [
    "phone",
    "telephone",
    "mobile",
    "whatsapp",
    "cellphone",
    "telefon",
    "téléphone",
    "teléfono",
    "telefono",
    "telefone",
    "telefoon",
    "tel",
    "cell",
    "call",
    "fax",
    "sms",
    "handy",
];
/// So many of them mean nothing else.
const SURE: usize = 11;

/// Calling codes, and how many digits follow them.
const CODES: &[(&str, Range<usize>)] = &[
    ("1", 10..11),
    ("7", 10..11),
    ("20", 8..11),
    ("27", 9..10),
    ("30", 10..11),
    ("31", 9..10),
    ("32", 8..10),
    ("33", 9..10),
    ("34", 9..10),
    ("36", 8..10),
    ("39", 8..12),
    ("40", 9..10),
    ("41", 9..10),
    ("43", 8..13),
    ("44", 9..11),
    ("45", 8..9),
    ("46", 7..10),
    ("47", 8..9),
    ("48", 9..10),
    ("49", 8..12),
    ("51", 8..10),
    ("52", 10..12),
    ("53", 8..9),
    ("54", 10..12),
    ("55", 10..12),
    ("56", 9..10),
    ("57", 10..11),
    ("58", 10..11),
    ("60", 8..11),
    ("61", 9..10),
    ("62", 8..13),
    ("63", 9..11),
    ("64", 8..11),
    ("65", 8..9),
    ("66", 8..10),
    ("81", 9..11),
    ("82", 8..11),
    ("84", 9..11),
    ("86", 10..12),
    ("90", 10..11),
    ("91", 10..11),
    ("92", 9..11),
    ("93", 9..10),
    ("94", 9..10),
    ("95", 8..11),
    ("98", 10..11),
];
/// The first two digits of calling codes of three.
const THREES: &str = "21 22 23 24 25 26 29 35 37 38 42 50 59 67 68 69 85 88 96 97 99";

/// All numbers that begin with a `+`.
pub(super) fn international(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    memchr_iter(b'+', text).filter_map(|at| after_plus(text, at))
}

fn after_plus(text: &[u8], at: usize) -> Option<Range<usize>> {
    let before = at
        .checked_sub(1)
        .and_then(|at| text.get(at))
        .copied()
        .unwrap_or(b' ');
    if !text.get(at + 1)?.is_ascii_digit() || is_word(before) || b"+-*/%)]}.$\\".contains(&before) {
        return None;
    }
    let groups = Groups::of(text, at + 1);
    let fits = |(end, digits): &(usize, &[u8])| is_international(digits) && closes(text, *end);
    groups.ends().find(fits).map(|(end, _)| at..end)
}

/// The groups of digits that begin at a place. A `(0)`, which is only dialled within the country, does
/// not count.
#[derive(Default)]
struct Groups {
    digits: [u8; MOST + 1],
    len: usize,
    /// Behind each group: where it ends, and how many digits there are until then.
    ends: [(usize, usize); MOST + 1],
    count: usize,
}

impl Groups {
    fn of(text: &[u8], start: usize) -> Self {
        let mut groups = Self::default();
        let rest = text
            .get(start..text.len().min(start + LONGEST))
            .unwrap_or_default();
        groups.read(rest, start);
        groups
    }

    /// Where the number may end, and its digits until there; the longest first.
    fn ends(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let ends = self.ends.get(..self.count).unwrap_or_default();
        ends.iter()
            .rev()
            .filter_map(|(end, len)| Some((*end, self.digits.get(..*len)?)))
    }

    fn push(&mut self, digit: u8) {
        if let Some(place) = self.digits.get_mut(self.len) {
            *place = digit;
            self.len += 1;
        }
    }

    fn end(&mut self, at: usize) {
        if let Some(place) = self.ends.get_mut(self.count) {
            *place = (at, self.len);
            self.count += 1;
        }
    }

    fn read(&mut self, rest: &[u8], start: usize) {
        let mut signs = 0;
        for (at, byte) in rest.iter().enumerate() {
            let next = rest.get(at + 1);
            if byte.is_ascii_digit() {
                signs = 0;
                let trunk = rest.get(at.saturating_sub(1)..at + 2) == Some(b"(0)");
                if !trunk {
                    self.push(*byte);
                }
                if !trunk && !next.is_some_and(u8::is_ascii_digit) {
                    self.end(start + at + 1);
                }
            } else {
                signs += 1;
                if signs > 2 || !SIGNS.contains(byte) {
                    break;
                }
            }
            if self.len > MOST {
                break;
            }
        }
    }
}

fn is_international(digits: &[u8]) -> bool {
    if let Some(national) = digits.strip_prefix(b"1") {
        return is_north_american(national);
    }
    let code = |(code, rest): &(&str, Range<usize>)| {
        digits
            .strip_prefix(code.as_bytes())
            .is_some_and(|n| rest.contains(&n.len()))
    };
    let three = || {
        let first = digits.get(..2).unwrap_or_default();
        // Years past 9999 are written with a sign; 990, 991 and 999 are no codes.
        let given = ![b"990", b"991", b"999"]
            .iter()
            .any(|none| digits.starts_with(*none));
        given
            && (10..=13).contains(&digits.len())
            && THREES.split(' ').any(|two| two.as_bytes() == first)
    };
    !is_counted_up(digits) && (CODES.iter().any(code) || three())
}

/// NPA-NXX-XXXX: neither part begins with 0 or 1, and 555-01XX is for films.
fn is_north_american(digits: &[u8]) -> bool {
    let starts = |at: usize| {
        digits
            .get(at)
            .is_some_and(|byte| (b'2'..=b'9').contains(byte))
    };
    let film = digits.get(3..8) == Some(b"55501");
    digits.len() == 10 && starts(0) && starts(3) && !film && !is_counted_up(digits)
}

/// `1234567890`, `0000000000`: what stands in examples.
fn is_counted_up(digits: &[u8]) -> bool {
    let step = |pair: &&[u8]| match pair {
        [a, b] => a == b || a + 1 == *b || (*a == b'9' && *b == b'0'),
        _ => false,
    };
    digits.windows(2).filter(step).count() + 2 >= digits.len()
}

fn closes(text: &[u8], end: usize) -> bool {
    let (after, beyond) = (text.get(end), text.get(end + 1));
    let joins = after.is_some_and(|byte| b"-./:*+".contains(byte))
        && beyond.is_some_and(u8::is_ascii_alphanumeric);
    !joins && !after.is_some_and(|byte| is_word(*byte) || b"*(^".contains(byte))
}

/// National numbers: those written as `(415) 555-2671`, and others beside a word for telephones.
///
/// `runs` are the text's runs of digits.
pub(super) fn national(text: &[u8], runs: &[Range<usize>]) -> impl Iterator<Item = Range<usize>> {
    let mut done = 0;
    runs.iter().filter_map(move |run| {
        if run.start < done || run.len() > 11 {
            return None;
        }
        let found = written(text, run)?;
        done = found.end;
        Some(found)
    })
}

fn written(text: &[u8], run: &Range<usize>) -> Option<Range<usize>> {
    let left = |back: usize| {
        run.start
            .checked_sub(back)
            .and_then(|at| text.get(at))
            .copied()
    };
    let bracket = left(1) == Some(b'(');
    let start = run.start - usize::from(bracket);
    let before = left(1 + usize::from(bracket)).unwrap_or(b' ');
    if is_word(before) || b"+-./=$#%\\,)".contains(&before) {
        return None;
    }
    // Most numbers are neither long enough by themselves nor the first of several.
    let goes_on = another_follows(text.get(run.end..)?);
    if !goes_on && (run.len() < SHORTEST || !may_be_dialled(text.get(run.clone())?)) {
        return None;
    }
    let groups = Groups::of(text, run.start);
    let (end, digits) = groups
        .ends()
        .find(|(end, digits)| (SHORTEST..=12).contains(&digits.len()) && closes(text, *end))?;
    let range = start..end;
    let shape = text.get(range.clone())?;
    if bracket && is_american(digits) && shape.get(4) == Some(&b')') {
        return Some(range);
    }
    // A constant of the program may be called CALL; nobody writes its value in groups.
    let bare = shape.iter().all(u8::is_ascii_digit);
    let words = if bare { &WORDS[..SURE] } else { &WORDS[..] };
    let plausible = may_be_dialled(digits) && !is_date(shape);
    (plausible && context::says(text, &range, words)).then_some(range)
}

/// Whether one or two signs and another group stand behind a group.
fn another_follows(rest: &[u8]) -> bool {
    let is_sign = |byte: &u8| SIGNS.contains(byte);
    match rest {
        [sign, digit, ..] if digit.is_ascii_digit() => is_sign(sign),
        [sign, other, digit, ..] if digit.is_ascii_digit() => is_sign(sign) && is_sign(other),
        _ => false,
    }
}

/// Whether digits begin as national numbers do.
fn may_be_dialled(digits: &[u8]) -> bool {
    let trunk = digits.first() == Some(&b'0');
    trunk && !is_counted_up(digits) || is_american(digits)
}

/// A number of North America, with its trunk prefix or without.
fn is_american(digits: &[u8]) -> bool {
    is_north_american(digits.strip_prefix(b"1").unwrap_or(digits))
}

/// `2024-01-02 10`: a date, and what follows it.
fn is_date(shape: &[u8]) -> bool {
    shape
        .get(..2)
        .is_some_and(|century| century == b"19" || century == b"20")
        && shape.get(4).is_some_and(|sign| b"-./".contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::runs;

    /// As the caller keeps them: the first to take a place.
    fn found(text: &str) -> Vec<&str> {
        let mut kept: Vec<Range<usize>> = international(text.as_bytes()).collect();
        let runs = runs::of_digits(text.as_bytes());
        for range in national(text.as_bytes(), &runs) {
            if kept
                .iter()
                .all(|one| range.end <= one.start || one.end <= range.start)
            {
                kept.push(range);
            }
        }
        kept.into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn numbers_that_can_be_called() {
        for (text, number) in [
            ("+14155552671", "+14155552671"),
            ("call +1 (415) 555-2671 now", "+1 (415) 555-2671"),
            ("+44 20 7946 0958, ext. 4", "+44 20 7946 0958"),
            ("+44 (0)20 7946 0958", "+44 (0)20 7946 0958"),
            ("tel:+33612345679", "+33612345679"),
            ("+33 6 12 34 56 79", "+33 6 12 34 56 79"),
            ("+49 30 901820", "+49 30 901820"),
            ("+358 40 1234 567 12 3", "+358 40 1234 567"),
            ("(415) 555-2671", "(415) 555-2671"),
            ("phone: 415-555-2671", "415-555-2671"),
            ("\"mobile\": \"07911 123456\"", "07911 123456"),
            ("Telefon 030 901820-17", "030 901820-17"),
        ] {
            assert_eq!(found(text), [number], "{text}");
        }
    }

    #[test]
    fn numbers_that_count_something() {
        for text in [
            "415-555-2671",
            "a+1415555267",
            "x = y +12345",
            "1+14155552671",
            "+1234567890",
            "+1 415 555",
            "2024-01-02 10:20:30 call",
            "call(1700000000)",
            "phone 192.168.100.200",
            "+14155552671a",
            "tel 10.0.0.1:8080",
            "+0123456789",
            "[+14155552671.5]",
            "e+10",
            "timezone +0100",
            "date!(+999999-12-31)",
            "+1 415 555 0123",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
