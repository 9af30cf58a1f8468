//! Parts of a text, side by side, so that the engine is called once for many.
//!
//! Knows: a text and its parts. Must not know: what is looked for.

use std::ops::Range;

/// So much is scanned at once, in bytes, where many parts are: it stays in the processor's cache.
const ENOUGH: usize = 128 << 10;

/// What stands between two parts: no name has it.
const BETWEEN: u8 = 0;

/// Parts of one text, in order and apart.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    parts: Vec<Part>,
    /// Copies of all parts, if there are several.
    bytes: Vec<u8>,
}

#[derive(Debug)]
struct Part {
    /// Where it begins among the copies.
    at: usize,
    of: Range<usize>,
}

impl Gathered {
    /// Whether another part should be scanned together with these.
    pub(super) fn takes(&self, part: &Range<usize>) -> bool {
        self.parts.is_empty() || self.len() + part.len() <= ENOUGH
    }

    /// Adds a part that stands behind the others.
    pub(super) fn add(&mut self, text: &[u8], part: Range<usize>) {
        if let [only] = &self.parts[..] {
            self.bytes
                .extend_from_slice(text.get(only.of.clone()).unwrap_or_default());
        }
        let at = match self.parts.last() {
            Some(last) => last.at + last.of.len() + 1,
            None => 0,
        };
        if at > 0 {
            self.bytes.push(BETWEEN);
            self.bytes
                .extend_from_slice(text.get(part.clone()).unwrap_or_default());
        }
        self.parts.push(Part { at, of: part });
    }

    /// All parts: in the text itself if there is one only.
    pub(super) fn bytes<'a>(&'a self, text: &'a [u8]) -> &'a [u8] {
        match &self.parts[..] {
            [] => &[],
            [only] => text.get(only.of.clone()).unwrap_or_default(),
            _ => &self.bytes,
        }
    }

    /// Where in the text an end among these bytes is.
    pub(super) fn lead_back(&self, end: usize) -> usize {
        let behind = self.parts.partition_point(|part| part.at < end);
        let part = behind.checked_sub(1).and_then(|part| self.parts.get(part));
        part.map_or(end, |part| (part.of.start + end - part.at).min(part.of.end))
    }

    /// Forgets all parts, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.parts.clear();
        self.bytes.clear();
    }

    fn len(&self) -> usize {
        self.parts.last().map_or(0, |last| last.at + last.of.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_in_a_part_is_led_back_to_its_place() {
        let text = b"0123456789abcdefghij";
        let parts = [2..5, 7..8, 12..20];
        let mut gathered = Gathered::default();
        for (count, part) in parts.iter().enumerate() {
            assert!(gathered.takes(part));
            gathered.add(text, part.clone());
            let expected = parts[..=count].iter().map(|part| &text[part.clone()]);
            let expected: Vec<&[u8]> = expected.collect();
            assert_eq!(gathered.bytes(text), expected.join(&BETWEEN));
        }
        let bytes = gathered.bytes(text);
        let ends: Vec<usize> = (1..=bytes.len()).collect();
        let ends = ends.into_iter().filter(|end| bytes[end - 1] != BETWEEN);
        for end in ends {
            assert_eq!(text[gathered.lead_back(end) - 1], bytes[end - 1], "{end}");
        }
    }

    #[test]
    fn there_is_an_end_to_what_is_gathered_but_not_to_a_part() {
        let text = vec![b'x'; 3 * ENOUGH];
        let mut gathered = Gathered::default();
        assert!(gathered.takes(&(0..2 * ENOUGH)));
        gathered.add(&text, 0..2 * ENOUGH);
        assert_eq!(gathered.bytes(&text).len(), 2 * ENOUGH);
        assert!(!gathered.takes(&(2 * ENOUGH + 1..2 * ENOUGH + 2)));
        gathered.clear();
        assert_eq!(gathered.bytes(&text), b"");
        gathered.add(&text, 0..ENOUGH / 2);
        assert!(gathered.takes(&(ENOUGH..ENOUGH + 9)));
        assert!(!gathered.takes(&(ENOUGH..2 * ENOUGH)));
    }
}
