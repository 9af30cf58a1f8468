//! Network namespaces: each has its own loopback, and the same addresses mean something else there.

use codegate::kernel::{Counter, Options};

use crate::field::{Field, MAPPED, V4, V6, arrived, at, listen, tcp};

#[test]
fn where_the_agent_does_not_listen_connections_go_direct() {
    let field = Field::new();
    field.hooks.unlisten(field.ground.cookie).unwrap();
    field.hooks.unlisten(field.ground.cookie).unwrap();
    for to in [V4, V6, MAPPED] {
        field.assert_direct(to);
    }
    assert_eq!(field.count(Counter::NoListener), 3);
}

#[test]
fn a_family_without_a_listener_goes_direct_alone() {
    let field = Field::new();
    field
        .hooks
        .listen(field.ground.cookie, Some(field.ground.port4()), None)
        .unwrap();
    field.assert_direct(V6);
    field.assert_redirected(V4);
    assert_eq!(field.count(Counter::NoListener), 1);
}

/// The same client address and port, the same agent's port, and yet two connections.
#[test]
fn two_namespaces_with_the_same_addresses_do_not_mix() {
    let field = Field::bare(&Options::default());
    field.guard("192.0.2.1:443");
    field.guard("192.0.2.1:80");
    let other = lab::netns::Namespace::new();
    let cookie = other.enter(|| codegate::kernel::netns_cookie().unwrap());
    assert_ne!(cookie, field.ground.cookie);
    let agent = listen(&other, &format!("127.0.0.1:{}", field.ground.port4()));
    field
        .hooks
        .listen(cookie, Some(field.ground.port4()), None)
        .unwrap();
    let connect = |to: &str| {
        let socket = tcp(to);
        socket.bind(&at("127.0.0.1:4242").into()).unwrap();
        socket.connect(&at(to).into()).unwrap();
        socket
    };
    let _here = field.ground.client(|| connect("192.0.2.1:443"));
    let _there = other.enter(|| connect("192.0.2.1:80"));
    let (_a, here) = arrived(&field.ground.agent4);
    let (_b, there) = arrived(&agent);
    assert_eq!(here, there);
    assert_eq!(
        field
            .hooks
            .take_flow(cookie, there)
            .unwrap()
            .original
            .port(),
        80
    );
    assert_eq!(
        field
            .hooks
            .take_flow(field.ground.cookie, here)
            .unwrap()
            .original
            .port(),
        443
    );
}
