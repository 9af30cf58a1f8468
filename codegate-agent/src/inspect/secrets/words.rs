//! Words: where they stand in a text, and whether letters read like one.
//!
//! Knows: which pairs of letters are common in the words of code and prose. Must not know: secrets.

/// For each first letter, the set of second letters (bit 0 is `a`) that make up 93 % of the pairs
/// in the identifiers and comments of some thousand Rust and Python files. A random pair is among
/// them 43 times in 100.
const COMMON: [u32; 26] = [
    0x1bebd6e, 0x0164915, 0x01eddff, 0x05ed93f, 0x1eff97f, 0x01e493d, 0x0166991, 0x00a4111,
    0x2aef87f, 0x0000000, 0x0040110, 0x11cc91d, 0x01cd11f, 0x03ced7d, 0x07efd6f, 0x11ec9bd,
    0x0100000, 0x13efd7d, 0x31efddd, 0x11ef9bf, 0x00eb93f, 0x0000111, 0x0066111, 0x0088014,
    0x004a000, 0x0000010,
];

/// The shortest run of letters that says anything.
const SHORTEST: usize = 4;

/// How many bytes of a text belong to what reads like words: runs of four letters and more, of one
/// case or capitalised, most of whose pairs are common.
pub(super) fn natural_bytes(text: &[u8]) -> usize {
    runs(text)
        .filter(|run| is_natural(run))
        .map(<[u8]>::len)
        .sum()
}

/// Whether a run of letters reads like a word.
pub(super) fn is_natural(run: &[u8]) -> bool {
    if run.len() < SHORTEST {
        return false;
    }
    let common = run.windows(2).filter(|pair| is_common(pair)).count();
    common * 10 >= (run.len() - 1) * 7
}

/// How many of a text's pairs of letters are common, and how many there are; case is ignored.
pub(super) fn common_pairs(text: &[u8]) -> (usize, usize) {
    let is_letters = |pair: &&[u8]| pair.iter().all(u8::is_ascii_alphabetic);
    let pairs = text.windows(2).filter(is_letters);
    let common = pairs.clone().filter(|pair| is_common(pair)).count();
    (common, pairs.count())
}

/// The runs of letters of a text, cut where the case turns as it does in `camelCase`.
pub(super) fn runs(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.chunk_by(|a, b| {
        let (letters, rises) = (
            a.is_ascii_alphabetic() && b.is_ascii_alphabetic(),
            a.is_ascii_lowercase() && b.is_ascii_uppercase(),
        );
        letters && !rises
    })
    .filter(|run| run.first().is_some_and(u8::is_ascii_alphabetic))
}

