//! All ways in which clients make and connect sockets, through the agent: the connection is guarded, the
//! bytes are right, and the socket says of itself what it would say without a guard.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

use std::{
    fs,
    io::{ErrorKind, Read as _, Write as _},
    net::IpAddr,
    thread::{self, sleep},
    time::{Duration, Instant},
};

use lab::{Agent, Cmd, Dialect, Lab, Place, Turn, clients, samples};
use nix::errno::Errno;
use serde_json::Value;
use socket2::SockRef;

const SOCKETS: &str = include_str!("python/sockets.py");
const HOST: &str = "api.openai.com";

/// A lab with one service, and an agent.
struct Scene<'lab> {
    lab: &'lab Lab,
    agent: Agent<'lab>,
    v4: String,
    v6: String,
}

impl<'lab> Scene<'lab> {
    fn of(lab: &'lab Lab) -> Self {
        lab.ai(HOST, Turn::echo);
        let addresses = lab.zone().addresses(HOST).unwrap();
        let of = |v4: bool| addresses.iter().find(|address| address.is_ipv4() == v4);
        Self {
            agent: lab.agent().start(),
            v4: of(true).unwrap().to_string(),
            v6: of(false).unwrap().to_string(),
            lab,
        }
    }

    /// Asks over such a socket; the answer, and what the socket says of itself. The service must have seen
    /// the secret if, and only if, the connection was not guarded.
    fn ask(&self, place: &Place, way: &str, n: u64, guarded: bool) -> Value {
        let token = samples::github(n);
        let body = Dialect::Chat.request(&token, false).to_string();
        let running = python(
            place,
            [way, HOST, &self.v4, &self.v6, "/v1/chat/completions"],
        )
        .input(body)
        .start();
        let pid = running.pid();
        let done = running.wait(Duration::from_secs(30)).ok();
        let said: Value = serde_json::from_str(&done.text()).unwrap();
        let answer = said["answer"].as_str().unwrap();
        assert_eq!(Dialect::Chat.said(answer, false), token, "{way}");
        let arrived = self.lab.journal().requests();
        let text = arrived.last().unwrap().text();
        assert_eq!(text.contains(&token), !guarded, "{way}: {text}");
        if guarded {
            self.assert_session(way, pid);
        }
        said
    }

    fn assert_session(&self, way: &str, pid: u32) {
        let session = self.session(pid);
        let session = session.unwrap_or_else(|| panic!("{way}: no session names {pid}"));
        assert_eq!(session["host"], HOST, "{way}");
        let exe = session["process"]["exe"].as_str().unwrap();
        assert!(exe.contains("python"), "{way}: {exe}");
    }

    /// The session of a process; records are written a moment later.
    fn session(&self, pid: u32) -> Option<Value> {
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            let mut sessions = self.agent.sessions(1).into_iter();
            if let Some(own) = sessions.find(|session| session["process"]["pid"] == pid) {
                return Some(own);
            }
            sleep(Duration::from_millis(50));
        }
        None
    }
}

fn python<const N: usize>(place: &Place, words: [&str; N]) -> Cmd {
    clients::python(place, SOCKETS).args(words)
}

#[test]
fn every_way_to_connect_is_guarded() {
    let lab = Lab::new();
    let scene = Scene::of(&lab);
    let ways = [
        ("blocking", &scene.v4),
        ("nonblocking", &scene.v4),
        ("bound", &scene.v4),
        ("fastopen_connect", &scene.v4),
        ("msg_fastopen", &scene.v4),
        ("bound_to_device", &scene.v4),
        ("v6_only", &scene.v6),
        ("io_uring", &scene.v4),
    ];
    for (n, (way, address)) in (0..).zip(ways) {
        let said = scene.ask(&lab.guarded(), way, n, true);
        assert_eq!(said["peer"], serde_json::json!([address, 443]), "{way}");
    }
    let said = scene.ask(&lab.guarded(), "mapped", 100, true);
    let mapped = format!("::ffff:{}", scene.v4);
    assert_eq!(said["peer"], serde_json::json!([mapped, 443]));
    // Its own `getpeername()` is not asked by the kernel's hooks: see docs/architecture.md.
    scene.ask(&lab.guarded(), "mptcp", 101, true);
    assert_eq!(scene.agent.counter("kernel_not_published"), 0);
}

