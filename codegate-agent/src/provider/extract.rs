//! From a whole body to its texts: what a request or an answer that is not a stream says.
//!
//! Knows: tables, and text that is itself JSON. Must not know: any dialect.

use std::ops::Range;

use super::{
    Answer, Malformed, Request, Usage,
    json::{self, Str, Token},
    place::{Note, Place},
    walk::{Sink, number, walk},
};
use crate::span::{Offsets, Text, decode};

/// Layers of JSON strings that are taken off: a body's own, and three of JSON in JSON.
pub(super) const MAX_DEPTH: u8 = 4;

/// Strings that are read of one body, at most. Each costs some fifty bytes beside its own: a body
/// of nothing but tiny strings would cost twenty times its size.
const MOST_STRINGS: usize = 1 << 20;

/// How many digits a number has that may be a card's or a person's; fewer are counts and tokens.
const IDENTIFYING: std::ops::RangeInclusive<usize> = 9..=24;

/// What a body says, besides its texts.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) model: Option<String>,
    pub(super) stream: bool,
    /// What the answer is called, or the one that a request goes on from.
    pub(super) answer: Option<String>,
    /// JSON in strings that lists packages.
    documents: Vec<Vec<u8>>,
    /// How many pieces stand before the first message of a user.
    opening: Option<usize>,
    counts: Counts,
}

/// Tokens, before what one dialect counts twice and another once is put right.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    input: u64,
    beside: u64,
    stored: u64,
    cached: u64,
    output: u64,
}

impl Notes {
    /// Takes down a value. Of the models the first counts, of all else the last.
    pub(super) fn take(&mut self, doc: &[u8], note: Note, value: &Token) {
        match (note, value) {
            (Note::Stream, value) => self.stream = *value == Token::True,
            (Note::Model, Token::String(name)) if self.model.is_none() => {
                self.model = Some(string(doc, name));
            }
            (Note::Answer, Token::String(id)) if self.answer.is_none() => {
                self.answer = Some(string(doc, id));
            }
            (note, Token::Number(range)) => {
                let count = doc.get(range.clone()).and_then(number);
                if let (Some(to), Some(count)) = (self.counts.of(note), count) {
                    *to = count;
                }
            }
            _ => {}
        }
    }

    pub(super) fn usage(&self) -> Usage {
        let counts = self.counts;
        let beside = counts.beside.saturating_add(counts.stored);
        Usage {
            input: counts.input.saturating_add(beside),
            output: counts.output,
            cached: counts.cached.max(counts.beside),
        }
    }
}

impl Counts {
    fn of(&mut self, note: Note) -> Option<&mut u64> {
        match note {
            Note::Input => Some(&mut self.input),
            Note::InputBeside => Some(&mut self.beside),
            Note::InputStored => Some(&mut self.stored),
            Note::Cached => Some(&mut self.cached),
            Note::Output => Some(&mut self.output),
            Note::Type
            | Note::Role
            | Note::Number
            | Note::Model
            | Note::Answer
            | Note::Stream
            | Note::Finish => None,
        }
    }
}

impl From<(Text, Notes)> for Request {
    fn from((text, notes): (Text, Notes)) -> Self {
        Self {
            text,
            model: notes.model,
            stream: notes.stream,
            documents: notes.documents,
            opening: notes.opening,
            follows: notes.answer,
        }
    }
}

impl From<(Text, Notes)> for Answer {
    fn from((text, notes): (Text, Notes)) -> Self {
        let usage = notes.usage();
        Self {
            text,
            model: notes.model,
            id: notes.answer,
            usage,
        }
    }
}

