//! From a rule's pattern to the trigger that the first pass looks for.
//!
//! A trigger is a *prefix* of the pattern: every text that the pattern matches begins with a text
//! that the trigger matches. So it may stop early, at the first part without a bound, take only as
//! much as the last repetition demands, and forget what only looks around (`\b`); it fires more
//! often than the pattern matches, never less.
//!
//! A pattern may itself say where its trigger should end, with an empty group named `enough`: what
//! stands before it is rare enough to look closer, and what follows would cost the automaton much.
//!
//! Knows: regular expressions. Must not know: rules, texts.

use std::ops::RangeInclusive;

use regex_syntax::{
    hir::{Class, ClassBytesRange, Hir, HirKind, Repetition},
    utf8::Utf8Sequences,
};

use super::engine::LONGEST_TRIGGER;

/// A repetition that can take more than this, in bytes, ends a trigger: automata count by copying.
const LONGEST_REPETITION: usize = 160;

/// So many known bytes are rare enough to be followed by no more than [`ENOUGH_BODY`].
const ENOUGH_FIXED: usize = 3;

/// How much of a long body a trigger asks for behind a rare prefix, in bytes.
const ENOUGH_BODY: u32 = 12;

/// A class with no more members than this counts as a known byte.
const FEW: usize = 8;

/// Fewer bytes than this are no trigger: they would fire everywhere.
const SHORTEST_TRIGGER: usize = 3;

/// What the first pass looks for on behalf of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trigger {
    /// In the syntax that Hyperscan and PCRE share; bytes, not characters; `.` is any byte.
    pub(super) pattern: String,
    /// The shortest match of the trigger, in bytes.
    pub(super) shortest: usize,
    /// The longest match of the trigger, in bytes.
    pub(super) longest: usize,
    /// The longest match of the whole pattern, in bytes, if it has a bound.
    pub(super) whole: Option<usize>,
}

/// Why a pattern has no trigger.
#[derive(Debug, thiserror::Error)]
pub(super) enum TriggerError {
    #[error("it looks at what stands before it: say so with `edges`")]
    LooksBack,
    #[error("{0}")]
    Syntax(#[from] Box<regex_syntax::Error>),
    #[error(
        "its part without repetition of unknown length has only {0} bytes, at least 3 are needed"
    )]
    Short(usize),
    #[error(
        "it can match {0} bytes before the first part without a bound, at most 1024 are allowed"
    )]
    Long(usize),
}

impl Trigger {
    /// The trigger of a pattern in the syntax of the `regex` crate, read without Unicode.
    pub(super) fn of(pattern: &str) -> Result<Self, TriggerError> {
        Self::of_parsed(&parse(pattern)?)
    }

    /// The trigger of a pattern that [`parse`] has read.
    pub(super) fn of_parsed(hir: &Hir) -> Result<Self, TriggerError> {
        if !hir.properties().look_set_prefix().is_empty() {
            return Err(TriggerError::LooksBack);
        }
        let prefix = cut(hir, true).hir;
        let shortest = prefix.properties().minimum_len().unwrap_or(0);
        let longest = prefix.properties().maximum_len().unwrap_or(usize::MAX);
        if shortest < SHORTEST_TRIGGER {
            return Err(TriggerError::Short(shortest));
        }
        if longest > LONGEST_TRIGGER {
            return Err(TriggerError::Long(longest));
        }
        let mut pattern = String::new();
        print(&prefix, &mut pattern);
        let whole = hir.properties().maximum_len();
        Ok(Self {
            pattern,
            shortest,
            longest,
            whole,
        })
    }

    /// How many bytes a match can have.
    pub(super) fn lengths(&self) -> RangeInclusive<usize> {
        self.shortest..=self.longest
    }
}

/// A pattern in the syntax of the `regex` crate, read without Unicode.
pub(super) fn parse(pattern: &str) -> Result<Hir, Box<regex_syntax::Error>> {
    let mut parser = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .build();
    Ok(parser.parse(pattern)?)
}

/// A part of a pattern, cut.
struct Cut {
    hir: Hir,
    /// Nothing was cut off, so that what follows in the pattern may follow here.
    whole: bool,
}

impl Cut {
    fn whole(hir: Hir) -> Self {
        Self { hir, whole: true }
    }
}

