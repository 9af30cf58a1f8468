//! Values that users named.

use super::*;
use crate::inspect::Known;

fn found(vault: &Vault, uid: u32, text: &[u8]) -> Vec<std::ops::Range<usize>> {
    let literals = vault.literals(uid);
    let found = literals.map(|literals| literals.find(text));
    found.into_iter().flatten().map(|f| f.range).collect()
}

async fn add(vault: &Vault, uid: u32, values: &[&[u8]]) -> Result<Vec<Placeholder>, VaultError> {
    let items: Vec<_> = values.iter().map(|value| secret(value)).collect();
    vault.add_literals(uid, &items).await
}

#[tokio::test]
async fn a_literal_is_found_after_a_restart_and_for_its_user_only() {
    let disk = Disk::default();
    let vault = on(&disk).unwrap();
    let added = add(&vault, 1, &[b"correct horse", b"zeta"]).await.unwrap();
    assert_eq!(added[0], seal(&vault, 1, b"correct horse").await.unwrap());
    drop(vault);
    let vault = on(&disk).unwrap();
    let text = b"a correct horse, zeta";
    assert_eq!(found(&vault, 1, text), [2..15, 17..21]);
    assert!(found(&vault, 2, text).is_empty());
    assert_eq!(vault.users(), [1]);
    let mut bytes = Vec::new();
    disk.damage(|disk| bytes.clone_from(disk));
    let on_disk = |value: &[u8]| bytes.windows(value.len()).any(|window| window == value);
    assert!(!on_disk(b"correct horse") && !on_disk(b"zeta"));
}

#[tokio::test]
async fn a_literal_is_listed_once_and_forgotten_for_good() {
    let vault = on(&Disk::default()).unwrap();
    let added = add(&vault, 1, &[b"correct horse"]).await.unwrap();
    let listed = vault.list(1).unwrap();
    assert_eq!((listed.len(), listed[0].uses), (1, 0));
    assert!(listed[0].literal && listed[0].rule == "literal");
    seal(&vault, 1, b"correct horse").await.unwrap();
    let listed = vault.list(1).unwrap();
    assert_eq!((listed.len(), listed[0].literal), (1, true));
    assert!(vault.forget(1, &added[0]).await.unwrap());
    assert!(vault.list(1).unwrap().is_empty() && vault.literals(1).is_none());
    assert!(!vault.forget(1, &added[0]).await.unwrap());
}

#[tokio::test]
async fn literals_that_cannot_be_looked_for_are_refused_all_together() {
    let vault = on(&Disk::default()).unwrap();
    let refused = add(&vault, 1, &[b"long enough", b"abc"]).await.unwrap_err();
    assert_eq!(refused.to_string(), "a value has 4 to 4096 bytes, not 3");
    assert!(vault.literals(1).is_none());
}
