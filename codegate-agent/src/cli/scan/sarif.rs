//! SARIF 2.1.0 (OASIS): what code-scanning services take.

use std::{
    collections::BTreeMap,
    fmt::Write,
    path::{Component, Path},
};

use serde_json::{Value, json};

use super::is_stdin;
use crate::{
    inspect::Confidence,
    scan::{Found, Report},
};

/// The whole document: one run.
pub(super) fn document(reports: &[Report], show: bool) -> Value {
    let rules = rules(reports);
    let places: BTreeMap<&str, usize> = rules.keys().zip(0..).map(|(id, at)| (*id, at)).collect();
    let results = reports.iter().flat_map(|report| {
        let places = &places;
        let each = report.found.iter();
        each.map(move |found| result(report, found, places.get(&*found.rule).copied(), show))
    });
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "CodeGate",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.values().collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [invocation(reports)],
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

/// The rules that found something, by id.
fn rules(reports: &[Report]) -> BTreeMap<&str, Value> {
    let found = reports.iter().flat_map(|report| &report.found);
    let rule = |found: &'_ Found| {
        json!({
            "id": *found.rule,
            "shortDescription": {"text": format!("{} in clear", found.kind)},
            "defaultConfiguration": {"level": level(found.confidence)},
        })
    };
    found.map(|found| (&*found.rule, rule(found))).collect()
}

fn result(report: &Report, found: &Found, rule: Option<usize>, show: bool) -> Value {
    let mut message = format!("{} in clear, found by {}", found.kind, found.rule);
    if show {
        write!(message, ": {}", found.masked).unwrap_or_default();
    }
    json!({
        "ruleId": *found.rule,
        "ruleIndex": rule,
        "level": level(found.confidence),
        "message": {"text": message},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(&report.path)},
            "region": {
                "startLine": found.start.line,
                "startColumn": found.start.column,
                "endLine": found.end.line,
                "endColumn": found.end.column,
                "byteOffset": found.range.start,
                "byteLength": found.range.end - found.range.start,
            },
        }}],
        "partialFingerprints": {"codegate/v1": found.fingerprint},
    })
}

/// Whether everything could be scanned, and what not.
fn invocation(reports: &[Report]) -> Value {
    let notes: Vec<_> = reports.iter().filter_map(notification).collect();
    json!({
        "executionSuccessful": notes.is_empty(),
        "toolExecutionNotifications": notes,
    })
}

fn notification(report: &Report) -> Option<Value> {
    let problem = report.problem.as_ref()?;
    Some(json!({
        "level": "error",
        "message": {"text": problem},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri(&report.path)}}}],
    }))
}

fn level(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "error",
        Confidence::Medium => "warning",
        Confidence::Low => "note",
    }
}

/// A path as a URI reference (RFC 3986): relative ones stay relative.
fn uri(path: &str) -> String {
    if is_stdin(path) {
        return "stdin".to_owned();
    }
    let mut uri = String::new();
    for part in Path::new(path).components() {
        match part {
            Component::RootDir => uri.push_str("file:///"),
            Component::CurDir | Component::Prefix(_) => {}
            Component::ParentDir => uri.push_str("../"),
            Component::Normal(name) => {
                encode(&name.to_string_lossy(), &mut uri);
                uri.push('/');
            }
        }
    }
    uri.truncate(uri.trim_end_matches('/').len());
    uri
}

/// All but RFC 3986's unreserved characters, percent-encoded.
fn encode(name: &str, uri: &mut String) {
    for byte in name.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            byte => write!(uri, "%{byte:02X}").unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        for (path, expected) in [
            ("./src/a b.rs", "src/a%20b.rs"),
            ("../x", "../x"),
            ("/tmp/é#1", "file:///tmp/%C3%A9%231"),
            ("c:d", "c%3Ad"),
            ("-", "stdin"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }
}
