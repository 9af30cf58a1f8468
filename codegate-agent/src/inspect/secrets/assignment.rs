//! The value beside a name, in whatever syntax: `name = "value"`, `"name": "value"`, `NAME=value`,
//! `<name>value</name>`, `set("name", "value")`, and the same with literal escapes.
//!
//! Knows: the shapes in which text ties a value to a name. Must not know: which names and values
//! are secrets (that is [`super::name`] and [`super::judge`]).

use std::ops::Range;

use regex::bytes::Regex;

use super::{
    edges,
    judge::Site,
    name,
    pattern::Pattern,
    rule::Candidate,
    ties::{SAID, TIES},
};

/// The longest text that can tie a value to a name, in bytes.
pub(super) const LONGEST_TIE: usize = 240;

/// The longest rest of a name, in bytes.
const LONGEST_TAIL: usize = 24;

/// The longest value, in bytes.
const LONGEST: usize = 4096;

/// Values that stand beside names.
#[derive(Debug)]
pub(super) struct Beside {
    ties: &'static Regex,
    said: &'static Regex,
    value: Option<Pattern>,
    /// The name must go on as that of a key does.
    named: bool,
}

/// The names alone, which make the trigger: literals cost the first pass next to nothing, and
/// [`may_be_tied`] turns away most places where a name stands and is tied to nothing.
pub(super) fn any_of(names: &[String]) -> String {
    format!("(?i:{})", names.join("|"))
}

/// Whether a tie can begin behind the known part of a name. It may say yes when none does, never
/// no when one does.
fn may_be_tied(rest: &[u8]) -> bool {
    let tail = rest
        .iter()
        .take(25)
        .take_while(|byte| is_name(byte))
        .count();
    let whole = rest.get(tail..).unwrap_or_default();
    let is_closing = |byte: &&u8| b"\\\"'`]) \t".contains(byte);
    let closing = whole.iter().take(40).take_while(is_closing).count();
    let (closed, rest) = whole.split_at_checked(closing).unwrap_or_default();
    match rest {
        [
            b'=' | b':' | b',' | b'>' | b'%' | b'?' | b';' | b'|' | b'!' | b'+' | b'&',
            ..,
        ]
        | [b'(' | b'[' | b'{' | b'-' | b'<' | b'.', ..] => true,
        // A pair's other half, in a string of its own.
        [b'\n', next, ..] if closed.contains(&b'"') => next.is_ascii_alphabetic(),
        // White space and a quote.
        _ if closed.windows(2).any(is_quote_behind_space) => true,
        [first, ..] if first.is_ascii_alphabetic() && begins_with_word(closed, rest) => true,
        _ => begins_with_value(whole),
    }
}

fn is_quote_behind_space(pair: &[u8]) -> bool {
    matches!(pair, [b' ' | b'\t', b'"' | b'\'' | b'`' | b'\\'])
}

/// A type, `to` or `or`, behind white space, or a string's prefix.
fn begins_with_word(closed: &[u8], rest: &[u8]) -> bool {
    let is_type = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_.*<>[] ".contains(byte);
    let word = rest.iter().take(28).take_while(is_type).count();
    let behind = rest.get(word..).unwrap_or_default();
    let spaced = closed.last().is_some_and(u8::is_ascii_whitespace);
    let is_type = match behind {
        [b'=' | b'"' | b'\'' | b'`', ..] => true,
        [b'(', width, ..] => width.is_ascii_digit(), // `VARCHAR2(30) :=`
        _ => false,
    };
    spaced && is_type
}

/// The `value` of a pair of `name` and `value`, perhaps behind a closing tag, perhaps in a namespace of XML's.
fn begins_with_value(rest: &[u8]) -> bool {
    let rest = behind_marks(rest);
    let space = rest
        .iter()
        .take(12)
        .take_while(|byte| byte.is_ascii_lowercase())
        .count();
    let is_value = |rest: &[u8]| {
        rest.get(..5)
            .is_some_and(|word| word.eq_ignore_ascii_case(b"value"))
    };
    let local = rest.get(space..).and_then(|rest| rest.strip_prefix(b":"));
    is_value(rest) || local.is_some_and(is_value)
}

