//! The same with `fail = "closed"`: guarded hosts are refused, others are not, and nothing goes past.

use std::time::{Duration, Instant};

use lab::{Agent, Lab, agent::Setup, clients};
use nix::sys::signal::Signal;

use crate::{
    crowd::{Asked, Crowd, InClear, after, ask, tell},
    hang::Held,
};

/// How soon guarded hosts have to be refused once the agent is gone.
const REFUSED: Duration = Duration::from_secs(2);
/// A host that is nobody's business.
const ASIDE: &str = "www.example.com";

fn closed(lab: &Lab) -> Setup<'_> {
    lab.agent().failing_closed()
}

fn under_load<'lab>(lab: &'lab Lab) -> (Agent<'lab>, InClear, Crowd) {
    let clear = InClear::serve(lab);
    lab.site(ASIDE)
        .serve(|_| lab::Reply::new(200, "text/plain", "aside"));
    let agent = closed(lab).start();
    let crowd = Crowd::gather(&lab.guarded());
    crowd.goes_on(Instant::now(), 12);
    (agent, clear, crowd)
}

/// Demands that all who begin two seconds after the agent went are refused at once, for a reason that
/// the kernel gives, and that other hosts are not.
fn refuses(what: &str, gone: Instant, lab: &Lab, crowd: &Crowd) {
    crowd.goes_on(gone + REFUSED, 12);
    let aside = clients::curl(&lab.guarded())
        .arg(format!("https://{ASIDE}/"))
        .run()
        .ok();
    assert_eq!(aside.text(), "aside", "{what}");
}

/// Reads what the crowd met with, once it is gone.
fn refused(what: &str, gone: Instant, asked: &[Asked]) {
    let is_refusal = |one: &&Asked| {
        let error = one.error.as_deref().unwrap_or_default();
        error.contains("(7)")
    };
    let first = after(asked, gone)
        .filter(is_refusal)
        .map(|one| one.started)
        .min();
    let took = first.expect("nobody was refused") - gone;
    let longest = after(asked, gone + REFUSED)
        .filter(is_refusal)
        .map(|one| one.ended - one.started)
        .max();
    tell(&format!(
        "{what}: refused after {} ms; a refusal takes {} ms at most, curl says: {}",
        took.as_millis(),
        longest.unwrap_or_default().as_millis(),
        after(asked, gone)
            .filter(is_refusal)
            .find_map(|one| one.error.clone())
            .unwrap_or_default()
            .trim()
    ));
    assert!(took < REFUSED, "{what}: refused only after {took:?}");
}

#[test]
fn a_killed_agent_refuses_until_the_next_one_guards_and_nothing_goes_past() {
    let lab = Lab::new();
    let (agent, clear, crowd) = under_load(&lab);
    let gone = Instant::now();
    agent.kill();
    refuses("kill -9, closed", gone, &lab, &crowd);
    let back = Instant::now();
    let agent = closed(&lab).start();
    let ready = Instant::now();
    tell(&format!(
        "a new agent guards after {} ms",
        (ready - back).as_millis()
    ));
    crowd.goes_on(ready, 12);
    let asked = crowd.disperse();
    refused("kill -9, closed", gone, &asked);
    let late: Vec<_> = after(&asked, gone + REFUSED)
        .filter(|one| one.ended < back && one.error.is_none())
        .collect();
    assert!(late.is_empty(), "answered without an agent: {late:?}");
    assert!(after(&asked, ready).all(|one| one.error.is_none()));
    assert_eq!(clear.count(), 0, "something went past the agent");
    drop(agent);
}

#[test]
fn a_stopped_agent_refuses_until_it_goes_on() {
    let lab = Lab::new();
    let (agent, clear, crowd) = under_load(&lab);
    let gone = Instant::now();
    agent.signal(Signal::SIGSTOP);
    refuses("SIGSTOP, closed", gone, &lab, &crowd);
    agent.signal(Signal::SIGCONT);
    agent.guards();
    let back = Instant::now();
    crowd.goes_on(back, 12);
    let asked = crowd.disperse();
    refused("SIGSTOP, closed", gone, &asked);
    assert!(after(&asked, back).all(|one| one.error.is_none()));
    assert_eq!(clear.count(), 0, "something went past the agent");
}

#[test]
fn a_hung_agent_refuses_until_it_goes_on() {
    let lab = Lab::new();
    let (agent, clear, crowd) = under_load(&lab);
    let gone = Instant::now();
    let held = Held::threads(agent.pid(), "codegate");
    refuses("hang, closed", gone, &lab, &crowd);
    drop(held);
    agent.guards();
    let back = Instant::now();
    crowd.goes_on(back, 12);
    let asked = crowd.disperse();
    refused("hang, closed", gone, &asked);
    assert!(after(&asked, back).all(|one| one.error.is_none()));
    assert_eq!(clear.count(), 0, "something went past the agent");
}

#[test]
fn a_dead_agent_is_told_of_and_lifted_by_a_pause_and_by_an_open_one() {
    let lab = Lab::new();
    let clear = InClear::serve(&lab);
    let mut agent = closed(&lab).start();
    assert!(agent.end(Signal::SIGTERM).success());
    let command = |words: &[&str]| agent.command(lab.service()).args(words).run();
    let (status, pause) = (|| command(&["status"]), |time| command(&["pause", time]));
    let dead = status();
    assert_eq!(dead.code(), 4);
    let said = dead.errors();
    assert!(said.contains("refused until it is back"), "{said}");
    assert!(ask(&lab.guarded()).error.is_some());
    pause("10m").ok();
    assert_eq!(ask(&lab.guarded()).error, None);
    assert_eq!(clear.count(), 1);
    assert!(status().errors().contains("go direct for another"));
    command(&["resume"]).ok();
    assert!(ask(&lab.guarded()).error.is_some());
    // An agent that fails open takes the pins away.
    let agent = lab.agent().start();
    assert_eq!(ask(&lab.guarded()).error, None);
    assert_eq!(clear.count(), 1);
    agent.kill();
    assert_eq!(ask(&lab.guarded()).error, None);
    assert_eq!(clear.count(), 2);
}
