//! The process dies by kill -9 while it updates, once at each of its steps.

use std::{
    env,
    process::{Command, Stdio},
};

use rustix::process::{Signal, getpid, kill_process};

use super::*;

/// Where the child finds its data; without it, the child's test has nothing to do.
const DIR: &str = "CODEGATE_TEST_INDEX";
/// Records to feed: with the steps of writing and verifying, over 200 points to die at.
const RECORDS: u64 = 195;

fn records(name: &str) -> Vec<Value> {
    let record = |i| whole(&format!("MAL-{i}"), &format!("{name}-{i}"));
    (0..RECORDS).map(record).collect()
}

#[test]
fn kill_9_leaves_the_old_index_or_the_new_one() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path(), &osv(bucket(dir.path(), &records("old"))));
    bucket(dir.path(), &records("new"));
    let (mut before, mut after) = (0, 0);
    for step in 0.. {
        let finished = child_dies_at(dir.path(), step);
        let index = open(dir.path());
        let state = |name: &str| {
            let found = |i: &u64| hits(&index, &format!("pkg:npm/{name}-{i}")) == [Hit::Whole];
            (0..RECORDS).filter(found).count() as u64
        };
        match (state("old"), state("new")) {
            (RECORDS, 0) => before += 1,
            (0, RECORDS) => after += 1,
            mixed => panic!("killed at step {step}: {mixed:?}"),
        }
        if finished {
            break;
        }
    }
    assert!(before >= 200, "{before} times the old index was left");
    assert!(after >= 1, "the last one ran to its end");
    let files = fs::read_dir(dir.path()).unwrap().flatten();
    let generations = files.filter(|f| f.file_name().to_string_lossy().starts_with("index-"));
    assert_eq!(
        generations.count(),
        1,
        "what was left behind is cleared away"
    );
}

/// Whether the child came to its end.
fn child_dies_at(dir: &Path, step: u64) -> bool {
    let status = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--ignored"])
        .arg("inspect::packages::index::tests::crash::child_that_updates_until_it_dies")
        .env(DIR, dir)
        .env("STEP", step.to_string())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    status.success()
}

#[test]
#[ignore = "runs as the child of kill_9_leaves_the_old_index_or_the_new_one"]
fn child_that_updates_until_it_dies() {
    let Ok(dir) = env::var(DIR) else { return };
    let dir = Path::new(&dir);
    let mut left: u64 = env::var("STEP").unwrap().parse().unwrap();
    update(dir, &osv(dir.join("osv")), &mut |_| {
        if left == 0 {
            kill_process(getpid(), Signal::KILL).unwrap();
        }
        left -= 1;
    })
    .unwrap();
}
