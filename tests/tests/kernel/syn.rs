//! SYNs to the agent: held and handed over, until they are let go, or answered.

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    fs,
    io::{self, ErrorKind, Read as _, Write as _},
    net::{IpAddr, TcpStream},
    thread::{self, ScopedJoinHandle},
    time::{Duration, Instant},
};

use codegate::{
    kernel::{Counter, Syns},
    tcp::{Answer, Raw, Syn},
};
use nix::errno::Errno;
use tokio::runtime::Runtime;

use crate::field::{ASIDE, Field, MAPPED, V4, V6, arrived, at, listen, runtime, tcp};

/// What arrives within so long arrived at once: TCP sends a SYN again after a second.
const SOON: Duration = Duration::from_millis(700);
/// Connects, and sends data with the SYN (linux/socket.h).
const MSG_FASTOPEN: i32 = 0x2000_0000;
/// As long as a client may take at all.
const LIMIT: Duration = Duration::from_secs(8);

/// Stands in the agent's stead.
struct Agent<'a> {
    field: &'a Field,
    runtime: Runtime,
    syns: RefCell<Syns>,
    /// Attempts that it knows of: sockets, and the sequence numbers of their SYNs.
    known: RefCell<HashSet<(u64, u32)>>,
    /// How many SYNs were handed over.
    heard: Cell<u64>,
    raw: Raw,
}

/// What was handed over: the client's socket, and what it sent.
type Held = (u64, Syn);

impl<'a> Agent<'a> {
    fn of(field: &'a Field) -> Self {
        let runtime = runtime();
        let syns = runtime.block_on(async { field.hooks.syns().unwrap() });
        let syns = syns.expect("this kernel does not take the program");
        let agent = Self {
            field,
            runtime,
            syns: syns.into(),
            known: RefCell::default(),
            heard: Cell::default(),
            raw: field.ground.client(|| Raw::open().unwrap()),
        };
        agent.hold(true);
        agent
    }

    fn hold(&self, holds: bool) {
        let Field { hooks, ground, .. } = self.field;
        hooks.hold(ground.cookie, holds).unwrap();
    }

    /// What is handed over within so long.
    fn hear(&self, within: Duration) -> Vec<Held> {
        let mut heard = Vec::new();
        let mut syns = self.syns.borrow_mut();
        self.runtime.block_on(async {
            let reading = syns.read(|held| {
                assert_eq!(held.netns, self.field.ground.cookie);
                heard.push((held.socket, Syn::read(held.packet).unwrap()));
            });
            tokio::time::timeout(within, reading).await.ok();
        });
        self.heard.update(|before| before + heard.len() as u64);
        heard
    }

    /// The next attempt. What TCP has sent again meanwhile, as a slow machine took a second for an answer, is none.
    fn hears_one(&self) -> Held {
        let deadline = Instant::now() + SOON;
        loop {
            let mut heard = self.hear(deadline.saturating_duration_since(Instant::now()));
            heard.retain(|(socket, syn)| self.known.borrow_mut().insert((*socket, syn.sequence())));
            assert!(heard.len() <= 1, "{heard:?}");
            if let Some(held) = heard.pop() {
                return held;
            }
            assert!(Instant::now() < deadline, "there is none");
        }
    }

    fn send(&self, packet: Option<Vec<u8>>, to: IpAddr) {
        self.raw.send(&packet.unwrap(), to).unwrap();
    }

    fn let_go(&self, (socket, syn): &Held) {
        self.field.hooks.let_go(*socket, syn.sequence()).unwrap();
        self.send(syn.packet(), syn.from.ip());
    }

