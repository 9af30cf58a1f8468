//! Files that are either wholly there or not at all, and that survive a power cut.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::TrustError;

/// Makes a directory with exactly this mode, whatever the umask says; parents are made 0755.
pub(super) fn directory(path: &Path, mode: u32) -> Result<(), TrustError> {
    let error = TrustError::file(path);
    make_directory(path, mode).map_err(error)
}

fn make_directory(path: &Path, mode: u32) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    fs::set_permissions(path, Permissions::from_mode(mode))
}

/// Replaces a file by `content`: written beside it, synced, renamed, and the directory synced.
pub(super) fn replace(path: &Path, content: &[u8], mode: u32) -> Result<(), TrustError> {
    let fresh = beside(path);
    write_new(&fresh, content, mode).map_err(TrustError::file(&fresh))?;
    fs::rename(&fresh, path).map_err(TrustError::file(path))?;
    sync_parent(path).map_err(TrustError::file(path))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

fn write_new(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {} // left behind by a crash, if it was there
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}
