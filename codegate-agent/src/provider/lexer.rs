//! How deep in JSON strings a text stands that is still growing.
//!
//! Knows: quotes, brackets, escapes. Must not know: where the text comes from.
//!
//! A text is taken for JSON while it looks like it from its first character on: a model that writes
//! the arguments of a tool, or an answer that has to be JSON, begins with a bracket. It cannot be
//! waited for its end, as a whole body can. What turns out not to be JSON is flat from there on.

use super::extract::MAX_DEPTH;

/// Layers that are followed: the string that the text itself stands in is none of them.
const LAYERS: usize = MAX_DEPTH as usize - 1;

/// Follows a text byte by byte.
#[derive(Debug, Default)]
pub(super) struct Lexer {
    /// The text, what is in the string that it is in, and so on.
    layers: [Layer; LAYERS],
}

#[derive(Debug, Default, Clone, Copy)]
struct Layer {
    state: State,
    /// Brackets that are open.
    open: u32,
    /// The code unit that a `\uXXXX` has said so far.
    unit: u32,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing yet, or a whole document: another may follow.
    #[default]
    Start,
    /// In a document, outside of its strings.
    Json,
    String,
    /// Behind a backslash.
    Escape,
    /// In the digits of `\uXXXX`, of which so many are to come.
    Hex(u8),
    /// Not JSON.
    Flat,
}

/// What a byte does to the layer below.
enum Below {
    Nothing,
    /// A string begins.
    Begins,
    /// The string goes on with this byte.
    Byte(u8),
}

impl Lexer {
    /// Follows the text for another stretch.
    pub(super) fn feed(&mut self, text: &[u8]) {
        for &byte in text {
            if self.layers.first().is_none_or(|l| l.state == State::Flat) {
                return;
            }
            self.byte(byte);
        }
    }

    /// How many JSON strings the text's end is in.
    pub(super) fn depth(&self) -> u8 {
        let strings = self.layers.iter().take_while(|l| l.in_string()).count();
        u8::try_from(strings).unwrap_or(u8::MAX)
    }

    fn byte(&mut self, mut byte: u8) {
        let mut begins = false;
        for layer in &mut self.layers {
            if begins {
                *layer = Layer::default();
                return;
            }
            match layer.step(byte) {
                Below::Nothing => return,
                Below::Begins => begins = true,
                Below::Byte(inner) => byte = inner,
            }
        }
    }
}

impl Layer {
    fn in_string(&self) -> bool {
        matches!(self.state, State::String | State::Escape | State::Hex(_))
    }

    fn step(&mut self, byte: u8) -> Below {
        match self.state {
            State::Flat => {}
            State::Start | State::Json if byte.is_ascii_whitespace() => {}
            State::Start => self.start(byte),
            State::Json => return self.json(byte),
            State::String => return self.string(byte),
            State::Escape => return self.escape(byte),
            State::Hex(left) => return self.hex(byte, left),
        }
        Below::Nothing
    }

    fn start(&mut self, byte: u8) {
        self.open = 1;
        self.state = match byte {
            b'{' | b'[' => State::Json,
            _ => State::Flat,
        };
    }

    fn json(&mut self, byte: u8) -> Below {
        match byte {
            b'"' => {
                self.state = State::String;
                return Below::Begins;
            }
            b'{' | b'[' => self.open = self.open.saturating_add(1),
            b'}' | b']' => {
                self.open -= 1;
                if self.open == 0 {
                    self.state = State::Start;
                }
            }
            // Of `true`, `false`, `null` and numbers; the order does not matter here.
            b',' | b':' | b'0'..=b'9' | b'+' | b'-' | b'.' | b'E' => {}
            b't' | b'r' | b'u' | b'e' | b'f' | b'a' | b'l' | b's' | b'n' => {}
            _ => self.state = State::Flat,
        }
        Below::Nothing
    }

