//! `cargo xtask bench`: direct and guarded, side by side, in turns.
//!
//! How long a request of 64 KB takes on an open connection; how old an event of a stream is when the
//! client has read it; how long a megabyte takes on a connection that is not for us, and how long until the
//! first answer; how long the kernel takes over a `connect()` or a datagram that is none of our business; and how long a QUIC connection
//! takes to stand that has to be looked at. The service writes its monotonic clock into every event, so that
//! nothing has to be subtracted but the direct figure.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement that fails loudly, for people to read"
)]

#[path = "lab-bench/client.rs"]
mod client;
#[path = "lab-bench/raw.rs"]
mod raw;
#[path = "lab-bench/service.rs"]
mod service;
#[path = "lab-bench/udp.rs"]
mod udp;

use std::process::{Child, Command};

use lab::{Lab, Place, Table, samples};

use service::HOST;

/// What is measured: its name, and what the client does.
const MEASURES: [(&str, &str); 9] = [
    ("64 KB request, nothing to seal", "plain"),
    ("64 KB request, one secret sealed and restored", "secret"),
    ("SSE event, a secret restored in each", "events"),
    ("spliced bulk, each megabyte", "bulk"),
    ("the same on a link of 5 Gbit/s", "linked"),
    ("spliced connection, until its first answer", "first"),
    ("connect() that is not ours", "connect"),
    ("QUIC connection to a host beside a guarded one", "quic"),
    ("datagram that is not ours", "datagram"),
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["client", what] => client::run(what),
        ["--rounds", rounds] => compare(rounds.parse().unwrap()),
        _ => panic!("lab-bench --rounds N"),
    }
}

/// Where a client runs, and what it measured so far, in microseconds.
struct Side {
    place: Place,
    samples: Vec<Vec<f64>>,
}

fn compare(rounds: usize) {
    let lab = Lab::new();
    lab.journal().pause();
    service::start(&lab);
    raw::start(&lab);
    udp::start(&lab);
    let agent = lab.agent().settings(raw::SETTINGS).start();
    for awake in [false, true] {
        let _spinners = awake.then(Spinners::start);
        report(&sides(&lab, rounds), rounds, awake);
    }
    assert!(!agent.log().contains(&samples::github(1)));
}

/// What both sides measured, in turns.
fn sides(lab: &Lab, rounds: usize) -> [Side; 2] {
    let side = |place| Side {
        place,
        samples: vec![Vec::new(); MEASURES.len()],
    };
    let mut sides = [side(lab.unguarded()), side(lab.guarded())];
    for round in 0..=rounds {
        for (n, (_, what)) in MEASURES.iter().enumerate() {
            for side in &mut sides {
                let samples = measure(&side.place, what);
                // The first round warms both sides up.
                if round > 0 {
                    side.samples[n].extend(samples);
                }
            }
        }
    }
    sides
}

/// Loops that run only where nothing else wants to. A virtual core that has gone to sleep takes a
/// hundred microseconds to wake, which says more about the machine's host than about the guard.
struct Spinners(Vec<Child>);

impl Spinners {
    fn start() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let spin = || {
            let words = ["--idle", "0", "sh", "-c", "while :; do :; done"];
            Command::new("chrt").args(words).spawn().unwrap()
        };
        Self((0..cores).map(|_| spin()).collect())
    }
}

impl Drop for Spinners {
    fn drop(&mut self) {
        for child in &mut self.0 {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

fn measure(place: &Place, what: &str) -> Vec<f64> {
    let own = std::env::current_exe().unwrap();
    let output = place.cmd(own).args(["client", what]).run().ok().text();
    output.lines().map(|line| line.parse().unwrap()).collect()
}

fn report(sides: &[Side; 2], rounds: usize, awake: bool) {
    let head = [
        "µs",
        "direct p50",
        "p99",
        "guarded p50",
        "p99",
        "added p50",
        "p99",
        "samples",
    ];
    let mut table = Table::new(head).of_figures();
    for (n, (name, _)) in MEASURES.iter().enumerate() {
        let [(d50, d99), (g50, g99)] = sides.each_ref().map(|side| percentiles(&side.samples[n]));
        let [d50, d99, g50, g99, a50, a99] =
            [d50, d99, g50, g99, g50 - d50, g99 - d99].map(|cell| format!("{cell:.1}"));
        let count = sides[1].samples[n].len().to_string();
        table.push([(*name).to_owned(), d50, d99, g50, g99, a50, a99, count]);
    }
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap();
    let load = load.split(' ').next().unwrap_or_default();
    let cores_are = if awake { "kept awake" } else { "left to sleep" };
    println!("Cores {cores_are}:\n\n{table}");
    println!("{}", rates(sides));
    println!("{rounds} rounds in turns, HTTP/1.1 to {HOST} over one veth pair.");
    println!(
        "{cores} cores, shared by all; the load of the last minute was {load}, about 1 of it ours."
    );
}

/// How much went through in all: what a median says of each megabyte is blind to the slow ones.
fn rates(sides: &[Side; 2]) -> String {
    let bulk = MEASURES.iter().enumerate();
    let bulk = bulk.filter(|(_, (_, what))| matches!(*what, "bulk" | "linked"));
    let lines = bulk.map(|(n, (name, _))| {
        let [direct, guarded] = sides.each_ref().map(|side| {
            let took: f64 = side.samples[n].iter().sum();
            (raw::MEGABYTE * side.samples[n].len()) as f64 / took / 1e3
        });
        let share = 100.0 * guarded / direct;
        format!("{name}: {direct:.2} GB/s direct, {guarded:.2} GB/s spliced ({share:.0} %)\n")
    });
    lines.collect()
}

fn percentiles(samples: &[f64]) -> (f64, f64) {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |share: usize| sorted[(sorted.len() * share / 100).min(sorted.len() - 1)];
    (at(50), at(99))
}