/// The kernel lets no hook undo a binding that its owner could not undo.
#[test]
fn a_socket_bound_to_a_device_passes_where_its_owner_may_not_unbind_it() {
    let lab = Lab::new();
    let scene = Scene::of(&lab);
    let user = lab.guarded().with_uid(1000);
    scene.ask(&user, "blocking", 1, true);
    scene.ask(&user, "bound_to_device", 2, false);
    assert_eq!(scene.agent.counter("kernel_bound_to_device"), 1);
}

/// A client that races both families ends on one, and where one leads nowhere the agent takes the other.
#[test]
fn happy_eyeballs_end_on_one_connection() {
    let lab = Lab::new();
    let scene = Scene::of(&lab);
    scene.ask(&lab.guarded(), "happy_eyeballs", 1, true);
    let v4 = scene.v4.parse().unwrap();
    lab.zone()
        .set(HOST, &["fd00:c0de::1:fffe".parse().unwrap(), v4]);
    scene.ask(&lab.guarded(), "happy_eyeballs", 2, true);
}

fn endpoint(host: &str) -> String {
    format!("[[endpoint]]\nhosts = [\"{host}\"]\nports = [444]\nprovider = \"opaque\"")
}

/// What a client that is no good at waiting sees at an address, in three attempts.
fn attempts(place: &Place, way: &str, host: &str, address: IpAddr) -> Vec<(String, i32)> {
    let address = address.to_string();
    let done = python(place, [way, host, &address, "444", "-"]).run().ok();
    serde_json::from_str(&done.text()).unwrap()
}

/// Sets `first.test` up, where nobody listens yet, and gives its IPv4 address.
fn first(lab: &Lab) -> IpAddr {
    lab.site("first.test").named();
    lab.zone().addresses("first.test").unwrap()[0]
}

fn three(said: &str, errno: i32) -> Vec<(String, i32)> {
    vec![(said.to_owned(), errno); 3]
}

#[test]
fn what_cannot_be_reached_fails_as_it_would_without_a_guard() {
    let lab = Lab::new();
    lab.site("down.test").named();
    // No way leads to the one, and nobody has the other's address on the net that it belongs to.
    let [nowhere, absent] = ["203.0.113.1", "198.18.0.77"].map(|it| it.parse().unwrap());
    lab.zone().set("nowhere.test", &[nowhere]);
    lab.zone().set("absent.test", &[absent]);
    let down = lab.zone().addresses("down.test").unwrap();
    let endpoints = ["down.test", "nowhere.test", "absent.test"].map(endpoint);
    let agent = lab.agent().settings(&endpoints.join("\n")).start();
    for (host, address, errno) in [
        ("down.test", down[0], Errno::ECONNREFUSED),
        ("down.test", down[1], Errno::ECONNREFUSED),
        ("nowhere.test", nowhere, Errno::ENETUNREACH),
        ("absent.test", absent, Errno::EHOSTUNREACH),
    ] {
        let expected = three("connect", errno as i32);
        let found = |place: Place| attempts(&place, "failing", host, address);
        assert_eq!(found(lab.unguarded()), expected, "{address}");
        let before = agent.counter("kernel_syn_held");
        assert_eq!(found(lab.guarded()), expected, "{address}");
        let held = agent.counter("kernel_syn_held") - before;
        assert!(held >= 3, "the agent was not asked: {held}, {address}");
    }
}

/// Its clients wait as long as they would, and the agent no longer than they do.
#[test]
fn a_service_that_says_nothing_is_waited_for() {
    let lab = Lab::new();
    let address = lab.silent("silent.test");
    let agent = lab.agent().settings(&endpoint("silent.test")).start();
    let expected = three("timed out", 0);
    for place in [lab.unguarded(), lab.guarded()] {
        assert_eq!(
            attempts(&place, "impatient", "silent.test", address),
            expected
        );
    }
    assert!(agent.counter("kernel_syn_held") >= 3);
    let deadline = Instant::now() + Duration::from_secs(5);
    while dials(&agent) > 0 {
        assert!(Instant::now() < deadline, "the agent dials for nobody");
        sleep(Duration::from_millis(50));
    }
}

