//! What can go wrong with an index.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why there is no index, or no new one.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// A file or folder cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{}: {why}", path.display())]
    Damaged {
        /// Which one.
        path: PathBuf,
        /// What is wrong.
        why: &'static str,
    },
    /// The data to build from is not what it should be: the old index stays.
    #[error("{}: {why}", path.display())]
    Data {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A generation that a fleet's owner signed is not taken: the old index stays.
    #[error("the generation is refused: {why}")]
    Refused {
        /// What speaks against it.
        why: String,
    },
    /// Another update is at work.
    #[error("another update of {} is at work", .0.display())]
    Busy(PathBuf),
    /// The database failed.
    #[error("the index of packages: {0}")]
    Database(Box<redb::Error>),
    /// A row of the database is not what was written.
    #[error("a record in the index of packages: {0}")]
    Row(#[from] serde_json::Error),
}

impl IndexError {
    /// For `map_err`: an error about a file.
    pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    /// Data that cannot be used.
    pub(super) fn data(path: &Path, why: impl ToString) -> Self {
        Self::Data {
            path: path.to_owned(),
            why: why.to_string(),
        }
    }
}

/// Every error of the database becomes one of ours.
macro_rules! from_database {
    ($($error:ty),*) => {$(
        impl From<$error> for IndexError {
            fn from(error: $error) -> Self {
                Self::Database(Box::new(error.into()))
            }
        }
    )*};
}

from_database!(
    redb::CommitError,
    redb::DatabaseError,
    redb::StorageError,
    redb::TableError,
    redb::TransactionError
);
