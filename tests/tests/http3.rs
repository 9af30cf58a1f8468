//! HTTP/3 beside guarded hosts, with a real client: what is guarded comes by TCP, and nobody else notices.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

use std::{fs, thread::sleep, time::Duration};

use lab::{Cmd, Dialect, Finished, Lab, Place, Reply, Turn, clients, samples};

const PROGRAM: &str = include_str!("python/http3.py");
const GUARDED: &str = "api.openai.com";
/// Another host at the same addresses.
const BESIDE: &str = "shop.example";
/// A host at addresses of its own.
const APART: &str = "apart.example";

/// A lab where all hosts speak HTTP/3.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.ai(GUARDED, Turn::echo);
    lab.site(BESIDE).beside(GUARDED).serve(page);
    lab.site(APART).serve(page);
    lab
}

fn page(_: &lab::Arrived) -> Reply {
    Reply::new(200, "text/plain", "a page")
}

/// Asks hosts one after the other at an address of `at`; what each answered.
fn ask(lab: &Lab, place: &Place, at: &str, v4: bool, hosts: &[&str]) -> Vec<String> {
    lines(&client(lab, place, at, v4, hosts).run().ok())
}

fn client(lab: &Lab, place: &Place, at: &str, v4: bool, words: &[&str]) -> Cmd {
    let addresses = lab.zone().addresses(at).unwrap();
    let address = addresses.iter().find(|it| it.is_ipv4() == v4).unwrap();
    clients::python(place, PROGRAM)
        .arg(address.to_string())
        .args(words)
}

fn lines(done: &Finished) -> Vec<String> {
    done.text().lines().map(str::to_owned).collect()
}

/// The guarded host by TCP: the secret is sealed.
fn is_guarded_by_tcp(lab: &Lab) {
    let token = samples::github(1);
    let body = Dialect::Chat.request(&token, false).to_string();
    lab.journal().clear();
    let answer = clients::post(&lab.guarded(), &Dialect::Chat.url(), &body);
    assert!(answer.run().ok().text().contains(&token));
    assert!(!lab.journal().requests()[0].text().contains(&token));
}

#[test]
fn a_host_that_shares_a_guarded_ones_addresses_is_reached() {
    let lab = lab();
    let http3 = lab.http3();
    let agent = lab.agent().start();
    for v4 in [true, false] {
        let answers = ask(&lab, &lab.guarded(), GUARDED, v4, &[BESIDE, BESIDE]);
        assert_eq!(answers, [BESIDE, BESIDE], "{}", agent.log());
    }
    assert_eq!(http3.asked().len(), 4);
    assert!(agent.counter("kernel_udp_asked") >= 4);
    assert_eq!(agent.counter("kernel_udp_refused"), 0);
}

#[test]
fn a_guarded_host_is_not_and_comes_by_tcp() {
    let lab = lab();
    let http3 = lab.http3();
    let agent = lab.agent().start();
    for v4 in [true, false] {
        let answers = ask(&lab, &lab.guarded(), GUARDED, v4, &[GUARDED, BESIDE]);
        assert_eq!(answers, ["no answer", BESIDE], "{}", agent.log());
    }
    assert_eq!(http3.asked(), [BESIDE, BESIDE]);
    assert!(agent.counter("kernel_udp_refused") > 0);
    is_guarded_by_tcp(&lab);
}

#[test]
fn a_name_may_come_in_more_than_one_datagram() {
    let lab = lab();
    let http3 = lab.http3();
    let agent = lab.agent().start();
    let hosts = ["--long", BESIDE, GUARDED, BESIDE];
    let answers = ask(&lab, &lab.guarded(), GUARDED, true, &hosts);
    assert_eq!(answers, [BESIDE, "no answer", BESIDE], "{}", agent.log());
    assert_eq!(http3.asked(), [BESIDE, BESIDE]);
    assert!(agent.counter("kernel_udp_asked") >= 6);
}

#[test]
fn connections_outlive_an_upgrade() {
    for closed in [false, true] {
        let lab = lab();
        let http3 = lab.http3();
        let setup = || {
            let setup = lab.agent();
            if closed {
                setup.failing_closed()
            } else {
                setup
            }
        };
        let first = setup().start();
        let go = lab.path("go");
        let again = format!("--again={}", go.display());
        let words = [&again, BESIDE];
        let client = client(&lab, &lab.guarded(), GUARDED, true, &words).start();
        lab::until("the first page", Duration::from_secs(20), || {
            http3.asked().len() == 1
        });
        let second = setup().take_over();
        first.ends_well(Duration::from_secs(20));
        fs::write(&go, "").unwrap();
        let done = client.wait(Duration::from_secs(30)).ok();
        assert_eq!(lines(&done), [BESIDE, BESIDE], "{}", second.log());
    }
}

#[test]
fn a_process_that_is_passed_speaks_http3_with_a_guarded_host() {
    let lab = lab();
    let http3 = lab.http3();
    let rule = "[[process]]\nexe = \"/**/python*\"\naction = \"pass\"";
    let agent = lab.agent().settings(rule).start();
    let answers = ask(&lab, &lab.guarded(), GUARDED, true, &[GUARDED]);
    assert_eq!(answers, [GUARDED], "{}", agent.log());
    assert_eq!(http3.asked(), [GUARDED]);
    is_guarded_by_tcp(&lab);
}

#[test]
fn a_process_that_is_blocked_does_not_even_with_another() {
    let lab = lab();
    let http3 = lab.http3();
    let rule = "[[process]]\nexe = \"/**/python*\"\naction = \"block\"";
    let _agent = lab.agent().settings(rule).start();
    let answers = ask(&lab, &lab.guarded(), GUARDED, true, &[BESIDE]);
    assert_eq!(answers, ["no answer"]);
    assert!(http3.asked().is_empty());
}

#[test]
fn where_all_connections_are_looked_at_the_name_decides_at_any_address() {
    let lab = lab();
    let http3 = lab.http3();
    let rule = "[[process]]\nexe = \"/**/python*\"\naction = \"guard-all\"";
    let agent = lab.agent().settings(rule).start();
    let answers = ask(&lab, &lab.guarded(), APART, true, &[APART, GUARDED, APART]);
    assert_eq!(answers, [APART, "no answer", APART], "{}", agent.log());
    assert_eq!(http3.asked(), [APART, APART]);
}

#[test]
fn what_is_not_guarded_is_not_asked_about() {
    let lab = lab();
    let _http3 = lab.http3();
    let agent = lab.agent().start();
    let answers = ask(&lab, &lab.guarded(), APART, true, &[APART]);
    assert_eq!(answers, [APART]);
    let answers = ask(&lab, &lab.unguarded(), GUARDED, true, &[GUARDED]);
    assert_eq!(answers, [GUARDED]);
    assert_eq!(agent.counter("kernel_udp_asked"), 0);
}

#[test]
fn after_the_agent_everybody_is_reached_or_nobody_where_a_guarded_host_is() {
    for closed in [false, true] {
        let lab = lab();
        let http3 = lab.http3();
        let setup = lab.agent();
        let setup = if closed {
            setup.failing_closed()
        } else {
            setup
        };
        setup.start().kill();
        sleep(Duration::from_secs(2));
        let answers = ask(&lab, &lab.guarded(), GUARDED, true, &[GUARDED, BESIDE]);
        if closed {
            assert_eq!(answers, ["no answer", "no answer"]);
            assert!(http3.asked().is_empty());
        } else {
            assert_eq!(answers, [GUARDED, BESIDE]);
        }
    }
}
