//! A text that is not read just as it stands: unquoted, unescaped, or put together. Each of its bytes
//! knows its place, so that what is found in it is found where it was written.

use std::ops::Range;

use super::Sink;

/// A text, and where its bytes stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Placed {
    text: String,
    /// The place of each byte.
    places: Vec<usize>,
    /// All that it was made of, if that is more than its bytes: `$NAME`, for instance.
    span: Option<Range<usize>>,
}

impl Placed {
    /// A text that stands there just so.
    pub(super) fn verbatim(text: &str, at: usize) -> Self {
        Self {
            text: text.to_owned(),
            places: (at..at + text.len()).collect(),
            span: None,
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Adds a character that stands at a place.
    pub(super) fn push(&mut self, c: char, at: usize) {
        self.text.push(c);
        self.places.extend(at..at + c.len_utf8());
    }

    /// Adds another text, wherever it is from.
    pub(super) fn append(&mut self, other: &Self) {
        self.text.push_str(&other.text);
        self.places.extend(&other.places);
    }

    /// What it is to be taken for where its bytes are from several places.
    pub(super) fn spanning(mut self, span: Range<usize>) -> Self {
        self.span = Some(span);
        self
    }

    /// From its first to its last byte.
    pub(super) fn range(&self) -> Range<usize> {
        self.place(0..self.text.len())
    }

    /// Where a part of it stands.
    pub(super) fn place(&self, part: Range<usize>) -> Range<usize> {
        let places = self.places.get(part).unwrap_or_default();
        let (Some(first), Some(last)) = (places.first(), places.last()) else {
            return self.span.clone().unwrap_or(0..0);
        };
        match &self.span {
            Some(span) if !places.is_sorted() => span.clone(),
            _ => *first..(last + 1).max(*first),
        }
    }

    /// A part of it.
    pub(super) fn slice(&self, part: Range<usize>) -> Self {
        Self {
            text: self.text.get(part.clone()).unwrap_or_default().to_owned(),
            places: self.places.get(part).unwrap_or_default().to_vec(),
            span: self.span.clone(),
        }
    }

    /// Its pieces between separators.
    pub(super) fn split(&self, separator: fn(char) -> bool) -> Vec<Self> {
        let pieces = self.text.split(separator).filter(|piece| !piece.is_empty());
        pieces
            .map(|piece| self.slice(within(&self.text, piece)))
            .collect()
    }

    /// Has it read, and puts what is found where it stands.
    pub(super) fn read(&self, sink: &mut Sink, read: impl FnOnce(&mut Sink, &str)) {
        let before = sink.found.len();
        read(sink, &self.text);
        for mention in sink.found.iter_mut().skip(before) {
            mention.range = self.place(mention.range.clone());
        }
    }
}

/// Where a part of a text stands in it.
pub(super) fn within(whole: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    start..start + part.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_where_it_was_written() {
        let mut placed = Placed::verbatim("naïve", 10);
        placed.push('"', 20);
        placed.append(&Placed::verbatim("x", 3));
        assert_eq!(placed.text(), "naïve\"x");
        assert_eq!(placed.place(0..6), 10..16);
        assert_eq!(placed.place(6..7), 20..21);
        assert_eq!(placed.place(7..8), 3..4);
        let spanning = placed.spanning(10..40);
        assert_eq!(spanning.range(), 10..40);
        assert_eq!(spanning.place(0..2), 10..12);
    }

    #[test]
    fn pieces_know_their_places() {
        let pieces = Placed::verbatim("a, bc", 5).split(|c| c == ',' || c == ' ');
        let pieces: Vec<_> = pieces.iter().map(|p| (p.text(), p.range())).collect();
        assert_eq!(pieces, [("a", 5..6), ("bc", 8..10)]);
        assert_eq!(within("a, bc", &"a, bc"[3..]), 3..5);
    }
}
