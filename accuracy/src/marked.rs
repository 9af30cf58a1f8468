//! Text in which the secrets are marked, so that whatever wraps it need not count bytes.
//!
//! The marks are two private-use characters: no carrier escapes them, and no rule knows them.

use std::ops::Range;

/// Before a secret.
pub(crate) const OPEN: char = '\u{e000}';
/// Behind it.
pub(crate) const CLOSE: char = '\u{e001}';

/// A text and where its secrets stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located {
    pub(crate) text: String,
    pub(crate) secrets: Vec<Range<usize>>,
}

/// A value with marks around it.
pub(crate) fn mark(value: &str) -> String {
    format!("{OPEN}{value}{CLOSE}")
}

pub(crate) fn is_mark(c: char) -> bool {
    c == OPEN || c == CLOSE
}

/// A text without its marks.
pub(crate) fn bare(marked: &str) -> String {
    marked.chars().filter(|c| !is_mark(*c)).collect()
}

/// Marks ranges of a text.
pub(crate) fn mark_ranges(text: &str, ranges: &[Range<usize>]) -> String {
    let mut marked = text.to_owned();
    let mut last_first: Vec<_> = ranges.to_vec();
    last_first.sort_by_key(|range| std::cmp::Reverse(range.start));
    for range in last_first {
        marked.insert(range.end, CLOSE);
        marked.insert(range.start, OPEN);
    }
    marked
}

/// Takes the marks off, and says where they were.
pub(crate) fn locate(marked: &str) -> Located {
    let mut located = Located {
        text: String::with_capacity(marked.len()),
        secrets: Vec::new(),
    };
    let mut opened = 0;
    for c in marked.chars() {
        match c {
            OPEN => opened = located.text.len(),
            CLOSE => located.secrets.push(opened..located.text.len()),
            other => located.text.push(other),
        }
    }
    located
}

#[cfg(test)]
#[allow(
    clippy::single_range_in_vec_init,
    reason = "a secret's range, not what it counts"
)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_off_where_they_were_put() {
        let marked = mark_ranges("ab cd", &[0..2, 3..5]);
        assert_eq!(marked, format!("{} {}", mark("ab"), mark("cd")));
        let located = locate(&marked);
        assert_eq!(located.text, "ab cd");
        assert_eq!(located.secrets, [0..2, 3..5]);
        assert_eq!(bare(&marked), "ab cd");
    }
}
