//! JSON as it stands in the bytes: tokens and where they are, nothing decoded.
//!
//! Knows: RFC 8259, strictly (a body that upstream may read differently from us must not pass).
//! Must not know: what any of it means. No recursion: nesting costs one bit a level.

use std::ops::Range;

use wide::u8x16;

use super::Malformed;

/// Containers inside each other, at most: the bits of the reader's stack.
const MAX_NESTING: u32 = u128::BITS;

/// What stands next in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// `{`
    ObjectStart,
    /// `}`
    ObjectEnd,
    /// `[`
    ArrayStart,
    /// `]`
    ArrayEnd,
    /// A member's name.
    Key(Str),
    /// A string.
    String(Str),
    /// A number, as it is written.
    Number(Range<usize>),
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
}

/// A string in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Str {
    /// Its bytes without the quotes.
    pub(super) range: Range<usize>,
    /// Whether there are escapes in it: if not, it stands for itself.
    pub(super) escaped: bool,
}

/// Reads a document token by token. The document must be valid UTF-8 (see [`utf8`]).
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    doc: &'a [u8],
    at: usize,
    /// One bit for each container that is open, the innermost lowest: 1 for an object.
    stack: u128,
    nesting: u32,
    expect: Expect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// A value.
    Value,
    /// A value, or the end of an array that has just begun.
    ValueOrEnd,
    /// A name, or the end of an object that has just begun.
    KeyOrEnd,
    /// A comma, or the end of the container (or of the document).
    CommaOrEnd,
}

/// Checks that a document is UTF-8, a byte order mark at its start not being JSON.
pub(super) fn utf8(doc: &[u8]) -> Result<(), Malformed> {
    match std::str::from_utf8(doc) {
        Ok(_) => Ok(()),
        Err(e) => Err(malformed("not UTF-8", e.valid_up_to())),
    }
}

fn malformed(reason: &'static str, offset: usize) -> Malformed {
    Malformed { reason, offset }
}

impl<'a> Reader<'a> {
    pub(super) fn new(doc: &'a [u8]) -> Self {
        Self {
            doc,
            at: 0,
            stack: 0,
            nesting: 0,
            expect: Expect::Value,
        }
    }

    /// The next token; `None` at the end of a whole document.
    pub(super) fn next(&mut self) -> Result<Option<Token>, Malformed> {
        let Some(byte) = self.skip_space() else {
            let whole = self.nesting == 0 && self.expect == Expect::CommaOrEnd;
            return match whole {
                true => Ok(None),
                false => Err(self.error("JSON ends too early")),
            };
        };
        match self.expect {
            Expect::Value => self.value(byte),
            Expect::ValueOrEnd if byte == b']' => Ok(self.end()),
            Expect::ValueOrEnd => self.value(byte),
            Expect::KeyOrEnd if byte == b'}' => Ok(self.end()),
            Expect::KeyOrEnd => self.key(byte),
            Expect::CommaOrEnd => self.comma_or_end(byte),
        }
    }

