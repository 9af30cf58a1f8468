//! Generations: made once, kept, replaced for a reason that is told.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests panic")]

use std::{path::PathBuf, process::Command};

use super::*;

const DAY: Duration = Duration::from_secs(24 * 3600);

struct Place {
    _dir: tempfile::TempDir,
    ca: PathBuf,
}

fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("state/ca");
    Place { _dir: dir, ca }
}

fn open(place: &Place, hosts: &[&str]) -> Ca {
    open_at(place, hosts, SystemTime::now())
}

fn open_at(place: &Place, hosts: &[&str], now: SystemTime) -> Ca {
    let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    Ca::open_at(&place.ca, &hosts, now).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn the_first_generation_is_stored_and_found_again() {
    let place = place();
    let first = open(&place, &["api.openai.com", "*.example.ai", "10.1.2.3"]);
    assert_eq!(*first.origin(), Origin::First);
    let again = open(&place, &["api.openai.com", "x.example.ai"]);
    assert_eq!(*again.origin(), Origin::Stored);
    assert_eq!(again.pem(), first.pem());
    assert_eq!(again.permitted(), first.permitted());
    let names: Vec<String> = again.permitted().iter().collect();
    assert_eq!(names, ["api.openai.com", "example.ai", "10.1.2.3"]);
}

#[test]
fn a_new_host_makes_a_new_generation_with_another_name() {
    let place = place();
    let first = open(&place, &["api.openai.com"]);
    let second = open(&place, &["api.openai.com", "api.anthropic.com"]);
    assert_eq!(*second.origin(), Origin::Renewed(Renewal::Names));
    assert_ne!(first.fingerprint_sha256(), second.fingerprint_sha256());
    let subject = |ca: &Ca| generation::read(&ca.root).unwrap().subject().to_string();
    assert_ne!(subject(&first), subject(&second));
    assert!(second.is_own(&first.root) && second.is_own(&first.intermediate));
}

#[test]
fn a_generation_is_replaced_a_month_before_it_expires() {
    let place = place();
    let start = SystemTime::now();
    let first = open(&place, &["example.ai"]);
    assert_eq!(
        *open_at(&place, &["example.ai"], start + 334 * DAY).origin(),
        Origin::Stored
    );
    // A clock that was set back must not throw away a good generation.
    assert_eq!(
        *open_at(&place, &["example.ai"], start - 700 * DAY).origin(),
        Origin::Stored
    );
    let near = open_at(&place, &["example.ai"], start + 336 * DAY);
    assert_eq!(*near.origin(), Origin::Renewed(Renewal::Expiry));
    assert!(near.not_after() > first.not_after() + 300 * DAY);
    let expired = open_at(&place, &["example.ai"], start + 2000 * DAY);
    assert_eq!(*expired.origin(), Origin::Renewed(Renewal::Expiry));
}

#[test]
fn only_the_owner_can_read_the_key_and_nothing_else_is_left() {
    let place = place();
    open(&place, &["example.ai"]);
    let file = place.ca.join(FILE);
    assert_eq!(mode(&place.ca), 0o700);
    assert_eq!(mode(&file), 0o600);
    let left: Vec<_> = fs::read_dir(&place.ca)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left, [FILE]);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(
        text.matches("PRIVATE KEY-----").count(),
        2,
        "one key: the intermediate's"
    );
}

#[test]
fn an_exposed_or_damaged_generation_is_replaced() {
    let place = place();
    open(&place, &["example.ai"]);
    let file = place.ca.join(FILE);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let exposed = open(&place, &["example.ai"]);
    assert_eq!(*exposed.origin(), Origin::Renewed(Renewal::Exposed(0o644)));
    assert_eq!(mode(&file), 0o600);

    let whole = fs::read(&file).unwrap();
    let other = self::place();
    open(&other, &["example.ai"]);
    let foreign = fs::read_to_string(other.ca.join(FILE)).unwrap();
    let key = foreign.find("-----BEGIN PRIVATE").unwrap();
    let certificates = String::from_utf8(whole.clone()).unwrap();
    let certificates = certificates
        .split("-----BEGIN PRIVATE")
        .next()
        .unwrap()
        .to_owned();
    let wrong_key = certificates + foreign.get(key..).unwrap();

    for damage in [
        b"".to_vec(),
        whole.get(..whole.len() / 2).unwrap().to_vec(),
        wrong_key.into(),
    ] {
        fs::write(&file, damage).unwrap();
        let ca = open(&place, &["example.ai"]);
        assert!(
            matches!(ca.origin(), Origin::Renewed(Renewal::Damaged(_))),
            "{:?}",
            ca.origin()
        );
    }
}

#[test]
fn a_crash_between_write_and_rename_does_no_harm() {
    let place = place();
    let first = open(&place, &["example.ai"]);
    fs::write(place.ca.join("generation.pem.new"), "half a").unwrap();
    assert_eq!(open(&place, &["example.ai"]).pem(), first.pem());
    assert_eq!(
        *open(&place, &["example.org"]).origin(),
        Origin::Renewed(Renewal::Names)
    );
}

#[test]
fn rotation_narrows() {
    let place = place();
    open(&place, &["example.ai", "example.org"]);
    let rotated = Ca::rotate(&place.ca, &["example.ai".to_owned()]).unwrap();
    assert_eq!(*rotated.origin(), Origin::Renewed(Renewal::Asked));
    assert_eq!(
        rotated.permitted().iter().collect::<Vec<_>>(),
        ["example.ai"]
    );
}

#[test]
fn there_is_no_authority_over_nothing() {
    let place = place();
    assert!(matches!(
        Ca::open_or_create(&place.ca, &[]),
        Err(TrustError::NoNames)
    ));
}

#[test]
fn the_fingerprint_is_the_one_openssl_prints() {
    let place = place();
    let ca = open(&place, &["example.ai"]);
    let path = place.ca.join("root.pem");
    fs::write(&path, ca.pem()).unwrap();
    let output = Command::new("openssl")
        .args(["x509", "-noout", "-fingerprint", "-sha256", "-in"])
        .arg(&path)
        .output()
        .expect("openssl must be installed: run `cargo xtask setup`");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        text.trim().split('=').nth(1),
        Some(ca.fingerprint_sha256().as_str())
    );
}
