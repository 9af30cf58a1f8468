//! The tables of a generation.

use aws_lc_rs::digest::{SHA256, digest};
use redb::TableDefinition;

/// An ecosystem's number and a normalised name.
pub(super) type Key = (u8, &'static str);

/// What is known about a package: a JSON array of records.
pub(super) const RECORDS: TableDefinition<'_, Key, &[u8]> = TableDefinition::new("records");
/// The names that exist, by ecosystem and hash.
pub(super) const NAMES: TableDefinition<'_, (u8, u64), ()> = TableDefinition::new("names");
/// The most downloaded names with their ranks.
pub(super) const TOP: TableDefinition<'_, Key, u32> = TableDefinition::new("top");

/// The hash a name is kept by where only its existence counts: among five million, another name
/// has the same with a probability of 3 × 10⁻¹³ (memory keeps fewer of its bits).
pub(super) fn name_hash(name: &str) -> u64 {
    let digest = digest(&SHA256, name.as_bytes());
    let first = digest.as_ref().first_chunk().copied();
    u64::from_le_bytes(first.unwrap_or_default())
}
