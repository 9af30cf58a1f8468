//! `INSERT INTO users (name, password) VALUES ('ann', 'x9Kq…'), …`, and `COPY users (name, password) FROM stdin;`,
//! as dumps have them.
//!
//! Knows: SQL's lists. Must not know: its other statements, or which columns matter.

use std::ops::Range;

use super::{MOST_ROWS, Table, bare, label, lines, rows::Sign};

/// The longest list of columns, in bytes.
const LONGEST_LIST: usize = 2048;
/// The longest row, in bytes.
const LONGEST_ROW: usize = 8 << 10;

/// Whether what follows a closing bracket may be the beginning of `VALUES` or `FROM`.
pub(super) fn may_follow(rest: &[u8]) -> bool {
    let rest = rest.trim_ascii_start();
    matches!(rest, [b'v' | b'V' | b'f' | b'F', ..])
        || matches!(rest, [b'\\', rest @ ..] if lines::may_be_escape(rest))
}

/// The rows of the statement in whose columns a name ends here.
pub(super) fn below(text: &[u8], name: usize) -> Option<Table> {
    let columns = columns(text, name)?;
    let copied = copy_begins(text, columns.end + 1);
    let end = copied.or_else(|| values_begin(text, columns.end + 1))?;
    let names = text
        .get(columns)?
        .split(|byte| *byte == b',')
        .map(name_of)
        .collect::<Option<Vec<_>>>()?;
    let mut table = Table {
        names,
        values: Vec::new(),
        end,
    };
    match copied {
        Some(_) => table.fill(text, tabs(text, end)),
        None => table.fill_from_tuples(text),
    }
    (!table.values.is_empty()).then_some(table)
}

/// The tabs of the rows behind a place: in a string they are escapes.
fn tabs(text: &[u8], end: usize) -> Sign {
    let row = lines::next(text, end).and_then(|row| text.get(row));
    match row.is_some_and(|row| row.contains(&b'\t')) {
        true => Sign::Byte(b'\t'),
        false => Sign::EscapedTab,
    }
}

impl Table {
    fn fill_from_tuples(&mut self, text: &[u8]) {
        for _ in 0..MOST_ROWS {
            let row = row(text, self.end).filter(|(values, _)| values.len() == self.names.len());
            let Some((values, end)) = row else {
                return;
            };
            self.values.extend(values.into_iter().enumerate());
            self.end = end;
        }
    }
}

/// The list between brackets that a place is in.
fn columns(text: &[u8], at: usize) -> Option<Range<usize>> {
    let before = text.get(at.saturating_sub(LONGEST_LIST)..at)?;
    let open = at - before.len() + memchr::memrchr(b'(', before)? + 1;
    let behind = text.get(at..text.len().min(at + LONGEST_LIST))?;
    let close = at + memchr::memchr(b')', behind)?;
    Some(open..close)
}

fn name_of(column: &[u8]) -> Option<Vec<u8>> {
    let column = column.get(space(column)..)?.trim_ascii_end();
    let name = column.get(bare(column, 0..column.len()))?;
    let name = name
        .strip_prefix(b"[")
        .and_then(|name| name.strip_suffix(b"]"))
        .unwrap_or(name);
    label(name).filter(|_| !name.contains(&b' '))
}

/// Behind `VALUES`, if it stands here.
fn values_begin(text: &[u8], from: usize) -> Option<usize> {
    const VALUES: &[u8] = b"VALUES";
    let from = from + space(text.get(from..)?);
    let word = text.get(from..from + VALUES.len())?;
    word.eq_ignore_ascii_case(VALUES)
        .then_some(from + VALUES.len())
}

/// The end of the line that `FROM stdin;` stands in, if it stands here.
fn copy_begins(text: &[u8], from: usize) -> Option<usize> {
    const FROM: &[u8] = b"FROM stdin;";
    let from = from + space(text.get(from..)?);
    let words = text.get(from..from + FROM.len())?;
    words
        .eq_ignore_ascii_case(FROM)
        .then_some(from + FROM.len())
}

/// How long the white space, escaped or not, is that a text begins with.
fn space(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let slashes = rest
            .iter()
            .take(3)
            .take_while(|byte| **byte == b'\\')
            .count();
        at += match rest {
            [first, ..] if first.is_ascii_whitespace() => 1,
            _ if slashes > 0 && matches!(rest.get(slashes), Some(b'n' | b'r' | b't')) => {
                slashes + 1
            }
            _ => return at,
        };
    }
}

/// The values of the row that begins here, behind a comma, and where it ends.
fn row(text: &[u8], from: usize) -> Option<(Vec<Range<usize>>, usize)> {
    let rest = text.get(from..text.len().min(from + LONGEST_ROW))?;
    let mut at = space(rest);
    if rest.get(at) == Some(&b',') {
        at += 1;
        at += space(rest.get(at..)?);
    }
    if rest.get(at) != Some(&b'(') {
        return None;
    }
    let mut values = Vec::new();
    loop {
        at += 1;
        at += space(rest.get(at..)?);
        let value = value(rest.get(at..)?)?;
        let range = from + at..from + at + value;
        values.push(bare(text, without_prefix(text, range)));
        at += value;
        match rest.get(at)? {
            b',' => {}
            _ => return Some((values, from + at + 1)),
        }
    }
}

/// `N'…'`, `E'…'`
fn without_prefix(text: &[u8], value: Range<usize>) -> Range<usize> {
    match text.get(value.clone()) {
        Some([b'N' | b'E' | b'n' | b'e', b'\'', ..]) => value.start + 1..value.end,
        _ => value,
    }
}

/// How long a value is: up to the comma or the bracket that ends it, outside of strings and brackets.
fn value(text: &[u8]) -> Option<usize> {
    let (mut depth, mut is_string) = (0_usize, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'\'' => is_string = !is_string,
            _ if is_string => {}
            b'(' => depth += 1,
            b')' | b',' if depth == 0 => return Some(at),
            b')' => depth -= 1,
            b';' => return None,
            _ => {}
        }
    }
    None
}
