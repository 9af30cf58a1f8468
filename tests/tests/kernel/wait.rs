//! The first connections of a namespace in which nobody listens yet: they wait for whoever is expected.

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread::{self, sleep},
    time::{Duration, Instant},
};

use codegate::kernel::Counter;
use socket2::SockRef;

use crate::field::{Field, MAPPED, V4, V6, arrived, assert_nobody, at, listen};

/// Where somebody is going to listen, in the field's own network namespace.
const PORT: u16 = 61_111;

/// A field in which the agent does not listen yet.
fn expecting() -> Field {
    let field = Field::new();
    field.hooks.unlisten(field.ground.cookie).unwrap();
    assert!(
        field.hooks.expect(PORT).unwrap(),
        "this kernel cannot make connections wait"
    );
    field
}

fn connect(field: &Field, to: &str) -> (io::Result<TcpStream>, Duration) {
    field.ground.client(|| {
        let begun = Instant::now();
        let tried = TcpStream::connect_timeout(&at(to), Duration::from_secs(5));
        (tried, begun.elapsed())
    })
}

/// Begins to listen, as the agent does in another namespace.
fn agent(field: &Field, family: &str) -> TcpListener {
    let listener = listen(&field.ground.net, &format!("{family}:{PORT}"));
    SockRef::from(&listener)
        .set_mark(field.hooks.mark())
        .unwrap();
    listener
}

fn assert_direct(field: &Field, to: &str) {
    let before = field.count(Counter::NoListener);
    field.assert_direct(to);
    assert_eq!(field.count(Counter::NoListener), before + 1);
}

#[test]
fn a_connection_waits_for_its_listener() {
    for (to, family) in [(V4, "127.0.0.1"), (V6, "[::1]"), (MAPPED, "127.0.0.1")] {
        let field = expecting();
        thread::scope(|scope| {
            let client = scope.spawn(|| connect(&field, to));
            // Longer than is asked for below, as the client may begin a little later.
            sleep(Duration::from_millis(150));
            assert!(!client.is_finished(), "it does not wait");
            let listener = agent(&field, family);
            let (mut agent, from) = arrived(&listener);
            let flow = field.hooks.take_flow(field.ground.cookie, from).unwrap();
            assert_eq!(flow.original.port(), at(to).port());
            assert_eq!(flow.original.ip(), at(to).ip().to_canonical());
            let (client, waited) = client.join().unwrap();
            let mut client = client.unwrap();
            assert!(waited >= Duration::from_millis(100), "{waited:?}");
            assert_eq!(client.peer_addr().unwrap(), at(to));
            client.write_all(b"there").unwrap();
            let mut read = [0; 5];
            agent.read_exact(&mut read).unwrap();
            assert_eq!(&read, b"there");
        });
        assert_eq!(field.count(Counter::Waited), 1);
        assert_eq!(field.count(Counter::NoListener), 0);
        field.ground.assert_agent_idle();
    }
}

/// Between `listen()` and the map's entry.
#[test]
fn who_comes_while_the_agent_begins_to_listen_need_not_wait() {
    let field = expecting();
    let listener = agent(&field, "127.0.0.1");
    let (client, _) = connect(&field, V4);
    client.unwrap();
    arrived(&listener);
    assert_eq!(field.count(Counter::Waited), 0);
    assert_nobody(&field.ground.service4);
}

#[test]
fn nobody_waits_for_ever() {
    let field = expecting();
    let (tried, waited) = connect(&field, V4);
    let error = tried.unwrap_err();
    assert!(
        matches!(
            error.kind(),
            ErrorKind::ConnectionRefused | ErrorKind::TimedOut
        ),
        "{error}"
    );
    assert!(waited < Duration::from_secs(4), "{waited:?}");
    assert_nobody(&field.ground.service4);
}

#[test]
fn where_the_agent_gives_up_who_waits_is_refused_and_others_go_direct() {
    let field = expecting();
    thread::scope(|scope| {
        let client = scope.spawn(|| connect(&field, V4));
        sleep(Duration::from_millis(50));
        field.hooks.give_up(field.ground.cookie).unwrap();
        let (tried, _) = client.join().unwrap();
        assert_eq!(tried.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    });
    field.hooks.give_up(field.ground.cookie).unwrap();
    assert_direct(&field, V4);
    assert_direct(&field, V6);
}

#[test]
fn where_somebody_else_listens_nobody_is_sent() {
    let field = expecting();
    let other = listen(&field.ground.net, &format!("127.0.0.1:{PORT}"));
    assert_direct(&field, V4);
    assert_nobody(&other);
}

#[test]
fn where_the_agent_expects_nothing_connections_go_direct() {
    let field = expecting();
    field.hooks.expect_no_more().unwrap();
    assert_direct(&field, V4);
    assert_direct(&field, V6);
    assert_eq!(field.count(Counter::Waited), 0);
}

#[test]
fn without_a_heartbeat_nobody_waits() {
    let field = expecting();
    let Field {
        hooks,
        ground,
        heart,
    } = field;
    let waited = thread::scope(|scope| {
        let client = scope.spawn(|| {
            ground.client(|| {
                let begun = Instant::now();
                let tried = TcpStream::connect_timeout(&at(V4), Duration::from_secs(5));
                (tried, begun.elapsed())
            })
        });
        sleep(Duration::from_millis(50));
        drop(heart);
        sleep(Duration::from_millis(200));
        hooks.heart().still().unwrap();
        let (tried, waited) = client.join().unwrap();
        assert_eq!(tried.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        waited
    });
    assert!(waited < Duration::from_millis(1900), "{waited:?}");
    ground.assert_direct(V4);
    assert_eq!(hooks.counters().unwrap().of(Counter::Waited), 1);
}

/// Only a reset that answers a SYN is kept from a connection that has waited.
#[test]
fn a_connection_that_has_waited_can_be_reset() {
    let field = expecting();
    thread::scope(|scope| {
        let client = scope.spawn(|| connect(&field, V4).0.unwrap());
        sleep(Duration::from_millis(20));
        let listener = agent(&field, "127.0.0.1");
        let (agent, _) = arrived(&listener);
        let mut client = client.join().unwrap();
        SockRef::from(&agent)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
        drop(agent);
        client
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        let error = client.read(&mut [0; 1]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
}

/// Others on the same loopback interface are refused as ever, while somebody waits.
#[test]
fn others_are_refused_while_somebody_waits() {
    let field = expecting();
    thread::scope(|scope| {
        let client = scope.spawn(|| connect(&field, V4));
        sleep(Duration::from_millis(20));
        let begun = Instant::now();
        let (other, _) = connect(&field, "127.0.0.1:9");
        assert_eq!(other.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        assert!(begun.elapsed() < Duration::from_millis(500));
        field.hooks.give_up(field.ground.cookie).unwrap();
        client.join().unwrap().0.unwrap_err();
    });
}

/// Loopback addresses lead nowhere then, and a connection that waits could never arrive.
#[test]
fn without_a_loopback_interface_nobody_waits() {
    let field = expecting();
    field.ground.net.ip("link set lo down");
    let (tried, _) = connect(&field, V4);
    tried.unwrap_err();
    if field.hooks.is_blind() {
        return;
    }
    assert_eq!(field.count(Counter::Waited), 0);
    assert_eq!(field.count(Counter::NoListener), 1);
}
