//! Somebody edits the database.

use redb::{Database, ReadableDatabase};

use super::{
    super::store::{SECRETS, builder},
    *,
};

type Row = (u8, String, String, u64, [u8; 12], Vec<u8>);

/// Seals a value of user 1 and one of user 2, edits the first one's row, and restores it.
fn restore_edited(
    edit: impl FnOnce(&mut Row, &Row),
) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
    let disk = Disk::default();
    let vault = on(&disk).unwrap();
    let runtime = runtime();
    let mine = runtime
        .block_on(seal(&vault, 1, b"the first value"))
        .unwrap();
    let other = runtime
        .block_on(seal(&vault, 2, b"the first value"))
        .unwrap();
    drop(vault);
    let database = builder().create_with_backend(disk.clone()).unwrap();
    let mut row = read(&database, 1, &mine);
    edit(&mut row, &read(&database, 2, &other));
    write(&database, 1, &mine, &row);
    drop(database);
    on(&disk)?.restore(1, &Placeholder::new(Kind::parse(&row.1).unwrap(), mine.mac))
}

fn read(database: &Database, uid: u32, placeholder: &Placeholder) -> Row {
    let table = database.begin_read().unwrap().open_table(SECRETS).unwrap();
    let row = table.get((uid, &placeholder.mac)).unwrap().unwrap();
    let (version, kind, rule, at, nonce, sealed) = row.value();
    (
        version,
        kind.to_owned(),
        rule.to_owned(),
        at,
        *nonce,
        sealed.to_vec(),
    )
}

fn write(database: &Database, uid: u32, placeholder: &Placeholder, row: &Row) {
    let transaction = database.begin_write().unwrap();
    let mut table = transaction.open_table(SECRETS).unwrap();
    let (version, kind, rule, at, nonce, sealed) = row;
    let row = (
        *version,
        kind.as_str(),
        rule.as_str(),
        *at,
        nonce,
        sealed.as_slice(),
    );
    table.insert((uid, &placeholder.mac), row).unwrap();
    drop(table);
    transaction.commit().unwrap();
}

#[test]
fn an_unaltered_record_is_restored() {
    let value = restore_edited(|_, _| ()).unwrap().unwrap();
    assert_eq!(*value, b"the first value");
}

#[test]
fn an_altered_record_is_refused() {
    type Edit = fn(&mut Row, &Row);
    let edits: [(&str, Edit); 6] = [
        ("kind", |row, _| row.1 = "EMAIL".to_owned()),
        ("nonce", |row, _| row.4[0] ^= 1),
        ("sealed value", |row, _| row.5[3] ^= 0x80),
        ("tag", |row, _| *row.5.last_mut().unwrap() ^= 1),
        ("length", |row, _| row.5.truncate(7)),
        ("another user's", |row, other| row.clone_from(other)),
    ];
    for (what, edit) in edits {
        let result = restore_edited(edit);
        assert!(
            matches!(result, Err(VaultError::Altered)),
            "{what}: {result:?}"
        );
    }
}

#[test]
fn a_record_of_an_unknown_version_is_refused() {
    let result = restore_edited(|row, _| row.0 = 9);
    assert!(matches!(result, Err(VaultError::Corrupt(_))), "{result:?}");
}

#[test]
fn a_record_under_another_name_is_refused() {
    let disk = Disk::default();
    let vault = on(&disk).unwrap();
    let runtime = runtime();
    let a = runtime.block_on(seal(&vault, 1, b"a")).unwrap();
    let b = runtime.block_on(seal(&vault, 1, b"b")).unwrap();
    drop(vault);
    let database = builder().create_with_backend(disk.clone()).unwrap();
    let row = read(&database, 1, &a);
    write(&database, 1, &b, &row);
    drop(database);
    let vault = on(&disk).unwrap();
    assert!(matches!(vault.restore(1, &b), Err(VaultError::Altered)));
    assert_eq!(restored(&vault, 1, &a).unwrap(), b"a");
}

#[test]
fn a_record_with_an_impossible_kind_is_an_error() {
    let disk = Disk::default();
    let vault = on(&disk).unwrap();
    let p = runtime().block_on(seal(&vault, 1, b"a")).unwrap();
    drop(vault);
    let database = builder().create_with_backend(disk.clone()).unwrap();
    let mut row = read(&database, 1, &p);
    row.1 = "no kind".to_owned();
    write(&database, 1, &p, &row);
    drop(database);
    assert!(matches!(on(&disk), Err(VaultError::Corrupt(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    /// Whatever becomes of the file: an error or the value, never another value, never a panic.
    #[test]
    fn damage_is_an_error_or_harmless(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        let disk = Disk::default();
        let vault = on(&disk).unwrap();
        let sealed = runtime().block_on(seal(&vault, 1, b"the first value")).unwrap();
        drop(vault);
        disk.damage(|bytes| {
            // Most of the file is zeros that mean nothing.
            let used: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at] != 0).collect();
            for (at, byte) in damage {
                bytes[used[at.index(used.len())]] = byte;
            }
            if let Some(len) = cut {
                bytes.truncate(len.index(bytes.len()));
            }
        });
        if let Ok(vault) = on(&disk)
            && let Ok(Some(value)) = vault.restore(1, &sealed)
        {
            prop_assert_eq!(&**value, b"the first value");
        }
    }
}
