//! The index: what is known about packages, on disk.
//!
//! A folder holds one file of redb, and a manifest beside it that names the file, its generation and
//! its SHA-256. A generation is built in a file of its own, verified, and put in service by the
//! rename of its manifest: whoever reads sees the old one whole or the new one whole. Nothing of a
//! file is believed before its hash is.

mod error;
mod feed;
pub mod fleet;
mod manifest;
mod packed;
mod tables;
mod update;
mod writer;

use std::{
    fs::File,
    io,
    path::Path,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use redb::{
    Builder, ReadOnlyDatabase, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable,
    TableError,
};

pub use error::IndexError;
pub use manifest::{Counts, Manifest, path as manifest_path};
pub use update::{Progress, Report, Sources, update};

use super::{Ecosystem, Package, Record, hashes::Hashes};
use packed::{Found, Packed, Packer};
use tables::{KEYS, Key, NAMES, NameKey, RECORDS, TOP, name_hash};

/// The pages kept in memory, in bytes. What is looked up all the time is kept in other forms.
const CACHE: usize = 1 << 20;
/// How often a reader looks again if the generation it was sent to has just gone.
const ATTEMPTS: u32 = 5;

/// An index in service. Reading it takes no lock, from however many threads.
pub struct Index {
    manifest: Manifest,
    records: ReadOnlyTable<Key, &'static [u8]>,
    names: ReadOnlyTable<(u8, u64), ()>,
    key: NameKey,
    top: ReadOnlyTable<Key, u32>,
    packed: Packed,
    /// The hashes of all names, by ecosystem, read when first asked for.
    known: [OnceLock<Hashes>; Ecosystem::ALL.len()],
    failed: AtomicBool,
    _database: ReadOnlyDatabase,
}

impl Index {
    /// Opens the generation that is in service; `None` if there has never been one.
    ///
    /// # Errors
    /// If a file cannot be read, or is not what its manifest says.
    pub fn open(dir: &Path) -> Result<Option<Self>, IndexError> {
        for _ in 0..ATTEMPTS {
            let Some(manifest) = Manifest::read(dir)? else {
                return Ok(None);
            };
            match Self::open_generation(dir, manifest) {
                // It was replaced meanwhile, and its file is gone.
                Err(IndexError::File { source, .. })
                    if source.kind() == io::ErrorKind::NotFound => {}
                opened => return opened.map(Some),
            }
        }
        Err(IndexError::Damaged {
            path: manifest::path(dir),
            why: "the file it names is missing",
        })
    }

    fn open_generation(dir: &Path, manifest: Manifest) -> Result<Self, IndexError> {
        let path = dir.join(&manifest.file);
        let file = File::open(&path).map_err(IndexError::at(&path))?;
        let (bytes, hash) = manifest::digest(&file).map_err(IndexError::at(&path))?;
        if (bytes, hash.as_str()) != (manifest.bytes, manifest.sha256.as_str()) {
            return Err(IndexError::Damaged {
                path,
                why: "it is not the file that was built: update again",
            });
        }
        // The very file that was hashed.
        let backend = redb::backends::FileBackend::new(file)?;
        let database = Builder::new()
            .set_cache_size(CACHE)
            .open_read_only_with_backend(backend)?;
        let transaction = database.begin_read()?;
        let records = transaction.open_table(RECORDS)?;
        let key = names_key(&transaction)?.ok_or(IndexError::Damaged {
            path,
            why: "another version of codegate built it: update again",
        })?;
        let mut packer = Packer::default();
        for row in records.iter()? {
            let (key, value) = row?;
            let records: Vec<Record> = serde_json::from_slice(value.value())?;
            packer.add(key.value(), &records);
        }
        Ok(Self {
            manifest,
            records,
            packed: packer.finish(),
            known: Default::default(),
            names: transaction.open_table(NAMES)?,
            key,
            top: transaction.open_table(TOP)?,
            failed: AtomicBool::new(false),
            _database: database,
        })
    }

    /// What is in service.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// All that is known about a package.
    ///
    /// # Errors
    /// If the file cannot be read any more.
    pub fn records(&self, package: &Package) -> Result<Vec<Record>, IndexError> {
        for name in package.candidates() {
            let key = (package.ecosystem as u8, name);
            match self.packed.of(key) {
                Found::Nothing => {}
                Found::Records(records) => return Ok(records),
                Found::OnDisk => {
                    if let Some(row) = self.records.get(key)? {
                        return Ok(serde_json::from_slice(row.value())?);
                    }
                }
            }
        }
        Ok(Vec::new())
    }

    /// Whether a package exists; `None` if there is no full list of its ecosystem.
    ///
    /// # Errors
    /// If the file cannot be read any more.
    pub fn exists(&self, package: &Package) -> Result<Option<bool>, IndexError> {
        let Some(known) = self.known(package.ecosystem)? else {
            return Ok(None);
        };
        let mut names = package.candidates();
        Ok(Some(names.any(|name| known.has(name_hash(self.key, name)))))
    }

    /// The hashes of all names of an ecosystem; `None` if there is no full list. The first time, it
    /// reads them, which takes some tenths of a second.
    fn known(&self, ecosystem: Ecosystem) -> Result<Option<&Hashes>, IndexError> {
        let Some(cell) = self.known.get(ecosystem as usize - 1) else {
            return Ok(None);
        };
        if let Some(known) = cell.get() {
            return Ok(Some(known));
        }
        let count = self.manifest.counts.names.get(ecosystem.osv_name());
        let count = count.copied().unwrap_or_default() as usize;
        if count == 0 {
            return Ok(None);
        }
        let known = Hashes::in_order(self.name_hashes(ecosystem)?, count);
        // A name that was not read would be called one that does not exist.
        if known.len() != count {
            return Err(IndexError::Damaged {
                path: self.manifest.file.clone().into(),
                why: "not all of its names can be read",
            });
        }
        Ok(Some(cell.get_or_init(|| known)))
    }

    /// What the names' hashes are keyed by.
    fn names_key(&self) -> NameKey {
        self.key
    }

    /// The most downloaded names of an ecosystem with their ranks, from 0.
    ///
    /// # Errors
    /// If the file cannot be read any more.
    pub fn top(&self, ecosystem: Ecosystem) -> Result<Vec<(String, u32)>, IndexError> {
        let first = ecosystem as u8;
        let mut top = Vec::new();
        for row in self.top.range((first, "")..(first + 1, ""))? {
            let (key, rank) = row?;
            top.push((key.value().1.to_owned(), rank.value()));
        }
        Ok(top)
    }

    /// The hashes of all names of an ecosystem, in order.
    fn name_hashes(&self, ecosystem: Ecosystem) -> Result<impl Iterator<Item = u64>, IndexError> {
        let number = ecosystem as u8;
        let rows = self.names.range((number, 0)..=(number, u64::MAX))?;
        // A row that cannot be read ends the list, and the counts then disagree.
        Ok(rows.map_while(|row| Some(row.ok()?.0.value().1)))
    }

    /// Every package with a record, and its records: for carrying them over, and for tests.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn all_records(
        &self,
    ) -> Result<impl Iterator<Item = Result<(Package, Vec<Record>), IndexError>>, IndexError> {
        let rows = self.records.iter()?;
        Ok(rows.filter_map(|row| {
            let read = || {
                let (key, value) = row?;
                let (number, name) = key.value();
                let ecosystem = Ecosystem::ALL.into_iter().find(|e| *e as u8 == number);
                let package = ecosystem.and_then(|e| Package::new(e, name));
                let records = serde_json::from_slice(value.value())?;
                Ok(package.map(|package| (package, records)))
            };
            read().transpose()
        }))
    }

    /// Says once that the file cannot be read any more.
    pub(super) fn report(&self, error: &IndexError) {
        if !self.failed.swap(true, Ordering::Relaxed) {
            tracing::error!(%error, "the index of packages cannot be read any more");
        }
    }
}

/// What the names' hashes are keyed by, if they are hashed as here.
fn names_key(transaction: &ReadTransaction) -> Result<Option<NameKey>, IndexError> {
    let keys = match transaction.open_table(KEYS) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        keys => keys?,
    };
    Ok(keys.get(())?.map(|key| key.value()))
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Index").field(&self.manifest).finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]
mod tests;
#[cfg(test)]
pub(in crate::inspect::packages) use tests::shared;
