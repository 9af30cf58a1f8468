#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

mod crash;
mod disk;
mod faults;
mod literals;
mod tampering;

use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;

use self::disk::Disk;
use super::*;
use zeroize::Zeroizing;

fn kind(text: &str) -> Kind {
    Kind::parse(text).unwrap()
}

fn secret(value: &[u8]) -> NewSecret<'_> {
    NewSecret {
        kind: kind("GITHUB"),
        rule: "github-pat",
        value,
    }
}

/// A vault on a disk in memory, always with the same key.
fn on(disk: &Disk) -> Result<Vault, VaultError> {
    Vault::with(Keys::new(Zeroizing::new([7; 32])), disk.store())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
}

async fn seal(vault: &Vault, uid: u32, value: &[u8]) -> Result<Placeholder, VaultError> {
    Ok(vault.seal(uid, &[secret(value)]).await?[0])
}

fn restored(vault: &Vault, uid: u32, placeholder: &Placeholder) -> Option<Vec<u8>> {
    vault
        .restore(uid, placeholder)
        .unwrap()
        .map(|value| value.to_vec())
}

#[tokio::test]
async fn a_value_has_one_placeholder_per_user_always() {
    let disk = Disk::default();
    let vault = on(&disk).unwrap();
    let first = seal(&vault, 1000, b"ghp_abc").await.unwrap();
    assert_eq!(first.kind, kind("GITHUB"));
    let other_kind = NewSecret {
        kind: kind("PASSWORD"),
        rule: "other",
        value: b"ghp_abc",
    };
    assert_eq!(vault.seal(1000, &[other_kind]).await.unwrap(), [first]);
    let other_user = seal(&vault, 1001, b"ghp_abc").await.unwrap();
    assert_ne!(other_user, first);
    let list = vault.list(1000).unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(
        (list[0].placeholder, list[0].rule.as_str()),
        (first, "github-pat")
    );
    drop(vault);
    assert_eq!(
        seal(&on(&disk).unwrap(), 1000, b"ghp_abc").await.unwrap(),
        first
    );
}

#[tokio::test]
async fn known_values_cost_no_write() {
    let disk = Disk::default();
    let vault = on(&disk).unwrap();
    let p = seal(&vault, 1000, b"known").await.unwrap();
    let before = disk.writes();
    for _ in 0..100 {
        assert_eq!(
            vault
                .seal(1000, &[secret(b"known"), secret(b"known")])
                .await
                .unwrap(),
            [p, p]
        );
        assert!(vault.restore(1000, &p).unwrap().is_some());
    }
    assert_eq!(disk.writes(), before);
    assert_eq!(vault.list(1000).unwrap()[0].uses, 201);
}

#[tokio::test]
async fn a_call_may_hold_known_new_and_repeated_values() {
    let vault = on(&Disk::default()).unwrap();
    let old = seal(&vault, 5, b"old").await.unwrap();
    let values: [&[u8]; 5] = [b"new", b"old", b"newer", b"new", b""];
    let items = values.map(secret);
    let sealed = vault.seal(5, &items).await.unwrap();
    assert_eq!((sealed[1], sealed[3]), (old, sealed[0]));
    for (placeholder, value) in sealed.iter().zip(values) {
        assert_eq!(restored(&vault, 5, placeholder).unwrap(), value);
    }
    assert_eq!(vault.list(5).unwrap().len(), 4);
    assert_eq!(vault.seal(5, &[]).await.unwrap(), []);
}

#[tokio::test]
async fn the_first_kind_stays_within_a_call_too() {
    let vault = on(&Disk::default()).unwrap();
    let as_password = NewSecret {
        kind: kind("PASSWORD"),
        rule: "other",
        value: b"twice",
    };
    let sealed = vault
        .seal(5, &[secret(b"twice"), as_password])
        .await
        .unwrap();
    assert_eq!(sealed[0], sealed[1]);
    assert_eq!(sealed[1].kind, kind("GITHUB"));
}

#[tokio::test]
async fn a_users_values_are_nobody_elses() {
    let vault = on(&Disk::default()).unwrap();
    let p = seal(&vault, 1000, b"mine").await.unwrap();
    for uid in [0, 999, 1001, u32::MAX] {
        assert_eq!(restored(&vault, uid, &p), None);
        assert!(vault.list(uid).unwrap().is_empty());
        assert!(!vault.holds_any(uid));
        assert!(!vault.forget(uid, &p).await.unwrap());
        assert_eq!(vault.forget_all(uid).await.unwrap(), 0);
        assert!(vault.reveal(uid, &p, uid).await.unwrap().is_none());
    }
    assert_eq!(restored(&vault, 1000, &p).unwrap(), b"mine");
}

