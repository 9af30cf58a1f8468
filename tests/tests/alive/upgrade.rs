//! One agent follows another: what is under way goes on, and nothing goes past either.

use std::{
    io::{BufRead, BufReader, Write},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread::sleep,
    time::{Duration, Instant},
};

use lab::{Dialect, Lab, Running, Turn, clients, placeholders, samples};

use crate::{
    crowd::{Crowd, InClear, after, ask, tell},
    slow::Slow,
};

const STREAMS: usize = 200;

/// A stream with a secret of its own, which its answer has to say again.
fn stream(lab: &Lab, number: usize) -> (Running, String) {
    let text = format!(
        "stream {number} goes on for quite a while, so that it is there before the upgrade, while it \
         is under way and after it, and says at its very end {}",
        samples::github(1000 + number as u64)
    );
    let body = Dialect::Messages.request(&text, true).to_string();
    let client = clients::post(&lab.guarded(), &Dialect::Messages.url(), &body)
        .args(["--max-time", "240"])
        .args(if number.is_multiple_of(2) {
            ["--http1.1"]
        } else {
            ["--http2"]
        });
    (client.start(), text)
}

#[test]
fn two_hundred_streams_survive_an_upgrade_under_load() {
    let lab = Lab::new();
    let clear = InClear::serve(&lab);
    let open = Arc::new(AtomicUsize::new(0));
    let count = open.clone();
    lab.ai(Dialect::Messages.host(), move |asked| {
        count.fetch_add(1, Relaxed);
        Turn::echo(asked)
            .step(2)
            .with(|reply| reply.delay(Duration::from_millis(700)))
    });
    let old = lab.agent().start();
    let streams: Vec<_> = (0..STREAMS).map(|number| stream(&lab, number)).collect();
    let deadline = Instant::now() + Duration::from_secs(240);
    while streams.iter().any(|(client, _)| client.stdout().is_empty()) {
        assert!(Instant::now() < deadline, "{} arrived", open.load(Relaxed));
        sleep(Duration::from_millis(50));
    }
    let crowd = Crowd::gather(&lab.guarded());
    crowd.goes_on(Instant::now(), 6);

    let started = Instant::now();
    let new = lab.agent().take_over();
    let ready = Instant::now();
    let running = streams
        .iter()
        .filter(|(client, _)| !String::from_utf8_lossy(&client.stdout()).contains("message_stop"))
        .count();
    tell(&format!(
        "upgrade: the new agent guards after {} ms, {running} of {STREAMS} streams are under way",
        (ready - started).as_millis()
    ));
    assert_eq!(running, STREAMS, "streams have to outlast the upgrade");
    crowd.goes_on(ready, 12);
    let asked = crowd.disperse();
    let failed: Vec<_> = asked.iter().filter(|one| one.error.is_some()).collect();

    let mut dropped = Vec::new();
    for (client, text) in streams {
        let done = client.wait(Duration::from_secs(240));
        let whole = done.status.success() && Dialect::Messages.said(&done.text(), true) == text;
        if !whole {
            dropped.push(done.errors());
        }
    }
    let during = after(&asked, started).count();
    tell(&format!(
        "upgrade: {} of {STREAMS} running streams dropped, {} of {during} new requests failed",
        dropped.len(),
        failed.len()
    ));
    assert!(dropped.is_empty(), "{dropped:?}\n{}", old.log());
    assert!(failed.is_empty(), "{failed:?}\n{}", old.log());
    assert_eq!(clear.count(), 0, "something went past both agents");
    for number in 0..STREAMS {
        lab.journal()
            .never_saw(samples::github(1000 + number as u64).as_bytes());
    }

    old.ends_well(Duration::from_secs(30));
    // Each client is a session of its own: what the old agent saw is in the new one's history.
    let sessions = new.sessions(STREAMS + asked.len());
    assert_eq!(sessions.len(), STREAMS + asked.len());
    let status: serde_json::Value =
        serde_json::from_str(&new.codegate(["--json", "status"]).ok().text()).unwrap();
    assert_eq!(status["pid"], new.pid());
}

