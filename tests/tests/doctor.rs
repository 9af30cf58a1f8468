//! `codegate doctor` beside an agent that guards, and without one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

use lab::{Dialect, Lab, Turn};
use nix::sys::signal::Signal;
use serde_json::Value;

fn state<'a>(checks: &'a [Value], name: &str) -> &'a Value {
    let check = checks.iter().find(|check| check["check"] == name);
    &check.unwrap_or_else(|| panic!("no check {name} in {checks:?}"))["state"]
}

#[test]
fn the_doctor_is_content_with_an_agent_that_guards_and_misses_one_that_does_not() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let mut agent = lab.agent().start();
    let checks = agent.objects(["doctor", "--json"]);
    for name in ["kernel", "cgroup2", "programs", "configuration", "agent"] {
        assert_eq!(state(&checks, name), "ok", "{checks:#?}");
    }
    // The clients' system trusts the CA; the one that the agent runs on was not told to.
    assert_eq!(state(&checks, "trust"), "warning");
    let inside = agent
        .run_guarded(lab.guarded())
        .arg("env")
        .run()
        .ok()
        .text();
    let mut told = agent.command(lab.guarded());
    for (name, value) in inside.lines().filter_map(|line| line.split_once('=')) {
        told = told.env(name, value);
    }
    let told = told.args(["doctor", "--json"]).run().text();
    let told: Vec<Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(state(&told, "trust"), "ok", "{told:#?}");

    agent.end(Signal::SIGTERM);
    let after = agent.codegate(["doctor", "--json"]);
    assert_eq!(after.code(), 5);
    let checks: Vec<Value> = after
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(state(&checks, "agent"), "problem");
    assert_eq!(state(&checks, "programs"), "ok");
}
