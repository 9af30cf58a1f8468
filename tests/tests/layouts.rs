//! Where machines have cgroup2: at the root of `/sys/fs/cgroup`, or under `unified` beside the older kind.
//! The agent finds it by itself, and guards what is below.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::process::Command;

use lab::{Dialect, Lab, Place, Turn, agent::binary, clients, samples};

/// Puts cgroup2 where the first word says, and nothing else of that kind anywhere; then becomes the rest.
const LAYOUT: &str = r#"
set -e
mount -t tmpfs -o mode=755 lab /sys/fs/cgroup
mkdir -p "$0" /sys/fs/cgroup/pids
mount -t cgroup2 lab "$0"
exec "$@"
"#;

/// An agent that is told of no cgroup guards all below the root that it sees: in a cgroup namespace of its
/// own that is the lab's guarded cgroup, and the rest of the machine is left alone.
fn guards_where_cgroup2_is_at(point: &str) {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let agent = lab.agent().finding_its_cgroup();
    let place = lab.service().in_cgroup(lab.guarded_cgroup());
    let cmd = place
        .cmd("unshare")
        .args(["--cgroup", "--mount", "--propagation", "private"])
        .args(["sh", "-c", LAYOUT, point])
        .arg(binary());
    let _agent = agent.launch_by(cmd);
    let token = samples::github(1);
    let body = Dialect::Chat.request(&token, false).to_string();
    let post = |place: Place| {
        clients::post(&place, &Dialect::Chat.url(), &body)
            .run()
            .ok()
    };
    let answer = post(lab.guarded()).text();
    assert_eq!(Dialect::Chat.said(&answer, false), token);
    lab.journal().never_saw(token.as_bytes());

    post(lab.unguarded());
    let seen = lab.journal().requests();
    assert!(
        seen.last().unwrap().text().contains(&token),
        "it guards more than it sees"
    );
}

#[test]
fn cgroup2_alone() {
    guards_where_cgroup2_is_at("/sys/fs/cgroup");
}

#[test]
fn cgroup2_beside_the_older_kind() {
    guards_where_cgroup2_is_at("/sys/fs/cgroup/unified");
}

/// The demonstration, which makes its own lab and guards all of it: it says itself what is not as it should.
fn the_demo_runs_where_cgroup2_is_at(point: &str) {
    let done = Command::new("unshare")
        .args(["--mount", "--propagation", "private"])
        .args(["sh", "-c", LAYOUT, point])
        .arg(env!("CARGO_BIN_EXE_lab-demo"))
        .output()
        .unwrap();
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(done.status.success(), "{said}");
    assert!(said.contains("No secret arrived upstream"), "{said}");
}

#[test]
fn the_demo_with_cgroup2_alone() {
    the_demo_runs_where_cgroup2_is_at("/sys/fs/cgroup");
}

#[test]
fn the_demo_with_cgroup2_beside_the_older_kind() {
    the_demo_runs_where_cgroup2_is_at("/sys/fs/cgroup/unified");
}
