//! QUIC to guarded addresses: handshakes are handed over, and what follows waits for the answer.
//!
//! The packets have headers as RFC 9000 has them, and noise where the encrypted part is: the programs cannot read
//! more.

use std::{
    cell::RefCell,
    io::{self, ErrorKind},
    net::{SocketAddr, UdpSocket},
    os::fd::AsFd as _,
    time::Duration,
};

use codegate::kernel::{Counter, Handshakes, Options, Sender, connection, mark};
use nix::sys::socket::{setsockopt, sockopt::UdpGsoSegment};
use tokio::runtime::Runtime;

use crate::field::{Field, MAPPED, V4, V6, at, runtime};

const V1: u32 = 1;
const V2: u32 = 0x6b33_43cf;
/// The client's id for itself.
const SELF: &[u8] = b"client-1";
/// A packet of an established connection.
const SHORT: &[u8] = b"\x41 short header, and then what is encrypted";
/// Another address of the service's, which is not guarded.
const OTHER: &str = "192.0.2.9:443";
/// What arrives within so long arrived; loopback takes microseconds.
const SOON: Duration = Duration::from_millis(300);

/// A long header's packet (RFC 9000, section 17.2) of a type as version 1 numbers them.
fn long(version: u32, kind: u8, own: &[u8], token: usize, payload: usize) -> Vec<u8> {
    let kind = if version == V2 { (kind + 1) % 4 } else { kind };
    let mut packet = vec![0xc0 | kind << 4];
    packet.extend(version.to_be_bytes());
    packet.extend([8, 1, 2, 3, 4, 5, 6, 7, 8]);
    packet.push(own.len().try_into().unwrap());
    packet.extend(own);
    if kind == u8::from(version == V2) {
        packet.extend((token as u16 | 0x4000).to_be_bytes());
        packet.extend(vec![0xaa; token]);
    }
    packet.extend((payload as u16 | 0x4000).to_be_bytes());
    packet.extend(vec![0x55; payload]);
    packet
}

/// An Initial packet in a datagram of 1200 octets.
fn initial(version: u32, own: &[u8]) -> Vec<u8> {
    long(version, 0, own, 0, 1200 - 19 - own.len())
}

fn early_data() -> Vec<u8> {
    long(V1, 1, SELF, 0, 200)
}

fn handshake() -> Vec<u8> {
    long(V1, 2, SELF, 0, 200)
}

/// A client's socket, what it sends to, and the agent's ear.
struct Wire<'a> {
    field: &'a Field,
    client: UdpSocket,
    to: SocketAddr,
    service: UdpSocket,
    agent: &'a Ear,
}

/// Reads what the programs hand over, in the agent's stead.
struct Ear {
    runtime: Runtime,
    handshakes: RefCell<Handshakes>,
}

/// What was handed over: whose it is, how long it was and in pieces of which length.
type Heard = Vec<(Sender, usize, Option<usize>)>;

impl Ear {
    fn of(field: &Field) -> Self {
        let runtime = runtime();
        let handshakes = runtime.block_on(async { field.hooks.handshakes().unwrap() });
        let handshakes = handshakes.expect("this kernel does not take the program");
        Self {
            runtime,
            handshakes: handshakes.into(),
        }
    }

    fn hear(&self) -> Heard {
        let mut heard = Heard::new();
        let mut handshakes = self.handshakes.borrow_mut();
        self.runtime.block_on(async {
            let each = |it: codegate::kernel::Handshake<'_>| {
                heard.push((it.sender, it.octets.len(), it.segment));
            };
            let reading = handshakes.read(each);
            tokio::time::timeout(SOON, reading).await.ok();
        });
        heard
    }
}

/// All that is guarded is screened.
fn screening() -> (Field, Ear) {
    let field = Field::new();
    let ear = Ear::of(&field);
    field.hooks.screen(&[443], false).unwrap();
    (field, ear)
}

impl<'a> Wire<'a> {
    fn new((field, agent): &'a (Field, Ear), to: &str) -> Self {
        let to = at(to);
        let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let there = SocketAddr::new(to.ip().to_canonical(), to.port());
        let service = field.ground.net.datagrams(&there.to_string());
        service.set_read_timeout(Some(SOON)).unwrap();
        Self {
            client: field.ground.net.datagrams(any),
            field,
            to,
            service,
            agent,
        }
    }

