//! Tables in lines: CSV and its kin, Markdown, what `psql` and `mysql` print.
//!
//! Knows: how cells are parted. Must not know: which of them matter.

use std::ops::Range;

use super::{MOST_ROWS, Table, bare, is_of_label, label, lines};

/// The table whose head this line is. Most lines with commas are code, so what is cheap to see comes first.
pub(super) fn below(text: &[u8], head: &Range<usize>) -> Option<Table> {
    let bytes = text.get(head.clone())?;
    let sign = sign(bytes)?;
    let is_of = |byte: &u8| sign.is(*byte) || is_of_label(byte) || b"\"'`*\\>".contains(byte);
    if !bytes.iter().all(is_of) {
        return None;
    }
    let ruled = rule_below(text, head.end, sign);
    if ruled.is_none() && !begins(text, head, sign) {
        return None;
    }
    let cells = cells(text, head.clone(), sign).into_iter();
    let names = cells
        .map(|cell| label(text.get(bare(text, cell))?))
        .collect::<Option<Vec<_>>>()?;
    if names.len() < 2 {
        return None;
    }
    let mut table = Table {
        names,
        values: Vec::new(),
        end: ruled.unwrap_or(head.end),
    };
    table.fill(text, sign);
    (!table.values.is_empty()).then_some(table)
}

impl Table {
    /// Takes rows as long as they have as many cells as there are names.
    pub(super) fn fill(&mut self, text: &[u8], sign: Sign) {
        for _ in 0..MOST_ROWS {
            let Some(row) = lines::next(text, self.end) else {
                return;
            };
            let cells = cells(text, row.clone(), sign);
            if cells.len() != self.names.len() {
                return;
            }
            let cells = cells.into_iter().map(|cell| bare(text, cell));
            let cells = cells.map(|cell| before_quote(text, cell));
            self.values.extend(cells.enumerate());
            self.end = row.end;
        }
    }
}

/// A cell up to a quote, with which the string ends that a table is in.
fn before_quote(text: &[u8], cell: Range<usize>) -> Range<usize> {
    let bytes = text.get(cell.clone()).unwrap_or_default();
    let quote = memchr::memchr(b'"', bytes).filter(|quote| *quote > 0);
    cell.start..quote.map_or(cell.end, |quote| cell.start + quote)
}

/// What parts the cells of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Byte(u8),
    /// A tab in a string: `\t`, in strings within strings `\\t`.
    EscapedTab,
}

impl Sign {
    fn is(self, byte: u8) -> bool {
        self == Self::Byte(byte)
    }

    /// How long the one is that stands here; 0 if none does.
    fn length(self, rest: &[u8]) -> usize {
        match self {
            Self::Byte(byte) => usize::from(rest.first() == Some(&byte)),
            Self::EscapedTab => lines::letter(rest, b't').unwrap_or(0),
        }
    }
}

/// What parts the cells of a head.
fn sign(head: &[u8]) -> Option<Sign> {
    let signs = [b'|', b'\t', b';', b','].into_iter();
    let found = signs
        .map(Sign::Byte)
        .find(|sign| head.iter().any(|byte| sign.is(*byte)));
    let has_tab = || head.windows(2).any(|pair| pair == b"\\t");
    found.or_else(|| has_tab().then_some(Sign::EscapedTab))
}

/// The cells of a line. A table's own border parts none; within quotes a sign is one like any other.
fn cells(text: &[u8], line: Range<usize>, sign: Sign) -> Vec<Range<usize>> {
    let bytes = text.get(line.clone()).unwrap_or_default();
    let (bytes, from) = match sign {
        Sign::Byte(b'|') if bytes.starts_with(b"||") => return doubled(line, bytes),
        Sign::Byte(b'|') => within_border(bytes, line.start),
        _ => (bytes, line.start),
    };
    let mut cells = Vec::new();
    let (mut start, mut is_blank, mut is_quoted) = (0, true, false);
    for (at, byte) in bytes.iter().enumerate() {
        if at < start {
            continue;
        }
        let length = match is_quoted {
            true => 0,
            false => sign.length(bytes.get(at..).unwrap_or_default()),
        };
        if length > 0 {
            cells.push(from + start..from + at);
            (start, is_blank) = (at + length, true);
            continue;
        }
        is_quoted ^= *byte == b'"' && !sign.is(b'|') && (is_quoted || is_blank);
        is_blank &= b" \\".contains(byte);
    }
    cells.push(from + start..from + bytes.len());
    cells
}

/// The cells of `||a||b||`: a head in Jira.
fn doubled(line: Range<usize>, bytes: &[u8]) -> Vec<Range<usize>> {
    let signs: Vec<usize> = memchr::memmem::find_iter(bytes, b"||").collect();
    let cells = signs.windows(2).filter_map(|pair| match pair {
        [before, after] => Some(line.start + before + 2..line.start + after),
        _ => None,
    });
    cells.collect()
}

/// `| a | b |` without its first and last sign, and where what is left begins.
fn within_border(line: &[u8], start: usize) -> (&[u8], usize) {
    let indent = line
        .iter()
        .take_while(|byte| b" \t>".contains(byte))
        .count();
    let inner = line.get(indent..).unwrap_or_default().trim_ascii_end();
    match inner.strip_prefix(b"|") {
        Some(inner) => (
            inner.strip_suffix(b"|").unwrap_or(inner),
            start + indent + 1,
        ),
        None => (line, start),
    }
}

/// Where the line ends that parts a head from its rows, if one does: `|---|:--:|`, `----+----`.
fn rule_below(text: &[u8], head: usize, sign: Sign) -> Option<usize> {
    if !sign.is(b'|') {
        return None;
    }
    let rule = lines::next(text, head)?;
    let bytes = text.get(rule.clone())?;
    let is_rule = bytes.iter().all(|byte| b"|-+: >".contains(byte));
    let parts = bytes.iter().any(|byte| b"|+".contains(byte));
    let is_drawn = memchr::memmem::find(bytes, b"--").is_some();
    (is_rule && parts && is_drawn).then_some(rule.end)
}

/// Whether a head begins something: a text, or what stands behind an empty line, a fence or a colon. One with borders
/// need not.
fn begins(text: &[u8], head: &Range<usize>, sign: Sign) -> bool {
    let bytes = text.get(head.clone()).unwrap_or_default();
    if sign.is(b'|') {
        return bytes.trim_ascii_start().starts_with(b"|");
    }
    // A string begins with it.
    if head.start.checked_sub(1).and_then(|at| text.get(at)) == Some(&b'"') {
        return true;
    }
    let Some(before) = lines::before(text, head.start) else {
        return head.start == 0;
    };
    let before = text.get(before).unwrap_or_default().trim_ascii();
    before.is_empty()
        || before.starts_with(b"```")
        || before.ends_with(b":")
        || before.starts_with(b"$ ")
}
