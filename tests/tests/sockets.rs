//! All ways in which clients make and connect sockets, through the agent: the connection is guarded, the
//! bytes are right, and the socket says of itself what it would say without a guard.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use lab::{Agent, Cmd, Dialect, Lab, Place, Turn, clients, samples};
use nix::errno::Errno;
use serde_json::Value;

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

/// The first attempt is accepted and reset; those behind it see the network's own error.
#[test]
fn what_cannot_be_reached_fails_as_it_would_without_a_guard() {
    let lab = Lab::new();
    let nowhere = "203.0.113.1";
    lab.site("down.test").v4_only().named();
    lab.zone().set("nowhere.test", &[nowhere.parse().unwrap()]);
    let down = lab.zone().addresses("down.test").unwrap()[0].to_string();
    let endpoint =
        |host| format!("[[endpoint]]\nhosts = [\"{host}\"]\nports = [444]\nprovider = \"opaque\"");
    let agent = lab
        .agent()
        .settings(&endpoint("down.test"))
        .settings(&endpoint("nowhere.test"))
        .start();
    for (host, address, errno) in [
        ("down.test", down.as_str(), Errno::ECONNREFUSED),
        ("nowhere.test", nowhere, Errno::ENETUNREACH),
    ] {
        let attempts = |place: &Place| -> Vec<(String, i32)> {
            let done = python(place, ["failing", host, address, "444", "-"])
                .run()
                .ok();
            serde_json::from_str(&done.text()).unwrap()
        };
        let expected = ("connect".to_owned(), errno as i32);
        assert_eq!(attempts(&lab.unguarded()), vec![expected.clone(); 3]);
        let guarded = attempts(&lab.guarded());
        assert_ne!(guarded[0], expected, "the agent was not asked");
        assert_eq!(guarded[1..], [expected.clone(), expected], "{address}");
    }
    let status = agent.objects(["status", "--json"]).remove(0);
    assert_eq!(status["counters"]["kernel_failed_alike"], 4);
}
