//! Texts that a pattern describes, by chance.
//!
//! Patterns say less than issuers know: `[^\s"]` allows much that no password has. So wide classes
//! give letters and digits, white space is a blank, and case is one when a pattern ignores it.

use std::ops::Range;

use anyhow::{Result, bail};
use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

use crate::random::Random;

/// How much longer than it must be an open repetition becomes.
const MORE: u32 = 24;

/// More printable characters than this: a class that says what does *not* stand there.
const WIDE: usize = 66;

/// A text that a pattern describes, and its named groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) secret: Option<Range<usize>>,
    pub(crate) core: Option<Range<usize>>,
}

/// A pattern, read.
#[derive(Debug, Clone)]
pub(crate) struct Grammar(Hir);

impl Grammar {
    pub(crate) fn read(pattern: &str) -> Result<Self> {
        let hir = regex_syntax::ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .build()
            .parse(pattern)?;
        Ok(Self(hir))
    }

    /// Whether a text of it depends on more than chance: it spans anything at all, or must stand
    /// at an end of a line.
    pub(crate) fn is_open(&self) -> bool {
        is_open(&self.0)
    }

    /// A text that it describes.
    pub(crate) fn text(&self, random: &mut Random) -> Result<Text> {
        let mut written = Written::default();
        write(&self.0, random, &mut written)?;
        Ok(Text {
            text: String::from_utf8(written.bytes)?,
            secret: written.secret,
            core: written.core,
        })
    }
}

/// A text while it is written: a pattern may give a character byte by byte.
#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    secret: Option<Range<usize>>,
    core: Option<Range<usize>>,
}

fn is_open(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Look(look) => matches!(look, Look::End | Look::EndLF | Look::EndCRLF),
        HirKind::Repetition(repetition) => is_anything(&repetition.sub) || is_open(&repetition.sub),
        HirKind::Capture(capture) => is_open(&capture.sub),
        HirKind::Concat(parts) => parts.iter().any(is_open),
        // A branch that only looks is never taken when another can be.
        HirKind::Alternation(branches) => branches.iter().all(is_open),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) => false,
    }
}

/// Whether it is `(?s:.)`.
fn is_anything(hir: &Hir) -> bool {
    matches!(hir.kind(), HirKind::Class(class) if members(class, |_| true).len() == 256)
}

fn write(hir: &Hir, random: &mut Random, out: &mut Written) -> Result<()> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.bytes.extend_from_slice(&literal.0),
        HirKind::Class(class) => match foreign(class) {
            Some(c) => out
                .bytes
                .extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            None => out.bytes.push(pick(class, random)?),
        },
        HirKind::Repetition(repetition) => {
            for _ in 0..times(repetition, random) {
                write(&repetition.sub, random, out)?;
            }
        }
        HirKind::Capture(capture) => {
            let start = out.bytes.len();
            write(&capture.sub, random, out)?;
            let range = Some(start..out.bytes.len());
            match capture.name.as_deref() {
                Some("secret") => out.secret = range,
                Some("core") => out.core = range,
                _ => {}
            }
        }
        HirKind::Concat(parts) => {
            for part in parts {
                write(part, random, out)?;
            }
        }
        HirKind::Alternation(branches) => {
            let takes = |branch: &&Hir| !matches!(branch.kind(), HirKind::Look(_));
            let branches: Vec<&Hir> = branches.iter().filter(takes).collect();
            if let Some(branch) = branches.get(random.below(branches.len())) {
                write(branch, random, out)?;
            }
        }
    }
    Ok(())
}

/// How often something is repeated: an open or wide range is used up in part only, as by issuers.
fn times(repetition: &Repetition, random: &mut Random) -> u32 {
    let min = repetition.min;
    let most = repetition
        .max
        .unwrap_or(u32::MAX)
        .min(min.saturating_add(MORE));
    let (least, most) = match repetition.sub.kind() {
        // What nobody writes more of than he must: quotes, blanks, backslashes.
        HirKind::Class(class) if members(class, is_plain).is_empty() => (min, min),
        HirKind::Literal(literal) if !literal.0.iter().copied().any(is_plain) => (min, min),
        // A word, a name, a password.
        HirKind::Class(class) if min < 8 && is_wide(class) => (min.max(most.min(8)), most.min(16)),
        _ => (min, most),
    };
    random.between(least as usize, most.max(least) as usize) as u32
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-./+=".contains(&byte)
}

