//! Where cgroup2 is mounted, and how the kernel calls a cgroup.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::{KernelError, mounts};

/// The cgroup2 mount: `/sys/fs/cgroup` on most systems, `/sys/fs/cgroup/unified` where v1 is in use, too.
///
/// # Errors
/// [`KernelError::NoCgroup2`] if there is none.
pub fn find_cgroup2() -> Result<PathBuf, KernelError> {
    mounts::find("cgroup2")?.ok_or(KernelError::NoCgroup2)
}

/// The id by which the programs know a cgroup: the inode of its directory.
///
/// # Errors
/// [`KernelError::Read`] if the directory cannot be looked at.
pub fn cgroup_id(directory: &Path) -> Result<u64, KernelError> {
    match fs::metadata(directory) {
        Ok(metadata) => Ok(metadata.ino()),
        Err(source) => Err(KernelError::Read {
            path: directory.to_owned(),
            source,
        }),
    }
}
