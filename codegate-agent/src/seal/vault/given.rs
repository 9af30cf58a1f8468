//! A vault whose database another agent has taken over, while requests still run here.
//!
//! The database belongs to one process at a time. What is in it is kept in memory, sealed as it was;
//! what is sealed from then on goes, as durably, into a database on the side, which the other agent
//! takes in when this one has ended. A crash of either loses nothing: whoever opens the vault next
//! takes in what lies beside it.
//!
//! Knows: files and rows. Must not know: values, or why agents follow each other.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    sync::PoisonError,
};

use redb::{ReadTransaction, ReadableTable};

use super::{
    Vault, VaultError, read,
    record::{Id, Record},
    store::{Open, SECRETS, Store, commit, in_file},
};

/// How a database on the side is called: this, a process id, and [`EXTENSION`].
const PREFIX: &str = "given-";
const EXTENSION: &str = "redb";

/// What was in the database when it was given away.
pub(super) type Inherited = BTreeMap<Id, Record>;

/// A record with its rule, and when it was first seen (milliseconds since 1970).
type Row = (Record, String, u64);

impl Vault {
    /// Lets go of the database in this directory, so that another process can open it, and goes on
    /// without. Listing, showing, adding and forgetting is that one's business from now on. Blocks.
    ///
    /// # Errors
    /// The database cannot be read, or none can be made on the side: then nothing has changed.
    pub fn give(&self, dir: &Path) -> Result<(), VaultError> {
        let side = dir.join(format!("{PREFIX}{}.{EXTENSION}", std::process::id()));
        self.store.give(in_file(&side))
    }

    /// Takes the database back from a process that is gone, with what was sealed meanwhile. Blocks.
    ///
    /// # Errors
    /// It is still in use, or cannot be opened.
    pub fn take_back(&self, dir: &Path) -> Result<(), VaultError> {
        self.store.take_back()?;
        self.take_in(dir).map(drop)
    }

    /// Takes in what other agents sealed on the side, and says how many values were new; what is still
    /// in use is left for later. Blocks.
    ///
    /// # Errors
    /// A file cannot be read, or the database cannot be written; nothing is lost then.
    pub fn take_in(&self, dir: &Path) -> Result<usize, VaultError> {
        let mut new = 0;
        for side in beside(dir)? {
            match rows_of(&side) {
                Ok(rows) => new += self.take_in_rows(&rows)?,
                Err(VaultError::Locked) => continue,
                Err(error) => return Err(error),
            }
            fs::remove_file(&side).map_err(|error| VaultError::io(&side, error))?;
        }
        Ok(new)
    }

    fn take_in_rows(&self, rows: &[Row]) -> Result<usize, VaultError> {
        let known = self.index().len();
        let ((), changes) = self.store.write(|batch| {
            rows.iter()
                .try_for_each(|(record, rule, seen)| batch.add(record, rule, *seen).map(drop))
        })?;
        let mut index = self.index();
        changes.into_iter().for_each(|change| index.apply(change));
        Ok(index.len() - known)
    }

    /// Refuses what only the owner of the database can do.
    pub(super) fn owned(&self) -> Result<(), VaultError> {
        if self.store.inherited().is_some() {
            return Err(VaultError::Locked);
        }
        Ok(())
    }
}

impl Store {
    fn give(&self, side: Open) -> Result<(), VaultError> {
        self.ensure_open()?;
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let here = database.as_ref().ok_or(VaultError::Stopped)?;
        let inherited = all(&redb::ReadableDatabase::begin_read(here)?)?;
        let inherited = inherited
            .into_iter()
            .map(|(record, ..)| (record.id, record));
        // Whoever reads next finds its tables there.
        let fresh = side()?;
        commit(&fresh, |_| Ok(()))?;
        self.side
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .replace((side, inherited.collect()));
        *database = Some(fresh);
        Ok(())
    }

    fn take_back(&self) -> Result<(), VaultError> {
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let fresh = (self.open)()?;
        *self.side.write().unwrap_or_else(PoisonError::into_inner) = None;
        *database = Some(fresh);
        Ok(())
    }
}

/// The databases on the side.
fn beside(dir: &Path) -> Result<Vec<PathBuf>, VaultError> {
    let failed = |error| VaultError::io(dir, error);
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_stem().and_then(OsStr::to_str);
        let is_side = name.is_some_and(|name| name.starts_with(PREFIX));
        if is_side && path.extension() == Some(OsStr::new(EXTENSION)) {
            found.push(path);
        }
    }
    Ok(found)
}

fn rows_of(side: &Path) -> Result<Vec<Row>, VaultError> {
    let database = in_file(side)()?;
    let transaction = redb::ReadableDatabase::begin_read(&database)?;
    match all(&transaction) {
        // It was made and never written.
        Err(VaultError::Storage(error)) if is_empty(&error) => Ok(Vec::new()),
        other => other,
    }
}

fn is_empty(error: &redb::Error) -> bool {
    matches!(error, redb::Error::TableDoesNotExist(_))
}

fn all(transaction: &ReadTransaction) -> Result<Vec<Row>, VaultError> {
    let secrets = transaction.open_table(SECRETS)?;
    let mut rows = Vec::new();
    for entry in secrets.iter()? {
        let (id, row) = entry?;
        let (uid, mac) = id.value();
        let (_, _, rule, first_seen, ..) = row.value();
        let record = read::parse((uid, *mac), row.value())?;
        rows.push((record, rule.to_owned(), first_seen));
    }
    Ok(rows)
}
