//! Secrets: revealed, forgotten, added, and whose they are.

use std::{fs, io::Write, process::Stdio};

use codegate::inspect::Known;
use serde_json::Value;

use crate::agent::{Agent, json, owner, text, uid};

#[test]
fn a_secret_comes_out_exactly_and_is_forgotten_for_good() {
    let agent = Agent::start();
    let value = b"line 1\n\xff\x1b[2Jend";
    let placeholder = agent.seal(uid(), value);
    let listed = agent.run(&["secrets", "list", "--json"]);
    assert_eq!(json(&listed)[0]["placeholder"], placeholder.as_str());
    assert!(!text(&listed.stdout).contains("line 1"));
    let revealed = agent.run(&["secrets", "reveal", &placeholder]);
    assert_eq!(revealed.stdout, value, "the value only, byte for byte");
    let object = json(&agent.run(&["secrets", "reveal", &placeholder, "--json"])).remove(0);
    assert_eq!(object["value_base64"], "bGluZSAxCv8bWzJKZW5k");
    assert_eq!(
        agent
            .run(&["secrets", "forget", &placeholder])
            .status
            .code(),
        Some(0)
    );
    let gone = agent.run(&["secrets", "reveal", &placeholder]);
    assert_eq!((gone.status.code(), gone.stdout.len()), (Some(2), 0));
    assert_eq!(
        agent.run(&["secrets", "reveal", "CG_NO"]).status.code(),
        Some(2)
    );
}

#[test]
fn literals_are_added_from_standard_input_and_files_and_listed_without_values() {
    let agent = Agent::start();
    let words = agent.dir.path().join("words");
    fs::write(&words, "Nightingale\n\nBluebird \nNightingale\n").unwrap();
    let mut add = agent.command(&["secrets", "add", "--json"]);
    let mut add = add
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    add.stdin
        .take()
        .unwrap()
        .write_all(b"correct horse battery\n")
        .unwrap();
    let added = json(&add.wait_with_output().unwrap());
    assert_eq!((added.len(), &added[0]["literal"]), (1, &Value::Bool(true)));
    assert_eq!(added[0]["kind"], "SECRET");
    let file = [
        "secrets",
        "add",
        "--kind",
        "BIRD",
        "--file",
        words.to_str().unwrap(),
    ];
    assert_eq!(agent.run(&file).status.code(), Some(0));
    let listed = json(&agent.run(&["secrets", "list", "--json"]));
    assert_eq!(listed.len(), 3);
    let known = agent.state.vault.literals(uid()).unwrap();
    assert_eq!(known.find(b"correct horse battery, Bluebird").len(), 2);
    let placeholder = added[0]["placeholder"].as_str().unwrap();
    let forgotten = agent.run(&["secrets", "forget", placeholder]);
    assert_eq!(forgotten.status.code(), Some(0));
    assert_eq!(json(&agent.run(&["secrets", "list", "--json"])).len(), 2);
    for wrong in [&["--kind", "bird"][..], &["--uid", "4294967295"], &[]] {
        let mut arguments = vec!["secrets", "add"];
        arguments.extend(wrong);
        let refused = agent
            .command(&arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_ne!(refused.status.code(), Some(0), "{wrong:?}");
    }
}

#[test]
fn another_user_sees_nothing_and_may_not_ask() {
    let agent = Agent::start();
    let placeholder = agent.seal(owner(), b"theirs");
    agent.record(owner(), &placeholder);
    let listed = agent.run_as_other(&["status", "--json"]);
    assert_eq!(
        listed.status.code(),
        Some(0),
        "the other user does reach the agent"
    );
    for arguments in [
        &["sessions", "list", "--json"][..],
        &["secrets", "list", "--json"],
    ] {
        let output = agent.run_as_other(arguments);
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(0), 0),
            "{arguments:?}"
        );
    }
    let sessions = agent
        .state
        .recorder
        .list(codegate::session::Viewer::new(owner()), 1);
    let id = sessions.unwrap().remove(0).id.to_string();
    assert_eq!(
        agent.run_as_other(&["sessions", "show", &id]).status.code(),
        Some(2)
    );
    assert_eq!(
        agent
            .run_as_other(&["secrets", "reveal", &placeholder])
            .status
            .code(),
        Some(2)
    );
    let owner_flag = format!("--uid={}", owner());
    for verb in ["reveal", "forget"] {
        let output = agent.run_as_other(&["secrets", verb, &placeholder, &owner_flag]);
        assert_eq!(output.status.code(), Some(3), "{verb}");
        assert!(!text(&output.stdout).contains("theirs"));
    }
    let list = agent.run_as_other(&["secrets", "list", &owner_flag]);
    assert_eq!(list.status.code(), Some(3));
    assert_eq!(
        agent.state.vault.list(owner()).unwrap().len(),
        1,
        "nothing was forgotten"
    );
    assert!(
        agent.state.vault.reveals(owner()).unwrap().is_empty(),
        "nothing was revealed"
    );
}