/// What follows white space, quotes and dashes, as they stand or as a string's escapes of them.
fn behind_marks(mut rest: &[u8]) -> &[u8] {
    for _ in 0..32 {
        rest = match rest {
            [b'\\', b'n' | b'r' | b't', behind @ ..]
            | [b'\\' | b'"' | b'\'' | b'-', behind @ ..] => behind,
            [space, behind @ ..] if space.is_ascii_whitespace() => behind,
            _ => break,
        };
    }
    rest
}

impl Beside {
    pub(super) fn compile(value: Option<&str>, named: bool) -> Result<Self, String> {
        // Nothing but its syntax can be wrong with it, and that should be said now.
        value
            .map(regex_syntax::parse)
            .transpose()
            .map_err(|error| format!("value: {error}"))?;
        Ok(Self {
            ties: TIES.as_ref().map_err(String::clone)?,
            said: SAID.as_ref().map_err(String::clone)?,
            value: value.map(Pattern::anchored),
            named,
        })
    }

    /// Whether the name says all: its value has no form of its own.
    pub(super) fn takes_any(&self) -> bool {
        self.value.is_none()
    }

    /// The value that is tied to a name whose known part ends here.
    ///
    /// What the name says is asked first: to find what ties a value to it costs far more.
    pub(super) fn behind(&self, text: &[u8], end: usize) -> Option<Candidate> {
        let rest = text.get(end..text.len().min(end.saturating_add(LONGEST_TIE)))?;
        let (secret, site) = self
            .tied(text, end, rest)
            .or_else(|| self.said(text, end, rest))?;
        Some(Candidate {
            start: end,
            core: secret.clone(),
            secret,
            site,
        })
    }

    fn tied(&self, text: &[u8], end: usize, rest: &[u8]) -> Option<(Range<usize>, Site)> {
        if !may_be_tied(rest) {
            return None;
        }
        let tail = tail(rest)?;
        let name = full_name(text, end, tail);
        if self.named && !name::goes_on_as_key(tail)
            || self.value.is_none() && !name::is_credential(text.get(name.clone())?)
        {
            return None;
        }
        let start = end + tie_end(self.ties, tail, rest)?;
        match &self.value {
            Some(value) => shaped_value(value, text, end, start),
            None => free_value(text, &name, start)
                .map(|(value, site)| (behind_scheme(text, value), site)),
        }
    }

    /// A value that words tie to the name: its form must say the rest, and joined words have no digit.
    fn said(&self, text: &[u8], end: usize, rest: &[u8]) -> Option<(Range<usize>, Site)> {
        let value = self.value.as_ref()?;
        let words = self.said.find(rest)?;
        let (value, site) = shaped_value(value, text, end, end + words.end())?;
        let has_digit = text.get(value.clone())?.iter().any(u8::is_ascii_digit);
        has_digit.then_some((value, site))
    }
}

/// Where the tie ends that begins behind the rest of a name, `tail`, with which `rest` begins.
fn tie_end(ties: &Regex, tail: &[u8], rest: &[u8]) -> Option<usize> {
    let is_sign = |byte: &&u8| b".-".contains(byte);
    let signs = tail.iter().rev().take_while(is_sign).count();
    let from = tail.len() - signs;
    Some(from + ties.find(rest.get(from..)?)?.end())
}

/// What follows the known part in a name; `None` if that is long: hostile names have no end.
fn tail(rest: &[u8]) -> Option<&[u8]> {
    let bytes = rest.iter().take(LONGEST_TAIL + 1);
    let len = bytes.take_while(|byte| is_name(byte)).count();
    rest.get(..len).filter(|tail| tail.len() <= LONGEST_TAIL)
}

/// The whole name, of which a rule knows a part that ends here, before its `tail`.
fn full_name(text: &[u8], end: usize, tail: &[u8]) -> Range<usize> {
    let before = text.get(..end).unwrap_or_default();
    let behind = before.iter().rev().take(name::LONGEST);
    let head = behind.take_while(|byte| is_name(byte)).count();
    // The letter of a literal `\n` is no part of it.
    let outside = before.get(..end - head).unwrap_or_default();
    let escape = head > 0 && outside.last() == Some(&b'\\');
    let start = end - head + usize::from(escape);
    // `process.env.TOKEN` is a name of the environment's.
    let environment = memchr::memmem::rfind(before.get(start..).unwrap_or_default(), b"env.");
    start + environment.map_or(0, |at| at + 4)..end + tail.len()
}

