//! The tables of a generation.

use redb::TableDefinition;
use siphasher::sip::SipHasher24;

/// An ecosystem's number and a normalised name.
pub(super) type Key = (u8, &'static str);

/// What is known about a package: a JSON array of records.
pub(super) const RECORDS: TableDefinition<'_, Key, &[u8]> = TableDefinition::new("records");
/// The names that exist, by ecosystem and hash.
pub(super) const NAMES: TableDefinition<'_, (u8, u64), ()> = TableDefinition::new("names");
/// The most downloaded names with their ranks.
pub(super) const TOP: TableDefinition<'_, Key, u32> = TableDefinition::new("top");

/// What the names' hashes are keyed by: one row.
pub(super) const KEYS: TableDefinition<'_, (), NameKey> = TableDefinition::new("siphash-keys");

/// A key of names' hashes: whoever does not know it cannot make up a name that has the hash of
/// another. A new one is chosen whenever all names are read anew.
pub(super) type NameKey = [u8; 16];

/// The hash a name is kept by where only its existence counts: among five million, another name
/// has the same with a probability of 3 × 10⁻¹³ (memory keeps fewer of its bits). SipHash-2-4 is made
/// for short texts and a key that nobody else knows (Aumasson and Bernstein, 2012).
pub(super) fn name_hash(key: NameKey, name: &str) -> u64 {
    SipHasher24::new_with_key(&key).hash(name.as_bytes())
}
