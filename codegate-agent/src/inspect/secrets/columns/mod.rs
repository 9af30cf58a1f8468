//! Names that stand above their values: the heads of tables (CSV, Markdown, what `psql` and `mysql` print), the
//! columns of an `INSERT`, headings. Each value is laid beside its name in a view, where rules can find it.
//!
//! Knows: how tables are written. Must not know: which names and values are secrets; it is told of names.
//!
//! When it must choose: lines of code have commas, too, so a table must look like one in every cell of its head,
//! and its rows must have as many.

mod heading;
mod insert;
mod lines;
mod rows;

use std::ops::Range;

use super::views::{Views, Way};

/// The longest name of a column, in bytes. A view repeats it for each value.
const LONGEST_NAME: usize = 40;
/// Values of other lengths are left out, in bytes.
const VALUES: Range<usize> = 5..513;
/// A table has no more rows for us; what stands behind them is looked at as other text is.
const MOST_ROWS: usize = 10_000;

/// Values, and what their names are.
#[derive(Debug, PartialEq, Eq)]
struct Table {
    /// By column.
    names: Vec<Vec<u8>>,
    /// Each with its column, in order.
    values: Vec<(usize, Range<usize>)>,
    /// Where it ends in the text.
    end: usize,
}

/// Whether a name, which a rule knows and which ends here, can stand above a value. It is asked of all names that
/// ring a bell: what it turns away costs no more than these few bytes.
pub(super) fn may_stand_above(rest: &[u8]) -> bool {
    let is_tail = |byte: &&u8| byte.is_ascii_alphanumeric() || b" _-./(".contains(byte);
    let tail = rest.iter().take(20).take_while(is_tail).count();
    let (tail, rest) = rest.split_at_checked(tail).unwrap_or_default();
    let rest = match rest {
        [b')', behind @ ..] if tail.contains(&b'(') => behind, // `API key (staging)`
        rest => rest,
    };
    let is_closing = |byte: &&u8| b"\"'`*] ".contains(byte);
    let closing = rest.iter().take(32).take_while(is_closing).count();
    match rest.get(closing..).unwrap_or_default() {
        [] | [b'|' | b',' | b';' | b'\t' | b'\n' | b'\r', ..] => true,
        [b')', rest @ ..] => insert::may_follow(rest),
        [b':', rest @ ..] => heading::may_follow(rest),
        [b'\\', rest @ ..] => lines::may_be_escape(rest),
        _ => false,
    }
}

/// The values below these names, which end at these places (in order), each beside its own.
pub(super) fn views(text: &[u8], names: &[usize]) -> Views {
    let mut views = Views::default();
    let mut done = 0;
    for name in names {
        if *name <= done {
            continue;
        }
        let Some(head) = lines::around(text, *name) else {
            done = lines::farther(text, *name);
            continue;
        };
        let table = rows::below(text, &head)
            .or_else(|| insert::below(text, *name))
            .or_else(|| heading::below(text, &head));
        done = head.end;
        if let Some(table) = table {
            table.lay_out(text, &mut views);
            done = done.max(table.end);
        }
    }
    views
}

impl Table {
    fn lay_out(&self, text: &[u8], views: &mut Views) {
        let mut is_first = true;
        for (column, value) in &self.values {
            let (Some(name), Some(bytes)) = (self.names.get(*column), text.get(value.clone()))
            else {
                continue;
            };
            let quotes = [b"\"", b"'", b"`"];
            let quote = quotes.into_iter().find(|quote| !bytes.contains(&quote[0]));
            let fits = VALUES.contains(&bytes.len()) && !bytes.iter().any(u8::is_ascii_whitespace);
            let is_wanted = fits && !name.is_empty();
            let Some(quote) = quote.filter(|_| is_wanted) else {
                continue;
            };
            if std::mem::take(&mut is_first) {
                views.begin();
            }
            // What is not of the text comes from between its bytes.
            for part in [name, &b": "[..], quote] {
                views.push(part, value.start..value.start, Way::Whole);
            }
            views.push(bytes, value.clone(), Way::Moved);
            for part in [&quote[..], b"\n"] {
                views.push(part, value.end..value.end, Way::Whole);
            }
        }
    }
}

/// Whether a byte can stand in the name of a column.
fn is_of_label(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b" _-./()#?%&$:".contains(byte) || !byte.is_ascii()
}

/// The name that a cell says, in one word, which may be empty (`#`); `None` for what is no name.
fn label(cell: &[u8]) -> Option<Vec<u8>> {
    let words = cell.split(|byte| *byte == b' ').count();
    if cell.len() > LONGEST_NAME || words > 6 || !cell.iter().all(is_of_label) {
        return None;
    }
    let said = match cell.iter().position(|byte| *byte == b'(') {
        // `API key (staging)`
        Some(note) if cell.get(..note)?.ends_with(b" ") && cell.ends_with(b")") => {
            cell.get(..note)?
        }
        Some(_) => return None, // a call
        None if cell.contains(&b')') => return None,
        None => cell,
    };
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    let joined = said
        .trim_ascii()
        .iter()
        .map(|byte| if is_word(byte) { *byte } else { b'_' });
    Some(joined.collect())
}

/// A cell without the white space around it, and what makes it bold, code or a string.
fn bare(text: &[u8], cell: Range<usize>) -> Range<usize> {
    const AROUND: [(&[u8], &[u8]); 6] = [
        (b"\\\"", b"\\\""),
        (b"**", b"**"),
        (b"`", b"`"),
        (b"\"", b"\""),
        (b"'", b"'"),
        (b"<code>", b"</code>"),
    ];
    let bytes = text.get(cell.clone()).unwrap_or_default();
    let mut rest = bytes.trim_ascii_start();
    let mut start = cell.start + bytes.len() - rest.len();
    rest = rest.trim_ascii_end();
    for (open, close) in AROUND {
        let inner = rest
            .strip_prefix(open)
            .and_then(|rest| rest.strip_suffix(close));
        if let Some(inner) = inner {
            start += open.len();
            rest = inner;
        }
    }
    start..start + rest.len()
}

#[cfg(test)]
mod tests;