fn is_name(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(byte)
}

/// A value that has a form of its own, tied to a name whose known part ends at `end`.
fn shaped_value(
    value: &Pattern,
    text: &[u8],
    end: usize,
    start: usize,
) -> Option<(Range<usize>, Site)> {
    let len = value.get()?.find(text.get(start..)?)?.end();
    let behind = text.get(start + len..)?;
    // Half of what stands between quotes is no value of this form.
    let torn = edges::goes_on(behind) && opening(text.get(end..start)?).is_some();
    let whole = edges::closes(text, start + len) && !torn;
    whole.then_some((start..start + len, Site::Free))
}

/// A value of no particular shape, tied to a credential's name, and how it stands there.
fn free_value(text: &[u8], name: &Range<usize>, start: usize) -> Option<(Range<usize>, Site)> {
    let between = text.get(name.end..start)?;
    let rest = text.get(start..)?;
    if !is_bound(text, name, between) || is_of_another(text, name, between) {
        return None;
    }
    if let Some((quote, slashes)) = opening(between) {
        let len = quoted_len(rest, quote, slashes)?;
        let repeats = name::repeats(text.get(name.clone())?, rest.get(..len)?);
        return (!repeats).then_some((start..start + len, Site::Quoted));
    }
    if is_line(text, name, start) {
        return Some((start..start + line_len(rest)?, Site::Line));
    }
    let len = bare_len(rest, between.trim_ascii())?;
    Some((start..start + len, Site::Bare))
}

/// A value without what says how it is written: Laravel's `base64:…`.
fn behind_scheme(text: &[u8], value: Range<usize>) -> Range<usize> {
    const SCHEME: &[u8] = b"base64:";
    let has = text
        .get(value.clone())
        .is_some_and(|value| value.starts_with(SCHEME));
    value.start + if has { SCHEME.len() } else { 0 }..value.end
}

/// Whether a comma or a bracket ties the two: in `set("name", "value")` and `.withName("value")` it
/// does, in a list of words or `checkName("value")` it doesn't.
fn is_bound(text: &[u8], name: &Range<usize>, between: &[u8]) -> bool {
    let is_closing = |byte: &&u8| b"\\\"'`]) \t".contains(byte);
    let closing = between.iter().take_while(is_closing).count();
    let before = text.get(name.start.saturating_sub(16)..name.start);
    let before = before.unwrap_or_default();
    match between.get(closing) {
        Some(b',') => {
            let is_mark = |byte: &u8| b"\\\"'`-@ \t".contains(byte);
            let marks = before.iter().rev().take_while(|byte| is_mark(byte)).count();
            let opened = before
                .len()
                .checked_sub(marks + 1)
                .and_then(|at| before.get(at));
            let symbol = before.last() == Some(&b':') && closing == 0;
            let has = |text: &[u8], word: &[u8]| memchr::memmem::find(text, word).is_some();
            let typed = [&b"\"String\""[..], b"'String'", b"\"String\\\""]
                .into_iter()
                .any(|kind| has(before, kind));
            let lower = between.to_ascii_lowercase();
            let explicit = has(&lower, b"default") || has(&lower, b"value");
            let row = before
                .len()
                .checked_sub(marks)
                .and_then(|end| before.get(..end));
            let is_row = row.is_some_and(begins_row) && between.starts_with(b"'");
            opened.is_some_and(|sign| b"({".contains(sign)) || is_row || symbol || explicit || typed
        }
        Some(b'(') if closing == 0 => {
            let name = text.get(name.clone()).unwrap_or_default();
            let method = before.last() == Some(&b'.') || name.contains(&b'.');
            let declared = before.to_ascii_lowercase().ends_with(b"string ");
            declared || returns(between) || name::sets(name, method)
        }
        _ => true,
    }
}