fn is_wide(class: &Class) -> bool {
    members(class, |byte| (b' '..=b'~').contains(&byte)).len() > WIDE
}

fn members(class: &Class, wanted: impl Fn(u8) -> bool) -> Vec<u8> {
    let ranges: Vec<(u8, u8)> = match class {
        Class::Bytes(bytes) => bytes.iter().map(|r| (r.start(), r.end())).collect(),
        Class::Unicode(chars) => chars
            .iter()
            .filter_map(|r| {
                Some((
                    u8::try_from(r.start()).ok()?,
                    u8::try_from(r.end()).unwrap_or(0x7f),
                ))
            })
            .collect(),
    };
    let all = ranges.into_iter().flat_map(|(start, end)| start..=end);
    all.filter(|byte| wanted(*byte)).collect()
}

/// A character of a class that has none of ASCII.
fn foreign(class: &Class) -> Option<char> {
    match class {
        Class::Unicode(chars) if members(class, |_| true).is_empty() => {
            Some(chars.iter().next()?.start())
        }
        _ => None,
    }
}

fn pick(class: &Class, random: &mut Random) -> Result<u8> {
    let printable = members(class, |byte| (b'!'..=b'~').contains(&byte));
    let alnum = members(class, |byte| byte.is_ascii_alphanumeric());
    if let [upper, lower] = alnum.as_slice()
        && printable.len() == 2
        && upper.eq_ignore_ascii_case(lower)
    {
        return Ok(*lower);
    }
    if !printable.is_empty() && printable.iter().all(|byte| b"\"'`".contains(byte)) {
        return Ok(b'"');
    }
    let from = if printable.len() > WIDE && !alnum.is_empty() {
        alnum
    } else if alnum.is_empty() && members(class, |byte| byte == b' ').len() == 1 {
        vec![b' ']
    } else {
        printable
    };
    // White space, or half of a character whose other half stands before it.
    let from = if from.is_empty() {
        members(class, |byte| !byte.is_ascii() || byte.is_ascii_whitespace())
    } else {
        from
    };
    if from.is_empty() {
        bail!("a class without a printable character: {class:?}");
    }
    Ok(random.one(&from))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    fn texts(pattern: &str) -> Vec<Text> {
        let grammar = Grammar::read(pattern).unwrap();
        let mut random = Random::of(&[pattern]);
        (0..200)
            .map(|_| grammar.text(&mut random).unwrap())
            .collect()
    }

    #[test]
    fn a_pattern_matches_what_it_describes() {
        for pattern in [
            "gh[opusr]_[A-Za-z0-9]{36,251}",
            r"(?i:redis)s?://(?P<core>[^\s:@]{0,64}:[^\s@]{1,160})@[a-z0-9.-]{1,64}(?:/[0-9])?",
            r"xox(?:[bp]|e\.xox[bp])-(?:[0-9]{1,15}-){0,4}[A-Za-z0-9]{10,200}",
            r"(?:^|\s)--pass[ =](?P<secret>\S{5,128})",
        ] {
            let whole = regex::Regex::new(&format!("^(?:{pattern})$")).unwrap();
            for text in texts(pattern) {
                assert!(whole.is_match(&text.text), "{pattern}: {}", text.text);
            }
        }
    }

    #[test]
    fn groups_are_where_the_pattern_puts_them() {
        for text in texts("key=(?P<secret>a(?P<core>[0-9]{3})z);") {
            let (secret, core) = (text.secret.unwrap(), text.core.unwrap());
            assert_eq!(secret, 4..9);
            assert_eq!(core, 5..8);
        }
    }

    #[test]
    fn what_spans_anything_or_ends_a_line_is_open() {
        let open = |pattern| Grammar::read(pattern).unwrap().is_open();
        assert!(open("a(?s:.*?)b") && open("a(?m:$)"));
        assert!(!open("a[^ ]{1,9}b") && !open("a(?:;|$)"));
    }
}
