//! Files and directories of the local CA's, with modes of their own.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
};

use super::TrustError;
use crate::durable;

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

/// Replaces a file by `content`, whole or not at all.
pub(super) fn replace(path: &Path, content: &[u8], mode: u32) -> Result<(), TrustError> {
    durable::replace(path, content, mode).map_err(TrustError::file(path))
}