    fn string(&mut self, byte: u8) -> Below {
        match byte {
            b'"' => self.state = State::Json,
            b'\\' => self.state = State::Escape,
            0..0x20 => self.state = State::Flat,
            _ => return Below::Byte(byte),
        }
        Below::Nothing
    }

    fn escape(&mut self, byte: u8) -> Below {
        self.state = State::String;
        match byte {
            b'"' | b'\\' | b'/' => return Below::Byte(byte),
            b'n' | b'r' | b't' => return Below::Byte(b'\n'),
            b'b' | b'f' => return Below::Byte(1),
            b'u' => {
                self.unit = 0;
                self.state = State::Hex(4);
            }
            _ => self.state = State::Flat,
        }
        Below::Nothing
    }

    fn hex(&mut self, byte: u8, left: u8) -> Below {
        let Some(digit) = char::from(byte).to_digit(16) else {
            self.state = State::Flat;
            return Below::Nothing;
        };
        self.unit = (self.unit << 4 | digit) & 0xFFFF;
        if left > 1 {
            self.state = State::Hex(left - 1);
            return Below::Nothing;
        }
        self.state = State::String;
        // What is not ASCII is nothing but text to the layer below: one byte tells it as much.
        Below::Byte(u8::try_from(self.unit).unwrap_or(u8::MAX))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn depth(text: &str) -> u8 {
        let mut lexer = Lexer::default();
        lexer.feed(text.as_bytes());
        lexer.depth()
    }

    #[test]
    fn strings_are_counted() {
        for (text, expected) in [
            ("", 0),
            ("plain \"text", 0),
            ("{", 0),
            (r#"{"#, 0),
            (r#"{"a"#, 1),
            (r#"{"a""#, 0),
            (r#"{"a": [1, true, -1.5e3, "x"#, 1),
            (" \n[\"x", 1),
            (r#"{"a":"b\"c"#, 1),
            (r#"{"a":"b\\","c":"#, 0),
            (r#"{"a":"\"#, 1),
            (r#"{"a":"\u00"#, 1),
            (r#"{"a":"{\"b\":\"c"#, 2),
            (r#"{"a":"{\"b\":\"c\""#, 1),
            (r#"{"a":"\u007b\"b\":\"c"#, 2),
            (r#"{"a":"\n [\"c"#, 2),
            (r#"{"a":"{\"b\":\"{\\\"c\\\":\\\"d"#, 3),
            (r#"{"a":"see {\"b\":\"c"#, 1),
            (r#"{"a":1} {"b":"c"#, 1),
            (r#"{"a":1} and "b"#, 0),
            (r#"[a](b) "c"#, 0),
            (r#"{"a":"[ -f x ] && echo \"c"#, 1),
            (r#"{"a":"[[ \"$A\" == \"c"#, 1),
            ("{\"a\nb", 0),
            ("'{\"a", 0),
        ] {
            assert_eq!(depth(text), expected, "{text}");
        }
    }

    #[test]
    fn no_more_layers_than_whole_bodies_have() {
        let mut text = json!(["x"]).to_string();
        for _ in 0..5 {
            text = json!([text]).to_string();
        }
        let at = text.find('x').unwrap();
        assert_eq!(depth(&text[..at]), 3);
    }

    proptest! {
        #[test]
        fn a_string_of_json_is_one_deep(before in "\\PC{0,20}", after in "\\PC{0,20}") {
            let value = json!({"k": [null, before, {"n": format!("({before}MARK{after}")}]}).to_string();
            let at = value.rfind("MARK").unwrap();
            prop_assert_eq!(depth(&value[..at]), 1);
            prop_assert_eq!(depth(&value), 0);
        }

        #[test]
        fn arbitrary_bytes_never_panic(text in prop::collection::vec(prop::sample::select(b"{}[]\"\\u00nx:,\xff ".to_vec()), 0..60)) {
            let mut lexer = Lexer::default();
            lexer.feed(&text);
            prop_assert!(lexer.depth() <= 3);
        }
    }
}