/// Whether a function's head and the beginning of its body stand there, not a call.
fn returns(between: &[u8]) -> bool {
    const SIGNS: [&[u8]; 4] = [b"return", b"{ ", b"=>", b" = "];
    let has = |sign: &[u8]| memchr::memmem::find(between, sign).is_some();
    SIGNS.into_iter().any(has)
}

/// Whether what follows the name is of something else: an `id` beside it, the checksum of a secret, the resource that
/// a cloud names so.
fn is_of_another(text: &[u8], name: &Range<usize>, between: &[u8]) -> bool {
    let before = text
        .get(name.start.saturating_sub(64)..name.start)
        .unwrap_or_default();
    let word = before
        .rsplit(|byte| byte.is_ascii_whitespace() || b"\"'`".contains(byte))
        .next();
    let word = word.unwrap_or_default();
    let is_id = between.starts_with(b" id=") || between.starts_with(b" name=");
    let name = text.get(name.clone()).unwrap_or_default();
    let is_in_tag = name == b"nonce" && memchr::memmem::find(before, b"<s").is_some();
    is_id || is_in_tag || word.ends_with(b"checksum/") || word.starts_with(b"arn:")
}

/// `(103, `: the beginning of a row of names and values in SQL.
fn begins_row(before: &[u8]) -> bool {
    let Some(number) = before.strip_suffix(b",") else {
        return false;
    };
    let digits = number
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    digits > 0
        && number
            .get(..number.len() - digits)
            .is_some_and(|rest| rest.ends_with(b"("))
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
    // What a name's own closing quote can't follow.
    let is_tie = |byte: &u8| b"=:,>|?-(<[{ aAdDtT".contains(byte);
    let opens = b"\"'`".contains(quote) && before.iter().any(is_tie);
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
            || *byte == b'*' && tie.ends_with(b"**")
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
    let is_xml = tie.ends_with(b">") && !tie.ends_with(b"=>") && !tie.ends_with(b"->");
    let behind = rest.get(len..)?;
    let behind = if is_xml {
        behind.trim_ascii_start()
    } else {
        behind
    };
    let fits = match behind.first() {
        Some(b'<') => is_xml || is_closing_tag(behind) && !tie.contains(&b','),
        Some(b'(' | b'[' | b'{') => false, // a call, an index, a literal: code
        _ => !is_xml && !tie.contains(&b','),
    };
    fits.then(|| kept_len(rest, len)).flatten()
}

/// `</p>`: what an element's text ends at.
fn is_closing_tag(text: &[u8]) -> bool {
    matches!(text, [b'<', b'/', name, ..] if name.is_ascii_alphabetic())
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

/// Whether a line of some text begins here: a string, or what `grep` or a tool's line number precedes.
fn begins_text(before: &[u8]) -> bool {
    match before {
        [.., b'"' | b'\'' | b'`'] => true,
        [rest @ .., b':'] => {
            let digits = rest.iter().rev().take_while(|byte| byte.is_ascii_digit());
            let digits = digits.count();
            digits > 0
                && rest
                    .get(..rest.len() - digits)
                    .unwrap_or_default()
                    .ends_with(b":")
        }
        rest => rest.ends_with("\u{2192}".as_bytes()),
    }
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
    // In a string's escapes, too.
    let begins = memchr::memmem::rfind(line, b"\\n").map_or(0, |at| at + 2);
    let line = line.get(begins..).unwrap_or_default().trim_ascii();
    let prefix: &[u8] = line.strip_suffix(b"export").unwrap_or(line);
    let numbered = prefix
        .iter()
        .all(|byte| b"+-> \t|:#".contains(byte) || byte.is_ascii_digit());
    tied && shouted && (numbered || begins_text(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_an_end_is_read_no_farther_than_a_name_goes() {
        let text = b"token-".repeat(1 << 10);
        for end in (5..text.len()).step_by(6) {
            let name = full_name(&text, end, b"");
            assert!(name.end == end && name.len() <= name::LONGEST, "{name:?}");
            let rest = text.get(end..).unwrap_or_default();
            assert_eq!(tail(rest).is_none(), rest.len() > LONGEST_TAIL);
        }
        assert_eq!(tail(b"_KEY = x"), Some(&b"_KEY"[..]));
    }
}
