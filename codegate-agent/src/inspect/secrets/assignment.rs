//! The value beside a name, in whatever syntax: `name = "value"`, `"name": "value"`, `NAME=value`,
//! `<name>value</name>`, `set("name", "value")`, and the same with literal escapes.
//!
//! Knows: the shapes in which text ties a value to a name. Must not know: which names and values
//! are secrets (that is [`super::name`] and [`super::judge`]).

use std::ops::Range;

use regex::bytes::Regex;

use super::{
    edges,
    judge::{Judge, Site},
    name,
    rule::{self, Candidate},
};

/// What may stand between a name and its value: the name's closing quote, a type, an operator, the
/// value's opening quote (with a string prefix, with backslashes).
const TIE: &str = concat!(
    r#"(?:\\{0,3}["'`\])]){0,3}[ \t]{0,8}"#,
    r"(?:",
    r"\??:[ ]?[&A-Za-z][A-Za-z<>' ]{1,16}=", // a type: `: &'static str =`
    r"|=>|:=|={1,3}|:|,|>|%3[AaDd]",
    r#"|[,;]?\s{1,16}\\{0,3}["']?value\\{0,3}["']?[ \t]{0,2}[:=]"#, // a pair of `name` and `value`
    r")[ \t]{0,8}",
    r#"(?:[BFRUbfru]{0,2}\\{0,3}["'`])?"#,
);

/// What may follow the known part of a name.
const TAIL: &str = "[A-Za-z0-9_.-]{0,24}";

/// The longest value, in bytes.
const LONGEST: usize = 512;

/// Values that stand beside names.
#[derive(Debug)]
pub(super) struct Beside {
    tie: Regex,
    value: Option<Regex>,
    judge: Option<Judge>,
}

/// The pattern of names, what ties them to a value, and the value: what the trigger is made from.
pub(super) fn pattern(names: &[String], value: Option<&str>) -> String {
    format!("{}(?:{})", tie(names), value.unwrap_or(r"[^\s]{4}"))
}

fn tie(names: &[String]) -> String {
    format!("(?i:{}){TAIL}{TIE}", names.join("|"))
}

impl Beside {
    pub(super) fn compile(
        names: &[String],
        value: Option<&str>,
        judge: Option<Judge>,
    ) -> Result<Self, String> {
        let value = value
            .map(|value| rule::regex(&format!("^(?:{value})")))
            .transpose()?;
        Ok(Self {
            tie: rule::regex(&tie(names))?,
            value,
            judge,
        })
    }

    /// The first name in a part of the text that has a value of the right shape.
    pub(super) fn find(&self, text: &[u8], starts: &Range<usize>) -> Option<Candidate> {
        let mut from = starts.start;
        while from < starts.end {
            let tie = self.tie.find_at(text, from)?.range();
            if tie.start >= starts.end {
                return None;
            }
            if let Some((secret, site)) = self.value_behind(text, &tie) {
                return Some(Candidate {
                    start: tie.start,
                    core: secret.clone(),
                    secret,
                    site,
                });
            }
            from = tie.start + 1;
        }
        None
    }

    fn value_behind(&self, text: &[u8], tie: &Range<usize>) -> Option<(Range<usize>, Site)> {
        match &self.value {
            Some(value) => {
                let found = value.find(text.get(tie.end..)?)?.range();
                let range = tie.end + found.start..tie.end + found.end;
                edges::closes(text, range.end).then_some((range, Site::Free))
            }
            None => {
                let full = full_name(text, tie);
                let named = self.judge.is_none() || name::is_credential(text.get(full.clone())?);
                named.then(|| free_value(text, &full, tie.end)).flatten()
            }
        }
    }
}

/// The whole name, of which a rule knows a part.
fn full_name(text: &[u8], tie: &Range<usize>) -> Range<usize> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    let before = text.get(..tie.start).unwrap_or_default();
    let head = before
        .iter()
        .rev()
        .take(name::LONGEST)
        .take_while(|byte| is_name(byte))
        .count();
    let rest = text.get(tie.clone()).unwrap_or_default();
    let tail = rest.iter().take_while(|byte| is_name(byte)).count();
    tie.start - head..tie.start + tail
}

/// A value of no particular shape, and how it stands there.
fn free_value(text: &[u8], name: &Range<usize>, start: usize) -> Option<(Range<usize>, Site)> {
    let before = text.get(name.end..start)?;
    match opening(before) {
        Some((quote, slashes)) => {
            let len = quoted_len(text.get(start..)?, quote, slashes)?;
            Some((start..start + len, Site::Quoted))
        }
        None => bare_value(text, name, start),
    }
}

/// The quote that a value begins with, and the backslashes before it.
fn opening(tie: &[u8]) -> Option<(u8, usize)> {
    let (quote, before) = tie.split_last()?;
    let slashes = before
        .iter()
        .rev()
        .take_while(|byte| **byte == b'\\')
        .count();
    // A name's own closing quote is no opening one.
    let opens = b"\"'`".contains(quote) && before.iter().any(|byte| b"=:,>aAdD".contains(byte));
    opens.then_some((*quote, slashes))
}

/// How long a quoted value is; `None` if it is not closed on its line, or holds white space.
fn quoted_len(text: &[u8], quote: u8, slashes: usize) -> Option<usize> {
    let mut escaped = 0;
    for (at, byte) in text.iter().take(LONGEST).enumerate() {
        match byte {
            b'\\' => escaped += 1,
            byte if *byte == quote && escaped <= slashes => return Some(at - escaped),
            byte if byte.is_ascii_whitespace() => return None,
            _ => escaped = 0,
        }
    }
    None
}

/// An unquoted value: to the end of the line where the line is an assignment and nothing else, or
/// to what ends a value in code and text.
fn bare_value(text: &[u8], name: &Range<usize>, start: usize) -> Option<(Range<usize>, Site)> {
    let rest = text.get(start..)?;
    let on_line = is_line(text, name, start);
    let ends = |byte: &u8| {
        byte.is_ascii_whitespace()
            || b"\"'`\\".contains(byte)
            || !on_line && b",;&|(){}[]<>".contains(byte)
    };
    let len = rest
        .iter()
        .take(LONGEST)
        .position(ends)
        .unwrap_or(rest.len());
    if len > LONGEST || !on_line && is_code(rest.get(len..)?) {
        return None;
    }
    let kept = rest.get(..len)?;
    let kept = kept
        .iter()
        .rposition(|byte| !b",;.".contains(byte))
        .map_or(0, |last| last + 1);
    Some((
        start..start + kept,
        if on_line { Site::Line } else { Site::Bare },
    ))
}

/// What follows says that the value is code: a call, an index, a type's parameters.
fn is_code(rest: &[u8]) -> bool {
    matches!(rest.first(), Some(b'(' | b'[' | b'<' | b'{'))
}

/// Whether a name in capitals begins its line, and `=` follows at once.
fn is_line(text: &[u8], name: &Range<usize>, start: usize) -> bool {
    let tied = text.get(name.end..start) == Some(b"=");
    let shouted = text
        .get(name.clone())
        .is_some_and(|name| !name.iter().any(u8::is_ascii_lowercase));
    let before = text.get(..name.start).unwrap_or_default();
    let line = before
        .rsplit(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = line.trim_ascii();
    let prefix: &[u8] = line.strip_suffix(b"export").unwrap_or(line);
    tied && shouted
        && prefix
            .iter()
            .all(|byte| b"+-> \t|:#".contains(byte) || byte.is_ascii_digit())
}
