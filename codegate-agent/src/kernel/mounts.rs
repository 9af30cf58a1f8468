//! Which file systems of the kernel's are mounted, and where.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
};

use rustix::mount::{MountFlags, mount};

use super::KernelError;

const MOUNTINFO: &str = "/proc/self/mountinfo";

/// The mount of a file system's root: the shortest path, as further mounts (of containers, say) show
/// parts of the same tree.
pub(super) fn find(kind: &str) -> Result<Option<PathBuf>, KernelError> {
    let table = fs::read(MOUNTINFO).map_err(|source| KernelError::Read {
        path: MOUNTINFO.into(),
        source,
    })?;
    Ok(first(&table, kind))
}

/// Mounts a bpffs, in the mount namespace of the machine only: in a service's own it would go with
/// the service, and all that is pinned in it.
pub(super) fn mount_bpffs(at: &Path) -> Result<(), KernelError> {
    let failed = |source| KernelError::NoBpffs {
        path: at.to_owned(),
        source,
    };
    if !in_first_namespace().map_err(failed)? {
        return Err(failed(io::Error::other(
            "the agent has a mount namespace of its own, and the mount would go with it",
        )));
    }
    mount("bpf", at, "bpf", MountFlags::empty(), None)
        .map_err(|error| failed(io::Error::from(error)))
}

fn in_first_namespace() -> io::Result<bool> {
    let of = |process: &str| fs::read_link(Path::new("/proc").join(process).join("ns/mnt"));
    Ok(of("1")? == of("self")?)
}

fn first(table: &[u8], kind: &str) -> Option<PathBuf> {
    table
        .split(|&byte| byte == b'\n')
        .filter_map(|line| root_of(line, kind))
        .min_by_key(|path| path.as_os_str().len())
}

/// The mount point of one line, if it is the root of such a file system (proc_pid_mountinfo(5)): the
/// fifth field, where the first one after the lone dash is the file system's type.
fn root_of(line: &[u8], kind: &str) -> Option<PathBuf> {
    let mut fields = line.split(|&byte| byte == b' ');
    let (root, point) = (fields.nth(3)?, fields.next()?);
    fields.find(|field| *field == b"-")?;
    (fields.next()? == kind.as_bytes() && root == b"/").then(|| unescape(point).into())
}

/// Undoes the octal escapes for blanks, tabs, line feeds and backslashes.
fn unescape(field: &[u8]) -> OsString {
    let mut path = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, tail)) = rest.split_first() {
        match octal(rest) {
            Some((unescaped, after)) => {
                path.push(unescaped);
                rest = after;
            }
            None => {
                path.push(byte);
                rest = tail;
            }
        }
    }
    OsString::from_vec(path)
}

fn octal(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let [b'\\', digits @ ..] = bytes else {
        return None;
    };
    let (digits, after) = digits.split_at_checked(3)?;
    let value = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()?;
    Some((value, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &[u8] = b"31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n\
        40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n\
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw\n";

    #[test]
    fn finds_unified_beside_v1() {
        assert_eq!(
            first(HYBRID, "cgroup2"),
            Some("/sys/fs/cgroup/unified".into())
        );
    }

    #[test]
    fn prefers_the_shortest_of_several() {
        let table = b"9 1 0:1 / /var/lib/x/sys/fs/cgroup rw - cgroup2 c rw\n\
            8 1 0:1 / /sys/fs/cgroup rw - cgroup2 c rw\n";
        assert_eq!(first(table, "cgroup2"), Some("/sys/fs/cgroup".into()));
    }

    #[test]
    fn passes_over_a_subtree_and_broken_lines() {
        let table = b"8 1 0:1 /a/b /x rw - cgroup2 c rw\n\n9 1\n1 2 3:4 / /y rw -\n- - - - -\n";
        assert_eq!(first(table, "cgroup2"), None);
    }

    #[test]
    fn undoes_escapes_and_only_those() {
        assert_eq!(unescape(br"/a\040b\134c"), r"/a b\c");
        assert_eq!(unescape(br"/a\04"), r"/a\04");
        assert_eq!(unescape(br"/a\999x\"), r"/a\999x\");
    }
}