    /// Says it until it is heard: the kernel forgets an ICMP message for a socket that is at work.
    fn answer<T>(&self, (_, syn): &Held, answer: Answer, client: &ScopedJoinHandle<'_, T>) {
        let deadline = Instant::now() + LIMIT;
        while !client.is_finished() {
            assert!(Instant::now() < deadline, "{answer:?} is not heard");
            self.send(syn.answer(answer), syn.from.ip());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// A client that connects meanwhile.
    fn client<'s>(
        &'s self,
        scope: &'s thread::Scope<'s, '_>,
        to: &'static str,
    ) -> ScopedJoinHandle<'s, io::Result<TcpStream>> {
        let ground = &self.field.ground;
        scope.spawn(move || ground.client(|| TcpStream::connect_timeout(&at(to), LIMIT)))
    }

    fn arrived(&self, to: &str) -> TcpStream {
        let ground = &self.field.ground;
        let is_v4 = at(to).ip().to_canonical().is_ipv4();
        arrived(if is_v4 {
            &ground.agent4
        } else {
            &ground.agent6
        })
        .0
    }
}

#[test]
fn a_syn_is_held_until_it_is_let_go() {
    let field = Field::new();
    let agent = Agent::of(&field);
    for to in [V4, V6, MAPPED] {
        thread::scope(|scope| {
            let client = agent.client(scope, to);
            let held = agent.hears_one();
            assert_eq!(held.1.from.ip(), held.1.to.ip(), "both are loopback");
            field.ground.assert_agent_idle();
            assert!(!client.is_finished(), "it does not wait");
            let caller = field.hooks.owner(held.0).unwrap();
            assert_eq!(caller.original.ip(), at(to).ip().to_canonical());
            assert_eq!(caller.tgid, std::process::id());

            // Should TCP send it again, that is held, too.
            agent.send(held.1.packet(), held.1.from.ip());
            let mut taken = agent.arrived(to);
            let mut client = client.join().unwrap().unwrap();
            let flow = field.hooks.take_flow(field.ground.cookie, held.1.from);
            assert_eq!(flow.unwrap().original, caller.original);
            client.write_all(b"there").unwrap();
            let mut read = [0; 5];
            taken.read_exact(&mut read).unwrap();
            assert_eq!(&read, b"there");
            assert_eq!(field.hooks.destination(held.0), Some(caller.original));
            drop(client);
            assert_eq!(field.hooks.destination(held.0), None);
        });
    }
    agent.hear(Duration::from_millis(100));
    assert!(agent.heard.get() >= 3);
    assert_eq!(field.count(Counter::SynHeld), agent.heard.get());
    assert_eq!(field.count(Counter::SynNotHeld), 0);
}

#[test]
fn a_client_is_told_what_the_network_says() {
    let field = Field::new();
    let agent = Agent::of(&field);
    for to in [V4, V6, MAPPED] {
        for (answer, errno) in [
            (Answer::Refused, Errno::ECONNREFUSED),
            (Answer::NetUnreachable, Errno::ENETUNREACH),
            (Answer::HostUnreachable, Errno::EHOSTUNREACH),
        ] {
            thread::scope(|scope| {
                let client = agent.client(scope, to);
                let held = agent.hears_one();
                agent.answer(&held, answer, &client);
                let error = client.join().unwrap().unwrap_err();
                assert_eq!(error.raw_os_error(), Some(errno as i32), "{to}");
            });
        }
    }
    field.ground.assert_agent_idle();
}

/// Then the two ends have addresses of different kinds.
#[test]
fn so_is_one_that_has_chosen_its_own_address() {
    let field = Field::new();
    let agent = Agent::of(&field);
    for (to, own) in [(V4, "192.0.2.9:0"), (V6, "[2001:db8::9]:0")] {
        let connect = || {
            field.ground.client(|| {
                let socket = tcp(to);
                socket.bind(&at(own).into()).unwrap();
                socket
                    .connect_timeout(&at(to).into(), LIMIT)
                    .map(|()| socket)
            })
        };
        for (answer, errno) in [
            (Answer::Refused, Errno::ECONNREFUSED),
            (Answer::HostUnreachable, Errno::EHOSTUNREACH),
        ] {
            thread::scope(|scope| {
                let client = scope.spawn(connect);
                let held = agent.hears_one();
                assert_eq!(held.1.from.ip(), at(own).ip());
                agent.answer(&held, answer, &client);
                let error = client.join().unwrap().unwrap_err();
                assert_eq!(error.raw_os_error(), Some(errno as i32), "{to}");
            });
        }
        thread::scope(|scope| {
            let client = scope.spawn(connect);
            agent.let_go(&agent.hears_one());
            client.join().unwrap().unwrap();
            agent.arrived(to);
        });
    }
}

