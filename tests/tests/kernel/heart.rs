//! The agent's life as the programs see it: nothing is redirected to a heart that does not beat.

use std::{
    io::ErrorKind,
    net::TcpStream,
    thread::sleep,
    time::{Duration, Instant},
};

use codegate::kernel::{Counter, Hooks, Options, mark};
use socket2::{Domain, Socket, Type};

use crate::field::{ASIDE, Beating, Field, Ground, MAPPED, V4, V6, at, tcp};

/// Hooks with something to guard, and no heart.
fn heartless(closed: bool) -> (Hooks, Ground) {
    let ground = Ground::new();
    let hooks = Hooks::load_and_attach(ground.cgroup(), &Options::default()).unwrap();
    hooks.heart().close(closed).unwrap();
    hooks
        .listen(ground.cookie, Some(ground.port4()), Some(ground.port6()))
        .unwrap();
    for address in [V4, V6] {
        hooks.set_endpoint(at(address), None, true).unwrap();
    }
    (hooks, ground)
}

fn count(hooks: &Hooks, counter: Counter) -> u64 {
    hooks.counters().unwrap().of(counter)
}

fn assert_refused(ground: &Ground, to: &str) {
    let tried = ground.client(|| TcpStream::connect_timeout(&at(to), Duration::from_secs(5)));
    let error = tried.expect_err("a guarded connection without an agent");
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{to}");
}

fn datagram(ground: &Ground, to: &str) -> std::io::Result<()> {
    ground.client(|| {
        let socket = Socket::new(Domain::for_address(at(to)), Type::DGRAM, None)?;
        socket.send_to(b"datagram", &at(to).into()).map(drop)
    })
}

#[test]
fn nothing_is_redirected_before_the_first_beat() {
    let (hooks, ground) = heartless(false);
    for to in [V4, V6, MAPPED] {
        ground.assert_direct(to);
    }
    datagram(&ground, V4).unwrap();
    assert_eq!(count(&hooks, Counter::StalePassed), 4);
    hooks.heart().beat().unwrap();
    ground.assert_redirected(V4);
}

#[test]
fn a_heart_that_stops_lets_go_after_a_second_and_takes_again_with_the_next_beat() {
    let (hooks, ground) = heartless(false);
    hooks.heart().beat().unwrap();
    let beat = Instant::now();
    ground.assert_redirected(V4);
    sleep(Duration::from_millis(1100).saturating_sub(beat.elapsed()));
    assert!(!hooks.heart().pulse().unwrap().beats);
    ground.assert_direct(V4);
    ground.assert_direct(V6);
    hooks.heart().beat().unwrap();
    ground.assert_redirected(V4);
    hooks.heart().still().unwrap();
    ground.assert_direct(V4);
}

#[test]
fn closed_refuses_guarded_endpoints_and_nothing_else() {
    let (hooks, ground) = heartless(true);
    for to in [V4, V6, MAPPED] {
        assert_refused(&ground, to);
        let refused = datagram(&ground, to).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::PermissionDenied, "{to}");
    }
    assert_eq!(count(&hooks, Counter::StaleRefused), 6);
    ground.assert_direct(ASIDE);
    ground.client(|| {
        let own = tcp(V4);
        mark(&own, hooks.mark()).unwrap();
        own.connect(&at(V4).into()).unwrap();
    });
    let _heart = Beating::of(&hooks);
    ground.assert_redirected(V6);
}

#[test]
fn closed_refuses_what_expired_since_the_last_beat() {
    let (hooks, ground) = heartless(true);
    let soon = Some(Duration::from_millis(300));
    hooks.set_endpoint(at(V4), soon, true).unwrap();
    hooks.heart().beat().unwrap();
    sleep(Duration::from_millis(1100));
    assert_refused(&ground, V4);
    // An agent that is back has had its chance to renew it.
    hooks.heart().beat().unwrap();
    ground.assert_direct(V4);
}

#[test]
fn a_pause_lets_everything_pass_and_ends_by_itself() {
    let field = Field::new();
    let heart = field.hooks.heart();
    heart.pause(Duration::from_secs(600)).unwrap();
    field.assert_direct(V4);
    datagram(&field.ground, V6).unwrap();
    assert_eq!(field.count(Counter::PausedPassed), 2);
    heart.pause(Duration::ZERO).unwrap();
    field.assert_redirected(V4);
    heart.pause(Duration::from_millis(200)).unwrap();
    assert!(heart.pulse().unwrap().paused.is_some());
    sleep(Duration::from_millis(210));
    assert_eq!(heart.pulse().unwrap().paused, None);
    field.assert_redirected(V4);
}

#[test]
fn a_pause_opens_what_is_closed() {
    let (hooks, ground) = heartless(true);
    assert_refused(&ground, V4);
    hooks.heart().pause(Duration::from_secs(600)).unwrap();
    ground.assert_direct(V4);
    hooks.heart().pause(Duration::ZERO).unwrap();
    assert_refused(&ground, V4);
}
