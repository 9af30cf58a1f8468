//! The rules' own examples, and properties of the scanner as a whole.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests panic"
)]

use std::{ops::Range, sync::LazyLock};

use super::{Scanner, example, source};

mod benign;
mod carriers;
mod properties;

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

#[test]
fn every_example_is_found_by_its_rule_with_exact_bounds() {
    let mut wrong = Vec::new();
    for source in source::builtin().unwrap() {
        for (seed, template) in source.text.examples.iter().enumerate() {
            let example = example::expand(template, seed as u64);
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
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn nothing_is_found_in_counter_examples() {
    let mut wrong = Vec::new();
    for source in source::builtin().unwrap() {
        for template in &source.text.counter_examples {
            let example = example::expand(template, 7);
            let findings = SCANNER.scan(example.text.as_bytes());
            if !findings.is_empty() {
                wrong.push(format!(
                    "{}: {}\n   found {findings:?}",
                    source.text.id, example.text
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
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
