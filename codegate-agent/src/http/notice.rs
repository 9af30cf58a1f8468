//! The notices that answers carry: how they are written, and how they are known again in the history
//! that a client sends along with its next request.
//!
//! Knows: the form of a notice. Must not know: dialects, where in an answer one is put.
//!
//! A notice is a quote of one line with empty lines around it, ending in a mark that only the vault
//! can make for this text and this user. What has no such mark is never taken out: a model may quote
//! a notice, or make one up.

use std::ops::Range;

use crate::inspect::packages::{Judgement, Purl};

/// What a notice begins with; what stands before its text, and what behind it.
const START: &str = "\n\n> ⚠️ **CodeGate**: ";
const MARK: &str = " [codegate-";
const END: &str = "]\n";
/// Characters of the mark.
const MARK_LEN: usize = 12;
/// The longest text of a notice, in bytes: records may say as much as they like.
const LONGEST: usize = 400;

/// What a notice says about a package, in one line.
pub(super) fn text(purl: &Purl, judgement: &Judgement) -> String {
    let (verdict, purl) = (judgement.verdict, purl.to_string());
    let mut text = format!("`{purl}` is {verdict}");
    if let Some(reason) = judgement.reasons.first() {
        text += &format!(": {}", one_line(reason));
    }
    shortened(text)
}

/// Why a tool does not run a command, in one line.
pub(super) fn refusal(purl: &Purl, judgement: &Judgement) -> String {
    let reason = judgement.reasons.first().map_or("", String::as_str);
    let text = format!(
        "CodeGate blocked this command: it would install {purl}, which is {}: {}",
        judgement.verdict,
        one_line(reason)
    );
    shortened(text)
}

/// Why a tool does not write a file, in one line that is short enough for a file's name.
pub(super) fn refused_file(purl: &Purl) -> String {
    const MOST: usize = 200;
    let mut text = format!("CodeGate blocked this file: it adds {purl}");
    text.truncate(text.floor_char_boundary(MOST));
    text
}

/// A notice with its mark.
pub(super) fn written(text: &str, mark: &str) -> String {
    format!("{START}{text}{MARK}{mark}{END}")
}

/// A reason with its mark.
pub(super) fn marked(reason: &str, mark: &str) -> String {
    format!("{reason}{MARK}{mark}]")
}

/// What look like marks in a text, and where each begins with what is around it.
pub(super) fn marks(text: &[u8]) -> impl Iterator<Item = (usize, &str)> {
    memchr::memmem::find_iter(text, MARK).filter_map(|at| {
        let start = at + MARK.len();
        let mark = std::str::from_utf8(text.get(start..start + MARK_LEN)?).ok()?;
        Some((at, mark))
    })
}

/// A notice in a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Notice<'a> {
    /// All of it.
    pub(super) range: Range<usize>,
    /// What it says.
    pub(super) text: &'a str,
}

/// The notices in a text, from left to right; `mark` says which mark belongs to what.
pub(super) fn find<'a>(text: &'a [u8], mark: impl Fn(&str) -> Option<String>) -> Vec<Notice<'a>> {
    let starts = memchr::memmem::find_iter(text, START.as_bytes());
    let notices = starts.filter_map(|start| at(text, start));
    let own = |(notice, found): (Notice<'a>, &str)| {
        let wanted = mark(notice.text)?;
        (wanted == found).then_some(notice)
    };
    notices.filter_map(own).collect()
}

/// What looks like a notice at a place, and its mark.
fn at(bytes: &[u8], start: usize) -> Option<(Notice<'_>, &str)> {
    let from = start + START.len();
    let line = bytes.get(from..)?;
    let line = line.get(..line.len().min(LONGEST + MARK.len() + MARK_LEN + END.len()))?;
    let end = memchr::memmem::find(line, MARK.as_bytes())?;
    let text = std::str::from_utf8(line.get(..end)?).ok()?;
    let rest = line.get(end + MARK.len()..)?;
    let mark = std::str::from_utf8(rest.get(..MARK_LEN)?).ok()?;
    // Clients may have cut off the line's end at the end of a text.
    let tail = rest.get(MARK_LEN..)?;
    let closing = match tail {
        tail if tail.starts_with(END.as_bytes()) => END.len(),
        [b']', ..] => 1,
        _ => return None,
    };
    let length = START.len() + end + MARK.len() + MARK_LEN + closing;
    let range = start..start + length;
    Some((Notice { range, text }, mark))
}

