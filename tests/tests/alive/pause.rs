//! A guard that is paused: everything goes direct, the kernel keeps the time, and it is noted.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use lab::Lab;

use crate::crowd::{InClear, ask};

#[test]
fn a_pause_lets_everything_through_ends_by_itself_and_is_noted() {
    let lab = Lab::new();
    let clear = InClear::serve(&lab);
    let agent = lab.agent().start();
    assert_eq!(ask(&lab.guarded()).error, None);
    assert_eq!(clear.count(), 0);

    agent.codegate(["pause", "1h"]).ok();
    assert_eq!(ask(&lab.guarded()).error, None);
    assert_eq!(clear.count(), 1);
    assert_eq!(agent.codegate(["status"]).code(), 5);
    let status = agent.codegate(["--json", "status"]).text();
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert!(status["paused_until"].is_string(), "{status}");

    agent.codegate(["resume"]).ok();
    assert_eq!(ask(&lab.guarded()).error, None);
    assert_eq!((clear.count(), agent.codegate(["status"]).code()), (1, 0));

    let started = Instant::now();
    agent.codegate(["pause", "2s"]).ok();
    assert_eq!(ask(&lab.guarded()).error, None);
    sleep(Duration::from_secs(3).saturating_sub(started.elapsed()));
    assert_eq!(ask(&lab.guarded()).error, None);
    assert_eq!((clear.count(), agent.codegate(["status"]).code()), (2, 0));

    let sessions = agent.objects(["sessions", "list", "--json"]);
    let noted = sessions
        .iter()
        .find(|session| session["host"] == "codegate");
    let noted = noted.expect("a session of the guard itself");
    let id = noted["id"].as_str().unwrap().to_owned();
    let shown = agent.objects(["sessions", "show", &id, "--json"]);
    let codes: Vec<_> = shown
        .iter()
        .filter_map(|line| line["code"].as_str())
        .collect();
    assert!(codes.contains(&"paused"), "{shown:?}");
}

#[test]
fn a_pause_outlives_a_hung_agent_only_where_it_fails_closed() {
    let lab = Lab::new();
    let clear = InClear::serve(&lab);
    let agent = lab.agent().failing_closed().start();
    agent.signal(nix::sys::signal::Signal::SIGSTOP);
    sleep(Duration::from_millis(1300));
    assert!(ask(&lab.guarded()).error.is_some());
    // The agent does not answer; its programs do.
    agent.codegate(["pause", "1h"]).ok();
    assert_eq!(ask(&lab.guarded()).error, None);
    assert_eq!(clear.count(), 1);
    agent.signal(nix::sys::signal::Signal::SIGCONT);
    agent.codegate(["resume"]).ok();
    agent.guards();
    assert_eq!(ask(&lab.guarded()).error, None);
    assert_eq!(clear.count(), 1);
}
