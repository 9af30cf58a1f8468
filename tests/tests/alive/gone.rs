//! An agent that is killed, stopped or hung under load, with `fail = "open"`.

use std::time::{Duration, Instant};

use lab::{Agent, Lab};
use nix::sys::signal::Signal;

use crate::{
    crowd::{Asked, Crowd, InClear, after, tell},
    hang::Held,
};

/// How soon connections have to be direct once the agent is gone.
const DIRECT: Duration = Duration::from_secs(2);

/// A lab with an agent under load, and what reaches the service past it: nothing yet.
fn under_load<'lab>(lab: &'lab Lab) -> (Agent<'lab>, InClear, Crowd) {
    let clear = InClear::serve(lab);
    let agent = lab.agent().start();
    let crowd = Crowd::gather(&lab.guarded());
    crowd.goes_on(Instant::now(), 12);
    assert_eq!(clear.count(), 0, "something went past the agent");
    (agent, clear, crowd)
}

/// Demands that the crowd gets direct answers two seconds after the agent went, and says when the
/// first one was.
fn goes_direct(what: &str, gone: Instant, clear: &InClear, crowd: &Crowd) {
    crowd.goes_on(gone + DIRECT, 12);
    let first = clear.first_since(gone).expect("no direct request at all");
    let took = first - gone;
    tell(&format!("{what}: direct after {} ms", took.as_millis()));
    assert!(took < DIRECT, "{what}: direct only after {took:?}");
}

/// Demands that whoever began after two seconds was served, and tells of those before.
fn served(what: &str, gone: Instant, asked: &[Asked]) {
    let failed: Vec<_> = after(asked, gone + DIRECT)
        .filter_map(|one| one.error.as_ref())
        .collect();
    assert!(failed.is_empty(), "{what}: {failed:?}");
    let hit: Vec<_> = asked
        .iter()
        .filter(|one| one.ended >= gone && one.started < gone + DIRECT)
        .collect();
    let broken = hit.iter().filter(|one| one.error.is_some()).count();
    let longest = hit.iter().map(|one| one.ended - one.started).max();
    tell(&format!(
        "{what}: of {} requests under way or begun within two seconds {broken} failed, the longest took {} ms",
        hit.len(),
        longest.unwrap_or_default().as_millis()
    ));
}

#[test]
fn a_killed_agent_under_load() {
    let lab = Lab::new();
    let (agent, clear, crowd) = under_load(&lab);
    let gone = Instant::now();
    agent.kill();
    goes_direct("kill -9", gone, &clear, &crowd);
    served("kill -9", gone, &crowd.disperse());
}

#[test]
fn a_stopped_agent_under_load_and_one_that_goes_on() {
    let lab = Lab::new();
    let (agent, clear, crowd) = under_load(&lab);
    let gone = Instant::now();
    agent.signal(Signal::SIGSTOP);
    goes_direct("SIGSTOP", gone, &clear, &crowd);
    agent.signal(Signal::SIGCONT);
    let back = guards_again(&agent, &clear, &crowd);
    tell(&format!(
        "SIGCONT: guarded again after {} ms",
        back.as_millis()
    ));
    served("SIGSTOP", gone, &crowd.disperse());
}

#[test]
fn a_hung_agent_under_load_and_one_that_goes_on() {
    let lab = Lab::new();
    let (agent, clear, crowd) = under_load(&lab);
    let gone = Instant::now();
    let held = Held::threads(agent.pid(), "codegate");
    goes_direct("hang", gone, &clear, &crowd);
    drop(held);
    let back = guards_again(&agent, &clear, &crowd);
    tell(&format!(
        "hang ends: guarded again after {} ms",
        back.as_millis()
    ));
    served("hang", gone, &crowd.disperse());
}

/// Waits until nothing goes past the agent any more, and says how long that took.
fn guards_again(agent: &Agent<'_>, clear: &InClear, crowd: &Crowd) -> Duration {
    let since = Instant::now();
    agent.guards();
    let back = since.elapsed();
    // Whoever connected before is direct, and may still be asking.
    crowd.goes_on(Instant::now(), 12);
    let now = Instant::now();
    crowd.goes_on(now, 12);
    assert_eq!(
        clear.first_since(now),
        None,
        "something went past the agent"
    );
    back
}
