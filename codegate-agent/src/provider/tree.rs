//! A JSON document as a tree that knows where everything stands in it.
//!
//! Knows: tokens. Must not know: any dialect. Only for what is rare or small: tool calls, and answers
//! that are not streamed; texts that arrive bit by bit are read along tables instead.

use std::{borrow::Cow, ops::Range};

use super::{
    Malformed,
    json::{self, Reader, Str, Token},
};
use crate::span::decode;

/// Values of one document, at most: each costs some eighty bytes.
const MOST_VALUES: usize = 1 << 19;

/// A document.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    doc: &'a [u8],
    root: Node,
}

#[derive(Debug)]
struct Node {
    /// Where it stands; of a string, what is between the quotes.
    range: Range<usize>,
    value: Value,
}

#[derive(Debug)]
enum Value {
    Object(Vec<(Str, Node)>),
    Array(Vec<Node>),
    String(Str),
    Other,
}

/// A value of a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    doc: &'a [u8],
    node: &'a Node,
}

impl<'a> Tree<'a> {
    /// Reads a whole document.
    ///
    /// # Errors
    /// Where it is not JSON, or has more values than can be read.
    pub(super) fn read(doc: &'a [u8]) -> Result<Self, Malformed> {
        json::utf8(doc)?;
        let mut builder = Builder {
            reader: Reader::new(doc),
            left: MOST_VALUES,
        };
        let first = builder.token()?;
        let root = builder.node(first)?;
        match builder.reader.next()? {
            None => Ok(Self { doc, root }),
            Some(_) => Err(builder.error("more than one JSON document")),
        }
    }

    pub(super) fn root(&self) -> View<'_> {
        View {
            doc: self.doc,
            node: &self.root,
        }
    }
}

struct Builder<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl Builder<'_> {
    fn token(&mut self) -> Result<Token, Malformed> {
        let token = self.reader.next()?;
        token.ok_or_else(|| self.error("JSON ends too early"))
    }

    fn error(&self, reason: &'static str) -> Malformed {
        let offset = self.reader.at();
        Malformed { reason, offset }
    }

    /// The value that begins with a token; the reader bounds how deep this goes.
    fn node(&mut self, first: Token) -> Result<Node, Malformed> {
        let left = self.left.checked_sub(1);
        self.left = left.ok_or_else(|| self.error("too many values"))?;
        let start = self.reader.at().saturating_sub(1);
        let value = match first {
            Token::ObjectStart => Value::Object(self.members()?),
            Token::ArrayStart => Value::Array(self.items()?),
            Token::String(string) => {
                return Ok(Node {
                    range: string.range.clone(),
                    value: Value::String(string),
                });
            }
            Token::Number(range) => {
                let value = Value::Other;
                return Ok(Node { range, value });
            }
            _ => Value::Other,
        };
        let range = start..self.reader.at();
        Ok(Node { range, value })
    }

    fn members(&mut self) -> Result<Vec<(Str, Node)>, Malformed> {
        let mut members = Vec::new();
        while let Token::Key(name) = self.token()? {
            let first = self.token()?;
            members.push((name, self.node(first)?));
        }
        Ok(members)
    }

    fn items(&mut self) -> Result<Vec<Node>, Malformed> {
        let mut items = Vec::new();
        loop {
            match self.token()? {
                Token::ArrayEnd => return Ok(items),
                first => items.push(self.node(first)?),
            }
        }
    }
}

impl<'a> View<'a> {
    fn at(self, node: &'a Node) -> Self {
        Self { node, ..self }
    }

    /// Where the value stands in the document; of a string, what is between the quotes.
    pub(super) fn range(self) -> Range<usize> {
        self.node.range.clone()
    }

    /// The members of an object; none if it is something else.
    pub(super) fn members(self) -> impl Iterator<Item = (Cow<'a, str>, Self)> {
        let members = match &self.node.value {
            Value::Object(members) => members.as_slice(),
            _ => &[],
        };
        members
            .iter()
            .map(move |(name, node)| (string(self.doc, name), self.at(node)))
    }

    /// The last member of this name, which is the one that readers of JSON believe.
    pub(super) fn get(self, name: &str) -> Option<Self> {
        let found = self.members().filter(|(known, _)| known == name).last();
        found.map(|(_, view)| view)
    }

    /// The items of an array; none if it is something else.
    pub(super) fn items(self) -> impl Iterator<Item = Self> {
        let items = match &self.node.value {
            Value::Array(items) => items.as_slice(),
            _ => &[],
        };
        items.iter().map(move |node| self.at(node))
    }

    /// Whether this is an object or an array, and has nothing in it.
    pub(super) fn is_empty(self) -> bool {
        match &self.node.value {
            Value::Object(members) => members.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::String(_) | Value::Other => false,
        }
    }

    /// Whether this is an array.
    pub(super) fn is_array(self) -> bool {
        matches!(self.node.value, Value::Array(_))
    }

    /// What a string says.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        match &self.node.value {
            Value::String(text) => Some(string(self.doc, text)),
            _ => None,
        }
    }

    /// What the string member of this name says.
    pub(super) fn text_of(self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name)?.text()
    }

    /// A number that is a count.
    pub(super) fn number(self) -> Option<u64> {
        let digits = self.doc.get(self.range())?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }
}

fn string<'a>(doc: &'a [u8], string: &Str) -> Cow<'a, str> {
    let encoded = doc.get(string.range.clone()).unwrap_or_default();
    if !string.escaped {
        return String::from_utf8_lossy(encoded);
    }
    let mut text = Vec::with_capacity(encoded.len());
    decode(encoded, &mut text);
    Cow::Owned(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    #[test]
    fn everything_is_where_it_stands() {
        let doc = br#" {"a": [1, "x\ny", {"b": {}}], "n": 42, "a\u0062": [ ], "n": 7} "#;
        let tree = Tree::read(doc).unwrap();
        let root = tree.root();
        let items: Vec<View<'_>> = root.get("a").unwrap().items().collect();
        assert_eq!(items[1].text().unwrap(), "x\ny");
        assert_eq!(&doc[items[1].range()], br"x\ny");
        assert_eq!(&doc[items[2].range()], br#"{"b": {}}"#);
        assert!(items[2].get("b").unwrap().is_empty());
        assert_eq!(root.get("n").unwrap().number(), Some(7));
        assert_eq!(items[0].number(), Some(1));
        assert!(root.get("ab").unwrap().is_array());
        assert!(root.get("c").is_none());
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for doc in ["", "{", "[1,", "{\"a\":}", "1 2", "{\"a\" 1}", "\u{feff}{}"] {
            assert!(Tree::read(doc.as_bytes()).is_err(), "{doc}");
        }
        let deep = "[".repeat(4000);
        assert!(Tree::read(deep.as_bytes()).is_err());
        let wide = format!("[{}1]", "1,".repeat(MOST_VALUES));
        assert!(Tree::read(wide.as_bytes()).is_err());
    }
}
