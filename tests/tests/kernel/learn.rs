//! Addresses of guarded names are learned from DNS answers before those who asked see them.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    time::Duration,
};

use codegate::kernel::{Counter, Host, Names, Options, Timing, read_answer};
use lab::{
    dns::{A, AAAA, CNAME, HTTPS, Message, Zone, query},
    until,
};
use tokio::runtime::Runtime;

use crate::field::{Field, arrived, assert_nobody, at, listen, waiting};

const GUARDED: &str = "api.guarded.test";
const BELOW: &str = "*.wild.test";
/// The port of the names that are asked for but once: nobody else stands there.
const COLD: u16 = 4443;
/// How long the agent may take to learn something.
const PATIENCE: Duration = Duration::from_secs(10);

/// A field with DNS servers on it, and a service on every address that a name may have.
struct Wire {
    field: Field,
    names: Names,
    server4: UdpSocket,
    server6: UdpSocket,
    /// Whoever comes here has escaped.
    everywhere: TcpListener,
    runtime: Runtime,
}

impl Wire {
    fn new(hosts: &[(&str, &[u16])]) -> Self {
        let hosts = hosts
            .iter()
            .map(|(name, ports)| ((*name).to_owned(), ports.to_vec()));
        Self::with(hosts.collect())
    }

    fn with(hosts: Vec<Host>) -> Self {
        let field = Field::bare(&Options::default());
        assert!(field.hooks.lost().is_empty(), "{:?}", field.hooks.lost());
        let net = &field.ground.net;
        net.ip("route add local 198.18.0.0/15 dev lo");
        net.ip("-6 route add local 2001:db8:1::/48 dev lo");
        let runtime = Runtime::new().unwrap();
        // The agent's own look-ups are out of the way: nothing here answers them.
        let timing = Timing {
            interval: Duration::from_secs(600),
            ..Timing::default()
        };
        let entered = runtime.enter();
        let names = Names::start(field.hooks.clone(), hosts, timing);
        drop(entered);
        Self {
            names,
            server4: net.datagrams("192.0.2.1:53"),
            server6: net.datagrams("[2001:db8::1]:53"),
            everywhere: listen(net, &format!("[::]:{COLD}")),
            runtime,
            field,
        }
    }

    /// A client gets this from a DNS server; when this returns, it has.
    fn deliver(&self, message: &[u8]) {
        self.deliver_from(&self.server4, message);
    }

    fn deliver_from(&self, server: &UdpSocket, message: &[u8]) {
        let from = server.local_addr().unwrap();
        let client = self.client(from);
        let to = client.local_addr().unwrap();
        server.send_to(message, to).unwrap();
        let mut buffer = [0; 4096];
        assert_eq!(client.recv(&mut buffer).unwrap(), message.len());
    }

    fn client(&self, server: SocketAddr) -> UdpSocket {
        let any = if server.is_ipv4() {
            "0.0.0.0:0"
        } else {
            "[::]:0"
        };
        self.field.ground.client(|| {
            let client = UdpSocket::bind(any).unwrap();
            client.connect(server).unwrap();
            client
                .set_read_timeout(Some(Duration::from_secs(60)))
                .unwrap();
            client
        })
    }

    fn learned(&self) -> HashSet<String> {
        let learned = self.field.hooks.learned_endpoints().unwrap();
        learned
            .into_iter()
            .map(|(address, _)| address.to_string())
            .collect()
    }

    fn assert_learned<const N: usize>(&self, expected: [&str; N]) {
        assert_eq!(self.learned(), expected.map(str::to_owned).into());
    }

    /// Waits until the agent has heard what the programs told.
    fn assert_heard(&self, address: &str, host: &str) {
        until(&format!("{address} is {host}"), PATIENCE, || {
            self.names.host_for(at(address)).as_deref() == Some(host)
        });
    }
}

fn v4(n: u16) -> Ipv4Addr {
    let [high, low] = n.to_be_bytes();
    Ipv4Addr::new(198, 18, high, low)
}

fn v6(n: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, n)
}

/// The figure that the issue asks for. Half of the names are configured one by one, half are below a
/// wildcard; each is asked for once, and has an address that nobody had before. A third of the
/// addresses are IPv6.
#[test]
fn a_thousand_cold_starts_and_no_escape() {
    let starts = u16::try_from(lab::many(1_000)).unwrap();
    let name = |n: u16| match n % 2 {
        0 => format!("n{n}.exact.test"),
        _ => format!("n{n}.of.wild.test"),
    };
    let mut hosts: Vec<Host> = (0..starts)
        .map(|n| (format!("n{n}.exact.test"), vec![COLD]))
        .collect();
    hosts.push((BELOW.to_owned(), vec![COLD]));
    let wire = Wire::with(hosts);
    let zone = Zone::default();
    let server = wire.server4.try_clone().unwrap();
    wire.runtime.spawn(zone.clone().serve(server));
    let resolver = wire.client(at("192.0.2.1:53"));
    let mut escapes = 0;
    for n in 0..starts {
        let (kind, ip) = match n % 3 {
            0 => (AAAA, IpAddr::from(v6(n))),
            _ => (A, IpAddr::from(v4(n))),
        };
        zone.set(&name(n), &[ip]);
        let to = SocketAddr::new(ip, COLD);
        let _client: TcpStream = wire.field.ground.client(|| {
            resolver.send(&query(&name(n), kind)).unwrap();
            let mut answer = [0; 512];
            resolver.recv(&mut answer).unwrap();
            TcpStream::connect_timeout(&to, Duration::from_secs(5)).unwrap()
        });
        escapes += u16::from(!is_taken(&wire, to));
    }
    tell(&format!("cold starts: {starts}, escapes: {escapes}"));
    assert_eq!(escapes, 0);
    assert_nobody(&wire.everywhere);
}