#[tokio::test]
async fn a_placeholder_with_another_kind_is_not_restored() {
    let vault = on(&Disk::default()).unwrap();
    let p = seal(&vault, 1000, b"mine").await.unwrap();
    let forged = Placeholder::new(kind("EMAIL"), p.mac);
    assert_eq!(restored(&vault, 1000, &forged), None);
}

#[tokio::test]
async fn usage_outlives_the_vault() {
    let disk = Disk::default();
    let vault = on(&disk).unwrap();
    for _ in 0..3 {
        seal(&vault, 7, b"often").await.unwrap();
    }
    let before = vault.list(7).unwrap();
    assert_eq!(before[0].uses, 3);
    assert!(before[0].first_seen <= before[0].last_seen);
    assert!(before[0].first_seen.elapsed().unwrap() < Duration::from_secs(60));
    drop(vault);
    assert_eq!(on(&disk).unwrap().list(7).unwrap(), before);
}

#[tokio::test]
async fn what_is_forgotten_is_gone() {
    let disk = Disk::default();
    let vault = on(&disk).unwrap();
    let (a, b) = (
        seal(&vault, 1, b"a").await.unwrap(),
        seal(&vault, 1, b"b").await.unwrap(),
    );
    let other = seal(&vault, 2, b"a").await.unwrap();
    assert!(vault.forget(1, &a).await.unwrap());
    assert!(!vault.forget(1, &a).await.unwrap());
    assert_eq!(
        (restored(&vault, 1, &a), vault.list(1).unwrap().len()),
        (None, 1)
    );
    assert_eq!(seal(&vault, 1, b"a").await.unwrap(), a, "it may come back");
    assert_eq!(
        vault
            .list(1)
            .unwrap()
            .iter()
            .find(|i| i.placeholder == a)
            .unwrap()
            .uses,
        1
    );
    assert_eq!(vault.forget_all(1).await.unwrap(), 2);
    assert!(!vault.holds_any(1) && vault.holds_any(2));
    drop(vault);
    let vault = on(&disk).unwrap();
    assert_eq!(
        (restored(&vault, 1, &a), restored(&vault, 1, &b)),
        (None, None)
    );
    assert!(!vault.holds_any(1) && vault.holds_any(2));
    assert_eq!(restored(&vault, 2, &other).unwrap(), b"a");
}

#[tokio::test]
async fn whoever_sees_a_value_is_noted() {
    let disk = Disk::default();
    let vault = on(&disk).unwrap();
    let p = seal(&vault, 1000, b"seen").await.unwrap();
    assert_eq!(
        *vault.reveal(1000, &p, 1000).await.unwrap().unwrap(),
        b"seen"
    );
    assert_eq!(*vault.reveal(1000, &p, 0).await.unwrap().unwrap(), b"seen");
    let forged = Placeholder::new(p.kind, [1; 13]);
    assert!(vault.reveal(1000, &forged, 1000).await.unwrap().is_none());
    drop(vault);
    let notes = on(&disk).unwrap().reveals(1000).unwrap();
    assert_eq!(notes.iter().map(|n| n.by).collect::<Vec<_>>(), [1000, 0]);
    assert!(notes.iter().all(|n| n.placeholder == p && n.uid == 1000));
    assert!(on(&disk).unwrap().reveals(0).unwrap().is_empty());
}

