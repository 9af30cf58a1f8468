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

/// Whether a text is one of these, in whatever case.
pub(super) fn is_one_of(text: &[u8], known: &[&str]) -> bool {
    let is = |known: &&str| text.eq_ignore_ascii_case(known.as_bytes());
    known.iter().any(is)
}

/// Whether a word stands anywhere in a text, in whatever case.
pub(super) fn holds(text: &[u8], word: &str) -> bool {
    let mut windows = text.windows(word.len());
    windows.any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether a text ends with a word, in whatever case.
pub(super) fn ends_with(text: &[u8], word: &str) -> bool {
    let end = text.len().checked_sub(word.len());
    let end = end.and_then(|at| text.get(at..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(word.as_bytes()))
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
    fn camel_case_is_cut_into_words() {
        let cut: Vec<_> = runs(b"getHTTPResponse_code2x").collect();
        assert_eq!(cut, [&b"get"[..], b"HTTPResponse", b"code", b"x"]);
        assert_eq!(natural_bytes(b"my-secret-1"), 6);
    }
}
