//! Containers: network namespaces of their own, with nothing set up inside but trust.
#![allow(clippy::unwrap_used, reason = "tests panic")]
#![allow(clippy::print_stdout, reason = "figures are for people")]

use std::{
    sync::Mutex,
    thread::sleep,
    time::{Duration, Instant},
};

use lab::{
    Agent, Dialect, Lab, Place, Turn,
    clients::{self, told},
    samples,
};

/// How long the agent may take to see what has changed.
const PATIENCE: Duration = Duration::from_secs(30);

fn until(agent: &Agent<'_>, count: u64) {
    let deadline = Instant::now() + PATIENCE;
    while agent.counter("namespaces") != count {
        assert!(
            Instant::now() < deadline,
            "{count} namespaces were to be guarded, and there are {}:\n{}",
            agent.counter("namespaces"),
            agent.log()
        );
        sleep(Duration::from_millis(50));
    }
}

/// Somebody who stays in a container, as its first process does.
fn resident(place: &Place) -> lab::Running {
    place.cmd("sleep").args(["600"]).start()
}

#[test]
fn a_container_is_guarded_from_its_first_connection_to_its_last() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let before = lab.container(1, "before");
    let resident_before = resident(&before);
    let agent = lab.agent().start();
    until(&agent, 1);
    let token = samples::github(1);
    assert_eq!(told(&before, &token), token);

    let after = lab.container(2, "after");
    let _resident_after = resident(&after);
    // A socket is enough to be seen, whatever becomes of it.
    clients::post(&after, "http://127.0.0.1:9/", "").run();
    until(&agent, 2);
    assert_eq!(told(&after, &token), token);
    assert_eq!(told(&lab.guarded(), &token), token);
    lab.journal().never_saw(token.as_bytes());

    resident_before.signal(nix::sys::signal::Signal::SIGKILL);
    resident_before.wait(PATIENCE);
    until(&agent, 1);
    assert_eq!(told(&after, &token), token);
    lab.journal().never_saw(token.as_bytes());
}

#[test]
fn containers_with_the_same_addresses_do_not_mix() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let agent = lab.agent().start();
    let containers = [lab.container(1, "one"), lab.container(2, "two")];
    let _residents = containers.each_ref().map(resident);
    for container in &containers {
        clients::post(container, "http://127.0.0.1:9/", "").run();
    }
    until(&agent, 2);
    // The agent sees both come from 127.0.0.1 and the same port.
    std::thread::scope(|scope| {
        for (n, container) in containers.iter().enumerate() {
            scope.spawn(move || {
                for round in 0..10_u64 {
                    let token = samples::github(100 * n as u64 + round);
                    let body = Dialect::Chat.request(&token, false).to_string();
                    let done = clients::post(container, &Dialect::Chat.url(), &body)
                        .args(["--local-port", &(40_000 + round).to_string()])
                        .run()
                        .ok();
                    assert_eq!(Dialect::Chat.said(&done.text(), false), token);
                }
            });
        }
    });
    let sessions = agent.sessions(20);
    assert_eq!(sessions.len(), 20);
}

/// Namespaces in which a connection is the first thing that happens.
const COLD: u16 = 200;
/// How many are made at a time.
const AT_ONCE: u16 = 4;

static TURN: Mutex<()> = Mutex::new(());

/// Connects without asking anybody before, then posts what it is given. Prints how long `connect()` took.
const CLIENT: &str = r#"
import socket, ssl, sys, time
host, address, path = sys.argv[1:]
body = sys.stdin.buffer.read()
trust = ssl.create_default_context(cafile="/etc/ssl/certs/ca-certificates.crt")
s = socket.socket()
begun = time.perf_counter()
s.connect((address, 443))
print(f"{(time.perf_counter() - begun) * 1000:.3f}", flush=True)
tls = trust.wrap_socket(s, server_hostname=host)
head = f"POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\nconnection: close\r\n"
tls.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
print(b"".join(iter(lambda: tls.recv(65536), b"")).split(b"\r\n\r\n", 1)[1].decode())
"#;

/// What came of a cold connection: how long `connect()` took, in milliseconds.
fn cold(lab: &Lab, n: u16, address: &str) -> f64 {
    // Cables are laid one at a time: each has the same name until it is where it belongs.
    let place = {
        let _turn = TURN.lock().unwrap();
        lab.container(n, "cold")
    };
    let token = samples::github(1_000 + u64::from(n));
    let url = Dialect::Chat.url();
    let path = url.split_once(Dialect::Chat.host()).unwrap().1;
    let done = place
        .cmd(clients::python_binary())
        .args(["-c", CLIENT, Dialect::Chat.host(), address, path])
        .input(Dialect::Chat.request(&token, false).to_string())
        .run()
        .ok()
        .text();
    let (took, answer) = done.split_once('\n').unwrap();
    assert!(answer.contains(&token), "{answer}");
    took.parse().unwrap()
}

#[test]
fn the_first_connection_of_a_namespace_waits_for_the_agent() {
    let lab = Lab::new();
    lab.site(Dialect::Chat.host()).v4_only().ai(Turn::echo);
    let agent = lab.agent().start();
    let address = lab.zone().addresses(Dialect::Chat.host()).unwrap()[0].to_string();
    let mut took: Vec<f64> = std::thread::scope(|scope| {
        let (lab, address) = (&lab, &address);
        let workers: Vec<_> = (0..AT_ONCE)
            .map(|worker| {
                let mine = (worker..COLD).step_by(AT_ONCE.into());
                scope.spawn(move || mine.map(|n| cold(lab, n, address)).collect::<Vec<_>>())
            })
            .collect();
        let took = workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap());
        took.collect()
    });
    took.sort_by(f64::total_cmp);
    let counted = &agent.objects(["status", "--json"]).remove(0)["counters"];
    let of = |name: &str| counted[name].as_u64().unwrap();
    let arrived = lab.journal().requests().len();
    println!(
        "{COLD} cold namespaces: {} escaped, {} waited; connect p50 {} ms, p99 {} ms, max {} ms",
        of("kernel_no_listener"),
        of("kernel_waited"),
        took[took.len() / 2],
        took[took.len() * 99 / 100],
        took[took.len() - 1],
    );
    assert_eq!(arrived, usize::from(COLD));
    assert_eq!(of("kernel_no_listener"), 0);
    assert!(
        of("kernel_waited") > 0,
        "nobody had to wait: this shows nothing"
    );
    assert_eq!(agent.sessions(COLD.into()).len(), usize::from(COLD));
    for n in 0..u64::from(COLD) {
        lab.journal()
            .never_saw(samples::github(1_000 + n).as_bytes());
    }
}