#[tokio::test]
async fn a_value_that_cannot_be_noted_is_not_shown() {
    let disk = Disk::default();
    let vault = on(&disk).unwrap();
    let p = seal(&vault, 1000, b"seen").await.unwrap();
    disk.break_writes(0, libc::ENOSPC);
    assert!(matches!(
        vault.reveal(1000, &p, 0).await,
        Err(VaultError::Storage(_))
    ));
    disk.mend();
    assert!(vault.reveals(1000).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_at_once_agree() {
    let vault = Arc::new(on(&Disk::default()).unwrap());
    let tasks: Vec<_> = (0..100)
        .map(|task| {
            let vault = Arc::clone(&vault);
            tokio::spawn(async move {
                let values: Vec<_> = (0..10)
                    .map(|i| format!("value {}", (i + task) % 10))
                    .collect();
                let items: Vec<_> = values.iter().map(|v| secret(v.as_bytes())).collect();
                let sealed = vault.seal(1, &items).await.unwrap();
                let mut pairs: Vec<_> = values.into_iter().zip(sealed).collect();
                pairs.sort_by(|a, b| a.0.cmp(&b.0));
                pairs
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    let list = vault.list(1).unwrap();
    assert_eq!(list.len(), 10);
    assert!(list.iter().all(|info| info.uses == 100));
    for (value, placeholder) in &answers[0] {
        assert_eq!(restored(&vault, 1, placeholder).unwrap(), value.as_bytes());
    }
}

#[tokio::test]
async fn a_vault_on_the_disk_is_private_and_holds_nothing_in_clear() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("state");
    let canary = b"canary-7f3a9c1e5b2d8046-canary";
    let vault = Vault::open(&home).unwrap();
    let p = seal(&vault, 1000, canary).await.unwrap();
    vault.reveal(1000, &p, 1000).await.unwrap().unwrap();
    drop(vault);
    assert_eq!(
        fs::metadata(&home).unwrap().permissions().mode() & 0o777,
        0o700
    );
    let mut seen = Vec::new();
    for entry in fs::read_dir(&home).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().permissions().mode() & 0o777,
            0o600
        );
        let bytes = fs::read(entry.path()).unwrap();
        for part in canary.windows(12) {
            assert!(
                memchr::memmem::find(&bytes, part).is_none(),
                "{:?}",
                entry.path()
            );
        }
        seen.push(entry.file_name().into_string().unwrap());
    }
    seen.sort();
    assert_eq!(seen, ["vault.key", "vault.redb"]);
    let vault = Vault::open(&home).unwrap();
    assert_eq!(restored(&vault, 1000, &p).unwrap(), canary);
}

#[tokio::test]
async fn refuses_to_open_what_it_cannot_read() {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::open(dir.path()).unwrap();
    seal(&vault, 1, b"x").await.unwrap();
    assert!(matches!(Vault::open(dir.path()), Err(VaultError::Locked)));
    drop(vault);
    let (key, database) = (dir.path().join(KEY_FILE), dir.path().join(DATABASE));
    let open = || Vault::open(dir.path()).unwrap_err();

    let good = fs::read(&key).unwrap();
    fs::write(&key, [1; 32]).unwrap();
    assert!(matches!(open(), VaultError::WrongKey));
    fs::write(&key, &good[..31]).unwrap();
    assert!(matches!(open(), VaultError::Key { .. }));
    fs::remove_file(&key).unwrap();
    assert!(matches!(open(), VaultError::KeyMissing { .. }));
    assert!(!key.exists(), "no new key is made over old values");
    Keys::create(&key).ok().unwrap();
    fs::write(&key, &good).unwrap();
    assert!(Vault::open(dir.path()).is_ok());

    let whole = fs::read(&database).unwrap();
    for damaged in [
        b"no database".repeat(1000),
        whole[..whole.len() / 2].to_vec(),
        vec![0; 5000],
    ] {
        fs::write(&database, damaged).unwrap();
        assert!(matches!(open(), VaultError::Corrupt(_)), "{:?}", open());
    }
    fs::write(&database, &whole).unwrap();
    assert!(Vault::open(dir.path()).unwrap().holds_any(1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn restores_whatever_was_sealed(
        values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..8),
        uid in any::<u32>(),
    ) {
        let disk = Disk::default();
        let vault = on(&disk).unwrap();
        let items: Vec<_> = values.iter().map(|value| secret(value)).collect();
        let sealed = runtime().block_on(vault.seal(uid, &items)).unwrap();
        drop(vault);
        let vault = on(&disk).unwrap();
        for (placeholder, value) in sealed.iter().zip(&values) {
            let read = Placeholder::parse(placeholder.to_string().as_bytes()).unwrap();
            prop_assert_eq!(&restored(&vault, uid, &read).unwrap(), value);
            prop_assert_eq!(restored(&vault, uid ^ 1, &read), None);
        }
    }
}

#[tokio::test]
async fn long_values_are_restored_too() {
    let vault = on(&Disk::default()).unwrap();
    for len in [4096, 65_536, 500_000] {
        let value: Vec<u8> = (0..len).map(|i| (i * 31 % 251) as u8).collect();
        let p = seal(&vault, 1, &value).await.unwrap();
        assert_eq!(restored(&vault, 1, &p).unwrap(), value);
    }
}