#[test]
fn what_an_old_agent_seals_while_it_drains_is_known_to_the_next() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let old = lab.agent().start();
    let token = samples::github(77);
    let body = Dialect::Chat.request(&token, false).to_string();
    // The request's head reaches the old agent, and its body only when the new one guards.
    let client = Slow::connect(&lab, &body);
    let new = lab.agent().take_over();
    let answer = client.finish();
    assert_eq!(Dialect::Chat.said(&answer, false), token);
    lab.journal().never_saw(token.as_bytes());
    old.ends_well(Duration::from_secs(30));
    let deadline = Instant::now() + Duration::from_secs(10);
    while new.objects(["secrets", "list", "--json"]).is_empty() {
        assert!(
            Instant::now() < deadline,
            "it was not taken in:\n{}",
            new.log()
        );
        sleep(Duration::from_millis(50));
    }
    let placeholder = placeholders(&lab.journal().only().text()).remove(0);
    let revealed = new.codegate(["secrets", "reveal", &placeholder]).ok();
    assert_eq!(revealed.text(), token);
    let left: Vec<_> = std::fs::read_dir(new.state().join("vault"))
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter(|name| name.starts_with("given-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_agent_whose_successor_fails_goes_on() {
    let lab = Lab::new();
    let clear = InClear::serve(&lab);
    let old = lab.agent().start();
    assert_eq!(ask(&lab.guarded()).error, None);
    // Another agent asks for everything, and dies before it guards.
    let request = "{\"request\":\"hand-over\"}\n";
    let mut heir = std::os::unix::net::UnixStream::connect(old.socket()).unwrap();
    heir.write_all(request.as_bytes()).unwrap();
    let mut estate = String::new();
    BufReader::new(&heir).read_line(&mut estate).unwrap();
    assert!(
        estate.contains("api.openai.com") || estate.contains("guarded"),
        "{estate}"
    );
    // While the stores are away, requests are served and their secrets sealed.
    let other = samples::github(78);
    let body = Dialect::Chat.request(&other, false).to_string();
    let said = clients::post(&lab.guarded(), &Dialect::Chat.url(), &body)
        .run()
        .ok();
    assert_eq!(Dialect::Chat.said(&said.text(), false), other);
    drop(heir);
    let deadline = Instant::now() + Duration::from_secs(10);
    while !old.log().contains("this one goes on") {
        assert!(Instant::now() < deadline, "{}", old.log());
        sleep(Duration::from_millis(20));
    }
    assert_eq!(ask(&lab.guarded()).error, None);
    assert_eq!(clear.count(), 0);
    assert_eq!(old.objects(["secrets", "list", "--json"]).len(), 2);
    assert_eq!(old.codegate(["status"]).code(), 0);
    // And it can hand over yet.
    let new = lab.agent().take_over();
    assert_eq!(ask(&lab.guarded()).error, None);
    old.ends_well(Duration::from_secs(30));
    assert_eq!(new.objects(["secrets", "list", "--json"]).len(), 2);
}

#[test]
fn an_upgrade_that_fails_closed_leaves_no_gap_and_its_pins_are_its_own() {
    let lab = Lab::new();
    let clear = InClear::serve(&lab);
    let old = lab.agent().failing_closed().start();
    let crowd = Crowd::gather(&lab.guarded());
    crowd.goes_on(Instant::now(), 6);
    let new = lab.agent().failing_closed().take_over();
    crowd.goes_on(Instant::now(), 12);
    let failed: Vec<_> = crowd
        .disperse()
        .into_iter()
        .filter_map(|one| one.error)
        .collect();
    tell(&format!(
        "upgrade, closed: {} new requests failed",
        failed.len()
    ));
    assert!(failed.is_empty(), "{failed:?}\n{}", old.log());
    assert_eq!(clear.count(), 0, "something went past both agents");
    old.ends_well(Duration::from_secs(30));
    new.kill();
    assert!(ask(&lab.guarded()).error.is_some());
    assert_eq!(clear.count(), 0);
}