/// Cuts a part to a prefix; `last` if nothing that takes bytes follows it.
fn cut(hir: &Hir, last: bool) -> Cut {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Cut::whole(Hir::empty()),
        HirKind::Literal(_) | HirKind::Class(_) => Cut::whole(hir.clone()),
        HirKind::Capture(capture) if capture.name.as_deref() == Some("enough") => Cut {
            hir: Hir::empty(),
            whole: false,
        },
        HirKind::Capture(capture) => cut(&capture.sub, last),
        HirKind::Repetition(repetition) => cut_repetition(repetition, last),
        HirKind::Concat(parts) => cut_concat(parts, last),
        HirKind::Alternation(branches) => cut_alternation(branches, last),
    }
}

fn cut_concat(parts: &[Hir], last: bool) -> Cut {
    let takes_bytes = |part: &Hir| !matches!(part.kind(), HirKind::Look(_) | HirKind::Empty);
    let final_part = parts.iter().rposition(takes_bytes);
    let mut kept = Vec::new();
    let mut fixed = 0;
    for (at, part) in parts.iter().enumerate() {
        let mut cut = cut(part, last && Some(at) >= final_part);
        if fixed >= ENOUGH_FIXED {
            cut = shorten(cut);
        }
        fixed += fixed_bytes(part);
        kept.push(cut.hir);
        if !cut.whole {
            return Cut {
                hir: Hir::concat(kept),
                whole: false,
            };
        }
    }
    Cut::whole(Hir::concat(kept))
}

/// Behind a prefix that is rare enough, a few bytes of a long body will do.
fn shorten(cut: Cut) -> Cut {
    match cut.hir.kind() {
        HirKind::Repetition(repetition) if repetition.min > ENOUGH_BODY => Cut {
            hir: repeat((*repetition.sub).clone(), ENOUGH_BODY, Some(ENOUGH_BODY)),
            whole: false,
        },
        _ => cut,
    }
}

/// At least how many bytes of a match are known beforehand, or one of a few.
fn fixed_bytes(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(Class::Bytes(class)) => {
            let members = |r: &ClassBytesRange| usize::from(r.end() - r.start()) + 1;
            usize::from(class.iter().map(members).sum::<usize>() <= FEW)
        }
        HirKind::Capture(capture) => fixed_bytes(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(fixed_bytes).sum(),
        HirKind::Alternation(branches) => branches.iter().map(fixed_bytes).min().unwrap_or(0),
        _ => 0,
    }
}

fn cut_alternation(branches: &[Hir], last: bool) -> Cut {
    let cuts: Vec<Cut> = branches.iter().map(|branch| cut(branch, last)).collect();
    let whole = cuts.iter().all(|cut| cut.whole);
    let hir = Hir::alternation(cuts.into_iter().map(|cut| cut.hir).collect());
    Cut { hir, whole }
}

fn cut_repetition(repetition: &Repetition, last: bool) -> Cut {
    let sub = cut(&repetition.sub, false);
    let longest = sub.hir.properties().maximum_len();
    let bound = repetition
        .max
        .zip(longest)
        .map(|(times, len)| times as usize * len);
    let bounded = sub.whole && bound.is_some_and(|bound| bound <= LONGEST_REPETITION);
    if bounded && !last {
        return Cut::whole(repeat(sub.hir, repetition.min, repetition.max));
    }
    let exact = repetition.max == Some(repetition.min);
    let times = if sub.whole {
        repetition.min
    } else {
        repetition.min.min(1)
    };
    Cut {
        hir: repeat(sub.hir, times, Some(times)),
        whole: sub.whole && exact,
    }
}

fn repeat(sub: Hir, min: u32, max: Option<u32>) -> Hir {
    Hir::repetition(Repetition {
        min,
        max,
        greedy: true,
        sub: Box::new(sub),
    })
}

/// Prints a cut pattern.
fn print(hir: &Hir, out: &mut String) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => literal.0.iter().for_each(|byte| print_byte(*byte, out)),
        HirKind::Class(class) => print_class(class, out),
        HirKind::Capture(capture) => print(&capture.sub, out),
        HirKind::Repetition(repetition) => print_repetition(repetition, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| print(part, out)),
        HirKind::Alternation(branches) => print_alternation(branches, out),
    }
}

fn print_byte(byte: u8, out: &mut String) {
    if byte.is_ascii_alphanumeric() || byte == b'_' {
        out.push(char::from(byte));
    } else {
        out.push_str(&format!("\\x{byte:02x}"));
    }
}

