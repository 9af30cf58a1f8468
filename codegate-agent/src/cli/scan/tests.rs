//! What findings look like, for programs and for people.

#![allow(clippy::unwrap_used, reason = "tests panic")]

use serde_json::{json, to_value};

use super::*;
use crate::{inspect::Kind, scan::Place};

fn report() -> Report {
    Report {
        path: "a\u{1b}[2J/b.rs".to_owned(),
        found: vec![Found {
            rule: "github-token".into(),
            kind: Kind::parse("GITHUB").unwrap(),
            confidence: Confidence::High,
            range: 10..50,
            start: Place { line: 2, column: 3 },
            end: Place {
                line: 2,
                column: 43,
            },
            fingerprint: "00ff".to_owned(),
            masked: "ghp_****wxyz".to_owned(),
        }],
        problem: None,
    }
}

#[test]
fn the_line_has_the_fields_of_the_contract_and_no_others() {
    let report = report();
    let expected = json!({
        "path": report.path, "rule": "github-token", "kind": "GITHUB", "start": 10, "end": 50,
        "line": 2, "column": 3, "confidence": "high", "fingerprint": "00ff",
    });
    let said = |show| to_value(line(&report.path, &report.found[0], show)).unwrap();
    assert_eq!(said(false), expected);
    assert_eq!(said(true)["masked"], "ghp_****wxyz");
}

#[test]
fn sarif_points_to_the_rule_the_region_and_the_problem() {
    let mut other = report();
    other.found[0].rule = "a-rule-before-it".into();
    let mut broken = report();
    broken.found.clear();
    broken.problem = Some("no".to_owned());
    let document = sarif::document(&[report(), other, broken], false);
    assert_eq!(document["version"], "2.1.0");
    let run = &document["runs"][0];
    assert_eq!(run["tool"]["driver"]["rules"][1]["id"], "github-token");
    let result = &run["results"][0];
    assert_eq!(
        (&result["ruleIndex"], &result["level"]),
        (&json!(1), &json!("error"))
    );
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%1B%5B2J/b.rs");
    let region = json!({"startLine": 2, "startColumn": 3, "endLine": 2, "endColumn": 43,
        "byteOffset": 10, "byteLength": 40});
    assert_eq!(place["region"], region);
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    assert_eq!(run["results"].as_array().unwrap().len(), 2);
    assert!(!document.to_string().contains("ghp_"));
}

#[test]
fn providers_are_those_of_the_configuration() {
    assert_eq!(provider("anthropic"), Ok(Provider::Anthropic));
    assert!(
        provider("nobody")
            .unwrap_err()
            .contains("openai, anthropic, ollama, opaque")
    );
}
