//! What stands for a package in a command: its name, and perhaps a version.

use std::ops::Range;

use super::{
    Context, Ecosystem, Sink,
    place::{Placed, within},
};
use crate::inspect::packages::compare;

/// A version if exactly one is meant.
pub(super) fn exact(ecosystem: Ecosystem, text: &str) -> Option<&str> {
    let text = text.trim().trim_start_matches('=').trim();
    let begins = text
        .trim_start_matches('v')
        .starts_with(|c: char| c.is_ascii_digit());
    // `1.0` is a range for those who write all three parts of a version.
    let whole = match ecosystem {
        Ecosystem::Npm | Ecosystem::Crates => {
            text.split(['-', '+']).next()?.matches('.').count() > 1
        }
        _ => true,
    };
    let single = whole && begins && !text.contains(['*', ',', ' ', '|', '<', '>', '~', '^']);
    (single && compare(ecosystem, text, text).is_some()).then_some(text)
}

/// Adds what a word stands for that is written out in a range.
pub(super) fn add(
    sink: &mut Sink,
    context: Context,
    ecosystem: Ecosystem,
    word: &str,
    range: Range<usize>,
) {
    if let Some((name, version)) = parts(ecosystem, word) {
        let part = within(word, name);
        let range = match range.len() == word.len() {
            true => range.start + part.start..range.start + part.end,
            false => range,
        };
        sink.add(context, ecosystem, name, version, range);
    }
}

/// Adds what a word of a command stands for.
pub(super) fn word(sink: &mut Sink, context: Context, ecosystem: Ecosystem, word: &Placed) {
    if let Some((name, version)) = parts(ecosystem, word.text()) {
        let range = word.place(within(word.text(), name));
        sink.add(context, ecosystem, name, version, range);
    }
}

type Parts<'a> = Option<(&'a str, Option<&'a str>)>;

fn parts(ecosystem: Ecosystem, word: &str) -> Parts<'_> {
    let elsewhere = word.contains("://") || word.starts_with(['.', '/', '~', '<', '$', '%']);
    if elsewhere || word.starts_with("git+") || word.contains('\\') {
        return None;
    }
    let parts = match ecosystem {
        Ecosystem::PyPI => python(word),
        Ecosystem::Npm => npm(word),
        Ecosystem::Go => go(word),
        Ecosystem::Packagist => split(ecosystem, word, ":").filter(|(name, _)| name.contains('/')),
        Ecosystem::RubyGems => split(ecosystem, word, ":"),
        Ecosystem::Maven => maven(word),
        Ecosystem::NuGet if word.contains("::") => split(ecosystem, word, "::"),
        Ecosystem::Crates | Ecosystem::NuGet => split(ecosystem, word, "@"),
    };
    // What is filled in later is no name.
    parts.filter(|(name, _)| !name.contains(['$', '*', '%']))
}

fn split<'a>(ecosystem: Ecosystem, word: &'a str, separator: &str) -> Parts<'a> {
    let (name, version) = word.split_once(separator).unwrap_or((word, ""));
    Some((name, exact(ecosystem, version)))
}

/// `name[extras]==1.0 ; marker`, `name @ URL`, and Poetry's `name@^1`. PEP 508.
fn python(word: &str) -> Parts<'_> {
    let word = word.split(';').next()?.trim();
    let file = [".whl", ".gz", ".txt", ".zip", ".toml"]
        .iter()
        .any(|end| word.ends_with(end));
    let end = word.find(|c: char| !(c.is_alphanumeric() || "._-".contains(c)));
    let (name, rest) = word.split_at(end.unwrap_or(word.len()));
    let rest = rest.trim_start();
    let rest = match rest.split_once(']') {
        Some((_, after)) if rest.starts_with('[') => after,
        _ => rest,
    };
    let rest = rest.trim();
    let version = match (rest.strip_prefix("=="), rest.strip_prefix('@')) {
        (Some(version), _) | (_, Some(version)) => exact(Ecosystem::PyPI, version),
        _ => None,
    };
    let well = rest.is_empty() || rest.starts_with(['=', '<', '>', '~', '!', '@', '(']);
    // `name == 1.0`: blanks make a word of the version.
    let number = name.contains('.') && name.chars().all(|c| c.is_ascii_digit() || c == '.');
    (well && !number && !file && !word.contains('/')).then_some((name, version))
}

/// `name@1.0`, `@scope/name@1.0`, `alias@npm:name@1.0`; `user/repository` is none.
fn npm(word: &str) -> Parts<'_> {
    let word = match word.split_once("npm:") {
        Some((before, real)) if before.is_empty() || before.ends_with('@') => without_path(real),
        _ => word,
    };
    let at = word.get(1..).and_then(|rest| rest.find('@'));
    let (name, version) = word.split_at(at.map_or(word.len(), |at| at + 1));
    let version = exact(Ecosystem::Npm, version.trim_start_matches('@'));
    let scoped = name.starts_with('@');
    let depth = name.matches('/').count();
    let well = if scoped { depth == 1 } else { depth == 0 };
    let file = [".tgz", ".gz", ".git"]
        .iter()
        .any(|end| name.ends_with(end));
    (well && !file && !name.contains(':')).then_some((name, version))
}

/// `@scope/name@1.0/bin` is of `@scope/name@1.0`.
fn without_path(word: &str) -> &str {
    let depth = usize::from(word.starts_with('@'));
    let end = word.match_indices('/').nth(depth);
    word.get(..end.map_or(word.len(), |(at, _)| at))
        .unwrap_or(word)
}

fn go(word: &str) -> Parts<'_> {
    let (path, version) = word.split_once('@').unwrap_or((word, ""));
    let host = path.split('/').next()?;
    let well = host.contains('.') && path.contains('/') && !path.ends_with(".go");
    let path = path.trim_end_matches("/...");
    well.then_some((path, exact(Ecosystem::Go, version)))
}

/// `group:artifact:version`, or with a packaging before the version.
fn maven(word: &str) -> Parts<'_> {
    let mut parts = word.split([':', '@']);
    let (group, artifact) = (parts.next()?, parts.next()?);
    let version = parts
        .next()
        .and_then(|version| exact(Ecosystem::Maven, version));
    let name = word.get(..group.len() + 1 + artifact.len())?;
    let well = group.contains(['.', '-']) && !artifact.is_empty() && !group.is_empty();
    (well && word.contains(':')).then_some((name, version))
}