/// The connections that are being made where the agent is (proc_pid_net(5)).
fn dials(agent: &Agent<'_>) -> usize {
    let table = fs::read_to_string(format!("/proc/{}/net/tcp", agent.pid())).unwrap();
    let states = table
        .lines()
        .filter_map(|line| line.split_whitespace().nth(3));
    states.filter(|state| *state == "02").count()
}

/// As mail servers do. Where nobody speaks the connection is the service's to end.
#[test]
fn a_service_that_speaks_first_or_ends_is_heard() {
    let lab = Lab::new();
    let address = first(&lab);
    let _agent = lab.agent().settings(&endpoint("first.test")).start();
    let listener = lab.listener(444);
    thread::spawn(move || {
        for (n, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            // What ends at once is dialled for again when its client speaks.
            sleep(Duration::from_millis(100));
            if n % 3 == 0 {
                stream.write_all(b"220 welcome").unwrap();
            } else if n % 3 == 1 {
                SockRef::from(&stream)
                    .set_linger(Some(Duration::ZERO))
                    .unwrap();
            }
        }
    });
    let expected =
        [("220 welcome", 0), ("reset", 0), ("", 0)].map(|(said, n)| (said.to_owned(), n));
    for place in [lab.unguarded(), lab.guarded()] {
        assert_eq!(
            attempts(&place, "listening", "first.test", address),
            expected
        );
    }
}

/// HTTP without TLS has to be looked at, whatever a service says before.
#[test]
fn a_service_in_clear_that_speaks_first_is_sent_no_secret() {
    let lab = Lab::new();
    let address = first(&lab);
    let clear = format!("{}\ntls = false", endpoint("first.test"));
    let _agent = lab.agent().settings(&clear).start();
    let listener = lab.listener(444);
    let service = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream
            .write_all(b"HTTP/1.1 408 Too Slow\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).ok();
        String::from_utf8(heard).unwrap()
    });
    let token = samples::github(1);
    let words = ["late", "first.test", &address.to_string(), "444", "/"];
    python(&lab.guarded(), words)
        .input(Dialect::Chat.request(&token, false).to_string())
        .run()
        .ok();
    let heard = service.join().unwrap();
    assert!(!heard.contains(&token), "{heard}");
}

/// The agent must know it first.
#[test]
fn a_process_that_passes_is_left_alone_from_its_second_connection_on() {
    let lab = Lab::new();
    let address = first(&lab);
    let rule = "[[process]]\nexe = \"/**/python*\"\naction = \"pass\"";
    let agent = lab.agent();
    let agent = agent
        .settings(&endpoint("first.test"))
        .settings(rule)
        .start();
    let listener = lab.listener(444);
    thread::spawn(move || {
        listener
            .incoming()
            .for_each(|stream| stream.unwrap().write_all(b"220").unwrap())
    });
    let found = attempts(&lab.guarded(), "listening", "first.test", address);
    assert_eq!(found, three("220", 0));
    let counted = ["kernel_redirected", "kernel_process_passed"].map(|name| agent.counter(name));
    assert_eq!(counted, [1, 2]);
}

/// Nobody hears of what its rule refuses.
#[test]
fn a_blocked_process_reaches_nobody() {
    let lab = Lab::new();
    let address = first(&lab);
    let rule = "[[process]]\nexe = \"/**/python*\"\naction = \"block\"";
    let agent = lab
        .agent()
        .settings(&endpoint("first.test"))
        .settings(rule)
        .start();
    let listener = lab.listener(444);
    let found = attempts(&lab.guarded(), "listening", "first.test", address);
    assert_eq!(found, three("reset", 0));
    assert!(agent.counter("kernel_syn_held") >= 3);
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}
