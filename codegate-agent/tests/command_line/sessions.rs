//! Sessions: listed, shown and followed.

use std::process::Stdio;

use serde_json::Value;

use crate::agent::{Agent, HOSTILE, assert_harmless, json, text, uid};

#[test]
fn sessions_are_listed_and_shown_without_obeying_traffic() {
    let agent = Agent::start();
    agent.record(uid(), "CG_GITHUB_X");
    let list = json(&agent.run(&["sessions", "list", "--json"])).remove(0);
    let fields: Vec<&str> = list
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    for field in [
        "id",
        "started",
        "process",
        "host",
        "provider",
        "model",
        "exchanges",
        "secrets",
        "packages",
        "verdict",
        "bytes_out",
        "bytes_in",
    ] {
        assert!(fields.contains(&field), "{field}");
    }
    assert_eq!(list["process"]["pid"], 7);
    assert_eq!(list["process"]["uid"], uid());
    assert_eq!(list["model"], HOSTILE, "JSON says exactly what was there");
    assert_eq!(
        (&list["verdict"], &list["secrets"]),
        (&"alert".into(), &1.into())
    );

    let id = list["id"].as_str().unwrap();
    for arguments in [
        &["sessions", "list"][..],
        &["sessions", "list", "--json"],
        &["sessions", "show", id],
        &["sessions", "show", id, "--json"],
    ] {
        let output = agent.run(arguments);
        assert_eq!(output.status.code(), Some(0));
        assert_harmless(&output);
    }
    let table = text(&agent.run(&["sessions", "list"]).stdout);
    let [heading, row] = table.lines().collect::<Vec<_>>()[..] else {
        panic!("{table}")
    };
    assert_eq!(heading.find("HOST"), row.find("api.openai.com"), "{table}");
    assert!(row.contains("1.5 kB") && row.ends_with("alert"), "{table}");
    let shown = text(&agent.run(&["sessions", "show", id]).stdout);
    assert!(
        shown.contains("sealed CG_GITHUB_X (github-token) ×2"),
        "{shown}"
    );
    assert!(
        shown.contains(r"alert mangled: look\n\u{1b}]0;x"),
        "{shown}"
    );
    let lines = json(&agent.run(&["sessions", "show", id, "--json"]));
    let types: Vec<&Value> = lines.iter().map(|line| &line["type"]).collect();
    assert_eq!(types, ["session", "exchange"]);
    assert_eq!(
        agent.run(&["sessions", "show", "0000000000"]).status.code(),
        Some(2)
    );
    assert_eq!(
        agent.run(&["sessions", "show", "no-id"]).status.code(),
        Some(2)
    );
}

#[test]
fn tail_prints_what_happens_as_it_happens() {
    use std::io::{BufRead, BufReader};
    let agent = Agent::start();
    let mut command = agent.command(&["sessions", "tail", "--json"]);
    let mut tail = command.stdout(Stdio::piped()).spawn().unwrap();
    while agent.state.recorder.watchers() == 0 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    agent.record(uid(), "CG_GITHUB_X");
    let mut line = String::new();
    let mut lines = BufReader::new(tail.stdout.take().unwrap());
    lines.read_line(&mut line).unwrap();
    let update: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(update["session"]["host"], "api.openai.com");
    assert_eq!(update["sealed"][0]["placeholder"], "CG_GITHUB_X");
    tail.kill().unwrap();
    tail.wait().unwrap();
}