fn print_class(class: &Class, out: &mut String) {
    match class {
        Class::Bytes(bytes) => print_ranges(bytes.iter().map(|r| (r.start(), r.end())), out),
        // Also without Unicode, a choice of single characters is read as a class of them.
        Class::Unicode(chars) => {
            let sequences = chars
                .iter()
                .flat_map(|r| Utf8Sequences::new(r.start(), r.end()));
            out.push_str("(?:");
            for (at, sequence) in sequences.enumerate() {
                if at > 0 {
                    out.push('|');
                }
                for range in sequence.as_slice() {
                    print_ranges([(range.start, range.end)].into_iter(), out);
                }
            }
            out.push(')');
        }
    }
}

fn print_ranges(ranges: impl Iterator<Item = (u8, u8)>, out: &mut String) {
    out.push('[');
    for (start, end) in ranges {
        print_byte(start, out);
        if end > start {
            out.push('-');
            print_byte(end, out);
        }
    }
    out.push(']');
}

fn print_repetition(repetition: &Repetition, out: &mut String) {
    out.push_str("(?:");
    print(&repetition.sub, out);
    out.push(')');
    let min = repetition.min;
    out.push_str(&match repetition.max {
        Some(max) if max == min => format!("{{{min}}}"),
        Some(max) => format!("{{{min},{max}}}"),
        None => format!("{{{min},}}"),
    });
}

fn print_alternation(branches: &[Hir], out: &mut String) {
    out.push_str("(?:");
    for (at, branch) in branches.iter().enumerate() {
        if at > 0 {
            out.push('|');
        }
        print(branch, out);
    }
    out.push(')');
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_takes_no_more_than_the_last_repetition_demands() {
        let trigger = Trigger::of("ab[0-9a-f]{36,255}").unwrap();
        assert_eq!(trigger.pattern, "ab(?:[0-9a-f]){36}");
        assert_eq!(trigger.longest, 38);
    }

    #[test]
    fn behind_a_rare_prefix_a_trigger_asks_for_little() {
        let trigger = Trigger::of("gh[po]_[0-9a-f]{36}z").unwrap();
        assert_eq!(trigger.pattern, "gh[o-p]_(?:[0-9a-f]){12}");
        assert_eq!(trigger.whole, Some(41));
    }

    #[test]
    fn a_choice_of_characters_is_one_of_their_bytes() {
        let trigger = Trigger::of("key(?:は|：|a)x").unwrap();
        let expected = r"key(?:[a]|[\xe3][\x81][\xaf]|[\xef][\xbc][\x9a])x";
        assert_eq!(trigger.pattern, expected);
    }

    #[test]
    fn a_trigger_stops_at_the_first_part_without_a_bound() {
        let trigger = Trigger::of(r"(?s)-----BEGIN KEY.*?END\b").unwrap();
        assert_eq!(trigger.pattern, r"\x2d\x2d\x2d\x2d\x2dBEGIN\x20KEY");
    }

    #[test]
    fn a_trigger_stops_where_the_pattern_says_that_it_has_seen_enough() {
        let trigger = Trigger::of("redis://(?P<enough>)[^ ]{1,99}@(?:a|b)").unwrap();
        assert_eq!(trigger.pattern, r"redis\x3a\x2f\x2f");
        assert_eq!(trigger.whole, Some(8 + 99 + 2));
    }

    #[test]
    fn what_follows_a_cut_branch_is_cut_too() {
        let trigger = Trigger::of("key(?:=a+|:b)END").unwrap();
        assert_eq!(trigger.pattern, r"key(?:\x3da|\x3ab)");
    }

    #[test]
    fn bounds_in_the_middle_are_kept() {
        let trigger = Trigger::of("(?i)ab.{0,5}cd").unwrap();
        assert!(trigger.pattern.contains("{0,5}"), "{}", trigger.pattern);
        assert!(
            trigger.pattern.starts_with("[Aa][Bb]"),
            "{}",
            trigger.pattern
        );
    }

    #[test]
    fn patterns_that_would_fire_everywhere_or_never_end_are_refused() {
        assert!(matches!(
            Trigger::of("[a-z]*abcd"),
            Err(TriggerError::Short(0))
        ));
        assert!(matches!(Trigger::of("ab"), Err(TriggerError::Short(2))));
        assert!(matches!(
            Trigger::of("a{99}(?:b{99}){11}c"),
            Err(TriggerError::Long(_))
        ));
        assert!(matches!(Trigger::of("a("), Err(TriggerError::Syntax(_))));
        assert!(matches!(
            Trigger::of(r"\babcd"),
            Err(TriggerError::LooksBack)
        ));
    }
}
