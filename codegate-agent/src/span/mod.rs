//! Decoded text, and the way back into the raw bytes it came from.
//!
//! Knows: bytes, JSON string escapes. Must not know: dialects, findings, HTTP.

mod escape;

use std::ops::Range;

pub use escape::escape;
pub(crate) use escape::{Offsets, covering, decode};

/// The texts of one body, side by side in one buffer, so that one scan sees them all.
///
/// Between the pieces stands what a scanner wants to see around a value (`name": "` before it,
/// `"\n` behind it); it is not part of any piece, so nothing there is ever edited.
#[derive(Debug, Default)]
pub struct Text {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
}

/// One decoded string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its decoded bytes in the buffer.
    pub range: Range<usize>,
    /// The bytes it came from in the raw body, without quotes.
    pub raw: Range<usize>,
    /// How many layers of JSON string escapes were taken off (0: raw text, 1: a JSON string,
    /// 2: a string in JSON that is itself in a JSON string).
    pub depth: u8,
    /// Whether it is a bare number of JSON: it is replaced as a whole, by a string.
    pub number: bool,
}

/// A replacement in a raw body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The raw bytes that go.
    pub raw: Range<usize>,
    /// What comes in their stead, already escaped.
    pub with: Vec<u8>,
}

/// A state of a [`Text`] that it can be taken back to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    bytes: usize,
    pieces: usize,
}

impl Text {
    /// Names longer than this are left out: one of a megabyte, repeated for each element of an
    /// array, would make a small body huge.
    const LONGEST_NAME: usize = 64;

    /// An empty text with room for the strings of a body of `len` bytes.
    pub(crate) fn with_capacity(len: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(len + len / 16),
            pieces: Vec::new(),
        }
    }

    /// The buffer: all pieces, and what stands between them.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The pieces, in the order of the body.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Where each piece ends in the buffer, in order.
    pub fn ends(&self) -> impl Iterator<Item = usize> {
        self.pieces.iter().map(|piece| piece.range.end)
    }

    /// The decoded bytes of a piece of this text.
    pub fn piece_bytes(&self, piece: &Piece) -> &[u8] {
        self.bytes.get(piece.range.clone()).unwrap_or_default()
    }

    /// The piece that a range of the buffer lies in; `None` if it reaches out of every piece.
    pub fn locate(&self, range: Range<usize>) -> Option<&Piece> {
        let after = self
            .pieces
            .partition_point(|p| p.range.start <= range.start);
        let piece = self.pieces.get(after.checked_sub(1)?)?;
        (range.start <= range.end && range.end <= piece.range.end).then_some(piece)
    }

    /// The range of whole characters that covers a range: what cuts a character cannot be replaced
    /// without it, so a value ought to be taken from here before it is sealed.
    pub fn widen(&self, range: Range<usize>) -> Range<usize> {
        let continues = |&at: &usize| self.bytes.get(at).is_some_and(|b| b & 0xC0 == 0x80);
        let Some(piece) = self.locate(range.clone()) else {
            return range;
        };
        match piece {
            Piece { number: true, .. } => return piece.range.clone(),
            Piece { depth: 0, .. } => return range,
            _ => {}
        }
        let start = (piece.range.start..=range.start)
            .rev()
            .find(|at| !continues(at));
        let end = (range.end..piece.range.end).find(|at| !continues(at));
        start.unwrap_or(range.start)..end.unwrap_or(piece.range.end)
    }

    /// The raw bytes of `body` that a range of the buffer, inside of `piece`, came from. What the
    /// range cuts, such as one half of a surrogate pair, is covered wholly.
    ///
    /// The way is read again from the raw bytes on each call: edits are rare, bodies are not.
    pub fn raw_range(&self, body: &[u8], piece: &Piece, range: Range<usize>) -> Range<usize> {
        let Some(raw) = body.get(piece.raw.clone()) else {
            return piece.raw.clone();
        };
        let within = |at: usize| at.clamp(piece.range.start, piece.range.end) - piece.range.start;
        let inner = through(raw, within(range.start)..within(range.end), piece.depth);
        piece.raw.start + inner.start..piece.raw.start + inner.end
    }

    /// The edit of `body` that puts `with` in the place of a range of the buffer; `None` if the
    /// range is not wholly inside one piece.
    pub fn edit(&self, body: &[u8], range: Range<usize>, with: &[u8]) -> Option<Edit> {
        let piece = self.locate(range.clone())?;
        Some(Edit {
            raw: self.raw_range(body, piece, self.widen(range)),
            with: piece.written(with),
        })
    }

    /// The edits of `body` for many ranges at once; they must be sorted by where they begin. What
    /// is not wholly inside one piece is left out, and what cuts a character is [widened]
    /// (Self::widen).
    ///
    /// However many ranges there are in a piece, its raw bytes are read again once.
    pub fn edits<'a>(
        &self,
        body: &[u8],
        ranges: impl IntoIterator<Item = (Range<usize>, &'a [u8])>,
    ) -> Vec<Edit> {
        let mut ways: Option<(&Piece, Vec<Offsets>)> = None;
        let mut edits = Vec::new();
        for (range, with) in ranges {
            let Some(piece) = self.locate(range.clone()) else {
                continue;
            };
            let (_, ways) = match ways.take().filter(|(known, _)| *known == piece) {
                Some(known) => ways.insert(known),
                None => ways.insert((piece, layers(body, piece))),
            };
            let range = self.widen(range);
            let back = |at: usize| {
                let inner = at.saturating_sub(piece.range.start);
                piece.raw.start + ways.iter().rev().fold(inner, |at, way| way.raw(at))
            };
            edits.push(Edit {
                raw: back(range.start)..back(range.end),
                with: piece.written(with),
            });
        }
        edits
    }

    /// Adds a raw body, or a part of it, as it is.
    pub(crate) fn push_raw(&mut self, bytes: &[u8], raw: Range<usize>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.end_piece(start, raw, 0);
    }

    /// Adds a string: its name, the bytes that it stands for in the JSON it is part of (`encoded`,
    /// without quotes), and where in the body it came from through how many layers.
    pub(crate) fn push_string(
        &mut self,
        name: &[u8],
        encoded: &[u8],
        raw: Range<usize>,
        depth: u8,
    ) {
        if !name.is_empty() && name.len() <= Self::LONGEST_NAME {
            self.bytes.extend_from_slice(name);
            self.bytes.extend_from_slice(b"\": \"");
        }
        let start = self.bytes.len();
        decode(encoded, &mut self.bytes);
        self.end_piece(start, raw, depth);
        self.bytes.extend_from_slice(b"\"\n");
    }

    /// Adds a bare number: its name, its digits, and where in the body they stand, in a document that
    /// so many layers of strings are around.
    pub(crate) fn push_number(&mut self, name: &[u8], digits: &[u8], raw: Range<usize>, depth: u8) {
        self.push_string(name, digits, raw, depth);
        if let Some(piece) = self.pieces.last_mut() {
            piece.number = true;
        }
    }

    fn end_piece(&mut self, start: usize, raw: Range<usize>, depth: u8) {
        let range = start..self.bytes.len();
        self.pieces.push(Piece {
            range,
            raw,
            depth,
            number: false,
        });
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            bytes: self.bytes.len(),
            pieces: self.pieces.len(),
        }
    }

    /// Forgets what was added since `mark`.
    pub(crate) fn rewind(&mut self, mark: Mark) {
        self.bytes.truncate(mark.bytes);
        self.pieces.truncate(mark.pieces);
    }
}

