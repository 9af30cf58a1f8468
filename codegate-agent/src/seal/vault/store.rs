//! The database: its tables, and how it is opened again after a failure.
//!
//! Knows: redb. Must not know: keys, values in clear, placeholders' text.
//!
//! redb refuses all work after an I/O error until it is opened again, so every failure closes it
//! here, and the next use opens it: when space returns, so does the vault.

use std::{
    path::Path,
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

use redb::{
    Builder, Database, ReadTransaction, ReadableDatabase, ReadableTable, Table, TableDefinition,
    WriteTransaction, backends::FileBackend,
};

use super::{
    VaultError,
    given::Inherited,
    index::{Change, Usage},
    literals,
    record::{Id, NONCE_LEN, Record, VERSION},
};
use crate::{inspect::Kind, seal::token::MAC_LEN};

/// Whose value, and its MAC: a user's records are a range.
type RowId = (u32, &'static [u8; MAC_LEN]);
/// Version of the format, kind, rule, when first seen (milliseconds since 1970), nonce, sealed.
type Row = (
    u8,
    &'static str,
    &'static str,
    u64,
    &'static [u8; NONCE_LEN],
    &'static [u8],
);

pub(super) const SECRETS: TableDefinition<RowId, Row> = TableDefinition::new("secrets");
/// Version of the format, kind, when added (milliseconds since 1970), nonce, sealed hashes.
type LiteralRow = (
    u8,
    &'static str,
    u64,
    &'static [u8; NONCE_LEN],
    &'static [u8],
);

/// What users named, whether it was ever sealed or not.
pub(super) const LITERALS: TableDefinition<RowId, LiteralRow> = TableDefinition::new("literals");
/// When last seen (milliseconds since 1970), and how often.
pub(super) const USAGE: TableDefinition<RowId, (u64, u64)> = TableDefinition::new("usage");
/// By number: when (milliseconds since 1970), who asked, whose value, its MAC, its kind.
pub(super) const REVEALS: TableDefinition<u64, (u64, u32, u32, &[u8; MAC_LEN], &str)> =
    TableDefinition::new("reveals");
/// Facts about the database itself.
pub(super) const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

/// Memory for cached pages, in bytes. Records are small, and read seldom.
const CACHE: usize = 4 << 20;

/// How the database is opened, again and again.
pub(super) type Open = Box<dyn Fn() -> Result<Database, VaultError> + Send + Sync>;

/// The database, open or about to be.
pub(super) struct Store {
    pub(super) open: Open,
    pub(super) database: RwLock<Option<Database>>,
    /// What is opened instead while another process has the database, and what was in that.
    pub(super) side: RwLock<Option<(Open, Inherited)>>,
}

impl Store {
    /// A store whose database is opened (again and again) in this way.
    pub(super) fn new(open: Open) -> Self {
        Self {
            open,
            database: RwLock::default(),
            side: RwLock::default(),
        }
    }

    /// A store in a file, which is made if it is missing, and which only its owner may read.
    pub(super) fn in_file(path: &Path) -> Self {
        Self::new(in_file(path))
    }

    /// A record that was in the database when another process took it over.
    pub(super) fn inherited_record(&self, id: &Id) -> Option<Record> {
        let side = self.inherited();
        side.as_ref()
            .and_then(|(_, inherited)| inherited.get(id).cloned())
    }

    pub(super) fn inherited(&self) -> RwLockReadGuard<'_, Option<(Open, Inherited)>> {
        self.side.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads, in a transaction of its own; once more if the database had to be opened again.
    pub(super) fn read<T>(
        &self,
        read: impl Fn(&ReadTransaction) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        let act = |database: &Database| read(&database.begin_read()?);
        match self.with(act) {
            Err(VaultError::Storage(_)) => self.with(act),
            other => other,
        }
    }

    /// Writes, in a transaction that is durable when this returns without an error.
    pub(super) fn write<T>(
        &self,
        write: impl FnOnce(&mut Batch<'_>) -> Result<T, VaultError>,
    ) -> Result<(T, Vec<Change>), VaultError> {
        self.with(|database| commit(database, write))
    }

    /// Does something with the open database, and closes it if its storage failed.
    fn with<T>(
        &self,
        act: impl FnOnce(&Database) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        self.ensure_open()?;
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let result = act(database.as_ref().ok_or(VaultError::Stopped)?);
        drop(database);
        if let Err(VaultError::Storage(_) | VaultError::Corrupt(_)) = result {
            self.close();
        }
        result
    }

    pub(super) fn ensure_open(&self) -> Result<(), VaultError> {
        let is_open = |database: &Option<Database>| database.is_some();
        if is_open(&self.database.read().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(());
        }
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if !is_open(&database) {
            let side = self.inherited();
            let open = side.as_ref().map_or(&self.open, |(open, _)| open);
            *database = Some(open()?);
        }
        Ok(())
    }

    fn close(&self) {
        *self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Writes, in a transaction that is durable when this returns without an error.
pub(super) fn commit<T>(
    database: &Database,
    write: impl FnOnce(&mut Batch<'_>) -> Result<T, VaultError>,
) -> Result<(T, Vec<Change>), VaultError> {
    let mut transaction = database.begin_write()?;
    // Values come from outside, and redb's checksum is no cryptographic one.
    transaction.set_two_phase_commit(true);
    let (result, changes) = {
        let mut batch = Batch::new(&transaction)?;
        (write(&mut batch)?, batch.changes)
    };
    transaction.commit()?;
    Ok((result, changes))
}

/// Opens a file, which is made if it is missing, and which only its owner may read.
pub(super) fn in_file(path: &Path) -> Open {
    let path = path.to_owned();
    Box::new(move || {
        let file = private_file(&path).map_err(|error| VaultError::io(&path, error))?;
        let backend = FileBackend::new(file)?;
        Ok(builder().create_with_backend(backend)?)
    })
}

/// How every vault's database is opened: a damaged file is an error, not a surprise later.
pub(super) fn builder() -> Builder {
    let mut builder = Database::builder();
    builder
        .set_cache_size(CACHE)
        .set_check_integrity_on_open(true);
    builder
}

/// Opens or makes a file that only its owner may read and write.
fn private_file(path: &Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    Ok(file)
}

/// The tables, open for writing, and what the index has to follow once they are committed.
pub(super) struct Batch<'t> {
    secrets: Table<'t, RowId, Row>,
    literals: Table<'t, RowId, LiteralRow>,
    usage: Table<'t, RowId, (u64, u64)>,
    reveals: Table<'t, u64, (u64, u32, u32, &'static [u8; MAC_LEN], &'static str)>,
    pub(super) meta: Table<'t, &'static str, &'static [u8]>,
    changes: Vec<Change>,
}

impl<'t> Batch<'t> {
    fn new(transaction: &'t WriteTransaction) -> Result<Self, VaultError> {
        Ok(Self {
            secrets: transaction.open_table(SECRETS)?,
            literals: transaction.open_table(LITERALS)?,
            usage: transaction.open_table(USAGE)?,
            reveals: transaction.open_table(REVEALS)?,
            meta: transaction.open_table(META)?,
            changes: Vec::new(),
        })
    }

    /// Adds a record unless its value is there already; the kind that was there first stays, and
    /// is returned.
    pub(super) fn add(
        &mut self,
        record: &Record,
        rule: &str,
        now: u64,
    ) -> Result<Kind, VaultError> {
        let (uid, mac) = &record.id;
        let known = self
            .secrets
            .get((*uid, mac))?
            .map(|row| parse_kind(row.value().1))
            .transpose()?;
        if known.is_none() {
            let (nonce, sealed) = (&record.nonce, record.sealed.as_slice());
            let row = (VERSION, record.kind.as_str(), rule, now, nonce, sealed);
            self.secrets.insert((*uid, mac), row)?;
        }
        let kind = known.unwrap_or(record.kind);
        self.changes.push(Change::Added(record.id, kind));
        Ok(kind)
    }

    /// Adds a literal, or renews it.
    pub(super) fn add_literal(&mut self, row: &literals::Row) -> Result<(), VaultError> {
        let (nonce, sealed) = (&row.nonce, row.sealed.as_slice());
        let value = (VERSION, row.kind.as_str(), row.added, nonce, sealed);
        self.literals.insert((row.id.0, &row.id.1), value)?;
        Ok(())
    }

    /// Removes a record and a literal; false if there was neither.
    pub(super) fn remove(&mut self, id: &Id) -> Result<bool, VaultError> {
        let literal = self.literals.remove((id.0, &id.1))?.is_some();
        let removed = self.secrets.remove((id.0, &id.1))?.is_some() || literal;
        self.usage.remove((id.0, &id.1))?;
        self.changes.push(Change::Removed(*id));
        Ok(removed)
    }

    /// Removes all of a user's records and literals, and says how many records there were.
    pub(super) fn remove_all(&mut self, uid: u32) -> Result<usize, VaultError> {
        let all = (uid, &[0; MAC_LEN])..=(uid, &[0xFF; MAC_LEN]);
        let mut removed = 0;
        self.secrets.retain_in(all.clone(), |_, _| {
            removed += 1;
            false
        })?;
        self.usage.retain_in(all.clone(), |_, _| false)?;
        self.literals.retain_in(all, |_, _| false)?;
        self.changes.push(Change::RemovedAll(uid));
        Ok(removed)
    }

    /// Sets how often a value was seen, and when last.
    pub(super) fn set_usage(&mut self, id: &Id, usage: Usage) -> Result<(), VaultError> {
        let row = (usage.last_seen, usage.uses);
        // It may have been forgotten since.
        if self.secrets.get((id.0, &id.1))?.is_some() {
            self.usage.insert((id.0, &id.1), row)?;
        }
        Ok(())
    }

    /// Notes that `by` was shown a value.
    pub(super) fn note_reveal(
        &mut self,
        id: &Id,
        kind: &Kind,
        by: u32,
        now: u64,
    ) -> Result<(), VaultError> {
        let last = self.reveals.last()?.map_or(0, |(number, _)| number.value());
        let row = (now, by, id.0, &id.1, kind.as_str());
        self.reveals.insert(last.saturating_add(1), row)?;
        Ok(())
    }
}

/// A kind as the database has it.
pub(super) fn parse_kind(text: &str) -> Result<Kind, VaultError> {
    Kind::parse(text).ok_or_else(|| VaultError::Corrupt(format!("a record has kind {text:?}")))
}
