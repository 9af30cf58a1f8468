//! The manifest: which generation is in service.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, File, OpenOptions},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{Context, SHA256};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::IndexError;
use crate::durable;

/// The manifest's name in its folder.
const NAME: &str = "current.json";
/// Anybody may read what is known about packages.
pub(super) const MODE: u32 = 0o644;

/// Which generation is in service, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Larger than that of every index before it.
    pub generation: u64,
    /// The file's name.
    pub file: String,
    /// The file's length.
    pub bytes: u64,
    /// The file's SHA-256, in hexadecimal.
    pub sha256: String,
    /// When it was built.
    pub built: Timestamp,
    /// When the newest record of OSV in it was changed: how old the data is.
    pub newest: Option<Timestamp>,
    /// How much is in it.
    pub counts: Counts,
    /// The version of the last generation that was taken from a fleet's owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<u64>,
}

/// How much is in an index, by ecosystem.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Records, by status, by ecosystem.
    pub records: BTreeMap<String, BTreeMap<String, u64>>,
    /// Names in full lists.
    pub names: BTreeMap<String, u64>,
    /// Names in lists of the most downloaded.
    pub top: BTreeMap<String, u64>,
}

/// Where a folder's manifest is.
pub fn path(dir: &Path) -> PathBuf {
    dir.join(NAME)
}

impl Manifest {
    /// The folder's manifest; `None` if there is none.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, IndexError> {
        let path = path(dir);
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(IndexError::at(&path))?,
        };
        let manifest: Self =
            serde_json::from_slice(&text).map_err(|error| IndexError::data(&path, error))?;
        if !manifest.names_file_beside() {
            return Err(IndexError::data(&path, "it names a file elsewhere"));
        }
        Ok(Some(manifest))
    }

    /// Whether its file is in its own folder.
    pub(super) fn names_file_beside(&self) -> bool {
        let inside = Path::new(&self.file).components().count() == 1;
        inside && !self.file.starts_with('.') && !self.file.contains(['/', '\\', '?', '#', '%'])
    }

    /// Puts a generation in service: at once, and whole.
    pub(super) fn publish(&self, dir: &Path) -> Result<(), IndexError> {
        let path = path(dir);
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        durable::replace(&path, &text, MODE).map_err(IndexError::at(&path))
    }
}

/// A new file, or an old one emptied, that anybody may read.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(MODE)
        .open(path)
}

/// A file's length and SHA-256.
pub(super) fn digest(mut file: &File) -> io::Result<(u64, String)> {
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 1 << 18];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else {
            break;
        };
        context.update(chunk);
        bytes += read as u64;
    }
    let mut hex = String::with_capacity(64);
    for byte in context.finish().as_ref() {
        write!(hex, "{byte:02x}").map_err(io::Error::other)?;
    }
    Ok((bytes, hex))
}
