//! The rules' own examples, and properties of the scanner as a whole.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::single_range_in_vec_init,
    reason = "tests panic, and lists of ranges are what they compare"
)]

use std::{ops::Range, sync::LazyLock};

use super::{
    Scanner,
    example::{self, Example},
    source,
};

mod assignments;
mod benign;
mod carriers;
mod columns;
mod disguise;
mod hostile;
mod properties;
mod user;

/// Fails with all that went wrong, one a line.
fn none_wrong(wrong: &[String]) {
    let count = wrong.len();
    assert!(wrong.is_empty(), "{count} wrong:\n{}", wrong.join("\n"));
}

/// Fills in a template of ours, which is right.
fn expand(template: &str, seed: u64) -> Example {
    example::expand(template, seed).unwrap()
}

static SCANNER: LazyLock<Scanner> = LazyLock::new(|| Scanner::builtin().unwrap());

fn found(text: &str) -> Vec<Range<usize>> {
    ranges(SCANNER.scan(text.as_bytes()))
}

fn ranges(findings: Vec<super::Finding>) -> Vec<Range<usize>> {
    findings.into_iter().map(|finding| finding.range).collect()
}

/// What was found, as text: easier to read when a test fails.
fn secrets(text: &str) -> Vec<String> {
    SCANNER
        .scan(text.as_bytes())
        .into_iter()
        .map(|finding| String::from_utf8_lossy(&text.as_bytes()[finding.range]).into_owned())
        .collect()
}

/// The secrets of examples that are found without anything around them, with their rule's id.
fn bare_tokens() -> Vec<(String, String)> {
    let mut tokens = Vec::new();
    for source in source::builtin().unwrap() {
        if source.text.pattern.is_none() || !source.text.keywords.is_empty() {
            continue;
        }
        for template in &source.text.examples {
            let example = expand(template, 42);
            let secret = &example.text[example.secrets[0].clone()];
            let is_line = !secret.contains(['\n', ' ', '\\']);
            if is_line && found(secret) == [0..secret.len()] {
                tokens.push((source.text.id.clone(), secret.to_owned()));
            }
        }
    }
    tokens
}

#[test]
fn most_rules_need_nothing_around_their_tokens() {
    let mut rules: Vec<_> = bare_tokens().into_iter().map(|(rule, _)| rule).collect();
    rules.dedup();
    assert!(rules.len() > 120, "{}", rules.len());
}

#[test]
fn every_example_is_found_by_its_rule_with_exact_bounds() {
    let mut wrong = Vec::new();
    for source in source::builtin().unwrap() {
        for (seed, template) in source.text.examples.iter().enumerate() {
            let example = expand(template, seed as u64);
            let findings = SCANNER.scan(example.text.as_bytes());
            let by_rule = findings
                .iter()
                .any(|finding| *finding.rule == *source.text.id);
            if !by_rule || ranges(findings.clone()) != example.secrets {
                wrong.push(format!(
                    "{}: {}\n   found {findings:?}, not {:?}",
                    source.text.id, example.text, example.secrets
                ));
            }
        }
    }
    none_wrong(&wrong);
}

#[test]
fn nothing_is_found_in_counter_examples() {
    let mut wrong = Vec::new();
    for source in source::builtin().unwrap() {
        for template in &source.text.counter_examples {
            let example = expand(template, 7);
            let findings = SCANNER.scan(example.text.as_bytes());
            if !findings.is_empty() {
                wrong.push(format!(
                    "{}: {}\n   found {findings:?}",
                    source.text.id, example.text
                ));
            }
        }
    }
    none_wrong(&wrong);
}

#[test]
fn every_rule_has_an_example_and_an_id_of_its_own() {
    let sources = source::builtin().unwrap();
    let mut ids: Vec<_> = sources
        .iter()
        .map(|source| source.text.id.as_str())
        .collect();
    ids.sort_unstable();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "an id twice");
    for source in &sources {
        assert!(
            !source.text.examples.is_empty(),
            "{} has no example",
            source.text.id
        );
    }
}
