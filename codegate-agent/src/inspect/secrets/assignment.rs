//! The value beside a name, in whatever syntax: `name = "value"`, `"name": "value"`, `NAME=value`,
//! `<name>value</name>`, `set("name", "value")`, and the same with literal escapes.
//!
//! Knows: the shapes in which text ties a value to a name. Must not know: which names and values
//! are secrets (that is [`super::name`] and [`super::judge`]).

use std::{ops::Range, sync::LazyLock};

use regex::bytes::Regex;

use super::{
    edges,
    judge::Site,
    name,
    pattern::{self, Pattern},
    rule::Candidate,
};

/// What may stand between the known part of a name and its value: the rest of the name and its
/// closing quote, a type, an operator, the value's opening quote (with a string prefix, with
/// backslashes).
const TIE: &str = concat!(
    r#"^[A-Za-z0-9_.-]{0,24}(?:\\{0,3}["'`\])]){0,3}[ \t]{0,8}"#,
    r"(?:",
    r"\??:[ ]?[&A-Za-z][A-Za-z<>' ]{1,16}=", // a type: `: &'static str =`
    // A pair of `name` and `value`, or `key` and `value`.
    r#"|(?:[,;]\s{0,16}|\s{1,16})\\{0,3}["']?value\\{0,3}["']?[ \t]{0,2}[:=]"#,
    r"|=>|:=|={1,3}|:|,|>|%3[AaDd]",
    r")[ \t]{0,8}",
    r#"(?:[BFRUbfru]{0,2}\\{0,3}["'`])?"#,
);

/// [`TIE`], compiled once; all rules share it.
static TIED: LazyLock<Result<Regex, String>> = LazyLock::new(|| pattern::compile(TIE));

/// The longest text that can tie a value to a name, in bytes.
const LONGEST_TIE: usize = 160;

/// The longest value, in bytes.
const LONGEST: usize = 512;

/// Values that stand beside names.
#[derive(Debug)]
pub(super) struct Beside {
    tie: Regex,
    value: Option<Pattern>,
    /// The name must go on as that of a key does.
    named: bool,
}

/// The names alone, which make the trigger: literals cost the first pass next to nothing, and
/// [`may_be_tied`] turns away most places where a name stands and is tied to nothing.
pub(super) fn any_of(names: &[String]) -> String {
    format!("(?i:{})", names.join("|"))
}

/// Whether [`TIE`] can match behind the known part of a name. It may say yes when it can't, never
/// no when it can.
fn may_be_tied(rest: &[u8]) -> bool {
    let tail = rest
        .iter()
        .take(25)
        .take_while(|byte| is_name(byte))
        .count();
    let rest = rest.get(tail..).unwrap_or_default();
    let is_closing = |byte: &&u8| b"\\\"'`]) \t".contains(byte);
    let closing = rest.iter().take(24).take_while(is_closing).count();
    match rest.get(closing..).unwrap_or_default() {
        [b'=' | b':' | b',' | b'>' | b'%' | b'?' | b';', ..] => true,
        rest => begins_with_value(rest),
    }
}

/// The `value` of a pair of `name` and `value`.
fn begins_with_value(rest: &[u8]) -> bool {
    let is_before = |byte: &&u8| byte.is_ascii_whitespace() || b"\\\"'".contains(byte);
    let before = rest.iter().take(24).take_while(is_before).count();
    rest.get(before..)
        .is_some_and(|rest| rest.starts_with(b"value"))
}

impl Beside {
    pub(super) fn compile(value: Option<&str>, named: bool) -> Result<Self, String> {
        // Nothing but its syntax can be wrong with it, and that should be said now.
        value
            .map(regex_syntax::parse)
            .transpose()
            .map_err(|error| format!("value: {error}"))?;
        Ok(Self {
            tie: TIED.clone()?,
            value: value.map(Pattern::anchored),
            named,
        })
    }

    /// The value that is tied to a name whose known part ends here.
    pub(super) fn behind(&self, text: &[u8], end: usize) -> Option<Candidate> {
        let rest = text.get(end..text.len().min(end.saturating_add(LONGEST_TIE)))?;
        if !may_be_tied(rest) || self.named && !name::goes_on_as_key(tail(rest)) {
            return None;
        }
        let start = end + self.tie.find(rest)?.end();
        let (secret, site) = match &self.value {
            Some(value) => shaped_value(value, text, start)?,
            None => free_value(text, &full_name(text, end), start)?,
        };
        Some(Candidate {
            start: end,
            core: secret.clone(),
            secret,
            site,
        })
    }
}

