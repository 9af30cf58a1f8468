//! From names to guarded addresses, with the machine's own resolver and no network.

use std::time::{Duration, Instant};

use codegate::kernel::{Counter, Host, Names, Options, Timing};
use tokio::{runtime::Runtime, time::sleep};

use crate::field::{Field, arrived, at};

const PORT: u16 = 8443;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

fn host(name: &str) -> Host {
    (name.to_owned(), vec![PORT])
}

const TIMING: Timing = Timing {
    interval: Duration::from_millis(50),
    ttl: Duration::from_millis(400),
    patience: Duration::from_secs(3),
};

#[test]
fn names_from_the_hosts_file_are_guarded_and_known_by_their_address() {
    let field = Field::bare(&Options::default());
    runtime().block_on(async {
        let names = Names::start(
            field.hooks.clone(),
            vec![host("localhost"), host("127.0.0.1")],
            TIMING,
        );
        names.ready().await;
        let mut hosts = names.hosts_for(at("127.0.0.1:8443"));
        hosts.sort();
        assert_eq!(hosts, ["127.0.0.1", "localhost"]);
        assert!(names.host_for(at("127.0.0.1:443")).is_none());
        let _client = field.ground.connect("127.0.0.1:8443");
        let (_agent, client) = arrived(&field.ground.agent4);
        let flow = field.hooks.take_flow(field.ground.cookie, client).unwrap();
        assert_eq!(flow.original, at("127.0.0.1:8443"));
    });
}

#[test]
fn addresses_are_renewed_while_they_are_asked_for_and_expire_afterwards() {
    let field = Field::bare(&Options::default());
    let to = at("127.0.0.1:8443");
    runtime().block_on(async {
        let names = Names::start(field.hooks.clone(), vec![host("localhost")], TIMING);
        names.ready().await;
        sleep(TIMING.ttl * 2).await;
        assert_eq!(names.host_for(to).as_deref(), Some("localhost"));
        field.ground.connect("127.0.0.1:8443");
        drop(names);
        sleep(TIMING.ttl * 2).await;
    });
    let refused = field.ground.client(|| std::net::TcpStream::connect(to));
    assert!(
        refused.is_err(),
        "nobody stands there, and nothing redirects any more"
    );
    assert_eq!(field.count(Counter::Expired), 1);
}

#[test]
fn a_name_that_does_not_resolve_holds_nothing_up() {
    let field = Field::bare(&Options::default());
    runtime().block_on(async {
        let hosts = vec![
            host("nowhere.invalid"),
            host("*.wild.test"),
            host("localhost"),
        ];
        let begun = Instant::now();
        let names = Names::start(field.hooks.clone(), hosts, TIMING);
        names.ready().await;
        assert!(begun.elapsed() < TIMING.patience + Duration::from_secs(1));
        assert_eq!(
            names.host_for(at("127.0.0.1:8443")).as_deref(),
            Some("localhost")
        );
    });
}
