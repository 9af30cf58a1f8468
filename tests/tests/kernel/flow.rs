//! Who is behind a connection, and that nobody is taken for somebody else.

use std::{
    collections::HashMap,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::Barrier,
    thread,
    time::Duration,
};

use codegate::kernel::{Counter, Options, cgroup_id};
use nix::unistd::gettid;

use crate::field::{ASIDE, Field, V4, arrived, at, tcp};

const CLIENTS: u16 = 200;

#[test]
fn a_record_names_the_caller() {
    let field = Field::new();
    let (tid, _client) = field.ground.client(|| {
        nix::sys::prctl::set_name(c"some-client").unwrap();
        (gettid(), TcpStream::connect(V4).unwrap())
    });
    let (_agent, flow) = field.taken(&field.ground.agent4);
    let flow = flow.expect("a record of the connection");
    assert_eq!(flow.original, at(V4));
    assert_eq!(flow.tgid, std::process::id());
    assert_eq!(flow.tid, u32::try_from(tid.as_raw()).unwrap());
    assert_eq!(flow.uid, nix::unistd::getuid().as_raw());
    assert_eq!(flow.cgroup, cgroup_id(field.ground.cgroup()).unwrap());
    assert_eq!(flow.comm, "some-client");
    assert_eq!(flow.device, 0);
}

#[test]
fn a_record_is_told_once_and_only_to_whom_it_belongs() {
    let field = Field::new();
    let _client = field.ground.connect(V4);
    let (_agent, client) = arrived(&field.ground.agent4);
    let other_port = SocketAddr::new(client.ip(), client.port() ^ 1);
    assert_eq!(field.hooks.take_flow(field.ground.cookie, other_port), None);
    assert_eq!(field.hooks.take_flow(field.ground.cookie + 1, client), None);
    assert!(field.hooks.take_flow(field.ground.cookie, client).is_some());
    assert_eq!(field.hooks.take_flow(field.ground.cookie, client), None);
}

/// Each client connects to a port of its own and says which: the records must agree.
#[test]
fn two_hundred_at_once_are_told_apart() {
    let field = Field::bare(&Options::default());
    let ports = 1000..1000 + CLIENTS;
    for port in ports.clone() {
        field.guard(&format!("192.0.2.1:{port}"));
    }
    let gate = Barrier::new(usize::from(CLIENTS));
    thread::scope(|scope| {
        for port in ports.clone() {
            let (field, gate) = (&field, &gate);
            scope.spawn(move || field.ground.client(|| speak(port, gate)));
        }
        let mut seen = HashMap::new();
        for _ in ports.clone() {
            let (mut agent, flow) = field.taken(&field.ground.agent4);
            let flow = flow.expect("a record of each connection");
            let (port, tid) = hear(&mut agent);
            assert_eq!((flow.original.port(), flow.tid), (port, tid));
            seen.insert(port, tid);
        }
        assert_eq!(seen.len(), usize::from(CLIENTS));
    });
    assert_eq!(field.count(Counter::Redirected), u64::from(CLIENTS));
    assert_eq!(field.count(Counter::NotPublished), 0);
}

/// Connects when all are ready, and says to whom and by which thread.
fn speak(port: u16, gate: &Barrier) {
    gate.wait();
    let to = SocketAddr::new(at(V4).ip(), port);
    let mut stream = TcpStream::connect_timeout(&to, Duration::from_secs(10)).unwrap();
    let tid = u32::try_from(gettid().as_raw()).unwrap();
    stream.write_all(&port.to_be_bytes()).unwrap();
    stream.write_all(&tid.to_be_bytes()).unwrap();
    // The other end closes when it has heard enough; a test that fails must not wait for it.
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

fn hear(stream: &mut TcpStream) -> (u16, u32) {
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let (mut port, mut tid) = ([0; 2], [0; 4]);
    stream.read_exact(&mut port).unwrap();
    stream.read_exact(&mut tid).unwrap();
    (u16::from_be_bytes(port), u32::from_be_bytes(tid))
}

/// A record that the agent never collected, and then a direct connection from the same port.
#[test]
fn a_stale_record_is_gone_before_a_direct_connection_could_be_taken_for_it() {
    let field = Field::new();
    let from = field.ground.client(|| {
        let socket = tcp(V4);
        // A reset leaves the port free at once.
        socket.set_linger(Some(Duration::ZERO)).unwrap();
        socket.connect(&at(V4).into()).unwrap();
        socket.local_addr().unwrap()
    });
    assert_eq!(field.count(Counter::Published), 1);
    drop(arrived(&field.ground.agent4));
    let agent = field.ground.agent4.local_addr().unwrap();
    let _direct = field.ground.client(|| {
        let socket = tcp(V4);
        socket.set_reuse_address(true).unwrap();
        socket.bind(&from).unwrap();
        socket.connect(&agent.into()).unwrap();
        socket
    });
    let (_, client) = arrived(&field.ground.agent4);
    assert_eq!(client, from.as_socket().unwrap());
    assert_eq!(field.hooks.take_flow(field.ground.cookie, client), None);
    assert_eq!(field.count(Counter::StaleDropped), 1);
}

/// One port serves connections to many places, and the record of one of them may wait while its service is dialled.
#[test]
fn a_record_stays_while_its_port_is_used_for_another_connection() {
    let field = Field::new();
    let from = |to: &str| {
        field.ground.client(|| {
            let socket = tcp(to);
            socket.set_reuse_address(true).unwrap();
            socket.bind(&at("192.0.2.9:40123").into()).unwrap();
            socket.connect(&at(to).into()).unwrap();
            socket
        })
    };
    let _redirected = from(V4);
    let _direct = from(ASIDE);
    let (_agent, flow) = field.taken(&field.ground.agent4);
    assert_eq!(flow.unwrap().original, at(V4));
    assert_eq!(field.count(Counter::StaleDropped), 0);
}
