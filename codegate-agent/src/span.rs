//! Decoded text, and the way back into the raw bytes it came from.
//!
//! Knows: bytes, JSON string escapes. Must not know: dialects, findings, HTTP.

use std::ops::Range;

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
}

/// A replacement in a raw body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The raw bytes that go.
    pub raw: Range<usize>,
    /// What comes in their stead, already escaped.
    pub with: Vec<u8>,
}
