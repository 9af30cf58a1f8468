//! How far a private key goes on behind its first line.
//!
//! A key is copied in many ways: with LF or CRLF, with literal `\n`, on one line, behind a diff's
//! `+`, line numbers, quotes or indentation. What stays is base64 between two marks of dashes.
//!
//! Knows: RFC 7468 and the older PEM forms. Must not know: rules.

use std::ops::Range;

use memchr::memmem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a match goes on behind its pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Extend {
    /// To the end mark; without one (a cut text), over the lines that are still base64.
    Pem,
}

/// The longest key that is followed to its end mark, in bytes.
const LONGEST: usize = 64 << 10;

/// The shortest key has more than this many characters of base64 (Ed25519: 64).
const LEAST: usize = 40;

impl Extend {
    /// The whole range, if what follows the match is what must follow.
    pub(super) fn settle(self, text: &[u8], head: Range<usize>) -> Option<Range<usize>> {
        match self {
            Self::Pem => {
                let until = text.len().min(head.end.saturating_add(LONGEST));
                let body = text.get(head.end..until)?;
                let len = closed(body).or_else(|| unclosed(body))?;
                Some(head.start..head.end + len)
            }
        }
    }
}

/// The length of a body and its end mark.
fn closed(body: &[u8]) -> Option<usize> {
    let mark = memmem::find(body, b"----")?;
    let tail = body.get(mark..)?;
    let label = tail.iter().position(|byte| *byte != b'-')?;
    let label_end = label + memmem::find(tail.get(label..)?, b"----")?;
    let named = tail.get(label..label_end)?.trim_ascii();
    if !named.starts_with(b"END ") || named.len() > 64 || !is_key(body.get(..mark)?) {
        return None;
    }
    let dashes = tail
        .get(label_end..)?
        .iter()
        .take(5)
        .take_while(|byte| **byte == b'-')
        .count();
    Some(mark + label_end + dashes)
}

/// Enough base64, and not much else.
fn is_key(body: &[u8]) -> bool {
    let base64 = body.iter().filter(|byte| is_base64(byte)).count();
    base64 > LEAST && base64 * 10 >= body.len() * 5 && memmem::find(body, b"....").is_none()
}

/// The length of what is still key in a text that ends, or goes on as something else.
fn unclosed(body: &[u8]) -> Option<usize> {
    let mut len = 0;
    let mut base64 = 0;
    for line in lines(body) {
        let core = core(line.text);
        if !(core.is_empty() || core.iter().all(is_base64) && core.len() > 1 || is_header(core)) {
            break;
        }
        base64 += core.iter().filter(|byte| is_base64(byte)).count();
        if !core.is_empty() {
            len = line.start + offset_of_end(line.text);
        }
    }
    (base64 > LEAST).then_some(len)
}

/// A line of a body, wherever the line breaks are real or literal.
struct Line<'a> {
    start: usize,
    text: &'a [u8],
}

fn lines(body: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = body.get(start..).filter(|rest| !rest.is_empty())?;
        let end = line_end(rest);
        let line = Line {
            start,
            text: rest.get(..end)?,
        };
        let gap = rest.get(end..)?;
        start += end
            + gap
                .iter()
                .take(8)
                .take_while(|byte| b"\r\n\\".contains(byte))
                .count();
        start += usize::from(gap.first() == Some(&b'\\'));
        Some(line)
    })
}

/// Where a line ends: at a real line break, or at the backslash of a literal one.
fn line_end(text: &[u8]) -> usize {
    memchr::memchr3(b'\n', b'\r', b'\\', text).unwrap_or(text.len())
}

/// A line without what was put before and behind it.
fn core(line: &[u8]) -> &[u8] {
    let is_prefix = |byte: &u8| b" \t+-|>#*\"',;".contains(byte);
    let start = line
        .iter()
        .position(|byte| !is_prefix(byte))
        .unwrap_or(line.len());
    let line = line.get(start..).unwrap_or_default();
    let numbered = line
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(0);
    let line = match line.get(numbered) {
        Some(b'\t' | b'|' | b':') if numbered > 0 => line.get(numbered + 1..).unwrap_or_default(),
        _ => line,
    };
    let end = line
        .iter()
        .rposition(|byte| !is_prefix(byte))
        .map_or(0, |last| last + 1);
    line.get(..end).unwrap_or_default().trim_ascii()
}

/// How much of a line is left when what stands behind its core is taken off.
fn offset_of_end(line: &[u8]) -> usize {
    line.iter().rposition(is_base64).map_or(0, |last| last + 1)
}

/// `Proc-Type: 4,ENCRYPTED` and its like.
fn is_header(line: &[u8]) -> bool {
    [&b"Proc-Type:"[..], b"DEK-Info:", b"Comment:", b"Version:"]
        .iter()
        .any(|name| line.starts_with(name))
}

fn is_base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(byte)
}
