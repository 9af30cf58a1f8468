//! Connections that are older than the guard: listed, or closed so that their clients connect again.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::time::Duration;

use lab::{Agent, Dialect, Lab, Place, Running, Turn, until};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(20);

/// Connects to the model's host, and tells when that stands and when it has ended.
fn connected(place: &Place) -> Running {
    let script = format!(
        "exec 3<>/dev/tcp/{}/443 && echo up && read -r -u 3 line; echo ended",
        Dialect::Chat.host()
    );
    let running = place.cmd("bash").args(["-c", &script]).start();
    until("there is a connection", PATIENCE, || {
        running.stdout().starts_with(b"up")
    });
    running
}

fn existing(agent: &Agent<'_>) -> Vec<Value> {
    let status = agent.objects(["status", "--json"]).remove(0);
    let existing = status["existing"].as_array();
    existing.cloned().unwrap_or_default()
}

/// The events of old connections, with their processes.
fn recorded(agent: &Agent<'_>) -> Vec<(u64, Value)> {
    let sessions = agent.objects(["sessions", "list", "--json"]);
    let events = sessions.iter().flat_map(|session| {
        let pid = session["process"]["pid"].as_u64().unwrap();
        let shown = agent.objects([
            "sessions",
            "show",
            session["id"].as_str().unwrap(),
            "--json",
        ]);
        let events = shown
            .into_iter()
            .filter(|entry| entry["code"] == "existing-connection");
        events.map(move |event| (pid, event)).collect::<Vec<_>>()
    });
    events.collect()
}

#[test]
fn old_connections_are_listed_with_their_processes() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let container = lab.container(1, "one");
    let (here, there) = (connected(&lab.guarded()), connected(&container));
    let mut elsewhere = connected(&lab.unguarded());
    let agent = lab.agent().start();
    let listed = existing(&agent);
    let mut pids: Vec<_> = listed
        .iter()
        .map(|one| one["process"]["pid"].as_u64().unwrap())
        .collect();
    pids.sort_unstable();
    let mut expected = [here.pid(), there.pid()].map(u64::from);
    expected.sort_unstable();
    assert_eq!(pids, expected, "{listed:?}");
    assert!(listed.iter().all(|one| one["host"] == Dialect::Chat.host()));
    until("two are recorded", PATIENCE, || recorded(&agent).len() == 2);
    assert!(
        recorded(&agent)
            .iter()
            .all(|(pid, event)| { expected.contains(pid) && event["level"] == "alert" })
    );
    assert!(elsewhere.ended().is_none());

    // Those that have ended are not listed any more.
    here.signal(nix::sys::signal::Signal::SIGKILL);
    until("one is left", PATIENCE, || existing(&agent).len() == 1);
}

#[test]
fn old_connections_are_closed_where_that_is_the_policy_and_no_others() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let container = lab.container(1, "one");
    let inside = [connected(&lab.guarded()), connected(&container)];
    let mut outside = connected(&lab.unguarded());
    let agent = lab.agent().capture("existing = \"close\"").start();
    for client in inside {
        let ended = client.wait(PATIENCE);
        assert!(ended.text().ends_with("ended\n"), "{}", ended.text());
    }
    assert!(existing(&agent).is_empty(), "{:?}", existing(&agent));
    until("two are recorded", PATIENCE, || recorded(&agent).len() == 2);
    assert!(
        recorded(&agent)
            .iter()
            .all(|(_, event)| event["level"] == "warn")
    );
    assert!(outside.ended().is_none(), "it is not guarded");
}