/// What follows the known part in a name.
fn tail(rest: &[u8]) -> &[u8] {
    let len = rest.iter().take_while(|byte| is_name(byte)).count();
    rest.get(..len).unwrap_or_default()
}

/// The whole name, of which a rule knows a part that ends here.
fn full_name(text: &[u8], end: usize) -> Range<usize> {
    let (before, rest) = text.split_at_checked(end).unwrap_or_default();
    let behind = before.iter().rev().take(name::LONGEST);
    let head = behind.take_while(|byte| is_name(byte)).count();
    let tail = rest.iter().take_while(|byte| is_name(byte)).count();
    // The letter of a literal `\n` is no part of it.
    let outside = before.get(..end - head).unwrap_or_default();
    let escape = head > 0 && outside.last() == Some(&b'\\');
    end - head + usize::from(escape)..end + tail
}

fn is_name(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(byte)
}

/// A value that has a form of its own.
fn shaped_value(value: &Pattern, text: &[u8], start: usize) -> Option<(Range<usize>, Site)> {
    let len = value.get()?.find(text.get(start..)?)?.end();
    edges::closes(text, start + len).then_some((start..start + len, Site::Free))
}

/// A value of no particular shape, and how it stands there.
fn free_value(text: &[u8], name: &Range<usize>, start: usize) -> Option<(Range<usize>, Site)> {
    if !name::is_credential(text.get(name.clone())?) {
        return None;
    }
    let between = text.get(name.end..start)?;
    let rest = text.get(start..)?;
    if let Some((quote, slashes)) = opening(between) {
        let len = quoted_len(rest, quote, slashes)?;
        return Some((start..start + len, Site::Quoted));
    }
    if is_line(text, name, start) {
        return Some((start..start + line_len(rest)?, Site::Line));
    }
    let len = bare_len(rest, between.trim_ascii())?;
    Some((start..start + len, Site::Bare))
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

/// How long the value is that takes the rest of its line, to white space, a quote or an escape.
fn line_len(rest: &[u8]) -> Option<usize> {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`\\".contains(byte);
    kept_len(rest, rest.iter().position(ends).unwrap_or(rest.len()))
}

/// How long an unquoted value in code or text is; `tie` is what ties it to its name.
fn bare_len(rest: &[u8], tie: &[u8]) -> Option<usize> {
    let ends = |(at, byte): (usize, &u8)| {
        byte.is_ascii_whitespace()
            || b"\"'`\\,;|(){}[]<>".contains(byte)
            || *byte == b'&' && is_parameter(rest.get(at + 1..).unwrap_or_default())
            || *byte == b'%'
                && tie.starts_with(b"%")
                && is_encoded_end(rest.get(at + 1..).unwrap_or_default())
    };
    let len = rest
        .iter()
        .take(LONGEST + 1)
        .enumerate()
        .position(ends)
        .unwrap_or(rest.len());
    let is_xml = tie == b">";
    let fits = match rest.get(len..)?.first() {
        Some(b'<') => is_xml,
        Some(b'(' | b'[' | b'{') => false, // a call, an index, a literal: code
        _ => !is_xml && !tie.contains(&b','),
    };
    fits.then(|| kept_len(rest, len)).flatten()
}

/// Without the signs that end a sentence or a statement.
fn kept_len(rest: &[u8], len: usize) -> Option<usize> {
    let value = rest.get(..len).filter(|value| value.len() <= LONGEST)?;
    let value = value.get(..edges::before_wide_sign(value))?;
    let last = value.iter().rposition(|byte| !b",;.".contains(byte))?;
    Some(last + 1)
}

/// The rest of a percent escape that ends a value where its `=` is one, too: `&`, a quote, a space.
fn is_encoded_end(rest: &[u8]) -> bool {
    matches!(rest, [b'2', b'0' | b'2' | b'6' | b'7', ..])
}

/// Whether the next parameter of a query begins: `name=`.
fn is_parameter(text: &[u8]) -> bool {
    let of = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.[]%".contains(byte);
    let name = text.iter().take_while(|byte| of(byte)).count();
    name > 0 && text.get(name) == Some(&b'=')
}

/// Whether a name in capitals begins its line, and `=` follows at once.
fn is_line(text: &[u8], name: &Range<usize>, start: usize) -> bool {
    let tied = text.get(name.end..start) == Some(b"=");
    let shouted = text
        .get(name.clone())
        .is_some_and(|name| !name.iter().any(u8::is_ascii_lowercase));
    // Nothing longer than this can stand before a name that begins its line: hostile lines are long.
    let from = name.start.saturating_sub(LONGEST_TIE);
    let before = text.get(from..name.start).unwrap_or_default();
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
