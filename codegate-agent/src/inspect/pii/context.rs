//! Words beside a value that say what it is.
//!
//! Knows: bytes. Must not know: which words.

use std::ops::Range;

/// How far before a value a word may stand, in bytes.
const BEFORE: usize = 72;
/// How far behind it.
const AFTER: usize = 28;

/// Whether one of the words (in lower case) stands near a range, by itself or as a part of a name:
/// `ssn`, `SSN:`, `user_ssn`, `userSsn`.
pub(super) fn says(text: &[u8], range: &Range<usize>, words: &[&str]) -> bool {
    let before = text.get(range.start.saturating_sub(BEFORE)..range.start);
    let after = text.get(range.end..text.len().min(range.end + AFTER));
    let mut parts = [before, after].into_iter().flatten();
    parts.any(|part| (0..part.len()).any(|at| has(part, at, words)))
}

/// Whether one of the words stands at this place. Tables of numbers ask it for each of their bytes, so
/// what is no letter ends it at once.
fn has(part: &[u8], at: usize, words: &[&str]) -> bool {
    let Some((first, rest)) = part.get(at..).and_then(<[u8]>::split_first) else {
        return false;
    };
    let is_letter = first.is_ascii_alphabetic() || !first.is_ascii();
    let left = at.checked_sub(1).and_then(|at| part.get(at));
    is_letter
        && opens(left, Some(first))
        && words.iter().any(|word| {
            let Some((initial, others)) = word.as_bytes().split_first() else {
                return false;
            };
            let same = |found: &[u8]| found.eq_ignore_ascii_case(others);
            let last = others.len().checked_sub(1).and_then(|at| rest.get(at));
            first.eq_ignore_ascii_case(initial)
                && rest.get(..others.len()).is_some_and(same)
                && closes(last.or(Some(first)), rest.get(others.len()))
        })
}

fn opens(left: Option<&u8>, first: Option<&u8>) -> bool {
    let camel =
        left.is_some_and(u8::is_ascii_lowercase) && first.is_some_and(u8::is_ascii_uppercase);
    camel || !left.is_some_and(u8::is_ascii_alphabetic)
}

fn closes(last: Option<&u8>, right: Option<&u8>) -> bool {
    let camel =
        last.is_some_and(u8::is_ascii_lowercase) && right.is_some_and(u8::is_ascii_uppercase);
    camel || !right.is_some_and(u8::is_ascii_alphabetic) || right == Some(&b's')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_seen_in_prose_and_in_names() {
        let near = |text: &str| {
            let at = text.find("12345").unwrap_or_default();
            says(text.as_bytes(), &(at..at + 5), &["ssn", "social security"])
        };
        for text in [
            "SSN: 12345",
            "user_ssn=12345",
            "{\"userSsn\": \"12345\"}",
            "his Social Security no 12345",
            "12345 (SSN)",
            "SSNs 12345",
            "ssnNumber: 12345",
        ] {
            assert!(near(text), "{text}");
        }
        let far = format!("ssn {} 12345", "x".repeat(100));
        for text in ["lessn 12345", "ssnx 12345", "12345", &far] {
            assert!(!near(text), "{text}");
        }
    }
}
