//! Escapes that are still there in a text: `%2F` (RFC 3986), `\/`, `\x2f`, `\u002f`, `\u{2f}`, `&#47;`, `&amp;`.
//!
//! Knows: how characters are escaped. Must not know: what the text is.

use super::{Views, Way, line_end, line_start};

/// Escapes that are no farther apart than this, in bytes, are in one view.
const NEAR: usize = 512;
/// How much of a line stands in a view before its first escape and behind its last one, in bytes.
const CONTEXT: usize = 256;
/// The longest escape, in bytes: `\u{10ffff}`.
const LONGEST: usize = 10;

pub(super) fn add(text: &[u8], views: &mut Views) {
    let mut escapes = escapes(text).peekable();
    let mut done = 0;
    while let Some(mut escape) = escapes.next() {
        let start = line_start(text, escape.at, CONTEXT).max(done);
        views.begin();
        let mut at = start;
        loop {
            views.plain(text, at..escape.at);
            at = escape.at + escape.len;
            let mut utf8 = [0; 4];
            let bytes = escape.stands_for.bytes(&mut utf8);
            views.push(bytes, escape.at..at, Way::Whole);
            match escapes.next_if(|next| next.at - at <= NEAR) {
                Some(next) => escape = next,
                None => break,
            }
        }
        // The next view begins behind what is near: no byte is in two.
        let next = escapes.peek().map_or(text.len(), |next| next.at);
        done = line_end(text, at, CONTEXT).min(next);
        views.plain(text, at..done);
    }
}

struct Escape {
    at: usize,
    len: usize,
    stands_for: Unit,
}

enum Unit {
    Byte(u8),
    Char(char),
}

impl Unit {
    fn bytes<'a>(&self, buffer: &'a mut [u8; 4]) -> &'a [u8] {
        match self {
            Self::Byte(byte) => {
                buffer[0] = *byte;
                buffer.get(..1).unwrap_or_default()
            }
            Self::Char(c) => c.encode_utf8(buffer).as_bytes(),
        }
    }
}

/// The escapes of printable characters and white space, in order.
fn escapes(text: &[u8]) -> impl Iterator<Item = Escape> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(from..)?;
            let at = from + memchr::memchr3(b'%', b'\\', b'&', rest)?;
            from = at + 1;
            let until = text.len().min(at + LONGEST);
            if let Some((stands_for, len)) = escape(text.get(at..until)?) {
                from = at + len;
                return Some(Escape {
                    at,
                    len,
                    stands_for,
                });
            }
        }
    })
}

fn escape(text: &[u8]) -> Option<(Unit, usize)> {
    match text {
        // In a query that is encoded as a whole it parts what follows from what is before.
        [b'%', b'2', b'6', ..] => Some((Unit::Byte(b'\n'), 3)),
        [b'%', a, b, ..] => byte(&[*a, *b]).map(|unit| (unit, 3)),
        [b'\\', b'/', ..] => Some((Unit::Byte(b'/'), 2)),
        [b'\\', b'x', a, b, ..] => byte(&[*a, *b]).map(|unit| (unit, 4)),
        [b'\\', b'u', b'{', rest @ ..] => until(rest, b'}', 16).map(|(unit, len)| (unit, len + 4)),
        [b'\\', b'u', a, b, c, d, ..] => {
            character(number(&[*a, *b, *c, *d], 16)?).map(|unit| (unit, 6))
        }
        [b'&', b'#', b'x' | b'X', rest @ ..] => {
            until(rest, b';', 16).map(|(unit, len)| (unit, len + 4))
        }
        [b'&', b'#', rest @ ..] => until(rest, b';', 10).map(|(unit, len)| (unit, len + 3)),
        [b'&', rest @ ..] => entity(rest).map(|(unit, len)| (unit, len + 1)),
        _ => None,
    }
}

/// XML's own entities, without their `&`.
fn entity(rest: &[u8]) -> Option<(Unit, usize)> {
    const NAMED: [(&[u8], u8); 5] = [
        (b"amp;", b'&'),
        (b"lt;", b'<'),
        (b"gt;", b'>'),
        (b"quot;", b'"'),
        (b"apos;", b'\''),
    ];
    let named = NAMED.iter().find(|(name, _)| rest.starts_with(name));
    named.map(|(name, byte)| (Unit::Byte(*byte), name.len()))
}

/// A number up to a sign, and how many digits it has.
fn until(rest: &[u8], sign: u8, radix: u32) -> Option<(Unit, usize)> {
    let len = rest.iter().position(|byte| *byte == sign)?;
    let unit = character(number(rest.get(..len)?, radix)?)?;
    Some((unit, len))
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    if digits.is_empty() || digits.len() > 6 {
        return None;
    }
    digits.iter().try_fold(0, |number, digit| {
        Some(number * radix + char::from(*digit).to_digit(radix)?)
    })
}

/// An escape of a byte that text is made of; a format's `%02` is none.
fn byte(digits: &[u8]) -> Option<Unit> {
    let byte = u8::try_from(number(digits, 16)?).ok()?;
    (super::is_text(byte) || byte >= 0x80).then_some(Unit::Byte(byte))
}

fn character(number: u32) -> Option<Unit> {
    let c = char::from_u32(number)?;
    (!c.is_control() || c.is_whitespace()).then_some(Unit::Char(c))
}
