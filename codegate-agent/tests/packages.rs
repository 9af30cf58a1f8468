//! `codegate packages`, as a user and a script see it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// A configuration with a state directory of its own.
fn home() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let text = format!(
        "state_dir = {:?}\n[packages]\nallow = [\"pkg:npm/request\"]\ndeny = [\"pkg:npm/lodash@1.0.0\"]\nurl = \"http://127.0.0.1:1/\"\n",
        state
    );
    fs::write(dir.path().join("config.toml"), text).unwrap();
    dir
}

fn packages(dir: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_codegate"))
        .args(["packages", "--config"])
        .arg(dir.join("config.toml"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    let line = |line| serde_json::from_str(line).unwrap();
    text.lines().map(line).collect()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn check_answers_line_by_line_and_says_that_it_has_no_index() {
    let dir = home();
    let input = "pkg:npm/event-stream@3.3.6\n\npkg:pypi/requests\n pkg:npm/lodash@1.0.0\n";
    let output = packages(
        dir.path(),
        &["check", "--json", "pkg:npm/request", "-"],
        input,
    );
    assert_eq!(output.status.code(), Some(1));
    let lines = lines(&output);
    let verdicts: Vec<_> = lines.iter().map(|line| &line["verdict"]).collect();
    assert_eq!(verdicts, ["ok", "malicious", "ok", "malicious"]);
    assert_eq!(lines[1]["purl"], "pkg:npm/event-stream@3.3.6");
    assert!(lines[1]["reasons"][0].as_str().unwrap().contains("Bitcoin"));
    assert!(
        lines[1]["sources"][0]
            .as_str()
            .unwrap()
            .starts_with("seed:")
    );
    assert_eq!(lines[3]["sources"][0], "configuration");
    assert!(stderr(&output).contains("there is no index of packages"));
}

#[test]
fn the_exit_code_tells_the_fine_from_the_wrong() {
    let dir = home();
    let code = |purl: &str| packages(dir.path(), &["check", purl], "").status.code();
    assert_eq!(code("pkg:npm/react"), Some(0));
    assert_eq!(code("pkg:npm/nobody-can-tell-about-this"), Some(0));
    assert_eq!(code("pkg:npm/crossenv"), Some(1));
    assert_eq!(code("react"), Some(2));
    let update = |arguments: &[&str]| packages(dir.path(), arguments, "").status.code();
    assert_eq!(update(&["update", "--url", "http://x.test/"]), Some(2));
    assert_eq!(update(&["update"]), Some(5), "nobody answers there");
    assert_eq!(packages(dir.path(), &["stats"], "").status.code(), Some(5));
}

#[test]
fn lists_of_ones_own_are_taken_in() {
    let dir = home();
    let (lists, names) = (dir.path().join("lists"), dir.path().join("names"));
    fs::create_dir(&lists).unwrap();
    fs::create_dir(&names).unwrap();
    fs::write(
        lists.join("pypi.jsonl"),
        "{\"name\": \"Our.Old\", \"status\": \"archived\"}\n",
    )
    .unwrap();
    fs::write(names.join("pypi.txt"), "our-old\nours\n").unwrap();
    let (lists, names) = (lists.to_str().unwrap(), names.to_str().unwrap());
    let arguments = ["update", "--json", "--lists", lists, "--names", names];
    let output = packages(dir.path(), &arguments, "");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(lines_of_counts(&output), 1);
    let input = "pkg:pypi/our_old@1\npkg:pypi/ours\npkg:pypi/made-up-by-a-model\n";
    let output = packages(dir.path(), &["check", "--json", "-"], input);
    let found = lines(&output);
    let verdicts: Vec<_> = found.iter().map(|line| &line["verdict"]).collect();
    assert_eq!(verdicts, ["archived", "ok", "unknown"]);
    assert_eq!(output.status.code(), Some(1));
    let stats = lines(&packages(dir.path(), &["stats", "--json"], ""));
    assert_eq!(stats[0]["counts"]["names"]["PyPI"], 2);
    assert_eq!(stats[0]["generation"], 1);
}

fn lines_of_counts(output: &Output) -> u64 {
    let count = &lines(output)[0]["counts"]["records"]["PyPI"]["archived"];
    count.as_u64().unwrap()
}

#[test]
fn scan_says_what_a_text_names_and_where() {
    let dir = home();
    let text = "Größe 🛡️\n```sh\npip install x-y==1.0\n```\n";
    let output = packages(dir.path(), &["scan", "--json", "-"], text);
    assert!(output.status.success(), "{}", stderr(&output));
    let found = lines(&output);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["purl"], "pkg:pypi/x-y@1.0");
    assert_eq!(found[0]["context"], "install");
    let offset = |name: &str| usize::try_from(found[0][name].as_u64().unwrap()).unwrap();
    assert_eq!(&text[offset("start")..offset("end")], "x-y");
    let missing = packages(dir.path(), &["scan", "/nowhere"], "");
    assert_eq!(missing.status.code(), Some(2));
}

#[test]
fn a_fleet_takes_what_its_owner_published() {
    let (owner, machine) = (home(), home());
    let path = |name: &str| owner.path().join(name).to_str().unwrap().to_owned();
    let (key, out, lists) = (path("key.pem"), path("out"), path("lists"));
    fs::create_dir(&lists).unwrap();
    let line = "{\"name\": \"evil\", \"status\": \"malicious\"}\n";
    fs::write(owner.path().join("lists/npm.jsonl"), line).unwrap();
    let made = packages(owner.path(), &["keygen", "--json", &key], "");
    let public = lines(&made)[0]["public_key"].as_str().unwrap().to_owned();
    let ok = |dir: &Path, arguments: &[&str]| {
        let output = packages(dir, arguments, "");
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            stderr(&output)
        );
        lines(&output)
    };
    ok(owner.path(), &["update", "--json", "--lists", &lists]);
    let published = ok(owner.path(), &["publish", "--json", "--key", &key, &out]);
    assert_eq!(published[0]["version"], 1);
    let generation = format!("{out}/generation.json");
    let take = ["update", "--json", "--from-generation", &generation];
    let refused = packages(machine.path(), &take, "");
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        stderr(&refused).contains("no key is trusted"),
        "{}",
        stderr(&refused)
    );
    let config = machine.path().join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}trusted_keys = [\"{public}\"]\n")).unwrap();
    assert_eq!(ok(machine.path(), &take)[0]["published"], 1);
    let checked = packages(machine.path(), &["check", "--json", "pkg:npm/evil"], "");
    assert_eq!(lines(&checked)[0]["verdict"], "malicious");
    let again = packages(owner.path(), &["publish", "--key", &key, &out], "");
    assert_eq!(again.status.code(), Some(2), "a version is published once");
}