    fn connected(self) -> Self {
        self.client.connect(self.to).unwrap();
        self
    }

    /// The same wire for another client.
    fn with_another_socket(&self) -> Self {
        Self {
            client: self.field.ground.net.datagrams("0.0.0.0:0"),
            service: self.service.try_clone().unwrap(),
            ..*self
        }
    }

    fn send(&self, octets: &[u8]) -> io::Result<()> {
        let connected = self.client.peer_addr().is_ok();
        let sent = if connected {
            self.client.send(octets)
        } else {
            self.client.send_to(octets, self.to)
        };
        sent.map(|sent| assert_eq!(sent, octets.len()))
    }

    #[track_caller]
    fn arrives(&self, octets: &[u8]) {
        self.send(octets).unwrap();
        let mut room = vec![0; 65_536];
        let (length, _) = self
            .service
            .recv_from(&mut room)
            .expect("it did not arrive");
        assert_eq!(&room[..length], octets);
    }

    /// It is lost, and nobody says so.
    #[track_caller]
    fn waits(&self, octets: &[u8]) {
        self.send(octets).expect("a queue that is full is no error");
        self.nothing_arrived();
    }

    #[track_caller]
    fn is_refused(&self, octets: &[u8]) {
        let error = self.send(octets).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        self.nothing_arrived();
    }

    #[track_caller]
    fn nothing_arrived(&self) {
        let mut room = [0; 16];
        let there = self.service.recv_from(&mut room);
        assert!(there.is_err(), "it arrived: {room:?}");
    }

    /// The agent is told of one thing, of such a length.
    #[track_caller]
    fn told(&self, length: usize) -> Sender {
        match self.agent.hear()[..] {
            [(sender, told, None)] => {
                assert_eq!(told, length);
                sender
            }
            ref other => panic!("told of {other:?}"),
        }
    }

    #[track_caller]
    fn not_told(&self) {
        assert_eq!(self.agent.hear(), []);
    }

    fn answer(&self, sender: Sender, own: &[u8], may_pass: bool) {
        let answered = self.field.hooks.answer(sender, connection(own), may_pass);
        answered.unwrap();
    }
}

#[test]
fn a_handshake_passes_and_what_follows_waits_until_it_may() {
    for version in [V1, V2] {
        for to in [V4, V6, MAPPED] {
            let field = screening();
            let wire = Wire::new(&field, to).connected();
            wire.arrives(&initial(version, SELF));
            let sender = wire.told(1200);
            assert_eq!(sender.to().port(), 443);
            wire.waits(&long(version, 2, SELF, 0, 100));
            wire.waits(SHORT);
            assert_eq!(wire.field.count(Counter::UdpHeld), 2);
            wire.answer(sender, SELF, true);
            wire.arrives(&long(version, 2, SELF, 0, 100));
            wire.arrives(SHORT);
            wire.not_told();
            assert_eq!(wire.field.count(Counter::UdpRefused), 0);
        }
    }
}

#[test]
fn a_connection_that_is_refused_gets_no_further() {
    for to in [V4, V6, MAPPED] {
        let field = screening();
        let wire = Wire::new(&field, to);
        wire.arrives(&initial(V1, SELF));
        let sender = wire.told(1200);
        wire.answer(sender, SELF, false);
        for packet in [&initial(V1, SELF)[..], &handshake(), SHORT] {
            wire.is_refused(packet);
        }
        assert_eq!(wire.field.count(Counter::UdpRefused), 3);
    }
}

#[test]
fn the_caller_is_known() {
    let field = screening();
    let wire = Wire::new(&field, V4).connected();
    wire.arrives(&initial(V1, SELF));
    let sender = wire.told(1200);
    let caller = wire.field.hooks.caller(sender).expect("nobody was seen");
    assert_eq!(caller.tgid, std::process::id());
    assert_eq!(caller.original, at(V4));
    assert!(caller.image.is_some() || wire.field.hooks.is_blind());
}

