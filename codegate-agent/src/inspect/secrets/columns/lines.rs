//! Lines of a text, whose breaks may still be escapes: `\n`, `\r\n`, in strings within strings `\\n`.
//!
//! Knows: line breaks. Must not know: what stands in lines.

use std::ops::Range;

/// The longest line that is read, in bytes.
const LONGEST: usize = 4096;

/// Whether what follows a backslash goes on as a line's end does.
pub(super) fn may_be_escape(rest: &[u8]) -> bool {
    let slashes = rest
        .iter()
        .take(3)
        .take_while(|byte| **byte == b'\\')
        .count();
    matches!(rest.get(slashes), Some(b'n' | b'r' | b't' | b'"'))
}

/// The line that a place is in, without its break; `None` if it is long.
pub(super) fn around(text: &[u8], at: usize) -> Option<Range<usize>> {
    let from = at.saturating_sub(LONGEST);
    let before = text.get(from..at)?;
    let start = match rbreak(before) {
        Some(end) => from + end,
        None if from == 0 => 0,
        None => return None,
    };
    let (end, broken) = end(text, at)?;
    let is_escaped = broken > 0 && text.get(end) == Some(&b'\\');
    let start = match is_escaped {
        true => start + begin_of_string(text.get(start..at)?),
        false => start,
    };
    (end - start <= LONGEST).then_some(start..end)
}

/// How much of a line stands before the string in it that a place is in: `{"content": "`.
fn begin_of_string(before: &[u8]) -> usize {
    let is_begin = |at: &usize| {
        let key = before.get(..*at).unwrap_or_default().trim_ascii_end();
        key.is_empty() || matches!(key, [.., b':' | b'[' | b',' | b'('])
    };
    let begin = memchr::memrchr_iter(b'"', before).find(is_begin);
    begin.map_or(0, |quote| quote + 1)
}

/// From a place in a line that is too long: the line's end, or so far that looking for it again costs little.
pub(super) fn farther(text: &[u8], at: usize) -> usize {
    let until = text.len().min(at.saturating_add(LONGEST / 2));
    let rest = text.get(at..until).unwrap_or_default();
    memchr::memchr(b'\n', rest).map_or(until, |end| at + end)
}

/// The line behind a place where a line ends; `None` at the end of the text, or if it is long.
pub(super) fn next(text: &[u8], end_of_line: usize) -> Option<Range<usize>> {
    let (line, broken) = end(text, end_of_line)?;
    if line != end_of_line || broken == 0 {
        return None;
    }
    let start = end_of_line + broken;
    let (end, _) = end(text, start)?;
    Some(start..end)
}

/// The line before the one that begins here; `None` if there is none.
pub(super) fn before(text: &[u8], start: usize) -> Option<Range<usize>> {
    let end = start.checked_sub(1)?;
    let bytes = text.get(..start)?;
    let end = match bytes {
        [.., b'\n'] => end,
        _ => start.checked_sub(2)?,
    };
    let line = around(text, end)?;
    (line.end <= start).then_some(line)
}

/// Where the line ends that a place is in, and how long its break is: nothing at the end of the text.
fn end(text: &[u8], from: usize) -> Option<(usize, usize)> {
    let rest = text.get(from..text.len().min(from.saturating_add(LONGEST + 1)))?;
    for at in memchr::memchr2_iter(b'\n', b'\\', rest) {
        let is_return = |at: &usize| rest.get(*at) == Some(&b'\r');
        if rest.get(at) == Some(&b'\n') {
            let carriage = at.checked_sub(1).filter(is_return);
            let end = carriage.unwrap_or(at);
            return Some((from + end, at + 1 - end));
        }
        if let Some(len) = escape(rest.get(at..).unwrap_or_default()) {
            return Some((from + at, len));
        }
    }
    (rest.len() <= LONGEST).then_some((text.len(), 0))
}

/// How long the escaped line break is that stands here.
fn escape(rest: &[u8]) -> Option<usize> {
    let carriage = letter(rest, b'r').unwrap_or(0);
    let feed = letter(rest.get(carriage..)?, b'n')?;
    Some(carriage + feed)
}

/// How long the escape is that stands here and ends with a letter, with one backslash or, in strings within strings,
/// more.
pub(super) fn letter(rest: &[u8], letter: u8) -> Option<usize> {
    let slashes = rest
        .iter()
        .take(4)
        .take_while(|byte| **byte == b'\\')
        .count();
    let stands = slashes > 0 && rest.get(slashes) == Some(&letter);
    stands.then_some(slashes + 1)
}

/// Where the last line break ends.
fn rbreak(bytes: &[u8]) -> Option<usize> {
    memchr::memrchr2_iter(b'\n', b'\\', bytes).find_map(|at| match bytes.get(at..) {
        Some([b'\n', ..]) => Some(at + 1),
        Some([b'\\', b'n', ..]) => Some(at + 2),
        _ => None,
    })
}
