//! What the agent could not reach fails in `connect()`, with the error that the agent had.

use std::{
    io,
    net::TcpStream,
    thread::sleep,
    time::{Duration, Instant},
};

use codegate::kernel::{Counter, Options, release, version};
use nix::errno::Errno;

use crate::field::{ASIDE, Field, MAPPED, V4, V6, at};

fn tried(field: &Field, to: &str) -> io::Result<TcpStream> {
    field
        .ground
        .client(|| TcpStream::connect_timeout(&at(to), Duration::from_secs(5)))
}

fn fail(field: &Field, to: &str, errno: Errno) {
    let error = io::Error::from_raw_os_error(errno as i32);
    field
        .hooks
        .fail_alike(field.ground.cookie, at(to), &error)
        .unwrap();
}

/// Whether this kernel lets a program choose the error (Linux 6.1 and newer).
fn chooses() -> bool {
    version(&release()).unwrap() >= (6, 1)
}

#[test]
fn the_agents_error_is_the_clients_for_a_second() {
    let field = Field::new();
    for (errno, to) in [
        (Errno::ECONNREFUSED, V4),
        (Errno::EHOSTUNREACH, V6),
        (Errno::ENETUNREACH, MAPPED),
    ] {
        let failed = Instant::now();
        fail(&field, to, errno);
        if !chooses() {
            field.assert_redirected(to);
            continue;
        }
        let error = tried(&field, to).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(errno as i32), "{to}");
        field.ground.assert_agent_idle();
        sleep(Duration::from_millis(1100).saturating_sub(failed.elapsed()));
        field.assert_redirected(to);
    }
    let expected = if chooses() { 3 } else { 0 };
    assert_eq!(field.count(Counter::FailedAlike), expected);
}

#[test]
fn it_concerns_one_place_in_one_namespace() {
    let field = Field::bare(&Options::default());
    field.guard(V4);
    fail(&field, V4, Errno::ECONNREFUSED);
    field.assert_direct(ASIDE);
    field.assert_direct(V6);
    let elsewhere = field.ground.cookie + 1;
    let error = io::Error::from_raw_os_error(Errno::ECONNREFUSED as i32);
    field.hooks.fail_alike(elsewhere, at(V4), &error).unwrap();
    field.guard(V6);
    field.hooks.fail_alike(elsewhere, at(V6), &error).unwrap();
    field.assert_redirected(V6);
}

#[test]
fn what_is_not_the_networks_answer_is_not_passed_on() {
    let field = Field::new();
    fail(&field, V4, Errno::EMFILE);
    fail(&field, V4, Errno::ETIMEDOUT);
    field.assert_redirected(V4);
    assert_eq!(field.count(Counter::FailedAlike), 0);
}

/// The guard's own connections find out for themselves.
#[test]
fn who_is_not_guarded_is_not_told() {
    let field = Field::bare(&Options::default());
    fail(&field, V4, Errno::ECONNREFUSED);
    field.assert_direct(V4);
}
