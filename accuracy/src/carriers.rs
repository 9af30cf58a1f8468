//! Everything that carries a secret to an AI service.
//!
//! Three layers, as in life: a value stands in a *source* (`.env`, YAML, code, a log), that text is
//! *shown* (a diff, `cat -n`, a fence), and what was shown goes into a request's *body*, escaped
//! once for each layer of JSON. Each layer maps marked text to marked text.
//!
//! Knows: formats. Must not know: rules, the scanner.

mod bodies;
mod shown;
mod sources;

pub(crate) use bodies::{BODIES, Body};
pub(crate) use shown::SHOWN;
pub(crate) use sources::SOURCES;

use crate::marked::{bare, is_mark};

/// Where a name and a marked value stand.
pub(crate) struct Source {
    pub(crate) name: &'static str,
    pub(crate) style: Style,
    /// The text; the last argument chooses between ways of writing it.
    pub(crate) write: fn(&str, &str, usize) -> String,
}

/// How a text is shown.
pub(crate) struct Shown {
    pub(crate) name: &'static str,
    pub(crate) write: fn(&str) -> String,
}

/// How names are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `as_it_is`
    Plain,
    /// `DB_PASSWORD`
    Shouted,
    /// `dbPassword`
    Camel,
    /// `db-password`
    Kebab,
    /// `X-Db-Password`
    Header,
}

impl Style {
    pub(crate) fn write(self, name: &str) -> String {
        let words: Vec<String> = name
            .split(['_', '-', '.'])
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        let capital = |word: &String| {
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + rest
        };
        match self {
            Self::Plain => words.join("_"),
            Self::Shouted => words.join("_").to_ascii_uppercase(),
            Self::Kebab => words.join("-"),
            Self::Header => words.iter().map(capital).collect::<Vec<_>>().join("-"),
            Self::Camel => {
                let rest = words.iter().skip(1).map(capital);
                words.iter().take(1).cloned().chain(rest).collect()
            }
        }
    }
}

/// A string as JSON and most languages write it, without quotes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// Between single quotes, where that needs no escapes; else between double ones.
fn single(text: &str) -> String {
    if text.contains(['\'', '\\', '\n']) {
        return quoted(text);
    }
    format!("'{text}'")
}

/// As it is, where a format can tell its end; else quoted.
fn unquoted(text: &str) -> String {
    let odd = |c: char| c.is_whitespace() || "\"'`\\#;|(){}[]<>,$".contains(c);
    let signs = |c: char| "!&*?@%-:".contains(c);
    if text.chars().any(odd) || bare(text).starts_with(signs) {
        return quoted(text);
    }
    text.to_owned()
}

/// Every character as `\uXXXX`, the marks aside.
fn all_unicode(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if is_mark(c) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_in_every_style() {
        let written = |style: Style| style.write("db_pass-word.x");
        assert_eq!(written(Style::Plain), "db_pass_word_x");
        assert_eq!(written(Style::Shouted), "DB_PASS_WORD_X");
        assert_eq!(written(Style::Camel), "dbPassWordX");
        assert_eq!(written(Style::Kebab), "db-pass-word-x");
        assert_eq!(written(Style::Header), "Db-Pass-Word-X");
    }

    #[test]
    fn strings_are_quoted_where_they_must_be() {
        assert_eq!(unquoted("abc"), "abc");
        assert_eq!(unquoted("a b"), "\"a b\"");
        assert_eq!(single("a\nb"), "\"a\\nb\"");
        assert_eq!(all_unicode("a\u{1f600}"), "\\u0061\\ud83d\\ude00");
    }
}
