//! Processes all of whose connections are looked at, or none.

use std::{net::UdpSocket, process::Command};

use codegate::kernel::{Counter, Options, ProcessClass};

use crate::field::{ASIDE, Field, MAPPED, V4, V6, arrived, at, join};

/// Nothing is guarded, and all on port 443 is looked at.
fn looking() -> Field {
    let field = Field::bare(&Options::default());
    field.hooks.look_at_all(&[443]).unwrap();
    field
}

fn datagram(field: &Field, to: &str) -> std::io::Result<()> {
    field.ground.client(|| {
        let any = if at(to).is_ipv4() {
            "0.0.0.0:0"
        } else {
            "[::]:0"
        };
        UdpSocket::bind(any)
            .unwrap()
            .send_to(b"h3", at(to))
            .map(drop)
    })
}

/// This process tells the agent who it is, and the agent says of what class it is.
fn classify(field: &Field, class: ProcessClass) {
    let _client = field.ground.connect(V4);
    let (_agent, flow) = field.taken(&field.ground.agent4);
    field
        .hooks
        .classify(&flow.expect("a record"), class)
        .unwrap();
}

/// What this process starts is another one.
fn assert_a_child_is_redirected(field: &Field) {
    let mut child = field.ground.client(|| {
        let script = "exec 3<>/dev/tcp/192.0.2.1/443";
        Command::new("bash").args(["-c", script]).spawn().unwrap()
    });
    arrived(&field.ground.agent4);
    child.wait().unwrap();
}

#[test]
fn a_process_is_looked_at_until_it_is_known_and_then_if_it_is_to_be() {
    let field = looking();
    for to in [V4, V6, MAPPED, V4] {
        field.assert_redirected(to);
        datagram(&field, to).expect("nobody is refused UDP before he is known");
    }
    classify(&field, ProcessClass::Guard);
    for to in [V4, V6, MAPPED] {
        field.assert_direct(to);
        datagram(&field, to).unwrap();
    }
    field.hooks.look_at_all(&[443]).unwrap();
    classify(&field, ProcessClass::GuardAll);
    for to in [V4, V6, MAPPED] {
        field.assert_redirected(to);
        datagram(&field, to).unwrap_err();
    }
    field.hooks.look_at_all(&[]).unwrap();
    field.assert_direct(V4);
}

/// A class belongs to a program, not to its pid, and what it starts has to be known by itself.
#[test]
fn a_child_is_another_process() {
    let field = looking();
    classify(&field, ProcessClass::Guard);
    field.assert_direct(V4);
    assert_a_child_is_redirected(&field);
}

#[test]
fn other_ports_the_machine_itself_and_the_agent_are_left_alone() {
    let field = looking();
    classify(&field, ProcessClass::GuardAll);
    field.assert_direct(ASIDE);
    for to in ["127.0.0.1:443", "[::1]:443", "[::ffff:127.0.0.1]:443"] {
        let local = field.ground.client(|| std::net::TcpStream::connect(at(to)));
        assert!(local.is_err(), "nobody stands at {to}");
    }
    assert_eq!(field.count(Counter::Redirected), 1);
}

/// What goes to nobody in particular is not refused without an agent: only guarded hosts are.
#[test]
fn without_an_agent_it_goes_direct_in_both_modes() {
    for closed in [false, true] {
        let Field {
            hooks,
            ground,
            heart,
        } = looking();
        drop(heart);
        hooks.heart().close(closed).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(2_500));
        ground.assert_direct(V4);
    }
}

#[test]
fn a_process_that_passes_goes_direct_until_rules_change_or_it_does() {
    let field = Field::new();
    classify(&field, ProcessClass::Pass);
    for to in [V4, V6, MAPPED] {
        field.assert_direct(to);
    }
    assert_eq!(field.count(Counter::ProcessPassed), 3);
    // Whoever sends datagrams is told from their packets.
    datagram(&field, V4).unwrap_err();
    field.hooks.look_at_all(&[]).unwrap();
    field.assert_redirected(V4);

    classify(&field, ProcessClass::Pass);
    field.assert_direct(V4);
    let elsewhere = field.ground.cgroup().join("below");
    std::fs::create_dir(&elsewhere).unwrap();
    join(&elsewhere);
    field.assert_redirected(V4);
    join(field.ground.cgroup());
    std::fs::remove_dir(&elsewhere).unwrap();
    field.assert_direct(V4);

    assert_a_child_is_redirected(&field);
}

#[test]
fn it_is_refused_without_an_agent_that_fails_closed() {
    let field = Field::new();
    classify(&field, ProcessClass::Pass);
    field.heart.stop();
    field.assert_direct(V4);
    field.hooks.heart().close(true).unwrap();
    let tried = field.ground.client(|| std::net::TcpStream::connect(at(V4)));
    assert_eq!(
        tried.unwrap_err().kind(),
        std::io::ErrorKind::PermissionDenied
    );
}