/// Whether the connection that was just made has come to the agent, and not to where it was to go.
fn is_taken(wire: &Wire, to: SocketAddr) -> bool {
    let ground = &wire.field.ground;
    let agent = if to.is_ipv4() {
        &ground.agent4
    } else {
        &ground.agent6
    };
    let mut taken = None;
    until("the connection is somewhere", PATIENCE, || {
        taken = waiting(agent)
            .map(|(_, client)| wire.field.hooks.take_flow(ground.cookie, client))
            .or_else(|| waiting(&wire.everywhere).map(|_| None));
        taken.is_some()
    });
    taken.flatten().is_some_and(|flow| flow.original == to)
}

#[allow(clippy::print_stderr, reason = "a figure for whoever reads the log")]
fn tell(figure: &str) {
    eprintln!("{figure}");
}

#[test]
fn chains_families_case_and_extensions_are_understood() {
    let wire = Wire::new(&[(GUARDED, &[443])]);
    let chain = Message::answer("API.Guarded.TEST", A)
        .cname("edge.cdn.example")
        .compressed_cname("x")
        .a(v4(1), 60)
        .a(v4(2), 60)
        .edns();
    wire.deliver(&chain.bytes());
    wire.deliver_from(
        &wire.server6,
        &Message::answer(GUARDED, AAAA).aaaa(v6(3), 60).bytes(),
    );
    wire.assert_learned(["198.18.0.1:443", "198.18.0.2:443", "[2001:db8:1::3]:443"]);
    wire.assert_heard("198.18.0.2:443", GUARDED);
    wire.assert_heard("[2001:db8:1::3]:443", GUARDED);
    assert_eq!(wire.field.count(Counter::Learned), 3);
    assert_eq!(wire.field.count(Counter::NotTold), 0);
    let _client = wire.field.ground.connect("198.18.0.2:443");
    arrived(&wire.field.ground.agent4);
    let udp = wire.field.ground.client(|| {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket.send_to(b"h3", "198.18.0.2:443").map(drop)
    });
    assert!(udp.is_err(), "HTTP/3 falls back to TCP");
}