/// Packets may be lost, the agent's too.
#[test]
fn what_is_sent_again_is_told_again_and_passes_when_it_was_let_go() {
    let field = Field::new();
    let agent = Agent::of(&field);
    thread::scope(|scope| {
        let client = agent.client(scope, V4);
        let (socket, first) = agent.hears_one();
        let again = agent.hear(Duration::from_secs(3)).remove(0);
        assert_eq!((again.0, again.1.sequence()), (socket, first.sequence()));
        field.hooks.let_go(socket, first.sequence()).unwrap();
        client.join().unwrap().unwrap();
        agent.arrived(V4);
    });
}

/// A socket may be connected once more; what was let go is one attempt.
#[test]
fn the_next_attempt_of_a_socket_is_held_as_the_first() {
    let field = Field::new();
    let agent = Agent::of(&field);
    let socket = field.ground.client(|| tcp(V4));
    socket.set_nonblocking(true).unwrap();
    let connect = || {
        let begun = field.ground.client(|| socket.connect(&at(V4).into()));
        assert_eq!(
            begun.unwrap_err().raw_os_error(),
            Some(Errno::EINPROGRESS as i32)
        );
        agent.hears_one()
    };
    let first = connect();
    field.hooks.let_go(first.0, first.1.sequence()).unwrap();
    agent.send(first.1.answer(Answer::Refused), first.1.from.ip());
    let error = socket.take_error().unwrap().unwrap();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    // The failed attempt is told of once more (connect(2)).
    socket.connect(&at(V4).into()).unwrap_err();
    let next = connect();
    assert_eq!(next.0, first.0);
    assert_ne!(next.1.sequence(), first.1.sequence());
    agent.let_go(&next);
    agent.arrived(V4);
}

/// What TCP does about a full queue would make a client give up sooner.
#[test]
fn for_its_tcp_a_held_syn_is_one_that_nobody_has_answered_yet() {
    let field = Field::new();
    let agent = Agent::of(&field);
    set(&field, "tcp_syn_retries", 1);
    thread::scope(|scope| {
        let begun = Instant::now();
        let client = agent.client(scope, V4);
        let error = client.join().unwrap().unwrap_err();
        let took = begun.elapsed().as_millis();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        // A second until it is sent again, and two more until that is given up; newer kernels do not double as soon.
        assert!((2_500..4_500).contains(&took), "{took} ms");
        assert!((2..=3).contains(&agent.hear(SOON).len()));
    });
    let sent_again = retransmitted(&field);
    thread::scope(|scope| {
        let client = agent.client(scope, V4);
        agent.let_go(&agent.hears_one());
        client.join().unwrap().unwrap();
        agent.arrived(V4);
    });
    assert_eq!(retransmitted(&field), sent_again);
}

/// Sets what the network namespace does about IPv4 and TCP.
fn set(field: &Field, name: &str, value: u32) {
    let path = format!("/proc/sys/net/ipv4/{name}");
    let write = || fs::write(&path, value.to_string());
    field.ground.client(write).unwrap();
}

/// How many segments were sent again in the network namespace.
fn retransmitted(field: &Field) -> String {
    let table = field
        .ground
        .client(|| fs::read_to_string("/proc/thread-self/net/snmp"));
    let table = table.unwrap();
    let mut rows = table.lines().filter(|row| row.starts_with("Tcp:"));
    let mut columns = rows
        .next()
        .unwrap()
        .split(' ')
        .zip(rows.next().unwrap().split(' '));
    let found = columns.find(|(name, _)| *name == "RetransSegs").unwrap();
    found.1.to_owned()
}

