//! Event streams as bytes: where an event ends, and where its data are.
//!
//! Knows: the WHATWG's server-sent events. Must not know: what the data say.

use std::ops::Range;

use memchr::{memchr, memchr2};

use super::stream::Framing;

/// An event longer than this, in bytes, is passed on unread.
const LONGEST_EVENT: usize = 16 << 20;

/// The byte order mark that a stream may begin with.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

/// A stretch of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item<'a> {
    /// A whole event, its blank line included.
    Event(&'a [u8]),
    /// Bytes that are not to be read.
    Raw(&'a [u8]),
}

/// Cuts a stream into events, whatever pieces it arrives in.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    framing: Framing,
    /// The beginning of an event that has no end yet.
    held: Vec<u8>,
    /// How far into the event it has been looked at.
    seen: usize,
    /// Where its last line begins.
    line: usize,
    /// The event is too long: its bytes pass as they come.
    passing: bool,
}

impl Splitter {
    pub(super) fn new(framing: Framing) -> Self {
        Self {
            framing,
            ..Self::default()
        }
    }

    /// Takes bytes as they arrive; `each` is given what they complete.
    pub(super) fn feed(&mut self, chunk: &[u8], mut each: impl FnMut(Item<'_>)) {
        if self.held.is_empty() {
            let used = self.items(chunk, &mut each);
            self.held
                .extend_from_slice(chunk.get(used..).unwrap_or_default());
        } else {
            let mut held = std::mem::take(&mut self.held);
            held.extend_from_slice(chunk);
            let used = self.items(&held, &mut each);
            held.drain(..used);
            self.held = held;
        }
        if self.passing || self.held.len() > LONGEST_EVENT {
            self.pass(&mut each);
        }
    }

    /// The stream has ended: what it ends with is an event, too, though the standard would have a
    /// blank line behind it.
    pub(super) fn finish(&mut self, mut each: impl FnMut(Item<'_>)) {
        let held = std::mem::take(&mut self.held);
        match (held.is_empty(), self.passing) {
            (true, _) => {}
            (_, true) => each(Item::Raw(&held)),
            (_, false) => each(Item::Event(&held)),
        }
    }

    /// Gives out what is complete in `bytes`, which begin where an event begins; says how much.
    fn items(&mut self, bytes: &[u8], each: &mut impl FnMut(Item<'_>)) -> usize {
        let mut at = 0;
        while let Some(end) = self.end(bytes.get(at..).unwrap_or_default()) {
            let event = bytes.get(at..at + end).unwrap_or_default();
            at += end;
            match std::mem::take(&mut self.passing) {
                true => each(Item::Raw(event)),
                false => each(Item::Event(event)),
            }
        }
        at
    }

    /// Where the event that `bytes` begin with ends, if it does.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        if self.framing == Framing::Lines {
            return self.end_of_line(bytes);
        }
        while let Some(found) = bytes
            .get(self.seen..)
            .and_then(|b| memchr2(b'\n', b'\r', b))
        {
            let at = self.seen + found;
            let blank = at == self.line;
            let cr = bytes.get(at) == Some(&b'\r');
            // The LF of a CRLF that arrived in two pieces.
            let second_half = !cr && blank && at > 0 && bytes.get(at - 1) == Some(&b'\r');
            let crlf = cr && bytes.get(at + 1) == Some(&b'\n');
            self.seen = at + 1 + usize::from(crlf);
            self.line = self.seen;
            if blank && !second_half {
                // Half of a CRLF may be to come: it will be an event of nothing.
                let end = self.seen;
                (self.seen, self.line) = (0, 0);
                return Some(end);
            }
        }
        self.seen = bytes.len();
        None
    }

    fn end_of_line(&mut self, bytes: &[u8]) -> Option<usize> {
        let found = memchr(b'\n', bytes.get(self.seen..).unwrap_or_default());
        let end = found.map(|found| self.seen + found + 1);
        self.seen = end.map_or(bytes.len(), |_| 0);
        end
    }

    /// Passes on what is held of an event that is too long, but for a last line that may be its
    /// blank one.
    fn pass(&mut self, each: &mut impl FnMut(Item<'_>)) {
        self.passing = true;
        let keep = match self.held.last() {
            Some(b'\n' | b'\r') => 2.min(self.held.len()),
            _ => 0,
        };
        let cut = self.held.len() - keep;
        each(Item::Raw(&self.held[..cut]));
        self.held.drain(..cut);
        self.seen = self.held.len();
        // A line that goes on must not look blank.
        self.line = match keep {
            0 => usize::MAX,
            _ => self.seen,
        };
    }
}

/// The data of one event, and where they stand in it.
#[derive(Debug, Default)]
pub(super) struct Data {
    framing: Framing,
    /// Of each `data` line, its value.
    lines: Vec<Range<usize>>,
    /// The values put together, if there are several.
    joined: Vec<u8>,
}

impl Data {
    pub(super) fn new(framing: Framing) -> Self {
        Self {
            framing,
            ..Self::default()
        }
    }

    /// Reads an event.
    pub(super) fn read(&mut self, event: &[u8]) {
        self.lines.clear();
        if self.framing == Framing::Lines {
            let end = event.trim_ascii_end().len();
            self.lines.push(0..end);
            return self.join(event);
        }
        let mut at = match event.starts_with(BOM) {
            true => BOM.len(),
            false => 0,
        };
        while let Some(rest) = event.get(at..).filter(|r| !r.is_empty()) {
            let len = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            if let Some(start) = value(rest.get(..len).unwrap_or_default()) {
                self.lines.push(at + start..at + len);
            }
            at += len + 1;
        }
        self.join(event);
    }

    fn join(&mut self, event: &[u8]) {
        self.joined.clear();
        if let [first, more @ ..] = self.lines.as_slice()
            && !more.is_empty()
        {
            self.joined
                .extend_from_slice(event.get(first.clone()).unwrap_or_default());
            for line in more {
                self.joined.push(b'\n');
                self.joined
                    .extend_from_slice(event.get(line.clone()).unwrap_or_default());
            }
        }
    }

    /// The data of the event that was read; empty if it has none.
    pub(super) fn bytes<'a>(&'a self, event: &'a [u8]) -> &'a [u8] {
        match self.lines.as_slice() {
            [] => b"",
            [line] => event.get(line.clone()).unwrap_or_default(),
            _ => &self.joined,
        }
    }

    /// Where the values of the `data` lines stand in the event.
    pub(super) fn lines(&self) -> &[Range<usize>] {
        &self.lines
    }

    /// Where a part of the data stands in the event, if it is in one line (as all strings of JSON
    /// are).
    pub(super) fn place(&self, part: &Range<usize>) -> Option<Range<usize>> {
        let mut before = 0;
        for line in &self.lines {
            if part.end <= before + line.len() {
                let start = part.start.checked_sub(before)?;
                return Some(line.start + start..line.start + (part.end - before));
            }
            before += line.len() + 1;
        }
        None
    }
}

/// Where the value of a `data` line begins; `None` if it is another line.
fn value(line: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"data";
    match line.strip_prefix(NAME)? {
        [] => Some(NAME.len()),
        [b':', b' ', ..] => Some(NAME.len() + 2),
        [b':', ..] => Some(NAME.len() + 1),
        _ => None,
    }
}

/// Whether a stream that begins like this is an event stream; `None` if that is not clear yet.
pub(super) fn looks_like_events(start: &[u8]) -> Option<bool> {
    const FIELDS: [&[u8]; 5] = [b":", b"data:", b"event:", b"id:", b"retry:"];
    let start = start.strip_prefix(BOM).unwrap_or(start);
    let blank = start
        .iter()
        .take_while(|b| matches!(b, b'\n' | b'\r'))
        .count();
    let start = start.get(blank..).unwrap_or_default();
    if FIELDS.iter().any(|field| start.starts_with(field)) {
        return Some(true);
    }
    let short = BOM.starts_with(start) || FIELDS.iter().any(|field| field.starts_with(start));
    (!short).then_some(false)
}

/// A text as the values of `data` lines: each of its line ends begins another one.
pub(super) fn as_lines(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr2(b'\n', b'\r', rest) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(b"\ndata: ");
        let crlf = rest.get(at..at + 2) == Some(b"\r\n");
        rest = rest.get(at + 1 + usize::from(crlf)..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a stream is cut into when it arrives in these pieces.
    fn cut(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut splitter = Splitter::default();
        let mut out = Vec::new();
        let mut each = |item: Item<'_>| match item {
            Item::Event(bytes) => out.push(bytes.to_vec()),
            Item::Raw(bytes) => out.push([b"raw ", bytes].concat()),
        };
        for piece in pieces {
            splitter.feed(piece, &mut each);
        }
        splitter.finish(&mut each);
        out
    }

    #[test]
    fn a_blank_line_ends_an_event() {
        for (stream, events) in [
            ("data: a\n\ndata: b\n\n", vec!["data: a\n\n", "data: b\n\n"]),
            (
                "data: a\r\n\r\ndata: b\r\n\r\n",
                vec!["data: a\r\n\r\n", "data: b\r\n\r\n"],
            ),
            ("data: a\r\rdata: b\r\r", vec!["data: a\r\r", "data: b\r\r"]),
            (
                ": hi\n\nevent: x\ndata: a\ndata: b\n\n",
                vec![": hi\n\n", "event: x\ndata: a\ndata: b\n\n"],
            ),
            ("\n\ndata: a\n\n", vec!["\n", "\n", "data: a\n\n"]),
            ("data: a", vec!["data: a"]),
            ("data: a\n", vec!["data: a\n"]),
            ("", vec![]),
        ] {
            assert_eq!(
                cut(&[stream.as_bytes()]),
                events
                    .iter()
                    .map(|e| e.as_bytes().to_vec())
                    .collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn an_event_is_given_out_with_its_last_byte() {
        for stream in ["data: a\n\n", "data: a\r\n\r", "data: a\r\r", "data: a\n\r"] {
            let mut splitter = Splitter::default();
            let mut events = 0;
            for (i, byte) in stream.bytes().enumerate() {
                splitter.feed(&[byte], |_| events += 1);
                assert_eq!(
                    events,
                    usize::from(i + 1 == stream.len()),
                    "{stream:?} at {i}"
                );
            }
        }
    }

    #[test]
    fn an_endless_event_is_passed_on() {
        let line = [b"data: ".as_slice(), &vec![b'x'; LONGEST_EVENT], b"\n"].concat();
        let mut splitter = Splitter::default();
        let mut raw = 0;
        let mut events = Vec::new();
        let mut each = |item: Item<'_>| match item {
            Item::Event(event) => events.push(event.to_vec()),
            Item::Raw(bytes) => raw += bytes.len(),
        };
        splitter.feed(&line, &mut each);
        splitter.feed(b"data: more", &mut each);
        splitter.feed(b" and more\n", &mut each);
        splitter.feed(b"\n", &mut each);
        splitter.feed(b"data: next\n\n", &mut each);
        assert_eq!(raw, line.len() + b"data: more and more\n\n".len());
        assert_eq!(events, [b"data: next\n\n"]);
    }

    #[test]
    fn data_are_found_and_so_is_their_place() {
        let mut data = Data::default();
        let event = b"\xef\xbb\xbfdata: ab\r\nid: 1\ndata:cd\rdatax: no\ndata\n\n";
        data.read(event);
        assert_eq!(data.bytes(event), b"ab\ncd\n");
        assert_eq!(&event[data.place(&(1..2)).unwrap()], b"b");
        assert_eq!(&event[data.place(&(3..5)).unwrap()], b"cd");
        assert_eq!(data.place(&(1..4)), None);
        assert_eq!(data.place(&(9..10)), None);
        let event = b"event: x\ndata: {}\n\n";
        data.read(event);
        assert_eq!(data.bytes(event), b"{}");
        assert_eq!(data.place(&(0..2)), Some(15..17));
        data.read(b": comment\n\n");
        assert_eq!(data.bytes(b": comment\n\n"), b"");
    }

    #[test]
    fn events_are_told_from_other_streams() {
        for (start, says) in [
            ("", None),
            ("d", None),
            ("data", None),
            ("\u{feff}da", None),
            ("\n\n", None),
            ("data: x", Some(true)),
            ("\u{feff}data:", Some(true)),
            (": hi", Some(true)),
            ("\nevent: x", Some(true)),
            ("id: 1", Some(true)),
            ("{\"a\"", Some(false)),
            ("[", Some(false)),
            ("dataset", Some(false)),
            ("idle", Some(false)),
        ] {
            assert_eq!(looks_like_events(start.as_bytes()), says, "{start:?}");
        }
    }

    #[test]
    fn text_with_line_ends_stays_in_its_event() {
        assert_eq!(
            as_lines(b"a\nb\r\nc\rd\n"),
            b"a\ndata: b\ndata: c\ndata: d\ndata: "
        );
        assert_eq!(as_lines(b"a"), b"a");
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_bytes_and_data(
            stream in prop::collection::vec(prop::sample::select(b"\r\n:da \xc3t".to_vec()), 0..60),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let mut at: Vec<usize> = cuts.iter().map(|c| c.index(stream.len() + 1)).collect();
            at.extend([0, stream.len()]);
            at.sort_unstable();
            let pieces: Vec<&[u8]> = at.windows(2).map(|w| &stream[w[0]..w[1]]).collect();
            let whole = cut(&[&stream]);
            let split = cut(&pieces);
            let bytes = |items: &[Vec<u8>]| items.iter().map(|i| i.strip_prefix(b"raw ").unwrap_or(i)).collect::<Vec<_>>().concat();
            prop_assert_eq!(bytes(&whole), stream.clone());
            prop_assert_eq!(bytes(&split), stream.clone());
            let data = |items: &[Vec<u8>]| items.iter().filter(|i| !i.starts_with(b"raw ")).map(|event| {
                let mut data = Data::default();
                data.read(event);
                data.bytes(event).to_vec()
            }).filter(|d| !d.is_empty()).collect::<Vec<_>>();
            prop_assert_eq!(data(&whole), data(&split));
        }
    }
}
