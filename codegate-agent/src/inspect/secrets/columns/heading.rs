//! A name on a line of its own, and its value on the next: headings, labels, blocks of YAML.
//!
//! Knows: how headings are written. Must not know: which of them matter.

use std::ops::Range;

use super::{Table, bare, label, lines};

/// How many empty lines, and fences, may stand between the two.
const MOST_BETWEEN: usize = 3;
/// The longest heading, in bytes.
const LONGEST_LINE: usize = 64;

/// Whether what follows a colon leaves the line to the name: nothing, or the sign of a block.
pub(super) fn may_follow(rest: &[u8]) -> bool {
    let is_block = |byte: &&u8| b" |>+-*\r".contains(byte);
    let block = rest.iter().take(6).take_while(is_block).count();
    match rest.get(block..).unwrap_or_default() {
        [] | [b'\n', ..] => true,
        [b'\\', rest @ ..] => lines::may_be_escape(rest),
        _ => false,
    }
}

/// The value below a line, if that is a heading.
pub(super) fn below(text: &[u8], head: &Range<usize>) -> Option<Table> {
    let line = text.get(head.clone())?.trim_ascii();
    let mut end = head.end;
    let next = lines::next(text, end)?;
    if text
        .get(next.clone())
        .is_some_and(|line| is_underline(line.trim_ascii()))
    {
        end = next.end;
    } else if !is_heading(line) {
        return None;
    }
    let name = name_of(line)?;
    for _ in 0..=MOST_BETWEEN {
        let line = lines::next(text, end)?;
        let bytes = text.get(line.clone())?.trim_ascii();
        if !(bytes.is_empty() || bytes.starts_with(b"```")) {
            let value = value(text, line.clone())?;
            return Some(Table {
                names: vec![name],
                values: vec![(0, value)],
                end: line.end,
            });
        }
        end = line.end;
    }
    None
}

/// Whether a line says by itself that it is a heading: by its signs, in bold, by a colon.
fn is_heading(line: &[u8]) -> bool {
    let is_short = line.len() <= LONGEST_LINE;
    let is_bold = line.starts_with(b"**") && line.ends_with(b"**");
    is_short
        && (line.starts_with(b"#")
            || is_bold
            || without_block(line).ends_with(b":")
            || line.ends_with(b":**"))
}

/// A line without the sign of YAML's blocks: `|`, `>-`.
fn without_block(line: &[u8]) -> &[u8] {
    let is_block = |byte: &u8| b"|>+- ".contains(byte);
    let end = line
        .iter()
        .rposition(|byte| !is_block(byte))
        .map_or(0, |last| last + 1);
    line.get(..end).unwrap_or_default()
}

/// `------`, as some write below a heading.
fn is_underline(line: &[u8]) -> bool {
    let is_of = |sign: u8| line.iter().all(|byte| *byte == sign);
    line.len() >= 3 && (is_of(b'-') || is_of(b'='))
}

/// The name that a heading says.
fn name_of(line: &[u8]) -> Option<Vec<u8>> {
    let said = without_block(line);
    let is_mark = |byte: &u8| b"#*>-+ \"'`".contains(byte);
    let start = said.iter().position(|byte| !is_mark(byte))?;
    let last = said.iter().rposition(|byte| !is_mark(byte))?;
    let said = said.get(start..=last)?;
    // A heading in bold may have its colon within, or behind it.
    label(bare_of(said.strip_suffix(b":").unwrap_or(said)))
}

fn bare_of(bytes: &[u8]) -> &[u8] {
    bytes.get(bare(bytes, 0..bytes.len())).unwrap_or_default()
}

/// All that a line says, if it is one word that is neither a name's nor a sentence's.
fn value(text: &[u8], line: Range<usize>) -> Option<Range<usize>> {
    let value = bare(text, line);
    let bytes = text.get(value.clone())?;
    let ends_as_code = matches!(bytes.last(), Some(b':' | b'{' | b'(' | b',' | b';'));
    let is_word = !bytes
        .iter()
        .any(|byte| byte.is_ascii_whitespace() || *byte == b'(');
    (is_word && !ends_as_code).then_some(value)
}