#[test]
fn what_comes_in_one_datagram_with_early_data_waits() {
    let field = screening();
    let wire = Wire::new(&field, V4);
    let both = [long(V1, 0, SELF, 30, 900), early_data()].concat();
    wire.waits(&both);
    let sender = wire.told(both.len());
    wire.waits(&early_data());
    wire.answer(sender, SELF, true);
    wire.arrives(&both);
    wire.arrives(&early_data());
}

#[test]
fn padding_and_several_initials_are_a_handshake() {
    let first = long(V1, 0, SELF, 0, 500);
    for datagram in [
        [first.clone(), vec![0; 400]].concat(),
        [first.clone(), first.clone()].concat(),
        [first.clone(), long(V1, 0, SELF, 70, 300), vec![0; 1]].concat(),
    ] {
        let field = screening();
        let wire = Wire::new(&field, V4);
        wire.arrives(&datagram);
        wire.told(datagram.len());
    }
}

#[test]
fn a_length_that_lies_is_no_handshake() {
    let field = screening();
    let wire = Wire::new(&field, V4);
    let whole = initial(V1, SELF);
    for cut in [30, 400, 1199] {
        wire.waits(&whole[..cut]);
        wire.told(cut);
    }
    wire.waits(&[&long(V1, 0, SELF, 0, 50)[..], b"\x40 and something else"].concat());
}

#[test]
fn many_datagrams_at_once_are_looked_at_one_by_one() {
    let send = |wire: &Wire<'_>, octets: &[u8]| {
        setsockopt(&wire.client.as_fd(), UdpGsoSegment, &1200).unwrap();
        wire.send(octets)
    };
    let field = screening();
    let wire = Wire::new(&field, V4);
    let two = [initial(V1, SELF), initial(V1, SELF)].concat();
    send(&wire, &two).unwrap();
    for _ in 0..2 {
        let mut room = [0; 4096];
        assert_eq!(wire.service.recv(&mut room).unwrap(), 1200);
    }
    assert_eq!(wire.agent.hear()[0].2, Some(1200));
    let mut second = early_data();
    second.resize(900, 0x55);
    send(&wire, &[initial(V1, b"client-2"), second].concat()).unwrap();
    wire.nothing_arrived();
    assert_eq!(wire.agent.hear()[0].1, 2100);
}

#[test]
fn a_second_connection_of_a_socket_is_asked_about() {
    let field = screening();
    let wire = Wire::new(&field, V4);
    wire.arrives(&initial(V1, SELF));
    let sender = wire.told(1200);
    wire.answer(sender, SELF, true);
    let second = long(V1, 2, b"client-2", 0, 200);
    wire.arrives(&initial(V1, b"client-2"));
    assert_eq!(wire.told(1200), sender);
    wire.waits(&second);
    wire.waits(&[long(V1, 0, b"client-2", 0, 900), early_data()].concat());
    wire.arrives(&handshake());
    wire.arrives(SHORT);
    wire.answer(sender, b"client-2", false);
    wire.waits(&second);
    wire.arrives(SHORT);
    wire.answer(sender, b"client-2", true);
    wire.arrives(&second);
    wire.agent.hear();
    wire.waits(&handshake());
    wire.told(handshake().len());
    wire.answer(sender, SELF, true);
    wire.arrives(&handshake());
}

#[test]
fn a_refused_connection_gets_no_further_beside_an_open_one() {
    let field = screening();
    let wire = Wire::new(&field, V4);
    let second = long(V1, 2, b"client-2", 0, 200);
    wire.arrives(&initial(V1, SELF));
    let sender = wire.told(1200);
    wire.answer(sender, SELF, false);
    wire.is_refused(&handshake());
    wire.arrives(&initial(V1, b"client-2"));
    wire.told(1200);
    wire.waits(SHORT);
    wire.waits(&handshake());
    wire.answer(sender, b"client-2", true);
    wire.arrives(&second);
    wire.arrives(SHORT);
    for packet in [handshake(), early_data()] {
        wire.waits(&packet);
        wire.answer(sender, SELF, false);
        wire.waits(&packet);
    }
    wire.arrives(SHORT);
}

