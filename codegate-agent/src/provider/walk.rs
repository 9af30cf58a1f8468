//! Walking a document along a table: each string, note and index is given to a [`Sink`] with the
//! place it stands at.
//!
//! Knows: tokens and tables. Must not know: what the sinks make of it.

use std::ops::Range;

use super::{
    Malformed,
    json::{Reader, Str, Token},
    place::{Node, Note, Place},
};
use crate::span::decode;

/// What a document's strings are given to, in the order they stand in.
pub(super) trait Sink {
    /// A string that is text, or a delta of one, with the name of the nearest member (as it is
    /// written). Names that are text come this way, too.
    fn string(&mut self, doc: &[u8], string: &Str, at: Place, name: &[u8]);
    /// A number among text, with the name of its member.
    fn number(&mut self, _doc: &[u8], _range: &Range<usize>, _name: &[u8]) {}
    /// A value that is worth knowing.
    fn note(&mut self, _doc: &[u8], _note: Note, _value: &Token) {}
    /// A number that says whose the deltas of the innermost open object are.
    fn index(&mut self, _level: u8, _number: u64) {}
    /// An object begins.
    fn open(&mut self) {}
    /// The innermost open object ends.
    fn close(&mut self) {}
}

/// A container that is open.
#[derive(Clone, Copy)]
struct Frame<'a> {
    /// What stands in it.
    inside: Place,
    /// What stands at its next value.
    next: Place,
    /// The name of its next value.
    name: &'a [u8],
}

/// Walks a whole document, which must be valid UTF-8; `name` is what its root is called.
///
/// # Errors
/// Where it is not JSON. The sink may have been given strings by then.
pub(super) fn walk<'a>(
    doc: &'a [u8],
    root: Place,
    name: &'a [u8],
    sink: &mut impl Sink,
) -> Result<(), Malformed> {
    let mut reader = Reader::new(doc);
    let mut frames: Vec<Frame<'a>> = Vec::with_capacity(12);
    let mut here = Frame {
        inside: root,
        next: root,
        name,
    };
    while let Some(token) = reader.next()? {
        match token {
            Token::ObjectStart => {
                let inside = variant(here.next, &reader)?;
                frames.push(here);
                here = Frame {
                    inside,
                    next: inside,
                    ..here
                };
                sink.open();
            }
            Token::ArrayStart => {
                frames.push(here);
                here.inside = here.next;
            }
            Token::ObjectEnd | Token::ArrayEnd => {
                if token == Token::ObjectEnd {
                    sink.close();
                }
                here = frames.pop().unwrap_or(here);
            }
            Token::Key(key) => here = member(doc, &key, here, sink),
            value => leaf(doc, &value, here, sink),
        }
    }
    Ok(())
}

/// Moves on to a member; its name may be text itself.
fn member<'a>(doc: &'a [u8], key: &Str, here: Frame<'a>, sink: &mut impl Sink) -> Frame<'a> {
    /// No secret is as short as this.
    const SHORT: usize = 8;
    let raw = doc.get(key.range.clone()).unwrap_or_default();
    let (next, known) = match key.escaped {
        false => here.inside.member(raw),
        true => {
            let mut name = Vec::with_capacity(raw.len());
            decode(raw, &mut name);
            here.inside.member(&name)
        }
    };
    if !known && raw.len() > SHORT {
        sink.string(doc, key, Place::Free, b"");
    }
    Frame {
        next,
        name: raw,
        ..here
    }
}

/// Gives a value that is not a container to the sink.
fn leaf(doc: &[u8], value: &Token, here: Frame<'_>, sink: &mut impl Sink) {
    let at = match here.next {
        Place::Node(node) => node.itself,
        at => at,
    };
    match (at, value) {
        (Place::Skip, _) => {}
        (Place::Note(note), value) => sink.note(doc, note, value),
        (Place::Index(level), Token::Number(range)) => {
            if let Some(number) = number(doc.get(range.clone()).unwrap_or_default()) {
                sink.index(level, number);
            }
        }
        (Place::Url, Token::String(string)) if is_data_url(doc, string) => {}
        (_, Token::String(string)) => sink.string(doc, string, at, here.name),
        (Place::Free, Token::Number(range)) => sink.number(doc, range, here.name),
        _ => {}
    }
}

/// A number that is a count; `None` if it is anything else.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Whether a string is a `data:` URL (RFC 2397) whose data are base64.
fn is_data_url(doc: &[u8], string: &Str) -> bool {
    const LONGEST_MEDIA_TYPE: usize = 256;
    let url = doc.get(string.range.clone()).unwrap_or_default();
    let head = &url[..url.len().min(LONGEST_MEDIA_TYPE)];
    let comma = memchr::memchr(b',', head);
    let scheme = head
        .get(..5)
        .is_some_and(|s| s.eq_ignore_ascii_case(b"data:"));
    scheme && comma.is_some_and(|at| head[..at].ends_with(b";base64"))
}

/// What stands in the object that has just begun, if that hangs on its `type`.
///
/// Members come in any order, so this looks ahead; and a `type` that is given twice must say the
/// same twice, for nobody knows which of them upstream will believe.
fn variant(place: Place, reader: &Reader<'_>) -> Result<Place, Malformed> {
    let Place::Node(node) = place else {
        return Ok(place);
    };
    if node.by_type.is_empty() {
        return Ok(place);
    }
    Ok(Place::Node(node_by_type(node, reader.clone())?))
}

fn node_by_type(node: &'static Node, mut reader: Reader<'_>) -> Result<&'static Node, Malformed> {
    let mut depth = 0_u32;
    let mut chosen: Option<&'static Node> = None;
    while let Some(token) = reader.next()? {
        match token {
            Token::ObjectStart | Token::ArrayStart => depth += 1,
            Token::ObjectEnd | Token::ArrayEnd if depth == 0 => break,
            Token::ObjectEnd | Token::ArrayEnd => depth -= 1,
            Token::Key(key) if depth == 0 && key.escaped => return Ok(node),
            Token::Key(key) if depth == 0 && reader.text(&key) == b"type" => {
                let says = match reader.next()? {
                    Some(Token::String(kind)) => by_type(node, reader.text(&kind)),
                    Some(Token::ObjectStart | Token::ArrayStart) => {
                        depth += 1;
                        node
                    }
                    _ => node,
                };
                match chosen {
                    Some(before) if !std::ptr::eq(before, says) => return Ok(node),
                    _ => chosen = Some(says),
                }
            }
            _ => {}
        }
    }
    Ok(chosen.unwrap_or(node))
}

fn by_type(node: &'static Node, kind: &[u8]) -> &'static Node {
    let found = node
        .by_type
        .iter()
        .find(|(known, _)| known.as_bytes() == kind);
    found.map_or(node, |&(_, node)| node)
}
