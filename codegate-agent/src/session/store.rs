//! The database of sessions: opening it whatever state it is in, and reading from it.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError,
    TableDefinition, backends::FileBackend,
};

use super::{Detail, Entry, Id, Session, Viewer, index::Stored};

/// Session id → [`Stored`] as JSON.
pub(super) const SESSIONS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("sessions");
/// Session id, number of the entry → [`Entry`] as JSON.
pub(super) const ENTRIES: TableDefinition<'_, (u64, u64), &[u8]> = TableDefinition::new("entries");
/// Session id, placeholder or package URL: what was sealed or found in the session.
pub(super) const SEALED: TableDefinition<'_, (u64, &str), ()> = TableDefinition::new("sealed");

/// The pages kept in memory, in bytes.
const CACHE: usize = 8 << 20;

/// Why there is no history.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be opened, or moved aside.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is open in another agent, or cannot be used for another reason.
    #[error("{}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: DatabaseError,
    },
    /// Reading or writing failed.
    #[error("the sessions' database: {0}")]
    Database(Box<redb::Error>),
    /// A record cannot be written as JSON.
    #[error("a session's record: {0}")]
    Encode(serde_json::Error),
    /// It failed before and has not been opened again yet, or another agent has it.
    #[error("the sessions' database is closed")]
    Closed,
    /// The writer's thread cannot be started.
    #[error("the sessions' writer: {0}")]
    Thread(io::Error),
}

impl<E: Into<redb::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Database(Box::new(error.into()))
    }
}

/// The database; readers and the writer share it.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    database: RwLock<Option<Arc<Database>>>,
}

impl Store {
    /// Opens the file, or makes it. A file that is damaged is moved aside (`….corrupt`).
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let database = match open(path) {
            Err(Error::Open { source, .. }) if is_damage(&source) => {
                move_aside(path, &source)?;
                open(path)?
            }
            opened => opened?,
        };
        Ok(Self {
            path: path.to_owned(),
            database: RwLock::new(Some(Arc::new(database))),
        })
    }

    pub(super) fn database(&self) -> Result<Arc<Database>, Error> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        database.clone().ok_or(Error::Closed)
    }

    /// Closes the file and opens it again: after an I/O error redb refuses all work.
    pub(super) fn reopen(&self) -> Result<(), Error> {
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *database = None;
        let fresh = Self::open(&self.path)?;
        let fresh = fresh
            .database
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        *database = fresh;
        Ok(())
    }

    /// Closes the file, as soon as nobody reads it any more.
    pub(super) fn close(&self) {
        *self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// All stored sessions; what cannot be read is left out, and said.
    pub(super) fn all(&self) -> Result<Vec<Stored>, Error> {
        let sessions = self.database()?.begin_read()?.open_table(SESSIONS)?;
        let mut all = Vec::new();
        for row in sessions.iter()? {
            let (key, value) = row?;
            match serde_json::from_slice(value.value()) {
                Ok(stored) => all.push(stored),
                Err(error) => unreadable(Id::from_key(key.value()), &error),
            }
        }
        Ok(all)
    }

    /// The newest sessions that the viewer may see, newest first.
    pub(super) fn list(&self, viewer: Viewer, limit: usize) -> Result<Vec<Session>, Error> {
        let sessions = self.database()?.begin_read()?.open_table(SESSIONS)?;
        let mut list = Vec::new();
        for row in sessions.iter()?.rev() {
            let (key, value) = row?;
            match serde_json::from_slice::<Stored>(value.value()) {
                Ok(stored) if viewer.sees(stored.session.process.uid) => list.push(stored.session),
                Ok(_) => {}
                Err(error) => unreadable(Id::from_key(key.value()), &error),
            }
            if list.len() >= limit {
                break;
            }
        }
        Ok(list)
    }

    /// A session with its entries; `None` if there is none, or the viewer may not see it.
    pub(super) fn show(&self, viewer: Viewer, id: Id) -> Result<Option<Detail>, Error> {
        let transaction = self.database()?.begin_read()?;
        let sessions = transaction.open_table(SESSIONS)?;
        let Some(row) = sessions.get(id.key())? else {
            return Ok(None);
        };
        let session = match serde_json::from_slice::<Stored>(row.value()) {
            Ok(stored) => stored.session,
            Err(error) => {
                unreadable(id, &error);
                return Ok(None);
            }
        };
        if !viewer.sees(session.process.uid) {
            return Ok(None);
        }
        let entries = entries(&transaction.open_table(ENTRIES)?, id)?;
        Ok(Some(Detail { session, entries }))
    }
}

fn entries(
    table: &impl ReadableTable<(u64, u64), &'static [u8]>,
    id: Id,
) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    for row in table.range((id.key(), 0)..=(id.key(), u64::MAX))? {
        match serde_json::from_slice(row?.1.value()) {
            Ok(entry) => entries.push(entry),
            Err(error) => unreadable(id, &error),
        }
    }
    Ok(entries)
}

fn open(path: &Path) -> Result<Database, Error> {
    let failed = |source| Error::Open {
        path: path.to_owned(),
        source,
    };
    let file = open_file(path).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })?;
    let backend = FileBackend::new(file).map_err(failed)?;
    // The whole file is verified: what redb would otherwise trust, it could panic on.
    let database = Builder::new()
        .set_cache_size(CACHE)
        .set_check_integrity_on_open(true)
        .create_with_backend(backend)
        .map_err(failed)?;
    make_tables(&database)?;
    Ok(database)
}

/// Users read their own sessions through the agent, nobody reads the file.
fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

fn make_tables(database: &Database) -> Result<(), Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(SESSIONS)?;
    transaction.open_table(ENTRIES)?;
    transaction.open_table(SEALED)?;
    transaction.commit()?;
    Ok(())
}

fn is_damage(error: &DatabaseError) -> bool {
    match error {
        DatabaseError::UpgradeRequired(_)
        | DatabaseError::RepairAborted
        | DatabaseError::Storage(StorageError::Corrupted(_)) => true,
        DatabaseError::Storage(StorageError::Io(error)) => matches!(
            error.kind(),
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
        ),
        _ => false,
    }
}

fn move_aside(path: &Path, why: &DatabaseError) -> Result<(), Error> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".corrupt");
    let aside = PathBuf::from(aside);
    fs::rename(path, &aside).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })?;
    let (path, aside) = (path.display(), aside.display());
    tracing::error!(%path, %aside, %why, "the sessions' database is damaged: moved aside, history starts anew");
    Ok(())
}

fn unreadable(id: Id, error: &serde_json::Error) {
    tracing::warn!(session = %id, %error, "a session's record cannot be read");
}
