//! UDP: refused where TCP is guarded, and nowhere else.

use std::io::{self, ErrorKind};

use codegate::kernel::{Counter, mark};
use socket2::{Domain, Socket, Type};

use crate::field::{ASIDE, Field, MAPPED, V4, V6, at};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Connect,
    Send,
}

const WAYS: [Way; 2] = [Way::Connect, Way::Send];

/// Tries to reach an address by UDP, with the agent's mark or without.
fn try_udp(field: &Field, to: &str, way: Way, number: Option<u32>) -> io::Result<()> {
    field.ground.client(|| {
        let socket = Socket::new(Domain::for_address(at(to)), Type::DGRAM, None)?;
        if let Some(number) = number {
            mark(&socket, number).unwrap();
        }
        match way {
            Way::Connect => socket.connect(&at(to).into()),
            Way::Send => socket.send_to(b"datagram", &at(to).into()).map(drop),
        }
    })
}

#[test]
fn guarded_endpoints_refuse_it_in_connect_and_in_send() {
    let field = Field::new();
    for to in [V4, V6, MAPPED] {
        for way in WAYS {
            let refused = try_udp(&field, to, way, None).unwrap_err();
            assert_eq!(
                refused.kind(),
                ErrorKind::PermissionDenied,
                "{way:?} to {to}"
            );
        }
    }
    assert_eq!(field.count(Counter::UdpRefused), 6);
}

#[test]
fn others_do_not() {
    let field = Field::new();
    for to in [
        ASIDE,
        "192.0.2.1:444",
        "192.0.2.9:443",
        "[2001:db8::9]:443",
        "[::ffff:192.0.2.9]:443",
    ] {
        for way in WAYS {
            try_udp(&field, to, way, None).unwrap_or_else(|e| panic!("{way:?} to {to}: {e}"));
        }
    }
    assert_eq!(field.count(Counter::UdpRefused), 0);
    assert_eq!(field.count(Counter::Passed), 10);
}

#[test]
fn an_endpoint_may_allow_it_and_the_agent_always_may() {
    let field = Field::new();
    for way in WAYS {
        try_udp(&field, V4, way, Some(field.hooks.mark())).unwrap();
    }
    assert_eq!(field.count(Counter::Exempt), 2);
    field.hooks.set_endpoint(at(V4), None, false).unwrap();
    for way in WAYS {
        try_udp(&field, V4, way, None).unwrap();
        try_udp(&field, V6, way, None).unwrap_err();
    }
    field.assert_redirected(V4);
}