/// A string's text.
pub(super) fn string(doc: &[u8], string: &Str) -> String {
    let mut text = Vec::with_capacity(string.range.len());
    decode(doc.get(string.range.clone()).unwrap_or_default(), &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Reads a whole JSON body along a table.
///
/// # Errors
/// Where the body is not JSON, or has more strings than can be read.
pub(super) fn read(body: &[u8], root: Place) -> Result<(Text, Notes), Malformed> {
    json::utf8(body)?;
    let mut all = All {
        text: Text::with_capacity(body.len()),
        open: Vec::new(),
        notes: Notes::default(),
        too_many: false,
    };
    let mut layers = Vec::new();
    let mut layer = Layer {
        all: &mut all,
        layers: &mut layers,
    };
    walk(body, root, b"", &mut layer)?;
    match all.too_many {
        false => Ok((all.text, all.notes)),
        true => Err(Malformed {
            reason: "too many strings",
            offset: body.len(),
        }),
    }
}

/// Reads a body whose root must be an object.
///
/// # Errors
/// Where it is not JSON, or not an object.
pub(super) fn read_object(body: &[u8], root: Place) -> Result<(Text, Notes), Malformed> {
    let first = body.iter().position(|b| !b.is_ascii_whitespace());
    match first.and_then(|at| body.get(at)) {
        Some(b'{') => read(body, root),
        _ => Err(Malformed {
            reason: "not a JSON object",
            offset: first.unwrap_or(body.len()),
        }),
    }
}

struct All {
    text: Text,
    /// How many pieces stand before each object that is open.
    open: Vec<usize>,
    notes: Notes,
    too_many: bool,
}

/// The sink of a body, or of JSON in one of its strings.
struct Layer<'a> {
    all: &'a mut All,
    /// The ways back from this layer to the body, the outermost first.
    layers: &'a mut Vec<Way>,
}

/// The way back from JSON in a string to the document that the string is in.
struct Way {
    /// Where the string begins there.
    start: usize,
    offsets: Offsets,
}

impl Sink for Layer<'_> {
    fn string(&mut self, doc: &[u8], string: &Str, at: Place, name: &[u8]) {
        let encoded = doc.get(string.range.clone()).unwrap_or_default();
        if encoded.is_empty() {
            return;
        }
        self.all.too_many |= self.all.text.pieces().len() >= MOST_STRINGS;
        if self.all.too_many {
            return;
        }
        let plain = matches!(at, Place::Plain | Place::PlainDelta(_));
        if plain || !looks_nested(encoded) || !self.nested(encoded, string.range.start, name) {
            let raw = self.raw(string.range.clone());
            let depth = self.depth();
            self.all.text.push_string(name, encoded, raw, depth);
        }
    }

    fn number(&mut self, doc: &[u8], range: &Range<usize>, name: &[u8]) {
        let digits = doc.get(range.clone()).unwrap_or_default();
        if !IDENTIFYING.contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
            return;
        }
        self.all.too_many |= self.all.text.pieces().len() >= MOST_STRINGS;
        if !self.all.too_many {
            let raw = self.raw(range.clone());
            let depth = self.depth().saturating_sub(1);
            self.all.text.push_number(name, digits, raw, depth);
        }
    }

    fn note(&mut self, doc: &[u8], note: Note, value: &Token) {
        match (note, value) {
            (Note::Role, Token::String(role)) => {
                let user = doc.get(role.range.clone()) == Some(b"user");
                let begun = self.all.open.last().copied().filter(|_| user);
                let opening = &mut self.all.notes.opening;
                *opening = opening.or(begun);
            }
            _ => self.all.notes.take(doc, note, value),
        }
    }

    fn open(&mut self) {
        self.all.open.push(self.all.text.pieces().len());
    }

    fn close(&mut self) {
        self.all.open.pop();
    }
}

impl Layer<'_> {
    /// How many layers of escapes a string of this layer has.
    fn depth(&self) -> u8 {
        u8::try_from(self.layers.len() + 1).unwrap_or(u8::MAX)
    }

    /// Where a range of this layer's document lies in the body.
    fn raw(&self, range: Range<usize>) -> Range<usize> {
        let back = |at: usize| {
            let ways = self.layers.iter().rev();
            ways.fold(at, |at, way| way.start + way.offsets.raw(at))
        };
        back(range.start)..back(range.end)
    }

    /// Reads a string as JSON, if it is that; says whether it was.
    fn nested(&mut self, encoded: &[u8], start: usize, name: &[u8]) -> bool {
        if self.depth() >= MAX_DEPTH {
            return false;
        }
        let mut doc = Vec::with_capacity(encoded.len());
        let offsets = Offsets::decode(encoded, &mut doc);
        let (mark, open) = (self.all.text.mark(), self.all.open.len());
        self.layers.push(Way { start, offsets });
        let read = walk(&doc, Place::Free, name, self);
        self.layers.pop();
        self.all.open.truncate(open);
        if read.is_err() {
            self.all.text.rewind(mark);
        } else if lists_packages(&doc) {
            self.all.notes.documents.push(doc);
        }
        read.is_ok()
    }
}

/// Whether a JSON document may be a manifest or a lock file. As one its strings are read each for
/// itself; whoever looks for packages needs it whole.
fn lists_packages(doc: &[u8]) -> bool {
    let has = |mark: &[u8]| memchr::memmem::find(doc, mark).is_some();
    has(b"ependencies\"") || has(b"\"require") || has(b"\"lockfileVersion\"")
}

/// Whether a string's ends are those of a JSON object or array: a look at what is not white space,
/// before anything is decoded.
fn looks_nested(encoded: &[u8]) -> bool {
    let mut front = encoded;
    loop {
        front = match front {
            [b' ', rest @ ..] | [b'\\', b'n' | b'r' | b't', rest @ ..] => rest,
            // `{` or `[`, which a client may also have escaped.
            _ => break,
        };
    }
    let mut back = encoded;
    loop {
        back = match back {
            [rest @ .., b' '] | [rest @ .., b'\\', b'n' | b'r' | b't'] => rest,
            _ => break,
        };
    }
    matches!(front.first(), Some(b'{' | b'[' | b'\\'))
        && matches!(back.last(), Some(b'}' | b']' | b'D' | b'd'))
}