    /// Where it stands: behind the last token.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// A string's bytes, as they are written.
    pub(super) fn text(&self, string: &Str) -> &'a [u8] {
        self.doc.get(string.range.clone()).unwrap_or_default()
    }

    /// Whether the innermost open container is an object.
    fn in_object(&self) -> bool {
        self.stack & 1 == 1
    }

    fn error(&self, reason: &'static str) -> Malformed {
        malformed(reason, self.at)
    }

    fn peek(&self) -> Option<u8> {
        self.doc.get(self.at).copied()
    }

    /// Skips white space; gives the byte behind it without taking it.
    fn skip_space(&mut self) -> Option<u8> {
        loop {
            let byte = self.peek()?;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    fn comma_or_end(&mut self, byte: u8) -> Result<Option<Token>, Malformed> {
        match byte {
            _ if self.nesting == 0 => Err(self.error("more than one JSON document")),
            b'}' if self.in_object() => Ok(self.end()),
            b']' if !self.in_object() => Ok(self.end()),
            b',' => {
                self.at += 1;
                let next = self.skip_space();
                let next = next.ok_or_else(|| self.error("JSON ends too early"))?;
                match self.in_object() {
                    true => self.key(next),
                    false => self.value(next),
                }
            }
            _ => Err(self.error("neither a comma nor an end")),
        }
    }

    fn start(&mut self, object: bool) -> Result<Option<Token>, Malformed> {
        if self.nesting == MAX_NESTING {
            return Err(self.error("JSON nested too deeply"));
        }
        self.at += 1;
        self.nesting += 1;
        self.stack = self.stack << 1 | u128::from(object);
        let (expect, token) = match object {
            true => (Expect::KeyOrEnd, Token::ObjectStart),
            false => (Expect::ValueOrEnd, Token::ArrayStart),
        };
        self.expect = expect;
        Ok(Some(token))
    }

    /// Takes the bracket that closes the innermost container.
    fn end(&mut self) -> Option<Token> {
        let token = match self.in_object() {
            true => Token::ObjectEnd,
            false => Token::ArrayEnd,
        };
        self.at += 1;
        self.nesting = self.nesting.saturating_sub(1);
        self.stack >>= 1;
        self.expect = Expect::CommaOrEnd;
        Some(token)
    }

    fn key(&mut self, byte: u8) -> Result<Option<Token>, Malformed> {
        if byte != b'"' {
            return Err(self.error("no name for an object's member"));
        }
        let name = self.string()?;
        if self.skip_space() != Some(b':') {
            return Err(self.error("no colon behind a name"));
        }
        self.at += 1;
        self.expect = Expect::Value;
        Ok(Some(Token::Key(name)))
    }

    fn value(&mut self, byte: u8) -> Result<Option<Token>, Malformed> {
        let token = match byte {
            b'{' => return self.start(true),
            b'[' => return self.start(false),
            b'"' => Token::String(self.string()?),
            b't' => self.literal(b"true", Token::True)?,
            b'f' => self.literal(b"false", Token::False)?,
            b'n' => self.literal(b"null", Token::Null)?,
            _ => Token::Number(self.number()?),
        };
        self.expect = Expect::CommaOrEnd;
        Ok(Some(token))
    }

    fn literal(&mut self, word: &[u8], token: Token) -> Result<Token, Malformed> {
        let rest = self.doc.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(self.error("not a JSON value"));
        }
        self.at += word.len();
        Ok(token)
    }

    fn number(&mut self) -> Result<Range<usize>, Malformed> {
        let start = self.at;
        self.take(|b| b == b'-', 1);
        if self.take(|b| b == b'0', 1) == 0 {
            self.digits()?;
        }
        if self.take(|b| b == b'.', 1) == 1 {
            self.digits()?;
        }
        if self.take(|b| matches!(b, b'e' | b'E'), 1) == 1 {
            self.take(|b| matches!(b, b'+' | b'-'), 1);
            self.digits()?;
        }
        Ok(start..self.at)
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        match self.take(|b| b.is_ascii_digit(), usize::MAX) {
            0 => Err(self.error("not a JSON value")),
            _ => Ok(()),
        }
    }

    /// Takes at most `most` bytes that match; says how many.
    fn take(&mut self, matches: impl Fn(u8) -> bool, most: usize) -> usize {
        let start = self.at;
        while self.at - start < most && self.peek().is_some_and(&matches) {
            self.at += 1;
        }
        self.at - start
    }

    /// Takes a string, the reader being at its first quote.
    fn string(&mut self) -> Result<Str, Malformed> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at = special(self.doc, self.at);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += self.escape()?;
                }
                Some(_) => return Err(self.error("a control character in a string")),
                None => return Err(self.error("JSON ends too early")),
            }
        }
        let range = start..self.at;
        self.at += 1;
        Ok(Str { range, escaped })
    }

    /// The length of the escape that the reader is at.
    fn escape(&self) -> Result<usize, Malformed> {
        let rest = self.doc.get(self.at + 1..).unwrap_or_default();
        match rest {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => Ok(2),
            [b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(|x| x.is_ascii_hexdigit()) => Ok(6),
            _ => Err(self.error("not an escape")),
        }
    }
}