impl Notice<'_> {
    /// The package that it tells of, and the word for what is to be thought of it.
    pub(super) fn subject(&self) -> Option<(&str, &str)> {
        let (purl, rest) = self.text.strip_prefix('`')?.split_once("` is ")?;
        let word = rest.split(|c: char| !c.is_ascii_lowercase()).next()?;
        Some((purl, word))
    }
}

/// Text of others, so that it stays in its line and looks like text.
fn one_line(text: &str) -> String {
    let safe = |c: char| match c {
        '`' => '\'',
        '<' => '‹',
        '>' => '›',
        '[' => '(',
        ']' => ')',
        c if c.is_control() || c.is_whitespace() => ' ',
        c if is_invisible(c) => ' ',
        c => c,
    };
    let words: String = text.chars().map(safe).collect();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a character changes how those around it look, or is not seen itself.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn shortened(mut text: String) -> String {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST - "…".len()));
        text.push('…');
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;
    use crate::inspect::packages::Catalogue;

    fn mark(text: &str) -> Option<String> {
        Some(format!("{:012x}", text.len()))
    }

    fn notice(text: &str) -> String {
        written(text, &mark(text).unwrap())
    }

    /// A text without its notices.
    fn stripped(text: &str) -> String {
        let mut out = String::new();
        let mut at = 0;
        for notice in find(text.as_bytes(), mark) {
            out += &text[at..notice.range.start];
            at = notice.range.end;
        }
        out + &text[at..]
    }

    #[test]
    fn what_was_put_in_is_taken_out() {
        let (a, b) = (
            notice("`pkg:npm/a` is malicious: so"),
            notice("`pkg:npm/b` is yanked"),
        );
        for text in ["```\nx\n```§\nrest", "§", "é§§\n", "x§\n\n> y§"] {
            let with = text.replacen('§', &a, 1).replace('§', &b);
            assert_eq!(stripped(&with), text.replace('§', ""));
            assert_eq!(stripped(with.trim_end()), text.replace('§', "").trim_end());
        }
    }

    #[test]
    fn what_only_looks_like_a_notice_stays() {
        let real = notice("`pkg:npm/a` is malicious");
        for text in [
            real.replace("malicious", "fine"),
            real.replace("> ", ">  "),
            real.replace("[codegate-0", "[codegate-1"),
            real.trim_end().trim_end_matches(']').to_owned(),
            START.repeat(3),
        ] {
            assert_eq!(stripped(&text), text);
        }
    }

    #[test]
    fn a_notice_says_which_package_it_is_about() {
        let text = notice("`pkg:npm/%40a/b@1.0` is malicious: they `said` so");
        let found = find(text.as_bytes(), mark);
        assert_eq!(
            found[0].subject(),
            Some(("pkg:npm/%40a/b@1.0", "malicious"))
        );
    }

    #[test]
    fn the_text_of_records_stays_in_its_line() {
        let purl: Purl = "pkg:npm/x".parse().unwrap();
        let mut judgement = Catalogue::new(None).check(&purl);
        let evil = format!(
            "a\n\n> b `c` [codegate-0] <img>\u{202e}\u{0} {}",
            "é".repeat(999)
        );
        judgement.reasons = vec![evil];
        for text in [text(&purl, &judgement), refusal(&purl, &judgement)] {
            assert!(text.len() <= LONGEST, "{text}");
            assert!(
                !text.contains(['\n', '>', '[', ']', '\u{202e}', '\0']),
                "{text}"
            );
        }
    }
}
