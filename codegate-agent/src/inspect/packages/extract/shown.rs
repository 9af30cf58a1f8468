//! Manifests that a tool shows: there is no file name, and there may be numbers before the lines.
//!
//! Knows: what manifests look like. When it must choose, it favours silence.

use std::{borrow::Cow, sync::LazyLock};

use regex::bytes;

use super::{Mention, Sink, manifest, pattern::patterns};

patterns! {
    NUMBER = r"^[ \t]*\d+(?:\t|→|: ?|[ ]*\| ?)";
}

/// What a text must have to be looked at as a manifest: words that one search finds all at once.
static MARKS: LazyLock<Option<bytes::Regex>> = LazyLock::new(|| {
    let words = concat!(
        r#"ependencies"|dependencies\]|dependencies\.|"node_modules/|"require|\[\[package\]\]|\[project"#,
        r#"|\[tool\.|\[packages\]|<artifactId>|<PackageReference|<package id=|require \(|\ngem ['"]"#,
        r#"|implementation ?['"(]"#,
    );
    bytes::Regex::new(words).ok()
});

/// Whether a text is worth a closer look. Every text of every request is asked this.
pub(super) fn may_list(text: &[u8]) -> bool {
    memchr::memchr(b'\n', text).is_some()
        && (begins_with_requirements(text)
            || MARKS.as_ref().is_some_and(|marks| marks.is_match(text)))
}

/// Whether one of the first lines is a requirement as pip knows them.
fn begins_with_requirements(text: &[u8]) -> bool {
    const LINES: usize = 8;
    const LONGEST: usize = 120;
    let requires = |line: &[u8]| {
        let has = |mark: &[u8]| memchr::memmem::find(line, mark).is_some();
        line.len() < LONGEST && (has(b"==") || has(b">=") || has(b"~="))
    };
    text.splitn(LINES, |b| *b == b'\n')
        .take(LINES - 1)
        .any(requires)
}

/// The packages of a manifest or lock file; none if the text is something else.
pub(super) fn read(text: &str) -> Vec<Mention> {
    let text = without_numbers(text);
    let mut sink = Sink::default();
    let kind = ["", "toml"]
        .into_iter()
        .find_map(|language| manifest::Kind::of_body(language, &text));
    if let Some(kind) = kind {
        manifest::read(&mut sink, kind, &text, 0);
    }
    sink.finish()
}

/// A text without the line numbers that tools put before lines.
fn without_numbers(text: &str) -> Cow<'_, str> {
    let numbered = |line: &str| line.trim().is_empty() || NUMBER.is_in(line);
    if !text.lines().take(5).all(numbered) {
        return Cow::Borrowed(text);
    }
    let bare = |line| {
        let end = NUMBER
            .first(line)
            .and_then(|found| found.get(0))
            .map_or(0, |found| found.end());
        line.get(end..).unwrap_or_default()
    };
    Cow::Owned(text.lines().map(bare).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<String> {
        read(text)
            .iter()
            .map(|mention| mention.purl.to_string())
            .collect()
    }

    #[test]
    fn manifests_are_known_by_what_is_in_them() {
        let package =
            "{\n  \"name\": \"mine\",\n  \"dependencies\": {\n    \"a\": \"1.0.0\"\n  }\n}";
        let numbered = |separator: &str| {
            let lines = package.lines().zip(1..);
            lines
                .map(|(line, n)| format!("{n:6}{separator}{line}\n"))
                .collect::<String>()
        };
        for text in [
            package.to_owned(),
            numbered("\t"),
            numbered("→"),
            numbered(" | "),
        ] {
            assert_eq!(named(&text), ["pkg:npm/a@1.0.0"], "{text}");
        }
        assert_eq!(
            named("# mine\na==1.0\nb>=2\n"),
            ["pkg:pypi/a@1.0", "pkg:pypi/b"]
        );
        assert_eq!(
            named("     1\ta==1.0\n     2\tb\n"),
            ["pkg:pypi/a@1.0", "pkg:pypi/b"]
        );
        assert_eq!(
            named("[dependencies]\nserde = \"=1.0.0\"\n"),
            ["pkg:cargo/serde@1.0.0"]
        );
    }

    #[test]
    fn what_lists_packages_is_worth_a_look() {
        assert!(MARKS.is_some());
        for text in [
            "{\n\"dependencies\": {}",
            "# x\na==1\n",
            "[[package]]\n",
            "[dependencies]\n",
            "x\ngem 'a'",
        ] {
            assert!(may_list(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "a==1",
            "the dependencies\nare there",
            "fn f() {\n    x\n}",
        ] {
            assert!(!may_list(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "",
            "if a == b { return }",
            "a >= b {\n  c\n}",
            "the dependencies of this",
            "1: one\n2: two",
        ] {
            assert!(named(text).is_empty(), "{text}");
        }
    }
}
