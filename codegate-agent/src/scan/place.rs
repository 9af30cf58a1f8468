//! Lines and columns.

use memchr::memchr_iter;

/// A place in a file, as editors count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1; a line ends with `\n`.
    pub line: u64,
    /// The column, from 1, in characters (of UTF-8; a byte that is none counts as one).
    pub column: u64,
}

/// A place that moves forward over a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor {
    /// Where it stands, in bytes.
    pub(super) offset: u64,
    /// The same for people.
    pub(super) place: Place,
}

impl Cursor {
    /// A file's start.
    pub(super) fn new() -> Self {
        let place = Place { line: 1, column: 1 };
        Self { offset: 0, place }
    }

    /// Moves over the bytes that stand here.
    pub(super) fn pass(&mut self, bytes: &[u8]) {
        self.offset += bytes.len() as u64;
        let last = match memchr::memrchr(b'\n', bytes) {
            None => bytes,
            Some(at) => {
                self.place.line += memchr_iter(b'\n', bytes).count() as u64;
                self.place.column = 1;
                bytes.get(at + 1..).unwrap_or_default()
            }
        };
        let begins = |byte: &&u8| **byte & 0xC0 != 0x80;
        self.place.column += last.iter().filter(begins).count() as u64;
    }

    /// The cursor, moved to `offset`, in a text that begins at `base`.
    pub(super) fn go(&mut self, text: &[u8], base: u64, offset: u64) {
        let from = self.offset.saturating_sub(base) as usize;
        let to = offset.saturating_sub(base) as usize;
        self.pass(text.get(from..to).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_begin_anew_with_each_line() {
        let mut cursor = Cursor::new();
        let mut at = |bytes: &[u8]| {
            cursor.pass(bytes);
            (cursor.offset, cursor.place.line, cursor.place.column)
        };
        assert_eq!(at(b""), (0, 1, 1));
        assert_eq!(at("é漢x".as_bytes()), (6, 1, 4));
        assert_eq!(at(b"\r\n"), (8, 2, 1));
        assert_eq!(at(b"ab\n\ncd"), (14, 4, 3));
        assert_eq!(at(b"\xff\xfe"), (16, 4, 5));
    }
}
