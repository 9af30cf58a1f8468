//! TCP in all the ways in which clients connect.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use codegate::kernel::Counter;
use nix::{
    errno::Errno,
    sys::socket::{setsockopt, sockopt::TcpFastOpenConnect},
};

use crate::field::{ASIDE, Field, MAPPED, V4, V6, arrived, assert_nobody, at, tcp};

/// `send(2)` connects and sends in one.
const MSG_FASTOPEN: i32 = 0x2000_0000;

#[test]
fn every_family_goes_to_the_agent_and_believes_itself_where_it_wanted_to_be() {
    for to in [V4, V6, MAPPED] {
        let field = Field::new();
        let client = field.ground.connect(to);
        assert_eq!(client.peer_addr().unwrap(), at(to), "getpeername");
        let listener = if to == V6 {
            &field.ground.agent6
        } else {
            &field.ground.agent4
        };
        let (mut agent, flow) = field.taken(listener);
        let original = flow.expect("a record of the connection").original;
        assert_eq!(original.ip(), at(to).ip().to_canonical());
        assert_eq!(original.port(), at(to).port());
        assert_bytes_pass(client, &mut agent);
        assert_nobody(&field.ground.service4);
        assert_nobody(&field.ground.service6);
        assert_eq!(field.count(Counter::Redirected), 1);
        assert_eq!(field.count(Counter::Published), 1);
        assert_eq!(field.count(Counter::PeerNamed), 1);
    }
}

#[test]
fn what_is_not_guarded_goes_direct() {
    let field = Field::new();
    field.assert_direct(ASIDE);
    let client = field.ground.connect(ASIDE);
    assert_eq!(client.peer_addr().unwrap(), at(ASIDE));
    assert_eq!(field.count(Counter::Redirected), 0);
    assert_eq!(field.count(Counter::PeerNamed), 0);
    assert_eq!(field.count(Counter::Passed), 2);
}

#[test]
fn a_connect_that_does_not_block_is_redirected() {
    for to in [V4, V6] {
        let field = Field::new();
        let socket = field.ground.client(|| {
            let socket = tcp(to);
            socket.set_nonblocking(true).unwrap();
            if let Err(error) = socket.connect(&at(to).into()) {
                assert_eq!(error.raw_os_error(), Some(Errno::EINPROGRESS as i32));
            }
            socket
        });
        let (_agent, flow) = field.taken(if to == V4 {
            &field.ground.agent4
        } else {
            &field.ground.agent6
        });
        assert_eq!(flow.unwrap().original, at(to));
        assert_eq!(socket.peer_addr().unwrap().as_socket().unwrap(), at(to));
    }
}

#[test]
fn a_bound_source_is_kept() {
    for (to, from) in [(V4, "192.0.2.9:0"), (V6, "[2001:db8::9]:0")] {
        let field = Field::new();
        let socket = field.ground.client(|| {
            let socket = tcp(to);
            socket.bind(&at(from).into()).unwrap();
            socket.connect(&at(to).into()).unwrap();
            socket
        });
        let listener = if to == V4 {
            &field.ground.agent4
        } else {
            &field.ground.agent6
        };
        let (_agent, client) = arrived(listener);
        assert_eq!(client.ip(), at(from).ip());
        let flow = field.hooks.take_flow(field.ground.cookie, client);
        assert_eq!(flow.unwrap().original, at(to));
        assert_eq!(socket.local_addr().unwrap().as_socket().unwrap(), client);
    }
}

#[test]
fn a_socket_that_was_refused_and_connects_elsewhere_is_not_taken_for_its_former_self() {
    let field = Field::new();
    field
        .hooks
        .listen(field.ground.cookie, Some(1), None)
        .unwrap();
    let socket = field.ground.client(|| {
        let socket = tcp(V4);
        let refused = socket.connect(&at(V4).into()).unwrap_err();
        assert_eq!(
            refused.kind(),
            ErrorKind::ConnectionRefused,
            "nobody listens on port 1"
        );
        socket.connect(&at(ASIDE).into()).unwrap();
        socket
    });
    let (_service, client) = arrived(&field.ground.aside);
    assert_eq!(socket.peer_addr().unwrap().as_socket().unwrap(), at(ASIDE));
    assert_eq!(field.hooks.take_flow(field.ground.cookie, client), None);
}

#[test]
fn fast_open_is_redirected_both_ways() {
    let field = Field::new();
    let sent = field.ground.client(|| {
        let socket = tcp(V4);
        socket
            .send_to_with_flags(b"hello", &at(V4).into(), MSG_FASTOPEN)
            .unwrap();
        socket
    });
    assert_fast_open(&field, sent.into());
    let deferred = field.ground.client(|| {
        let socket = tcp(V4);
        setsockopt(&socket, TcpFastOpenConnect, &true).unwrap();
        socket.connect(&at(V4).into()).unwrap();
        socket.send(b"hello").unwrap();
        socket
    });
    assert_fast_open(&field, deferred.into());
}

fn assert_fast_open(field: &Field, client: TcpStream) {
    let (mut agent, flow) = field.taken(&field.ground.agent4);
    assert_eq!(flow.unwrap().original, at(V4));
    assert_eq!(client.peer_addr().unwrap(), at(V4));
    assert_eq!(&read(&mut agent, 5), b"hello");
    assert_nobody(&field.ground.service4);
}

fn assert_bytes_pass(mut client: TcpStream, agent: &mut TcpStream) {
    client.write_all(b"there").unwrap();
    assert_eq!(&read(agent, 5), b"there");
    agent.write_all(b"back").unwrap();
    assert_eq!(&read(&mut client, 4), b"back");
}

fn read(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}
