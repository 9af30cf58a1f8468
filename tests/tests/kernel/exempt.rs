//! What the programs leave alone: the agent itself, what is guarded no longer, and all outside.

use std::{net::TcpStream, process::Command, thread::sleep, time::Duration};

use codegate::kernel::{Counter, Options, cgroup_id, mark};
use lab::{cgroup, netns::Namespace};

use crate::field::{Beating, Field, Ground, V4, V6, arrived, assert_nobody, at, join, listen, tcp};

#[test]
fn the_agents_mark_exempts_and_another_does_not() {
    let field = Field::new();
    let agents = field.hooks.mark();
    for (number, listener) in [(agents, &field.ground.service4), (7, &field.ground.agent4)] {
        let _client = field.ground.client(|| {
            let socket = tcp(V4);
            mark(&socket, number).unwrap();
            socket.connect(&at(V4).into()).unwrap();
            socket
        });
        arrived(listener);
    }
    assert_nobody(&field.ground.service4);
    assert_eq!(
        (
            field.count(Counter::Exempt),
            field.count(Counter::Redirected)
        ),
        (1, 1)
    );
}

#[test]
fn a_mark_can_be_chosen() {
    let field = Field::with(&Options {
        mark: 7,
        ..Options::default()
    });
    let _client = field.ground.client(|| {
        let socket = tcp(V4);
        mark(&socket, 7).unwrap();
        socket.connect(&at(V4).into()).unwrap();
        socket
    });
    arrived(&field.ground.service4);
    field.ground.assert_agent_idle();
}

#[test]
fn a_cgroup_can_be_exempt() {
    let ground = Ground::new();
    let exempt = ground.cgroup().join("agent");
    std::fs::create_dir(&exempt).unwrap();
    let options = Options {
        exempt_cgroup: Some(cgroup_id(&exempt).unwrap()),
        ..Options::default()
    };
    let hooks = codegate::kernel::Hooks::load_and_attach(ground.cgroup(), &options).unwrap();
    hooks
        .listen(ground.cookie, Some(ground.port4()), None)
        .unwrap();
    hooks.set_endpoint(at(V4), None, true).unwrap();
    let _heart = Beating::of(&hooks);
    ground.assert_redirected(V4);
    join(&exempt);
    ground.assert_direct(V4);
    assert_eq!(hooks.counters().unwrap().of(Counter::Exempt), 1);
    join(ground.cgroup());
}

#[test]
fn an_expired_endpoint_goes_direct_and_a_renewed_one_does_not() {
    let field = Field::new();
    field
        .hooks
        .set_endpoint(at(V4), Some(Duration::from_millis(50)), true)
        .unwrap();
    sleep(Duration::from_millis(60));
    field.assert_direct(V4);
    assert_eq!(field.count(Counter::Expired), 1);
    field
        .hooks
        .set_endpoint(at(V4), Some(Duration::from_secs(60)), true)
        .unwrap();
    field.assert_redirected(V4);
}

#[test]
fn an_endpoint_that_was_removed_goes_direct() {
    let field = Field::new();
    field.hooks.remove_endpoint(at(V4)).unwrap();
    field.hooks.remove_endpoint(at(V4)).unwrap();
    field.assert_direct(V4);
    field.assert_redirected(V6);
}

#[test]
fn a_process_outside_the_cgroup_is_untouched() {
    let field = Field::new();
    join(&cgroup::mount());
    field.assert_direct(V4);
    field.assert_direct(V6);
    join(field.ground.cgroup());
    field.assert_redirected(V4);
    let counted: u64 = field
        .hooks
        .counters()
        .unwrap()
        .iter()
        .map(|(_, count)| count)
        .sum();
    assert_eq!(
        counted, 2,
        "one redirected and published, and nothing else was even looked at"
    );
}

/// A field with a second namespace at the end of a cable: a device that does not reach loopback.
fn with_a_cable(field: &Field) -> (Namespace, std::net::TcpListener) {
    let far = Namespace::new();
    field.ground.net.connect(&far, "eth0");
    field.ground.net.ip("addr add 198.51.100.1/24 dev eth0");
    far.ip("addr add 198.51.100.2/24 dev eth0");
    let service = listen(&far, "198.51.100.2:443");
    field.guard("198.51.100.2:443");
    (far, service)
}

#[test]
fn a_socket_bound_to_a_device_is_redirected_where_its_owner_may_unbind_it() {
    let field = Field::new();
    let (_far, service) = with_a_cable(&field);
    let to = "198.51.100.2:443";
    let client: TcpStream = field.ground.client(|| {
        let socket = tcp(to);
        socket.bind_device(Some(b"eth0")).unwrap();
        socket.connect(&at(to).into()).unwrap();
        socket.into()
    });
    assert_eq!(client.peer_addr().unwrap(), at(to));
    let (_agent, flow) = field.taken(&field.ground.agent4);
    let flow = flow.expect("a record of the connection");
    assert_eq!(flow.original, at(to));
    assert_ne!(flow.device, 0, "the record keeps the device");
    assert_nobody(&service);
}

/// Without CAP_NET_RAW a binding cannot be undone: then the client must not lose its connection.
#[test]
fn a_socket_bound_to_a_device_by_anybody_else_goes_direct() {
    let field = Field::new();
    let (_far, service) = with_a_cable(&field);
    let mut curl = field.ground.client(|| {
        let words = "--reuid=65534 --clear-groups curl --silent --max-time 5 --noproxy * \
                     --interface if!eth0 http://198.51.100.2:443/";
        Command::new("setpriv")
            .args(words.split_whitespace())
            .spawn()
            .unwrap()
    });
    drop(arrived(&service));
    curl.wait().unwrap();
    field.ground.assert_agent_idle();
    assert_eq!(field.count(Counter::BoundToDevice), 1);
}
