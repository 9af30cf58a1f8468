//! A full disk, a failing disk, a power cut.

use super::*;

/// Seals values one by one and returns those that were acknowledged.
async fn seal_all(vault: &Vault, values: &[String]) -> Vec<(String, Placeholder)> {
    let mut acknowledged = Vec::new();
    for value in values {
        if let Ok(placeholder) = seal(vault, 1, value.as_bytes()).await {
            acknowledged.push((value.clone(), placeholder));
        }
    }
    acknowledged
}

fn assert_held(vault: &Vault, values: &[(String, Placeholder)]) {
    for (value, placeholder) in values {
        assert_eq!(restored(vault, 1, placeholder).unwrap(), value.as_bytes());
    }
}

fn values(word: &str, count: usize) -> Vec<String> {
    // Long enough that the database has to grow.
    (0..count)
        .map(|i| format!("{word} {i} {}", "x".repeat(3000)))
        .collect()
}

/// Lets the disk fail after every possible number of operations, mends it, and looks.
async fn fails_and_recovers(errno: i32, break_disk: impl Fn(&Disk, usize, i32)) {
    for (failed, after) in (0..).step_by(3).enumerate() {
        let disk = Disk::default();
        let vault = on(&disk).unwrap();
        let mut held = seal_all(&vault, &values("before", 3)).await;
        assert_eq!(held.len(), 3);
        break_disk(&disk, after, errno);
        let during = values("during", 6);
        let acknowledged = seal_all(&vault, &during).await;
        let lost = acknowledged.len() < during.len();
        held.extend(acknowledged);
        if !disk.mend() {
            assert!(!lost, "refused without a reason");
            assert!(failed > 10, "the disk failed {failed} times only");
            return;
        }
        assert_held(&vault, &held);
        // What was refused may be tried again, and what was not is still there.
        let again = seal_all(&vault, &during).await;
        assert_eq!(
            again.len(),
            during.len(),
            "usable again after {after} operations"
        );
        held.extend(again);
        assert_held(&vault, &held);
        drop(vault);
        assert_held(&on(&disk).unwrap(), &held);
    }
}

#[tokio::test]
async fn a_full_disk_refuses_and_loses_nothing() {
    fails_and_recovers(libc::ENOSPC, Disk::break_writes).await;
}

#[tokio::test]
async fn a_failing_disk_refuses_and_loses_nothing() {
    fails_and_recovers(libc::EIO, Disk::break_all).await;
}

#[tokio::test]
async fn everybody_who_waits_is_told_of_a_failure() {
    let disk = Disk::default();
    let vault = Arc::new(on(&disk).unwrap());
    let known = seal(&vault, 1, b"known").await.unwrap();
    disk.break_writes(0, libc::ENOSPC);
    let tasks: Vec<_> = (0..50)
        .map(|i| {
            let vault = Arc::clone(&vault);
            tokio::spawn(async move { seal(&vault, 1, format!("new {i}").as_bytes()).await })
        })
        .collect();
    for task in tasks {
        let error = task.await.unwrap().unwrap_err();
        assert!(matches!(error, VaultError::Storage(_)), "{error}");
    }
    // What needs no write still works on a full disk, unless the database has to be opened again.
    assert_eq!(seal(&vault, 1, b"known").await.unwrap(), known);
    disk.mend();
    assert_eq!(restored(&vault, 1, &known).unwrap(), b"known");
    assert_eq!(vault.list(1).unwrap().len(), 1);
    seal(&vault, 1, b"new 0").await.unwrap();
}

#[tokio::test]
async fn usage_that_could_not_be_written_is_written_later() {
    let disk = Disk::default();
    let vault = on(&disk).unwrap();
    seal(&vault, 1, b"often").await.unwrap();
    seal(&vault, 1, b"often").await.unwrap();
    disk.break_writes(0, libc::ENOSPC);
    seal(&vault, 1, b"new").await.unwrap_err();
    disk.mend();
    drop(vault);
    assert_eq!(on(&disk).unwrap().list(1).unwrap()[0].uses, 2);
}

#[tokio::test]
async fn a_read_that_fails_once_is_tried_again() {
    let disk = Disk::default();
    let vault = on(&disk).unwrap();
    // More than the database keeps in memory.
    let held = seal_all(&vault, &values("value", 50)).await;
    assert_eq!(held.len(), 50);
    disk.break_once(libc::EIO);
    assert_held(&vault, &held);
    assert!(disk.mend(), "the disk was read");
}

#[tokio::test]
async fn nothing_is_acknowledged_before_it_is_durable() {
    let disk = Disk::default();
    let vault = on(&disk).unwrap();
    let mut held = Vec::new();
    for value in values("value", 20) {
        let placeholder = seal(&vault, 1, value.as_bytes()).await.unwrap();
        held.push((value, placeholder));
        let left = on(&disk.after_power_cut(|| false)).unwrap();
        assert_held(&left, &held);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The power goes at any moment, and any of the writes under way may have reached the disk.
    #[test]
    fn a_power_cut_takes_nothing_acknowledged(
        cut in 0..120_usize, survives in prop::collection::vec(any::<bool>(), 64),
    ) {
        let disk = Disk::default();
        let left = runtime().block_on(async {
            let vault = on(&disk).unwrap();
            let mut held = seal_all(&vault, &values("before", 2)).await;
            // From the cut on nothing is written any more: as far as the disk sees, that is it.
            disk.break_writes(cut, libc::EIO);
            held.extend(seal_all(&vault, &values("during", 8)).await);
            let mut survives = survives.into_iter().cycle();
            let left = disk.after_power_cut(|| survives.next().unwrap());
            (left, held)
        });
        assert_held(&on(&left.0).unwrap(), &left.1);
    }
}
