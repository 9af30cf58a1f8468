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
    /// The shortest first.
    all: [&'static str; N],
    /// For each length, how many words are shorter; the last one is for all that are longer.
    shorter: [u8; LENGTHS + 1],
    /// For each length, the letters that its words begin with (bit 1 is `a`): most of what is no word of the set
    /// costs one look.
    first: [u32; LENGTHS],
}

/// Words of so many letters and more are kept together.
const LENGTHS: usize = 16;

impl<const N: usize> Words<N> {
    pub(super) const fn of(words: [&'static str; N]) -> Self {
        assert!(N <= u8::MAX as usize, "they are counted in bytes");
        let (mut all, mut sorted) = ([""; N], 0);
        let (mut shorter, mut first) = ([0; LENGTHS + 1], [0; LENGTHS]);
        let mut length = 0;
        while length < LENGTHS {
            let mut at = 0;
            while at < N {
                let word = words[at].as_bytes();
                if Self::length(word) == length {
                    all[sorted] = words[at];
                    sorted += 1;
                    first[length] |= Self::letter(word[0]);
                }
                at += 1;
            }
            length += 1;
            shorter[length] = sorted as u8;
        }
        Self {
            all,
            shorter,
            first,
        }
    }

    /// Whether a text is one of them.
    pub(super) fn have(&self, text: &[u8]) -> bool {
        let Some(first) = text.first() else {
            return false;
        };
        let length = Self::length(text);
        let may_be =
            self.first.get(length).copied().unwrap_or_default() & Self::letter(*first) != 0;
        may_be
            && self
                .of_length(length)
                .iter()
                .any(|word| text.eq_ignore_ascii_case(word.as_bytes()))
    }

    fn of_length(&self, length: usize) -> &[&'static str] {
        match self.shorter.get(length..) {
            Some([from, until, ..]) => self.all.get(usize::from(*from)..usize::from(*until)),
            _ => None,
        }
        .unwrap_or_default()
    }

    /// Whether one of them stands anywhere in a text.
    pub(super) fn stand_in(&self, text: &[u8]) -> bool {
        let letters = self.first.iter().fold(0, |all, some| all | some);
        let begins_here = |(at, first): (usize, &u8)| {
            let rest = text.get(at..).unwrap_or_default();
            let begins = |word: &&str| {
                let begin = rest.get(..word.len());
                begin.is_some_and(|begin| begin.eq_ignore_ascii_case(word.as_bytes()))
            };
            letters & Self::letter(*first) != 0 && self.all.iter().any(begins)
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

    const fn length(text: &[u8]) -> usize {
        if text.len() < LENGTHS {
            text.len()
        } else {
            LENGTHS - 1
        }
    }

    /// The bit of a letter, which is the same in both cases. Other bytes share it: it only says maybe.
    const fn letter(byte: u8) -> u32 {
        1 << (byte & 31)
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
