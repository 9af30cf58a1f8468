//! TCP without anything on it: what the hooks add to a connection that is not ours, and what the relay
//! adds to bytes that are not for us.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs},
    thread,
    time::{Duration, Instant},
};

use lab::Lab;
use nix::errno::Errno;
use socket2::{Domain, Socket, Type};

/// A host whose port 9000 is guarded, and is spliced because nothing on it is TLS; 9001 is not guarded.
pub(crate) const HOST: &str = "bulk.lab.test";
const SPLICED: u16 = 9000;
const UNGUARDED: u16 = 9001;

/// The agent's settings for it.
pub(crate) const SETTINGS: &str =
    "[[endpoint]]\nhosts = [\"bulk.lab.test\"]\nports = [9000]\nprovider = \"opaque\"";

pub(crate) const MEGABYTE: usize = 1 << 20;
/// Megabytes of one round.
const BULK: usize = 512;
/// What is written at a time.
const PIECE: usize = MEGABYTE / 4;
/// The word for as much as goes.
const ALL: &[u8; 4] = b"pour";
/// The word for one byte.
const ONE: &[u8; 4] = b"once";
/// Bytes in a second on a link of 5 Gbit/s.
const LINK: f64 = 5e9 / 8.0;
/// Connections of one round, after those that warm up.
const CONNECTIONS: usize = 3000;
const WARM_UP: usize = 300;

pub(crate) fn start(lab: &Lab) {
    lab.site(HOST).named();
    for (port, serve) in [(SPLICED, pour as fn(TcpStream)), (UNGUARDED, drop)] {
        let listener = lab.listener(port);
        thread::spawn(move || serve_all(&listener, serve));
    }
}

fn serve_all(listener: &TcpListener, serve: fn(TcpStream)) {
    for stream in listener.incoming().flatten() {
        thread::spawn(move || serve(stream));
    }
}

/// Waits for a word, and sends: one byte, as much as goes, or as a link lets through.
fn pour(mut stream: TcpStream) {
    let mut word = [0; 4];
    let piece = vec![7; PIECE];
    if stream.read_exact(&mut word).is_err() {
        return;
    }
    if &word == ONE {
        // Whoever does not wait for it sees that for themselves.
        stream.write_all(&word[..1]).ok();
        return;
    }
    let pace = match &word {
        ALL => Duration::ZERO,
        _ => Duration::from_secs_f64(PIECE as f64 / LINK),
    };
    let started = Instant::now();
    for n in 0..(BULK * MEGABYTE / PIECE) as u32 {
        let due = started + pace * n;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        // A client that is gone has what it wanted.
        if stream.write_all(&piece).is_err() {
            return;
        }
    }
}

/// Microseconds for each megabyte, as fast as both cores can.
pub(crate) fn bulk() -> Vec<f64> {
    poured(ALL)
}

/// The same, where the network is what limits.
pub(crate) fn linked() -> Vec<f64> {
    poured(b"link")
}

fn poured(word: &[u8; 4]) -> Vec<f64> {
    let mut stream = TcpStream::connect((HOST, SPLICED)).unwrap();
    stream.write_all(word).unwrap();
    let mut megabyte = vec![0; MEGABYTE];
    let samples = (0..BULK).map(|_| {
        let started = Instant::now();
        stream.read_exact(&mut megabyte).unwrap();
        started.elapsed().as_secs_f64() * 1e6
    });
    samples.collect()
}

/// Microseconds from the beginning of a connection to its first answer.
pub(crate) fn first_answers() -> Vec<f64> {
    let to = address(SPLICED);
    let samples = (0..WARM_UP + CONNECTIONS).map(|_| {
        let started = Instant::now();
        let mut stream = TcpStream::connect(to).unwrap();
        stream.write_all(ONE).unwrap();
        stream.read_exact(&mut [0]).unwrap();
        started.elapsed().as_secs_f64() * 1e6
    });
    samples.skip(WARM_UP).collect()
}

fn address(port: u16) -> SocketAddr {
    let mut addresses = (HOST, port).to_socket_addrs().unwrap();
    addresses.find(SocketAddr::is_ipv4).unwrap()
}

/// Microseconds that `connect()` takes, which does not wait for an answer.
pub(crate) fn connects() -> Vec<f64> {
    let to = address(UNGUARDED);
    let samples = (0..WARM_UP + CONNECTIONS).map(|_| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), None).unwrap();
        // Closed by a reset, it leaves its port to the next one.
        socket.set_linger(Some(Duration::ZERO)).unwrap();
        let started = Instant::now();
        let begun = socket.connect(&to.into());
        let took = started.elapsed().as_secs_f64() * 1e6;
        if let Err(error) = begun {
            assert_eq!(
                error.raw_os_error(),
                Some(Errno::EINPROGRESS as i32),
                "{error}"
            );
        }
        took
    });
    samples.skip(WARM_UP).collect()
}
