//! Containers whose files and resolvers know addresses that nobody else does: no DNS answer that the kernel
//! could read tells of them, and the agent's own resolver has never heard of them.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::{
    net::IpAddr,
    thread::sleep,
    time::{Duration, Instant},
};

use lab::{Agent, Dialect, Lab, Place, Running, Turn, clients, samples, until};

/// How long the agent may take to ask.
const PATIENCE: Duration = Duration::from_secs(60);
/// A host that is there for its address, at which others are served as well.
const HIDDEN: &str = "hidden.test";

/// A lab with a model, and an address of the model that DNS does not tell.
fn lab() -> (Lab, IpAddr) {
    let lab = Lab::new();
    lab.site(Dialect::Chat.host()).v4_only().ai(Turn::echo);
    lab.site(HIDDEN).v4_only().named();
    let address = lab.zone().addresses(HIDDEN).unwrap()[0];
    (lab, address)
}

/// A file with the model at an address.
fn hosts(address: IpAddr) -> String {
    format!("127.0.0.1 localhost\n{address} {}\n", Dialect::Chat.host())
}

/// Somebody who stays in a container, as its first process does.
fn resident(place: &Place) -> Running {
    let resident = place
        .cmd("sh")
        .args(["-c", "echo up; exec sleep 600"])
        .start();
    until("somebody lives there", PATIENCE, || {
        resident.stdout().starts_with(b"up")
    });
    resident
}

fn say(place: &Place, text: &str) -> String {
    let body = Dialect::Chat.request(text, false).to_string();
    let done = clients::post(place, &Dialect::Chat.url(), &body).run().ok();
    Dialect::Chat.said(&done.text(), false)
}

fn sessions(agent: &Agent<'_>) -> usize {
    agent.objects(["sessions", "list", "--json"]).len()
}

/// Talks until the agent listens, which it does once it knows the address; then says a secret.
fn is_guarded(lab: &Lab, agent: &Agent<'_>, place: &Place, token: &str) {
    let before = sessions(agent);
    let deadline = Instant::now() + PATIENCE;
    while sessions(agent) == before {
        let log = agent.log();
        assert!(
            Instant::now() < deadline,
            "the address is not guarded:\n{log}"
        );
        assert_eq!(say(place, "Are you there?"), "Are you there?");
        sleep(Duration::from_millis(300));
    }
    assert_eq!(say(place, token), token);
    lab.journal().never_saw(token.as_bytes());
}

#[test]
fn an_address_in_a_containers_hosts_is_guarded() {
    let (lab, address) = lab();
    let agent = lab.agent().start();
    let container = lab.container(1, "one");
    let container = container.with_etc("hosts", &hosts(address));
    let _resident = resident(&container);
    is_guarded(&lab, &agent, &container, &samples::github(1));
}

#[test]
fn an_address_that_a_containers_resolver_tells_by_tcp_is_guarded() {
    let (lab, address) = lab();
    let agent = lab.agent().start();
    // Another one, whose resolver does not answer, holds nobody up.
    let dead = lab.container(1, "dead");
    let dead = dead.with_etc("resolv.conf", "nameserver 198.18.255.254\n");
    let _waiting = resident(&dead);
    clients::post(&dead, "http://127.0.0.1:9/", "").run();

    let container = lab.container(2, "alive");
    let zone = lab.resolver(&container);
    zone.set(Dialect::Chat.host(), &[address]);
    let conf = "nameserver 127.0.0.1\noptions use-vc\n";
    let container = container.with_etc("resolv.conf", conf);
    let _resident = resident(&container);
    is_guarded(&lab, &agent, &container, &samples::github(2));
}

#[test]
fn what_a_process_sees_counts_in_the_agents_own_network_too() {
    let (lab, address) = lab();
    let place = lab.guarded().with_etc("hosts", &hosts(address));
    let _resident = resident(&place);
    let agent = lab.agent().start();
    is_guarded(&lab, &agent, &place, &samples::github(3));
}

#[test]
fn an_older_connection_to_such_an_address_is_found() {
    let (lab, address) = lab();
    let container = lab.container(1, "one");
    let container = container.with_etc("hosts", &hosts(address));
    let script = format!(
        "exec 3<>/dev/tcp/{}/443 && echo up && read -r -u 3 line",
        Dialect::Chat.host()
    );
    let client = container.cmd("bash").args(["-c", &script]).start();
    until("there is a connection", PATIENCE, || {
        client.stdout().starts_with(b"up")
    });
    let agent = lab.agent().start();
    let listed = || agent.objects(["status", "--json"]).remove(0)["existing"].clone();
    until("it is listed", PATIENCE, || {
        listed().as_array().is_some_and(|all| !all.is_empty())
    });
    let listed = listed();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed[0]["process"]["pid"], client.pid());
    assert_eq!(listed[0]["host"], Dialect::Chat.host());
}