#[test]
fn the_most_specific_pattern_decides_alone_and_with_its_own_ports() {
    let wire = Wire::new(&[
        (BELOW, &[443]),
        ("*.eu.wild.test", &[8443, 9443]),
        ("out.wild.test", &[]),
        (GUARDED, &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ]);
    let names = [
        "a.wild.test",
        "a.eu.wild.test",
        "out.wild.test",
        "wild.test",
        "bad-wild.test",
        "wild.test.example",
        "test",
        "",
    ];
    for (n, name) in (1..).zip(names) {
        wire.deliver(&Message::answer(name, A).a(v4(n), 60).bytes());
    }
    wire.assert_learned(["198.18.0.1:443", "198.18.0.2:8443", "198.18.0.2:9443"]);
    wire.deliver(&Message::answer(GUARDED, A).a(v4(9), 60).bytes());
    until("the agent knows the ninth port", PATIENCE, || {
        wire.learned().contains("198.18.0.9:9")
    });
    assert_eq!(wire.learned().len(), 3 + 9);
}

#[test]
fn times_to_live_are_kept_within_bounds() {
    let wire = Wire::new(&[(GUARDED, &[443])]);
    let times = [
        (1, 0, 600),
        (2, 3_600, 3_600),
        (3, u32::MAX / 2, 86_400),
        (4, u32::MAX, 600),
    ];
    for (n, ttl, _) in times {
        wire.deliver(&Message::answer(GUARDED, A).a(v4(n), ttl).bytes());
    }
    let learned = wire.field.hooks.learned_endpoints().unwrap();
    for (n, ttl, bounded) in times {
        let to = SocketAddr::new(v4(n).into(), 443);
        let (_, left) = learned.iter().find(|(address, _)| *address == to).unwrap();
        let within = bounded - 60..=bounded;
        assert!(
            within.contains(&left.as_secs()),
            "a TTL of {ttl} became {left:?}"
        );
    }
}

/// The agent learns late what the programs leave to it.
#[test]
fn odd_answers_are_learned_by_the_agent() {
    let wire = Wire::new(&[(GUARDED, &[443])]);
    let many = (1..=70).fold(Message::answer(GUARDED, A), |m, n| m.a(v4(n), 60));
    wire.deliver(&many.bytes());
    until("all seventy are guarded", PATIENCE, || {
        wire.learned().len() == 70
    });
    let hint = [&[0, 1, 0, 0, 4, 0, 4][..], &v4(71).octets()].concat();
    wire.deliver(
        &Message::answer(GUARDED, HTTPS)
            .record(HTTPS, 60, &hint)
            .bytes(),
    );
    until("a hint is guarded", PATIENCE, || {
        wire.learned().contains("198.18.0.71:443")
    });
    let long = ["a"; 60].join(".");
    let labels = Message::answer(GUARDED, A)
        .cname(&long)
        .owned_a(&long, v4(72), 60);
    wire.deliver(&labels.bytes());
    until("behind very many labels", PATIENCE, || {
        wire.learned().contains("198.18.0.72:443")
    });
    let filler = vec![b'x'; 250];
    let big = (0..9).fold(Message::answer(GUARDED, A).a(v4(73), 60), |m, _| {
        m.record(16, 60, &filler)
    });
    wire.deliver(&big.a(v4(74), 60).bytes());
    assert!(
        wire.learned().contains("198.18.0.73:443"),
        "what came before it is too long"
    );
}

#[test]
fn what_is_no_answer_teaches_nothing() {
    let wire = Wire::new(&[(GUARDED, &[443]), (BELOW, &[443])]);
    let good = Message::answer(GUARDED, A).a(v4(1), 60).bytes();
    // A question, an update, an error, no question, two questions, no records, a pointer as the name.
    for (place, octet) in [
        (2, 0x01),
        (2, 0xa9),
        (3, 0x83),
        (5, 0),
        (5, 2),
        (7, 0),
        (12, 0xc0),
    ] {
        let mut bad = good.clone();
        bad[place] = octet;
        wire.deliver(&bad);
    }
    for end in [0, 1, 11, 12, 16, 28, 33, good.len() - 1] {
        wire.deliver(&good[..end]);
    }
    let elsewhere = wire.field.ground.net.datagrams("192.0.2.9:5353");
    wire.deliver_from(&elsewhere, &good);
    wire.assert_learned([]);
    assert_eq!(wire.field.count(Counter::Learned), 0);
}

/// Thousands of bent answers: whatever the programs learn is what the reader in user space, which was
/// written apart from them, finds in there as well.
#[test]
fn bent_answers_teach_nothing_that_is_not_in_them() {
    let wire = Wire::new(&[(GUARDED, &[443]), (BELOW, &[443])]);
    let whole = [
        Message::answer("x.wild.test", A)
            .cname("y.example")
            .a(v4(1), 9)
            .a(v4(2), 9)
            .edns()
            .bytes(),
        Message::answer(GUARDED, AAAA)
            .aaaa(v6(1), 9)
            .record(CNAME, 9, &[1, b'a', 0])
            .bytes(),
        Message::answer(GUARDED, HTTPS)
            .record(HTTPS, 9, &[0, 1, 0, 0, 4, 0, 4, 1, 2, 3, 4])
            .bytes(),
    ];
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut allowed = HashSet::new();
    let client = wire.client(at("192.0.2.1:53"));
    let to = client.local_addr().unwrap();
    let bent = lab::many(6_000);
    for _ in 0..bent {
        let whole = &whole[dice.below(whole.len())];
        let message = dice.bend(whole);
        if let Some(answer) = read_answer(&message) {
            let addresses = answer.addresses.iter().map(|(ip, _)| ip.to_canonical());
            allowed.extend(addresses.map(|ip| SocketAddr::new(ip, 443).to_string()));
        }
        wire.server4.send_to(&message, to).unwrap();
        let mut buffer = [0; 4096];
        client.recv(&mut buffer).unwrap();
    }
    let learned = wire.learned();
    let wrong: Vec<_> = learned.difference(&allowed).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    tell(&format!(
        "{bent} bent answers taught {} addresses",
        learned.len()
    ));
    assert!(
        learned.len() > bent / 60,
        "most bent answers still teach something"
    );
}

/// Random numbers that are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    /// Changes, removes or doubles a few octets.
    fn bend(&mut self, message: &[u8]) -> Vec<u8> {
        let mut bent = message.to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(bent.len());
            match self.below(8) {
                0 => bent.truncate(at.max(1)),
                1 => drop(bent.remove(at)),
                2 => bent.insert(at, bent[at]),
                3 => bent[at] = [0, 1, 12, 0x3f, 0xc0, 0xff][self.below(6)],
                _ => bent[at] = u8::try_from(self.below(256)).unwrap(),
            }
            if bent.is_empty() {
                bent.push(0);
            }
        }
        bent
    }
}
