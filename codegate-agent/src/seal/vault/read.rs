//! What is read from the database's tables.
//!
//! Knows: the tables' rows. Must not know: keys, values in clear.

use redb::{ReadTransaction, ReadableTable};

use super::{
    Reveal, VaultError,
    index::{self, Index, Known, Usage},
    record::{Id, NONCE_LEN, Record, VERSION},
    store::{REVEALS, SECRETS, USAGE, parse_kind},
    time,
};
use crate::{inspect::Kind, seal::token::Placeholder};

/// A record's row as it is read.
pub(super) type Row<'a> = (u8, &'a str, &'a str, u64, &'a [u8; NONCE_LEN], &'a [u8]);

/// The index of all that is there.
pub(super) fn load(transaction: &ReadTransaction) -> Result<Index, VaultError> {
    let secrets = transaction.open_table(SECRETS)?;
    let usage = transaction.open_table(USAGE)?;
    let mut known = Vec::new();
    for entry in secrets.iter()? {
        let (id, row) = entry?;
        let (uid, mac) = id.value();
        let usage = usage.get((uid, mac))?.map(|usage| usage.value());
        let usage = usage.map(|(last_seen, uses)| Usage { last_seen, uses });
        let kind = parse_kind(row.value().1)?;
        let usage = usage.unwrap_or_default();
        known.push(((uid, *mac), Known { kind, usage }));
    }
    Ok(Index::load(known.into_iter()))
}

/// A sealed value.
pub(super) fn record(transaction: &ReadTransaction, id: Id) -> Result<Option<Record>, VaultError> {
    let secrets = transaction.open_table(SECRETS)?;
    let Some(row) = secrets.get((id.0, &id.1))? else {
        return Ok(None);
    };
    parse(id, row.value()).map(Some)
}

/// A record from its row.
pub(super) fn parse(id: Id, row: Row<'_>) -> Result<Record, VaultError> {
    let (version, kind, _, _, nonce, sealed) = row;
    if version != VERSION {
        let why = format!("a record has version {version}, which is not known here");
        return Err(VaultError::Corrupt(why));
    }
    Ok(Record {
        id,
        kind: parse_kind(kind)?,
        nonce: *nonce,
        sealed: sealed.to_vec(),
    })
}

/// What is in clear of a user's records: kind, rule, when first seen (milliseconds since 1970).
pub(super) fn rows(
    transaction: &ReadTransaction,
    uid: u32,
) -> Result<Vec<(Id, Kind, String, u64)>, VaultError> {
    let (first, last) = index::of(uid).into_inner();
    let secrets = transaction.open_table(SECRETS)?;
    let mut rows = Vec::new();
    for entry in secrets.range((first.0, &first.1)..=(last.0, &last.1))? {
        let (id, row) = entry?;
        let (_, kind, rule, first_seen, ..) = row.value();
        let id = (uid, *id.value().1);
        rows.push((id, parse_kind(kind)?, rule.to_owned(), first_seen));
    }
    Ok(rows)
}

/// The notes of who was shown a user's values, oldest first.
pub(super) fn reveals(transaction: &ReadTransaction, uid: u32) -> Result<Vec<Reveal>, VaultError> {
    let mut found = Vec::new();
    for entry in transaction.open_table(REVEALS)?.iter()? {
        let (_, row) = entry?;
        let (at, by, of, mac, kind) = row.value();
        if of == uid {
            let placeholder = Placeholder::new(parse_kind(kind)?, *mac);
            let at = time(at);
            found.push(Reveal {
                at,
                by,
                uid,
                placeholder,
            });
        }
    }
    Ok(found)
}
