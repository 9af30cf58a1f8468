//! The process dies by kill -9, again and again.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use super::*;

/// Where the child finds its vault; without it, the child's test has nothing to do.
const DIR: &str = "CODEGATE_TEST_VAULT";
const ROUNDS: u32 = 50;

#[test]
fn kill_9_takes_nothing_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut held = Vec::new();
    for round in 0..ROUNDS {
        // Some rounds die while the vault is being opened, most while it is written.
        let wanted = usize::try_from(round % 7 * 3).unwrap();
        held.extend(killed_child(dir.path(), round, wanted));
        let vault = Vault::open(dir.path()).unwrap();
        for (value, placeholder) in &held {
            let placeholder = Placeholder::parse(placeholder.as_bytes()).unwrap();
            assert_eq!(restored(&vault, 1, &placeholder).unwrap(), value.as_bytes());
        }
        assert!(vault.list(1).unwrap().len() >= held.len());
    }
    assert!(held.len() > 300, "{} records were acknowledged", held.len());
}

/// Runs a child that seals, kills it after some acknowledgements, and returns all that it gave.
fn killed_child(dir: &Path, round: u32, wanted: usize) -> Vec<(String, String)> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "--ignored"])
        .arg("seal::vault::tests::crash::child_that_seals_until_it_is_killed")
        .env(DIR, dir)
        .env("ROUND", round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut read = |count| -> Vec<_> {
        let acknowledged = lines.by_ref().filter_map(|line| {
            let line = line.unwrap();
            let (value, placeholder) = line.strip_prefix("sealed ")?.split_once(' ')?;
            Some((value.to_owned(), placeholder.to_owned()))
        });
        acknowledged.take(count).collect()
    };
    let mut held = read(wanted);
    child.kill().unwrap();
    held.extend(read(usize::MAX));
    child.wait().unwrap();
    held
}

#[test]
#[ignore = "runs as the child of kill_9_takes_nothing_acknowledged"]
fn child_that_seals_until_it_is_killed() {
    let Ok(dir) = env::var(DIR) else { return };
    let round = env::var("ROUND").unwrap();
    let vault = Vault::open(Path::new(&dir)).unwrap();
    let runtime = runtime();
    for i in 0.. {
        let value = format!("value-{round}-{i}");
        let placeholder = runtime.block_on(seal(&vault, 1, value.as_bytes())).unwrap();
        // Straight to the descriptor: the test harness must not keep it.
        let line = format!("sealed {value} {placeholder}\n");
        std::io::stdout().write_all(line.as_bytes()).unwrap();
    }
}