#[test]
fn what_is_not_guarded_is_not_looked_at() {
    let field = screening();
    let wire = Wire::new(&field, OTHER);
    for octets in [&initial(V1, SELF)[..], &early_data(), SHORT, b"\x01"] {
        wire.arrives(octets);
    }
    wire.not_told();
    let wire = Wire::new(&field, "192.0.2.1:444");
    wire.arrives(&early_data());
    wire.not_told();
    let wire = Wire::new(&field, V4);
    let number = wire.field.hooks.mark();
    mark(&wire.client, number).unwrap();
    wire.arrives(&early_data());
    wire.not_told();
    assert_eq!(wire.field.count(Counter::UdpAsked), 0);
}

#[test]
fn what_is_no_quic_is_refused() {
    let field = screening();
    let wire = Wire::new(&field, V4);
    for octets in [
        &[0; 40][..],
        b"\x16\xfe\xfd hello of DTLS",
        &initial(0xff00_001d, SELF),
        &early_data(),
        &handshake(),
    ] {
        wire.is_refused(octets);
    }
}

#[test]
fn connections_older_than_the_guard_go_on_unless_they_are_not_to() {
    let field = screening();
    Wire::new(&field, V4).connected().arrives(SHORT);
    Wire::new(&field, V4).arrives(SHORT);
    field.0.hooks.screen(&[443], true).unwrap();
    Wire::new(&field, V4).connected().is_refused(SHORT);
    Wire::new(&field, V4).is_refused(SHORT);
}

/// Nothing is guarded yet, and all is screened.
fn screening_nothing() -> (Field, Ear) {
    let field = Field::bare(&Options::default());
    let ear = Ear::of(&field);
    field.hooks.screen(&[443], false).unwrap();
    (field, ear)
}

#[test]
fn what_is_looked_at_for_its_sender_alone_needs_no_agent() {
    let field = screening_nothing();
    field.0.hooks.look_at_all(&[443]).unwrap();
    let wire = Wire::new(&field, V4).connected();
    wire.arrives(b"\x16\xfe\xfd hello of DTLS");
    wire.arrives(&initial(V1, SELF));
    wire.told(1200);
    wire.waits(SHORT);
    field.0.hooks.heart().close(true).unwrap();
    field.0.heart.stop();
    wire.arrives(SHORT);
    wire.arrives(&handshake());
}

#[test]
fn a_socket_from_before_the_guard_is_asked_about_as_any_other() {
    let field = screening_nothing();
    let wire = Wire::new(&field, V4).connected();
    wire.arrives(&early_data());
    wire.field.guard(V4);
    wire.arrives(&initial(V1, SELF));
    let sender = wire.told(1200);
    let caller = wire.field.hooks.caller(sender);
    assert_eq!(caller, None, "nobody saw it connect");
    wire.waits(SHORT);
    wire.answer(sender, SELF, true);
    wire.arrives(SHORT);
}

#[test]
fn without_an_agent_it_passes_or_is_refused_as_was_chosen() {
    for closed in [false, true] {
        let field = screening();
        let open = Wire::new(&field, V4).connected();
        open.arrives(&initial(V1, SELF));
        open.answer(open.told(1200), SELF, true);
        let asked = open.with_another_socket();
        asked.arrives(&initial(V1, SELF));
        asked.waits(SHORT);
        field.0.hooks.heart().close(closed).unwrap();
        field.0.heart.stop();
        open.arrives(SHORT);
        for packet in [SHORT, &initial(V1, SELF)] {
            if closed {
                asked.is_refused(packet);
            } else {
                asked.arrives(packet);
            }
        }
    }
}

#[test]
fn when_nobody_reads_handshakes_wait() {
    let field = screening();
    let wire = Wire::new(&field, V4);
    let handshake = initial(V1, SELF);
    let full = (0..1_000).position(|_| {
        wire.send(&handshake).unwrap();
        wire.field.count(Counter::UdpHeld) > 0
    });
    assert!(full.is_some_and(|sent| sent > 20), "{full:?}");
}

#[test]
fn nobody_is_asked_any_more_when_it_ends() {
    let field = screening();
    let wire = Wire::new(&field, V4);
    wire.field.hooks.screen_no_more().unwrap();
    wire.is_refused(&initial(V1, SELF));
    wire.not_told();
}
