//! Where cgroup2 is mounted, and how the kernel calls a cgroup.

use std::{
    ffi::OsString,
    fs,
    os::unix::{ffi::OsStringExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
};

use super::KernelError;

const MOUNTINFO: &str = "/proc/self/mountinfo";

/// The cgroup2 mount: `/sys/fs/cgroup` on most systems, `/sys/fs/cgroup/unified` where v1 is in use, too.
///
/// # Errors
/// [`KernelError::NoCgroup2`] if there is none.
pub fn find_cgroup2() -> Result<PathBuf, KernelError> {
    let table = fs::read(MOUNTINFO).map_err(|source| KernelError::Read {
        path: MOUNTINFO.into(),
        source,
    })?;
    first_cgroup2(&table).ok_or(KernelError::NoCgroup2)
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

/// The shortest path, as further mounts (of containers, say) show parts of the same tree.
fn first_cgroup2(table: &[u8]) -> Option<PathBuf> {
    table
        .split(|&byte| byte == b'\n')
        .filter_map(cgroup2_of)
        .min_by_key(|path| path.as_os_str().len())
}

/// The mount point of one line, if it is the root of a cgroup2 (proc_pid_mountinfo(5)): the fifth
/// field, where the first one after the lone dash is the file system's type.
fn cgroup2_of(line: &[u8]) -> Option<PathBuf> {
    let mut fields = line.split(|&byte| byte == b' ');
    let (root, point) = (fields.nth(3)?, fields.next()?);
    fields.find(|field| *field == b"-")?;
    (fields.next()? == b"cgroup2" && root == b"/").then(|| unescape(point).into())
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
        assert_eq!(first_cgroup2(HYBRID), Some("/sys/fs/cgroup/unified".into()));
    }

    #[test]
    fn prefers_the_shortest_of_several() {
        let table = b"9 1 0:1 / /var/lib/x/sys/fs/cgroup rw - cgroup2 c rw\n\
            8 1 0:1 / /sys/fs/cgroup rw - cgroup2 c rw\n";
        assert_eq!(first_cgroup2(table), Some("/sys/fs/cgroup".into()));
    }

    #[test]
    fn passes_over_a_subtree_and_broken_lines() {
        let table = b"8 1 0:1 /a/b /x rw - cgroup2 c rw\n\n9 1\n1 2 3:4 / /y rw -\n- - - - -\n";
        assert_eq!(first_cgroup2(table), None);
    }

    #[test]
    fn undoes_escapes_and_only_those() {
        assert_eq!(unescape(br"/a\040b\134c"), r"/a b\c");
        assert_eq!(unescape(br"/a\04"), r"/a\04");
        assert_eq!(unescape(br"/a\999x\"), r"/a\999x\");
    }
}