/// The first quote, backslash or control character at or after `from`, or the document's end.
///
/// Sixteen bytes at a time: one pass finds the end of a string and checks what is in it.
fn special(doc: &[u8], from: usize) -> usize {
    const LANES: usize = 16;
    let rest = doc.get(from..).unwrap_or_default();
    let (blocks, tail) = rest.as_chunks::<LANES>();
    for (i, block) in blocks.iter().enumerate() {
        let bytes = u8x16::new(*block);
        let is = |byte| bytes.simd_eq(u8x16::splat(byte));
        let control = bytes.min(u8x16::splat(0x1F)).simd_eq(bytes);
        let found = (is(b'"') | is(b'\\') | control).to_bitmask();
        if found != 0 {
            return from + i * LANES + found.trailing_zeros() as usize;
        }
    }
    let in_tail = tail
        .iter()
        .position(|&b| b == b'"' || b == b'\\' || b < 0x20);
    in_tail.map_or(doc.len(), |at| doc.len() - tail.len() + at)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(doc: &[u8]) -> Result<Vec<Token>, Malformed> {
        utf8(doc)?;
        let mut reader = Reader::new(doc);
        let mut tokens = Vec::new();
        while let Some(token) = reader.next()? {
            tokens.push(token);
        }
        Ok(tokens)
    }

    #[test]
    fn tokens_say_where_they_are() {
        let doc = br#" {"a\n": [1, "x"], "b":true} "#;
        use Token::*;
        let string = |range, escaped| Str { range, escaped };
        let expected = [
            ObjectStart,
            Key(string(3..6, true)),
            ArrayStart,
            Number(10..11),
            String(string(14..15, false)),
            ArrayEnd,
            Key(string(20..21, false)),
            True,
            ObjectEnd,
        ];
        assert_eq!(read(doc).unwrap(), expected);
    }

    #[test]
    fn what_is_not_json_is_refused_and_where() {
        for (doc, offset) in [
            ("", 0),
            ("  ", 2),
            ("{", 1),
            ("[1", 2),
            ("[1,", 3),
            ("[1,]", 3),
            ("{\"a\"}", 4),
            ("{\"a\":}", 5),
            ("{\"a\":1,}", 7),
            ("{a:1}", 1),
            ("[1}", 2),
            ("{\"a\":1]", 6),
            ("nul", 0),
            ("truex", 4),
            ("01", 1),
            ("-", 1),
            ("1.", 2),
            ("1e", 2),
            ("+1", 0),
            (".5", 0),
            ("\"a", 2),
            ("\"a\\", 2),
            ("\"\\x\"", 1),
            ("\"\\u12g4\"", 1),
            ("\"a\nb\"", 2),
            ("{} {}", 3),
            ("1 2", 2),
            ("[]]", 2),
            ("NaN", 0),
            ("'a'", 0),
            ("\u{feff}{}", 0),
        ] {
            assert_eq!(read(doc.as_bytes()).unwrap_err().offset, offset, "{doc}");
        }
        assert_eq!(read(b"\"\xff\"").unwrap_err(), malformed("not UTF-8", 1));
    }

    #[test]
    fn a_deep_document_is_refused_without_recursion() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert_eq!(read(nested(128).as_bytes()).unwrap().len(), 256);
        assert_eq!(read(nested(129).as_bytes()).unwrap_err().offset, 128);
        assert!(read("[{\"a\":".repeat(1_000_000).as_bytes()).is_err());
    }

    #[test]
    fn brackets_are_told_apart_at_every_level() {
        assert!(read(br#"[{"a":[{"b":[]}]}]"#).is_ok());
        assert!(read(br#"[{"a":[{"b":[}]}]"#).is_err());
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        use serde_json::Value;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[\\PC\\x00-\\x1f\"\\\\]{0,20}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::hash_map("[a-z\"\\\\é]{0,6}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn reads_all_that_serde_writes(value in json(), pretty in any::<bool>()) {
            let doc = match pretty {
                true => serde_json::to_vec_pretty(&value).unwrap(),
                false => serde_json::to_vec(&value).unwrap(),
            };
            prop_assert!(read(&doc).is_ok());
        }

        #[test]
        fn accepts_what_serde_accepts(doc in prop::collection::vec(
            prop::sample::select(b"{}[]:,\"\\ue1-+.0 tnullfasr\n\x01a".to_vec()), 0..12,
        )) {
            // Serde refuses lone surrogates and huge exponents, which we let stand.
            let serde = serde_json::from_slice::<serde::de::IgnoredAny>(&doc).is_ok();
            let ours = read(&doc).is_ok();
            prop_assert!(!serde || ours, "{:?}", String::from_utf8_lossy(&doc));
            prop_assert!(serde || !ours || doc.windows(2).any(|w| w == b"\\u" || w[0] == b'e'),
                "{:?}", String::from_utf8_lossy(&doc));
        }

        #[test]
        fn finds_the_first_special_byte(doc in prop::collection::vec(any::<u8>(), 0..40), from in 0_usize..48) {
            let slow = (from..doc.len()).find(|&i| matches!(doc[i], b'"' | b'\\' | 0..0x20));
            prop_assert_eq!(special(&doc, from), slow.unwrap_or(doc.len()));
        }

        #[test]
        fn arbitrary_bytes_never_panic(doc in prop::collection::vec(any::<u8>(), 0..60)) {
            let _read = read(&doc);
        }
    }
}