impl Piece {
    /// What stands for a text in the place of this piece, or of a part of it.
    fn written(&self, text: &[u8]) -> Vec<u8> {
        match self.number {
            true => escape(&[b"\"", text, b"\""].concat(), self.depth),
            false => escape(text, self.depth),
        }
    }
}

/// The ways back through each layer of a piece, the outermost first.
fn layers(body: &[u8], piece: &Piece) -> Vec<Offsets> {
    let mut encoded = body.get(piece.raw.clone()).unwrap_or_default().to_vec();
    let one = |_| {
        let mut decoded = Vec::with_capacity(encoded.len());
        let offsets = Offsets::decode(&encoded, &mut decoded);
        encoded = decoded;
        offsets
    };
    (0..piece.depth).map(one).collect()
}

/// The bytes of `raw` that a range of what it stands for, `depth` layers up, came from.
fn through(raw: &[u8], range: Range<usize>, depth: u8) -> Range<usize> {
    match depth {
        0 => range,
        1 => covering(raw, range),
        _ => {
            let mut inner = Vec::with_capacity(raw.len());
            decode(raw, &mut inner);
            covering(raw, through(&inner, range, depth - 1))
        }
    }
}

/// The body with its edits made, and every other byte as it was.
///
/// The edits must be sorted and must not overlap: one that reaches back into its predecessor, or
/// out of the body, is left out.
pub fn splice(body: &[u8], edits: &[Edit]) -> Vec<u8> {
    let more: usize = edits.iter().map(|e| e.with.len()).sum();
    let mut out = Vec::with_capacity(body.len() + more);
    let mut at = 0;
    for edit in edits {
        let Some(kept) = body.get(at..edit.raw.start) else {
            continue;
        };
        if edit.raw.end < edit.raw.start || edit.raw.end > body.len() {
            continue;
        }
        out.extend_from_slice(kept);
        out.extend_from_slice(&edit.with);
        at = edit.raw.end;
    }
    out.extend_from_slice(body.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests;
