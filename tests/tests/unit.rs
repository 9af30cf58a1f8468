//! The service as systemd runs it: with the rights of its unit, and no others.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::{
    fs,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use lab::{Dialect, Lab, Turn, agent::binary, clients::told, samples};

/// How long the agent may take to see a container.
const PATIENCE: Duration = Duration::from_secs(30);

/// What setpriv(1) calls the capabilities that the unit leaves.
fn bounding_set() -> String {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd/codegate.service");
    let unit = fs::read_to_string(unit).unwrap();
    let set = unit
        .lines()
        .find_map(|line| line.strip_prefix("CapabilityBoundingSet="));
    let names = set
        .unwrap()
        .split(' ')
        .map(|name| name.strip_prefix("CAP_").unwrap());
    names.fold("-all".to_owned(), |set, name| {
        format!("{set},+{}", name.to_lowercase())
    })
}

#[test]
fn the_rights_of_the_unit_are_enough() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let cmd = lab
        .service()
        .cmd("setpriv")
        .args(["--no-new-privs", "--bounding-set", &bounding_set()])
        .arg(binary());
    let agent = lab.agent().launch_by(cmd);
    let container = lab.container(1, "one");
    let _resident = container.cmd("sleep").args(["600"]).start();
    let token = samples::github(1);
    let places = [lab.guarded(), container];
    let mut held = 0;
    for place in &places {
        // The first connection in a container waits for its listener, and for nothing else.
        let deadline = Instant::now() + PATIENCE;
        while agent.counter("kernel_syn_held") == held {
            assert!(Instant::now() < deadline, "none is held:\n{}", agent.log());
            assert_eq!(told(place, &token), token);
            sleep(Duration::from_millis(50));
        }
        held = agent.counter("kernel_syn_held");
    }
    lab.journal().never_saw(token.as_bytes());
    for session in agent.sessions(2) {
        let exe = session["process"]["exe"].as_str().unwrap();
        assert!(exe.ends_with("/curl"), "{session}");
    }
    let log = agent.log();
    let warnings = log
        .lines()
        .filter(|line| line.contains(" WARN ") || line.contains(" ERROR "));
    let warnings: Vec<_> = warnings
        .filter(|line| !line.contains("index of packages"))
        .collect();
    assert!(warnings.is_empty(), "{warnings:#?}");
}