/// A set of words, in lower case, that are looked for in whatever case.
#[derive(Debug)]
pub(super) struct Words<const N: usize> {
    /// In the order of [`slot`] of their first bytes.
    all: [&'static str; N],
    /// For each slot, how many words stand before its own.
    before: [u8; SLOTS + 1],
    /// For each slot, the lengths of its words ([`length`] is the bit): most of what is no word of the set
    /// costs one look.
    lengths: [u16; SLOTS],
}

/// So many groups of words there are, by their first bytes.
const SLOTS: usize = 32;

/// The group of the words that begin with a byte. A letter's is the same in both cases; other bytes share
/// it: it only says maybe.
const fn slot(first: u8) -> usize {
    first as usize % SLOTS
}

/// The bit of a length; words of 15 bytes and more share one.
const fn length(word: &[u8]) -> u16 {
    let longest = u16::BITS as usize - 1;
    1 << if word.len() < longest {
        word.len()
    } else {
        longest
    }
}

impl<const N: usize> Words<N> {
    pub(super) const fn of(words: [&'static str; N]) -> Self {
        assert!(N <= u8::MAX as usize, "they are counted in bytes");
        let (mut all, mut sorted) = ([""; N], 0);
        let (mut before, mut lengths) = ([0; SLOTS + 1], [0; SLOTS]);
        let mut at = 0;
        while at < SLOTS {
            let mut next = 0;
            while next < N {
                let word = words[next].as_bytes();
                if slot(word[0]) == at {
                    all[sorted] = words[next];
                    sorted += 1;
                    lengths[at] |= length(word);
                }
                next += 1;
            }
            at += 1;
            before[at] = sorted as u8;
        }
        Self {
            all,
            before,
            lengths,
        }
    }

    /// Whether a text is one of them.
    pub(super) fn have(&self, text: &[u8]) -> bool {
        let Some(slot) = text.first().map(|first| slot(*first)) else {
            return false;
        };
        let lengths = self.lengths.get(slot).copied().unwrap_or_default();
        let is = |word: &&str| text.eq_ignore_ascii_case(word.as_bytes());
        lengths & length(text) != 0 && self.of_slot(slot).iter().any(is)
    }

    /// Whether one of them stands anywhere in a text.
    pub(super) fn stand_in(&self, text: &[u8]) -> bool {
        let begins_here = |(at, first): (usize, &u8)| {
            let rest = text.get(at..).unwrap_or_default();
            let begins = |word: &&str| {
                let begin = rest.get(..word.len());
                begin.is_some_and(|begin| begin.eq_ignore_ascii_case(word.as_bytes()))
            };
            self.of_slot(slot(*first)).iter().any(begins)
        };
        text.iter().enumerate().any(begins_here)
    }

    /// Whether a text ends with one of them.
    pub(super) fn end(&self, text: &[u8]) -> bool {
        let ends = |word: &&str| {
            let end = text.len().checked_sub(word.len());
            let end = end.and_then(|at| text.get(at..));
            end.is_some_and(|end| end.eq_ignore_ascii_case(word.as_bytes()))
        };
        self.all.iter().any(ends)
    }

    fn of_slot(&self, slot: usize) -> &[&'static str] {
        match self.before.get(slot..) {
            Some([from, until, ..]) => self.all.get(usize::from(*from)..usize::from(*until)),
            _ => None,
        }
        .unwrap_or_default()
    }
}

fn is_common(pair: &[u8]) -> bool {
    let index = |byte: &u8| usize::from(byte.to_ascii_lowercase().wrapping_sub(b'a'));
    match pair {
        [a, b] if index(b) < 26 => COMMON
            .get(index(a))
            .is_some_and(|set| set >> index(b) & 1 == 1),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_natural_and_noise_is_not() {
        for word in [
            "password",
            "Settings",
            "RESPONSE",
            "tokenizer",
            "hunter",
            "configuration",
        ] {
            assert!(is_natural(word.as_bytes()), "{word}");
        }
        for noise in ["xkqz", "wjvbnm", "QZPTKD", "abc", "fjxpwq"] {
            assert!(!is_natural(noise.as_bytes()), "{noise}");
        }
    }

    #[test]
    fn words_are_found_in_whatever_case() {
        static WORDS: Words<3> = Words::of(["authorization-header", "key", "api"]);
        for text in ["api", "Key", "KEY", "Authorization-Header"] {
            assert!(WORDS.have(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "ap",
            "apis",
            "keY1",
            "kez",
            "authorization-heade\u{7f}",
            "+ey",
        ] {
            assert!(!WORDS.have(text.as_bytes()), "{text}");
        }
        for (text, stands, ends) in [
            ("api", true, true),
            ("myApiKey", true, true),
            ("xAPIx", true, false),
            ("ke", false, false),
            ("", false, false),
            ("x-authorization-HEADER", true, true),
        ] {
            assert_eq!(WORDS.stand_in(text.as_bytes()), stands, "{text}");
            assert_eq!(WORDS.end(text.as_bytes()), ends, "{text}");
        }
    }

    #[test]
    fn camel_case_is_cut_into_words() {
        let cut: Vec<_> = runs(b"getHTTPResponse_code2x").collect();
        assert_eq!(cut, [&b"get"[..], b"HTTPResponse", b"code", b"x"]);
        assert_eq!(natural_bytes(b"my-secret-1"), 6);
    }
}
