//! Containers: network namespaces of their own, with nothing set up inside but trust.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use lab::{Agent, Dialect, Lab, Place, Turn, clients, samples};

/// How long the agent may take to see what has changed.
const PATIENCE: Duration = Duration::from_secs(30);

fn namespaces(agent: &Agent<'_>) -> u64 {
    let status = agent.objects(["status", "--json"]).remove(0);
    status["counters"]["namespaces"].as_u64().unwrap()
}

fn until(agent: &Agent<'_>, count: u64) {
    let deadline = Instant::now() + PATIENCE;
    while namespaces(agent) != count {
        assert!(
            Instant::now() < deadline,
            "{count} namespaces were to be guarded, and there are {}:\n{}",
            namespaces(agent),
            agent.log()
        );
        sleep(Duration::from_millis(50));
    }
}

/// Somebody who stays in a container, as its first process does.
fn resident(place: &Place) -> lab::Running {
    place.cmd("sleep").args(["600"]).start()
}

/// What the container's client is told in answer to a secret.
fn answer(place: &Place, token: &str) -> String {
    let body = Dialect::Chat.request(token, false).to_string();
    let done = clients::post(place, &Dialect::Chat.url(), &body).run().ok();
    Dialect::Chat.said(&done.text(), false)
}

#[test]
fn a_container_is_guarded_from_its_first_connection_to_its_last() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let before = lab.container(1, "before");
    let resident_before = resident(&before);
    let agent = lab.agent().start();
    until(&agent, 1);
    let token = samples::github(1);
    assert_eq!(answer(&before, &token), token);

    let after = lab.container(2, "after");
    let _resident_after = resident(&after);
    // A socket is enough to be seen, whatever becomes of it.
    clients::post(&after, "http://127.0.0.1:9/", "").run();
    until(&agent, 2);
    assert_eq!(answer(&after, &token), token);
    assert_eq!(answer(&lab.guarded(), &token), token);
    lab.journal().never_saw(token.as_bytes());

    resident_before.signal(nix::sys::signal::Signal::SIGKILL);
    resident_before.wait(PATIENCE);
    until(&agent, 1);
    assert_eq!(answer(&after, &token), token);
    lab.journal().never_saw(token.as_bytes());
}

#[test]
fn containers_with_the_same_addresses_do_not_mix() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let agent = lab.agent().start();
    let containers = [lab.container(1, "one"), lab.container(2, "two")];
    let _residents = containers.each_ref().map(resident);
    for container in &containers {
        clients::post(container, "http://127.0.0.1:9/", "").run();
    }
    until(&agent, 2);
    // The agent sees both come from 127.0.0.1 and the same port.
    std::thread::scope(|scope| {
        for (n, container) in containers.iter().enumerate() {
            scope.spawn(move || {
                for round in 0..10_u64 {
                    let token = samples::github(100 * n as u64 + round);
                    let body = Dialect::Chat.request(&token, false).to_string();
                    let done = clients::post(container, &Dialect::Chat.url(), &body)
                        .args(["--local-port", &(40_000 + round).to_string()])
                        .run()
                        .ok();
                    assert_eq!(Dialect::Chat.said(&done.text(), false), token);
                }
            });
        }
    });
    let sessions = agent.sessions(20);
    assert_eq!(sessions.len(), 20);
}
