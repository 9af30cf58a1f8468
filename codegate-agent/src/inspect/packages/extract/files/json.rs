//! JSON as people write it: with comments, with commas at the end, in pieces, with `...` in it. What
//! is no JSON is passed over.

use std::{iter::Peekable, str::CharIndices};

use crate::inspect::packages::extract::place::Placed;

/// Nobody nests deeper.
const DEEPEST: usize = 64;

/// A value.
#[derive(Debug)]
pub(in super::super) enum Json {
    Text(Placed),
    List(Vec<Json>),
    Map(Vec<(Placed, Json)>),
    Other,
}

impl Json {
    /// Reads a text that begins at `base`. A piece without braces around it is a map.
    pub(in super::super) fn parse(text: &str, base: usize) -> Self {
        let mut reader = Reader {
            chars: text.char_indices().peekable(),
            base,
        };
        match reader.entries('}', 0) {
            (items, _) if items.len() == 1 => items.into_iter().next().unwrap_or(Self::Other),
            (items, entries) if entries.is_empty() => Self::List(items),
            (_, entries) => Self::Map(entries),
        }
    }

    /// The entries of a map; none if it is something else.
    pub(in super::super) fn entries(&self) -> &[(Placed, Self)] {
        match self {
            Self::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none if it is something else.
    pub(in super::super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    pub(in super::super) fn text(&self) -> Option<&Placed> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A map's value of this name.
    pub(in super::super) fn get(&self, name: &str) -> Option<&Self> {
        let found = self.entries().iter().find(|(key, _)| key.text() == name);
        found.map(|(_, value)| value)
    }
}

struct Reader<'t> {
    chars: Peekable<CharIndices<'t>>,
    base: usize,
}

impl Reader<'_> {
    /// What stands up to a bracket: values without a name, and those with one.
    fn entries(&mut self, close: char, depth: usize) -> (Vec<Json>, Vec<(Placed, Json)>) {
        let (mut items, mut entries) = (Vec::new(), Vec::new());
        let mut name: Option<Placed> = None;
        while let Some((_, c)) = self.chars.next() {
            let value = match c {
                '"' => Json::Text(self.string()),
                '{' | '[' if depth >= DEEPEST => break,
                '{' => Json::Map(self.entries('}', depth + 1).1),
                '[' => Json::List(self.entries(']', depth + 1).0),
                '/' => {
                    self.comment();
                    continue;
                }
                c if c == close && depth > 0 => break,
                c if c.is_alphanumeric() || c == '-' => {
                    let rest = |(_, c): &(usize, char)| c.is_alphanumeric() || ".+-".contains(*c);
                    while self.chars.next_if(rest).is_some() {}
                    Json::Other
                }
                _ => continue,
            };
            match (name.take(), value) {
                (Some(name), value) => entries.push((name, value)),
                (None, Json::Text(text)) if self.is_name() => name = Some(text),
                (None, value) => items.push(value),
            }
        }
        (items, entries)
    }

    /// Whether a colon follows.
    fn is_name(&mut self) -> bool {
        while self.chars.next_if(|(_, c)| c.is_whitespace()).is_some() {}
        self.chars.next_if(|(_, c)| *c == ':').is_some()
    }

    /// What stands up to the closing quote.
    fn string(&mut self) -> Placed {
        let mut out = Placed::default();
        while let Some((at, c)) = self.chars.next() {
            match c {
                '"' => break,
                '\\' => self.escape(&mut out),
                c => out.push(c, self.base + at),
            }
        }
        out
    }

    fn escape(&mut self, out: &mut Placed) {
        let Some((at, c)) = self.chars.next() else {
            return;
        };
        let at = self.base + at;
        match c {
            'n' => out.push('\n', at),
            't' => out.push('\t', at),
            'r' | 'b' | 'f' => out.push(' ', at),
            'u' => {
                let digits =
                    (0..4).map_while(|_| self.chars.next_if(|(_, c)| c.is_ascii_hexdigit()));
                let digits: String = digits.map(|(_, c)| c).collect();
                let code = u32::from_str_radix(&digits, 16).ok();
                out.push(code.and_then(char::from_u32).unwrap_or(' '), at);
            }
            c => out.push(c, at),
        }
    }

    fn comment(&mut self) {
        if self.chars.next_if(|(_, c)| *c == '/').is_some() {
            while self.chars.next_if(|(_, c)| *c != '\n').is_some() {}
        } else if self.chars.next_if(|(_, c)| *c == '*').is_some() {
            let mut star = false;
            for (_, c) in self.chars.by_ref() {
                if star && c == '/' {
                    break;
                }
                star = c == '*';
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    #[test]
    fn json_in_pieces_with_comments_and_escapes() {
        let text = "\"é\": [\"a\\\"b\", 1.5e3, null], // \"no\": 1\n/* \"x\": */ \"c\": {\"d\": \"\\u0065\",}, ...";
        let json = Json::parse(text, 100);
        let list = json.get("é").unwrap();
        let first = list.items()[0].text().unwrap();
        assert_eq!((first.text(), first.range()), ("a\"b", 108..112));
        let letter = json.get("c").and_then(|c| c.get("d")).and_then(Json::text);
        assert_eq!(letter.unwrap().text(), "e");
        assert_eq!(json.entries().len(), 2);
        assert!(Json::parse("[[[", 0).items().len() < 2);
        assert!(Json::parse(&"[".repeat(10_000), 0).text().is_none());
    }
}
