//! Sessions over restarts, and what becomes of a damaged database.

use super::*;

#[test]
fn sessions_outlive_the_agent_and_go_on() {
    let mut fixture = Fixture::new();
    fixture.exchange(&flow(7, 1, ALICE), "a.example", &["CG_A"]);
    fixture.reopen(); // without a flush: closing writes what is queued
    fixture.exchange(&flow(7, 1, ALICE), "a.example", &["CG_A"]);
    fixture.exchange(&flow(8, 1, ALICE), "a.example", &[]);
    let list = fixture.list(ALICE);
    assert_eq!(list.len(), 2);
    assert_eq!((list[1].exchanges, list[1].secrets), (2, 1));
    assert!(list[0].id > list[1].id);
}

#[test]
fn another_boot_is_another_process() {
    let mut fixture = Fixture::new();
    fixture.exchange(&flow(7, 1, ALICE), "a.example", &[]);
    fixture.reopen();
    let stored = fixture.recorder().inner.store.all().unwrap();
    let key = stored[0].key();
    assert!(Index::new(stored.clone(), &boot_id()).find(&key).is_some());
    assert!(Index::new(stored, "another boot").find(&key).is_none());
}

#[test]
fn the_file_is_for_nobody_elses_eyes_and_for_one_agent() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::new();
    let mode = fs::metadata(fixture.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(matches!(
        Recorder::open(&fixture.path()),
        Err(Error::Open { .. })
    ));
    assert!(fixture.path().exists(), "a file in use is not damage");
}

#[test]
fn a_damaged_database_is_moved_aside() {
    let mut fixture = Fixture::new();
    fixture.exchange(&flow(7, 1, ALICE), "a.example", &["CG_A"]);
    fixture.close();
    let good = fs::read(fixture.path()).unwrap();
    let aside = fixture.dir.path().join("sessions.redb.corrupt");
    let mut zeroed = good.clone();
    zeroed[..64].fill(0);
    for bad in [
        b"not a database".to_vec(),
        good[..good.len() / 2].to_vec(),
        zeroed,
    ] {
        fs::write(fixture.path(), &bad).unwrap();
        fixture.reopen();
        assert_eq!(fixture.list(ALICE).len(), 0);
        fixture.exchange(&flow(7, 1, ALICE), "a.example", &[]);
        assert_eq!(fixture.list(ALICE).len(), 1, "history starts anew");
        assert_eq!(fs::read(&aside).unwrap().len(), bad.len());
        fixture.close();
    }
}

#[test]
fn no_flipped_byte_keeps_the_agent_from_starting() {
    let mut fixture = Fixture::new();
    for pid in 0..20 {
        fixture.exchange(&flow(pid, 1, ALICE), "a.example", &["CG_A"]);
    }
    fixture.close();
    let good = fs::read(fixture.path()).unwrap();
    let used = good.iter().rposition(|b| *b != 0).unwrap();
    for at in (0..used).step_by(used / 60) {
        let mut bad = good.clone();
        bad[at] ^= 0x55;
        fs::write(fixture.path(), &bad).unwrap();
        fixture.reopen();
        fixture.exchange(&flow(99, 1, ALICE), "a.example", &[]);
        let list = fixture.list(ALICE);
        assert!(list.iter().any(|s| s.process.pid == 99), "byte {at}");
        fixture.close();
    }
}

#[test]
fn an_empty_file_is_a_new_database() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sessions.redb");
    fs::write(&path, "").unwrap();
    let recorder = Recorder::open(&path).unwrap();
    assert_eq!(recorder.list(Viewer::new(ROOT), 1).unwrap(), []);
}

#[test]
fn a_missing_directory_is_an_error_and_no_panic() {
    let error = Recorder::open(Path::new("/nonexistent/sessions.redb")).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("/nonexistent/sessions.redb: "),
        "{error}"
    );
}
