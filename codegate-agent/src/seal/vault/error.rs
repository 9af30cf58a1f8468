//! What can go wrong with the vault.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Why the vault could not be opened, read or written. Never holds a value.
#[derive(Debug, Clone, thiserror::Error)]
pub enum VaultError {
    /// A file of the vault could not be made or read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The key file is there, but not fit to be used.
    #[error("{path}: the vault's key is refused: {reason}")]
    Key {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The database is there, but its key file is not.
    #[error("{path} is missing, and without it the values sealed in the vault cannot be read")]
    KeyMissing {
        /// The key file.
        path: PathBuf,
    },
    /// The key file belongs to another database.
    #[error("the vault's key is not the one that its database was made with")]
    WrongKey,
    /// Another process has the database open.
    #[error("the vault is in use by another process")]
    Locked,
    /// The database file is damaged.
    #[error("the vault's database is damaged: {0}")]
    Corrupt(String),
    /// A sealed value was altered on the disk, or belongs to another record.
    #[error("a sealed value in the vault was altered, and is not used")]
    Altered,
    /// The database could not be read or written: the disk is full, or failed.
    #[error("the vault's storage failed: {0}")]
    Storage(Arc<redb::Error>),
    /// The cryptographic library refused: no randomness, or a value too long to seal.
    #[error("the vault's cryptography failed")]
    Crypto,
    /// A value that cannot be looked for.
    #[error("{0}")]
    Literal(String),
    /// The writer is gone.
    #[error("the vault has stopped")]
    Stopped,
}

impl VaultError {
    pub(in crate::seal) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source: Arc::new(source),
        }
    }
}

impl<E: Into<redb::Error>> From<E> for VaultError {
    fn from(error: E) -> Self {
        match error.into() {
            redb::Error::DatabaseAlreadyOpen => Self::Locked,
            redb::Error::Corrupted(what) => Self::Corrupt(what),
            redb::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                Self::Corrupt(error.to_string())
            }
            error => Self::Storage(Arc::new(error)),
        }
    }
}
