//! Coming and going: ready, stopped, killed, started again.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use lab::{Dialect, Lab, Place, Turn, clients, placeholders, samples};
use nix::sys::signal::Signal;
use serde_json::Value;

/// How soon connections have to be direct once the agent is gone.
const DIRECT: Duration = Duration::from_secs(2);

fn asks(place: &Place, text: &str) -> Option<String> {
    let body = Dialect::Chat.request(text, false).to_string();
    let done = clients::post(place, &Dialect::Chat.url(), &body)
        .args(["--max-time", "2"])
        .run();
    done.status
        .success()
        .then(|| Dialect::Chat.said(&done.text(), false))
}

/// Demands that new connections work within two seconds, and go on working, past the agent.
fn goes_direct(lab: &Lab, since: Instant) {
    let token = samples::github(7);
    lab.journal().clear();
    while asks(&lab.guarded(), &token).is_none() {
        assert!(
            since.elapsed() < DIRECT,
            "no direct connection after {:?}",
            since.elapsed()
        );
        sleep(Duration::from_millis(20));
    }
    assert!(
        since.elapsed() < DIRECT,
        "the first direct connection took {:?}",
        since.elapsed()
    );
    for _ in 0..20 {
        assert_eq!(
            asks(&lab.guarded(), &token).as_deref(),
            Some(token.as_str())
        );
    }
    assert!(
        lab.journal()
            .requests()
            .iter()
            .all(|request| request.text().contains(&token))
    );
}

#[test]
fn a_killed_agent_leaves_new_connections_direct_within_two_seconds() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let agent = lab.agent().start();
    let token = samples::github(7);
    assert_eq!(
        asks(&lab.guarded(), &token).as_deref(),
        Some(token.as_str())
    );
    lab.journal().never_saw(token.as_bytes());
    let since = Instant::now();
    agent.kill();
    goes_direct(&lab, since);
}

#[test]
fn a_stopped_agent_leaves_new_connections_direct_and_says_goodbye() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let agent = lab.agent().start();
    let since = Instant::now();
    let status = agent.stop();
    assert!(status.success(), "{status}");
    goes_direct(&lab, since);
}

#[test]
fn status_tells_ready_from_unreachable() {
    let lab = Lab::new();
    let agent = lab.agent().start();
    assert_eq!(agent.codegate(["status"]).code(), 0);
    assert!(agent.log().contains("ready"), "{}", agent.log());
    let socket = lab.path("nobody.sock");
    let cmd = lab
        .service()
        .cmd(lab::agent::binary())
        .arg("--socket")
        .arg(socket);
    assert_eq!(cmd.arg("status").run().code(), 4);
}

#[test]
fn a_restarted_agent_knows_its_secrets_and_its_ca() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let token = samples::github(8);
    let mut seen = Vec::new();
    let mut authorities = Vec::new();
    for kill in [true, false, true] {
        let agent = lab.agent().start();
        lab.journal().clear();
        assert_eq!(
            asks(&lab.guarded(), &token).as_deref(),
            Some(token.as_str())
        );
        lab.journal().never_saw(token.as_bytes());
        seen.extend(placeholders(&lab.journal().only().text()));
        authorities.push(agent.ca());
        if kill {
            agent.kill()
        } else {
            agent.stop()
        };
    }
    assert_eq!(seen.len(), 3);
    assert!(
        seen.iter().all(|placeholder| *placeholder == seen[0]),
        "{seen:?}"
    );
    assert!(authorities.iter().all(|ca| *ca == authorities[0]));
}

/// Waits until the status says something of a reload.
fn told(agent: &lab::Agent<'_>, what: impl Fn(&Value) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let status = agent.objects(["status", "--json"]).remove(0);
        if what(&status) {
            return;
        }
        assert!(Instant::now() < deadline, "{status:#}\n{}", agent.log());
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_changed_configuration_is_taken_up_and_a_wrong_one_is_not() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let agent = lab.agent().start();
    let (text, secret) = ("say acme_0a1b2c3d4e5f", b"acme_0a1b2c3d4e5f");
    let rule = "[[rule]]\nid = \"acme\"\nkind = \"ACME\"\npattern = \"acme_[0-9a-z]{12}\"\n";
    assert_eq!(asks(&lab.guarded(), text).as_deref(), Some(text));
    assert!(lab.journal().only().text().contains(text));
    agent.settings(rule);
    agent.signal(Signal::SIGHUP);
    told(&agent, |status| status["counters"]["reloaded"] == 1);
    lab.journal().clear();
    assert_eq!(asks(&lab.guarded(), text).as_deref(), Some(text));
    lab.journal().never_saw(secret);
    agent.settings(&rule.replace("12}", "12"));
    agent.signal(Signal::SIGHUP);
    told(&agent, |status| {
        let problem = status["problems"][0].as_str().unwrap_or_default();
        problem.contains("rule `acme`: pattern: ") && status["state"] == "ready"
    });
    assert!(agent.log().contains("the old one holds"), "{}", agent.log());
    lab.journal().clear();
    assert_eq!(asks(&lab.guarded(), text).as_deref(), Some(text));
    lab.journal().never_saw(secret);
}

#[test]
fn an_answer_on_its_way_survives_a_stop() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), |asked| {
        Turn::echo(asked)
            .step(4)
            .with(|reply| reply.delay(Duration::from_millis(20)))
    });
    let agent = lab.agent().start();
    let text = format!("slowly: {}", samples::github(6));
    let body = Dialect::Chat.request(&text, true).to_string();
    let client = clients::post(&lab.guarded(), &Dialect::Chat.url(), &body).start();
    while client.stdout().is_empty() {
        sleep(Duration::from_millis(5));
    }
    let status = agent.stop();
    let answer = client.wait(Duration::from_secs(10)).ok().text();
    assert_eq!(Dialect::Chat.said(&answer, true), text);
    assert!(status.success(), "{status}");
}

#[test]
fn names_that_move_are_followed() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let _agent = lab.agent().start();
    // The same name on new addresses.
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let token = samples::github(5);
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        lab.journal().clear();
        // No secret is sent before the new address is known to be guarded.
        asks(&lab.guarded(), "probe");
        let direct = lab.journal().connections().is_empty();
        if !direct && leaf_is_ours(&lab.guarded()) {
            break;
        }
        assert!(Instant::now() < deadline, "the new address is not guarded");
        sleep(Duration::from_millis(250));
    }
    assert_eq!(
        asks(&lab.guarded(), &token).as_deref(),
        Some(token.as_str())
    );
    lab.journal().never_saw(token.as_bytes());
}

fn leaf_is_ours(place: &Place) -> bool {
    let host = Dialect::Chat.host();
    let shown = place
        .cmd("openssl")
        .args([
            "s_client",
            "-connect",
            &format!("{host}:443"),
            "-servername",
            host,
        ])
        .run()
        .text();
    shown.contains("CodeGate") && !shown.contains("CodeGate lab root")
}
