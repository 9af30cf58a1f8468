//! What stands for a package in a command: its name, and perhaps a version.

use std::ops::Range;

use super::{Context, Ecosystem, Sink};
use crate::inspect::packages::compare;

/// A version if exactly one is meant.
pub(super) fn exact(ecosystem: Ecosystem, text: &str) -> Option<&str> {
    let text = text.trim().trim_start_matches('=').trim();
    let begins = text
        .trim_start_matches('v')
        .starts_with(|c: char| c.is_ascii_digit());
    let single = begins && !text.contains(['*', ',', ' ', '|', '<', '>', '~', '^']);
    (single && compare(ecosystem, text, text).is_some()).then_some(text)
}

/// Adds what a word of a command stands for.
pub(super) fn add(
    sink: &mut Sink,
    context: Context,
    ecosystem: Ecosystem,
    word: &str,
    range: Range<usize>,
) {
    let elsewhere =
        word.contains("://") || word.contains('$') || word.starts_with(['.', '/', '~', '<']);
    if elsewhere || word.starts_with("git+") || word.contains(['\\', '*']) {
        return;
    }
    let parts = match ecosystem {
        Ecosystem::PyPI => python(word),
        Ecosystem::Npm => npm(word),
        Ecosystem::Go => go(word),
        Ecosystem::Packagist => split(ecosystem, word, ':').filter(|(name, _)| name.contains('/')),
        Ecosystem::RubyGems => split(ecosystem, word, ':'),
        Ecosystem::Maven => maven(word),
        Ecosystem::Crates | Ecosystem::NuGet => split(ecosystem, word, '@'),
    };
    if let Some((name, version)) = parts {
        sink.add(context, ecosystem, &name, version, range);
    }
}

type Parts<'a> = Option<(String, Option<&'a str>)>;

fn split(ecosystem: Ecosystem, word: &str, separator: char) -> Parts<'_> {
    let (name, version) = word.split_once(separator).unwrap_or((word, ""));
    Some((name.to_owned(), exact(ecosystem, version)))
}

/// `name[extras]==1.0 ; marker`, `name @ URL`, and Poetry's `name@^1`. PEP 508.
fn python(word: &str) -> Parts<'_> {
    let word = word.split(';').next()?.trim();
    let file = [".whl", ".gz", ".txt", ".zip", ".toml"]
        .iter()
        .any(|end| word.ends_with(end));
    let end = word.find(|c: char| !(c.is_alphanumeric() || "._-".contains(c)));
    let (name, rest) = word.split_at(end.unwrap_or(word.len()));
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
    (well && !file && !word.contains('/')).then(|| (name.to_owned(), version))
}

/// `name@1.0`, `@scope/name@1.0`, `alias@npm:name@1.0`; `user/repository` is none.
fn npm(word: &str) -> Parts<'_> {
    let word = match word.split_once("npm:") {
        Some((before, real)) if before.is_empty() || before.ends_with('@') => real,
        _ => word,
    };
    let at = word.rfind('@').filter(|at| *at > 0).unwrap_or(word.len());
    let (name, version) = word.split_at(at);
    let version = exact(Ecosystem::Npm, version.trim_start_matches('@'));
    let scoped = name.starts_with('@');
    let depth = name.matches('/').count();
    let well = if scoped { depth == 1 } else { depth == 0 };
    let file = [".tgz", ".gz", ".git"]
        .iter()
        .any(|end| name.ends_with(end));
    (well && !file && !name.contains(':')).then(|| (name.to_owned(), version))
}

fn go(word: &str) -> Parts<'_> {
    let (path, version) = word.split_once('@').unwrap_or((word, ""));
    let host = path.split('/').next()?;
    let well = host.contains('.') && path.contains('/');
    well.then(|| {
        (
            path.trim_end_matches("/...").to_owned(),
            exact(Ecosystem::Go, version),
        )
    })
}

/// `group:artifact:version`, or with a packaging before the version.
fn maven(word: &str) -> Parts<'_> {
    let mut parts = word.split([':', '@']);
    let (group, artifact) = (parts.next()?, parts.next()?);
    let version = parts
        .next()
        .and_then(|version| exact(Ecosystem::Maven, version));
    group
        .contains(['.', '-'])
        .then(|| (format!("{group}:{artifact}"), version))
}
