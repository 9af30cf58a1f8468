//! Filling a generation's tables.

use redb::{ReadableTable, Table, WriteTransaction};

use super::{
    IndexError,
    manifest::Counts,
    tables::{KEYS, Key, NAMES, NameKey, RECORDS, TOP, name_hash},
};
use crate::inspect::packages::{Ecosystem, Package, Record};

/// The tables of a generation that is being built.
pub(super) struct Writer<'t> {
    records: Table<'t, Key, &'static [u8]>,
    names: Table<'t, (u8, u64), ()>,
    top: Table<'t, Key, u32>,
    counts: Counts,
    key: NameKey,
}

impl<'t> Writer<'t> {
    /// With the key of the names' hashes.
    pub(super) fn new(transaction: &'t WriteTransaction, key: NameKey) -> Result<Self, IndexError> {
        transaction.open_table(KEYS)?.insert((), key)?;
        Ok(Self {
            records: transaction.open_table(RECORDS)?,
            names: transaction.open_table(NAMES)?,
            top: transaction.open_table(TOP)?,
            counts: Counts::default(),
            key,
        })
    }

    /// Adds a record to those of its package.
    pub(super) fn record(&mut self, package: &Package, record: Record) -> Result<(), IndexError> {
        let key = (package.ecosystem as u8, package.name());
        let status = record.status.as_str().to_owned();
        let mut records: Vec<Record> = match self.records.get(key)? {
            Some(row) => serde_json::from_slice(row.value())?,
            None => Vec::new(),
        };
        records.push(record);
        let row = serde_json::to_vec(&records)?;
        self.records.insert(key, row.as_slice())?;
        let counts = self.counts.records.entry(package.ecosystem.to_string());
        *counts.or_default().entry(status).or_default() += 1;
        Ok(())
    }

    /// Adds hashes of names that exist; in order, they take half the time.
    pub(super) fn names(
        &mut self,
        ecosystem: Ecosystem,
        hashes: impl Iterator<Item = u64>,
    ) -> Result<(), IndexError> {
        let mut new = 0;
        for hash in hashes {
            let before = self.names.insert((ecosystem as u8, hash), ())?;
            new += u64::from(before.is_none());
        }
        *self.counts.names.entry(ecosystem.to_string()).or_default() += new;
        Ok(())
    }

    /// Adds a name with its rank among the most downloaded; the better of two ranks stays.
    pub(super) fn top(&mut self, package: &Package, rank: u32) -> Result<(), IndexError> {
        let key = (package.ecosystem as u8, package.name());
        let before = self.top.get(key)?.map(|row| row.value());
        if before.is_none_or(|before| rank < before) {
            self.top.insert(key, rank)?;
        }
        let count = self.counts.top.entry(package.ecosystem.to_string());
        *count.or_default() += u64::from(before.is_none());
        Ok(())
    }

    pub(super) fn finish(self) -> Counts {
        self.counts
    }

    /// The hash that [`Writer::names`] wants; `None` if it is no name.
    pub(super) fn hash_of(&self, ecosystem: Ecosystem, name: &str) -> Option<u64> {
        Package::new(ecosystem, name).map(|package| name_hash(self.key, package.name()))
    }
}