#[test]
fn nothing_is_held_that_nobody_asked_for() {
    let field = Field::new();
    field.assert_redirected(V4);
    let agent = Agent::of(&field);
    field.assert_direct(ASIDE);
    agent.hold(false);
    field.assert_redirected(V4);
    field.assert_redirected(V6);
    assert_eq!(field.count(Counter::SynHeld), 0);
    assert!(agent.hear(Duration::from_millis(100)).is_empty());
    // Where nobody listens there is nothing to hold.
    field.hooks.unlisten(field.ground.cookie).unwrap();
    agent.hold(true);
    field.assert_direct(V4);
}

#[test]
fn without_a_heartbeat_what_is_held_passes() {
    let field = Field::new();
    let agent = Agent::of(&field);
    thread::scope(|scope| {
        let client = agent.client(scope, V4);
        agent.hears_one();
        field.heart.stop();
        client.join().unwrap().unwrap();
        agent.arrived(V4);
    });
}

/// An agent that is too slow.
#[test]
fn what_cannot_be_told_is_not_held() {
    let field = Field::new();
    let agent = Agent::of(&field);
    field.ground.client(|| {
        while field.count(Counter::SynNotHeld) == 0 {
            let socket = tcp(V4);
            socket.set_nonblocking(true).unwrap();
            socket.connect(&at(V4).into()).unwrap_err();
            assert!(
                field.count(Counter::SynHeld) < 5_000,
                "there is room for all"
            );
        }
    });
    agent.arrived(V4);
    field.assert_redirected(V6);
    assert!(field.count(Counter::SynHeld) > 1_000);
    assert!(agent.hear(SOON).len() > 1_000);
    thread::scope(|scope| {
        let client = agent.client(scope, V4);
        agent.let_go(&agent.hears_one());
        client.join().unwrap().unwrap();
    });
}

/// It has two seconds in all, which a dial may take alone.
#[test]
fn who_has_waited_for_the_listener_is_not_held() {
    const PORT: u16 = 61_112;
    let field = Field::new();
    let agent = Agent::of(&field);
    let Field { hooks, ground, .. } = &field;
    hooks.unlisten(ground.cookie).unwrap();
    assert!(hooks.expect(PORT).unwrap());
    thread::scope(|scope| {
        let client = agent.client(scope, V4);
        thread::sleep(Duration::from_millis(50));
        let listener = listen(&ground.net, &format!("127.0.0.1:{PORT}"));
        hooks.listen(ground.cookie, Some(PORT), None).unwrap();
        agent.hold(true);
        arrived(&listener);
        client.join().unwrap().unwrap();
    });
    assert_eq!(field.count(Counter::SynHeld), 0);
}

/// Data that comes with a SYN (RFC 7413) would be lost with it.
#[test]
fn a_syn_that_brings_data_is_not_held() {
    let field = Field::new();
    let _agent = Agent::of(&field);
    // On both sides, for all listeners, without a cookie (Linux, ip-sysctl.rst).
    set(&field, "tcp_fastopen", 0x607);
    for (n, data) in (1..).zip([&b"short"[..], &[7; 1000]]) {
        field.ground.client(|| {
            let socket = tcp(V4);
            let sent = socket
                .send_to_with_flags(data, &at(V4).into(), MSG_FASTOPEN)
                .unwrap();
            assert_eq!(sent, data.len());
            let (mut taken, _) = arrived(&field.ground.agent4);
            let mut read = vec![0; data.len()];
            taken.read_exact(&mut read).unwrap();
            assert_eq!(read, data);
        });
        assert_eq!(field.count(Counter::SynNotHeld), n);
    }
    assert_eq!(field.count(Counter::SynHeld), 0);
}
