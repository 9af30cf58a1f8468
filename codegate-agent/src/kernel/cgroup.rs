//! Where cgroup2 is mounted, and how the kernel calls a cgroup.

#![allow(
    unsafe_code,
    reason = "a cgroup is opened by its id, which only a bare system call can"
)]

use std::{
    fs::{self, File},
    io,
    os::{
        fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd},
        unix::fs::MetadataExt as _,
    },
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

/// The tree of cgroups, in which they are found by their ids.
#[derive(Debug)]
pub struct Cgroups {
    mount: PathBuf,
    root: File,
}

impl Cgroups {
    /// Opens the tree.
    ///
    /// # Errors
    /// [`KernelError::NoCgroup2`], or [`KernelError::Read`] if it cannot be opened.
    pub fn open() -> Result<Self, KernelError> {
        let mount = find_cgroup2()?;
        match File::open(&mount) {
            Ok(root) => Ok(Self { mount, root }),
            Err(source) => Err(KernelError::Read {
                path: mount,
                source,
            }),
        }
    }

    /// The path of a cgroup below the mount, as `/proc/PID/cgroup` writes it. `None` if it is gone, or in
    /// no part of the tree that can be seen from here.
    pub fn path(&self, id: u64) -> Option<String> {
        let directory = open_by_id(&self.root, id).ok()?;
        let link = format!("/proc/self/fd/{}", directory.as_raw_fd());
        let path = fs::read_link(link).ok()?;
        let below = path.strip_prefix(&self.mount).ok()?;
        Some(format!("/{}", below.to_str()?))
    }

    /// Whether a cgroup, written as [`Cgroups::path`] does, is `directory` or below it.
    pub fn is_below(&self, path: &str, directory: &Path) -> bool {
        let path = self.mount.join(path.trim_start_matches('/'));
        path.starts_with(directory)
    }
}

/// open_by_handle_at(2): a cgroup's id is its file handle, of the type that kernfs gives it.
fn open_by_id(mount: &impl AsFd, id: u64) -> io::Result<OwnedFd> {
    const FILEID_KERNFS: i32 = 0xfe;
    /// `struct file_handle` with eight octets in it.
    #[repr(C, packed(4))]
    struct Handle {
        octets: u32,
        kind: i32,
        id: u64,
    }
    let mut handle = Handle {
        octets: 8,
        kind: FILEID_KERNFS,
        id,
    };
    // SAFETY: the handle is laid out as the kernel wants it, and as long as it says.
    let opened = unsafe {
        libc::open_by_handle_at(
            mount.as_fd().as_raw_fd(),
            (&raw mut handle).cast(),
            libc::O_PATH | libc::O_CLOEXEC,
        )
    };
    if opened < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just given it to us.
    Ok(unsafe { OwnedFd::from_raw_fd(opened) })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    #[test]
    fn a_cgroup_is_found_by_its_id() {
        let mount = find_cgroup2().unwrap();
        let own = fs::read_to_string("/proc/self/cgroup").unwrap();
        let own = own
            .lines()
            .find_map(|line| line.strip_prefix("0::"))
            .unwrap();
        let id = cgroup_id(&mount.join(own.trim_start_matches('/'))).unwrap();
        let cgroups = Cgroups::open().unwrap();
        assert_eq!(cgroups.path(id).as_deref(), Some(own));
        assert_eq!(cgroups.path(u64::MAX), None);
        assert!(cgroups.is_below("/a/b", &mount.join("a")));
        assert!(cgroups.is_below("/a", &mount));
        assert!(!cgroups.is_below("/ab", &mount.join("a")));
    }
}
