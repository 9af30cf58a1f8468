//! The real binary against a real control socket: what it prints, how it ends, and what another
//! user is told.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

mod agent;
mod secrets;
mod sessions;

use std::{
    fs,
    process::{Command, Stdio},
};

use codegate::{control::Readiness, session::now};
use serde_json::Value;

use agent::{Agent, assert_harmless, json, text, uid};

#[test]
fn status_ends_as_the_agent_is() {
    let agent = Agent::start();
    for (readiness, code) in [
        (Readiness::Ready, 0),
        (Readiness::Starting, 4),
        (Readiness::Degraded, 5),
    ] {
        *agent.readiness.lock().unwrap() = readiness;
        let output = agent.run(&["status"]);
        assert_eq!(output.status.code(), Some(code));
        assert_harmless(&output);
        assert_eq!(agent.run(&["status", "--json"]).status.code(), Some(code));
    }
    let status = json(&agent.run(&["--json", "status"])).remove(0);
    assert_eq!(status["state"], "degraded");
    assert_eq!(status["hooks"]["connect4"], "attached");
    assert_eq!(status["counters"]["redirected"], 9);
    let human = text(&agent.run(&["status"]).stdout);
    assert!(
        human.starts_with("codegate 0.1.0 is degraded: pid 42, up 1m 1s\n"),
        "{human}"
    );
}

#[test]
fn without_an_agent_the_exit_code_says_so() {
    for arguments in [
        &["status"][..],
        &["sessions", "list"],
        &["secrets", "list"],
        &["env"],
        &["run", "true"],
        &["ca", "show", "--pem"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_codegate"));
        command
            .args(["--socket", "/nonexistent/sock"])
            .args(arguments);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{arguments:?}");
        assert!(output.stdout.is_empty());
        let message = text(&output.stderr);
        assert!(message.starts_with("codegate: cannot reach the agent at /nonexistent/sock: "));
        assert_eq!(message.lines().count(), 1);
    }
}

#[test]
fn run_becomes_the_command_and_passes_its_end_on() {
    let agent = Agent::start();
    let print = "printf '%s %s' \"$NODE_EXTRA_CA_CERTS\" \"$SSL_CERT_FILE\"; exit 7";
    let output = agent.run(&["run", "--", "sh", "-c", print]);
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(text(&output.stdout), "/t/ca.pem /t/it's.pem");

    let mut kept = agent.command(&["run", "sh", "-c", "printf %s \"$SSL_CERT_FILE\""]);
    let output = kept.env("SSL_CERT_FILE", "/corp.pem").output().unwrap();
    assert_eq!(text(&output.stdout), "/corp.pem");
    assert!(text(&output.stderr).contains("SSL_CERT_FILE is set to /corp.pem: kept"));

    assert_eq!(
        agent.run(&["run", "--", "/nonexistent"]).status.code(),
        Some(127)
    );
    assert_eq!(agent.run(&["run", "--", "/"]).status.code(), Some(126));
    assert_eq!(agent.run(&["run"]).status.code(), Some(2));
}

#[test]
fn env_is_for_the_shell() {
    let agent = Agent::start();
    let script = text(&agent.run(&["env"]).stdout);
    let script = format!("{script}printf %s \"$SSL_CERT_FILE\"");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(text(&output.stdout), "/t/it's.pem");
    let object = json(&agent.run(&["env", "--json"])).remove(0);
    assert_eq!(object["NODE_EXTRA_CA_CERTS"], "/t/ca.pem");
}

#[test]
fn the_ca_is_shown() {
    let agent = Agent::start();
    let pem = agent.run(&["ca", "show", "--pem"]);
    assert_eq!(text(&pem.stdout), "-----BEGIN CERTIFICATE-----\n");
    let human = text(&agent.run(&["ca", "show"]).stdout);
    assert!(
        human.contains("AB:CD") && human.contains("/t/ca.pem"),
        "{human}"
    );
}

#[test]
fn a_bad_configuration_is_one_clear_line() {
    let agent = Agent::start();
    let file = agent.dir.path().join("config.toml");
    let path = file.to_str().unwrap();
    fs::write(&file, "state_dir = \"/x\"\n[capture]\nfail = \"maybe\"\n").unwrap();
    for arguments in [&["config", "check"][..], &["config", "show"], &["agent"]] {
        let output = agent
            .command(arguments)
            .args(["--config", path])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let expected = "invalid value: string \"maybe\", expected \"open\" or \"closed\"";
        assert_eq!(
            text(&output.stderr),
            format!("codegate: {path}:3:8: {expected}\n")
        );
    }
    fs::write(&file, "runtime_dir = \"/nonexistent\"\n").unwrap();
    let good = agent.run(&["--config", path, "config", "check"]);
    assert_eq!(good.status.code(), Some(0));
    let shown = text(&agent.run(&["--config", path, "config", "show"]).stdout);
    assert!(shown.contains("runtime_dir = \"/nonexistent\"") && shown.contains("api.openai.com"));
    fs::write(&file, &shown).unwrap();
    let again = text(&agent.run(&["--config", path, "config", "show"]).stdout);
    assert_eq!(again, shown, "what is shown is a configuration");
    let schema = json(&agent.run(&["config", "schema", "--json"])).remove(0);
    assert_eq!(schema["$defs"]["Fail"]["enum"][0], "open");
}

#[test]
fn a_pause_is_roots_and_has_an_end() {
    let agent = Agent::start();
    assert_eq!(agent.run_as_other(&["pause"]).status.code(), Some(3));
    assert_eq!(agent.run_as_other(&["resume"]).status.code(), Some(3));
    for time in ["", "ten", "10", "0s", "-5m", "8d", "10m!"] {
        let output = agent.run(&["pause", time]);
        assert_eq!(output.status.code(), Some(2), "{time:?}");
    }
    if uid() != 0 {
        return; // nothing more is to be seen by others
    }
    let paused = json(&agent.run(&["--json", "pause", "10m"])).remove(0);
    let until: jiff::Timestamp = paused["paused_until"].as_str().unwrap().parse().unwrap();
    let left = until.as_second() - now().as_second();
    assert!((590..=600).contains(&left), "{left}");
    let resumed = json(&agent.run(&["--json", "resume"])).remove(0);
    assert_eq!(resumed["paused_until"], Value::Null);
    let refused = agent.run(&["pause", "2h"]);
    assert_eq!(refused.status.code(), Some(5));
    assert!(text(&refused.stderr).contains("there is nothing to pause"));
}

#[test]
fn completions_and_manuals_are_made_from_the_arguments() {
    let agent = Agent::start();
    for shell in ["bash", "zsh", "fish"] {
        let script = text(&agent.run(&["completions", shell]).stdout);
        assert!(script.contains("sessions"), "{shell}");
    }
    assert!(text(&agent.run(&["man"]).stdout).contains(".TH"));
    let dir = agent.dir.path().join("man");
    let output = agent.run(&["man", "--dir", dir.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    assert!(dir.join("codegate-sessions-list.1").exists());
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let agent = Agent::start();
    for arguments in [&["completions", "bash"][..], &["config", "show"], &["man"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = agent.command(arguments);
        let output = command
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(text(&output.stderr), "");
    }
}

#[test]
fn usage_errors_are_two_and_help_is_fine() {
    let agent = Agent::start();
    assert_eq!(agent.run(&[]).status.code(), Some(2));
    assert_eq!(agent.run(&["no-such-command"]).status.code(), Some(2));
    assert_eq!(agent.run(&["--help"]).status.code(), Some(0));
    assert_eq!(agent.run(&["--version"]).status.code(), Some(0));
}
