//! What the programs wrote down of a process when it called `connect()`.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::PathBuf,
};

use codegate_ebpf::image::{Image as Raw, PATH, ProcessKey};

/// Nanoseconds of a clock tick, as `/proc` counts them (`USER_HZ`, proc_pid_stat(5)).
const TICK: u64 = 10_000_000;

/// A program that a process was when it connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The executable's path; `None` if it is too long or too deep.
    pub exe: Option<PathBuf>,
    /// The command line, or its beginning; the process may have written what it likes there.
    pub arguments: Vec<OsString>,
    /// The executable's inode.
    pub inode: u64,
    /// The device that the inode is on, as the kernel writes it.
    pub device: u32,
    /// Who started the process, nearest first, without the first process of all.
    pub ancestors: Vec<Ancestor>,
}

/// A process that started others, and the program that it was then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ancestor {
    /// Process id, in the initial pid namespace.
    pub pid: u32,
    /// When it started, in clock ticks since the machine did.
    pub start: u64,
    /// Tells the programs apart that it has been.
    pub exec: u32,
}

impl Image {
    /// `None` as long as it is being written.
    pub(super) fn of(raw: &Raw) -> Option<Self> {
        (raw.ready == 1).then(|| Self {
            exe: path(raw),
            arguments: arguments(raw),
            inode: raw.inode,
            device: raw.device,
            ancestors: raw.ancestors.iter().map_while(ancestor).collect(),
        })
    }
}

fn path(raw: &Raw) -> Option<PathBuf> {
    let path = raw.path.get(raw.path_at as usize..PATH)?;
    (!path.is_empty()).then(|| PathBuf::from(OsString::from_vec(path.to_vec())))
}

/// The kernel copies a certain length: the last argument may have been cut off.
fn arguments(raw: &Raw) -> Vec<OsString> {
    let length = raw.arguments_length as usize;
    let line = raw.arguments.get(..length).unwrap_or_default();
    let line = line.strip_suffix(&[0]).unwrap_or(line);
    line.split(|octet| *octet == 0)
        .map(|argument| OsStr::from_bytes(argument).to_owned())
        .collect()
}

fn ancestor(key: &ProcessKey) -> Option<Ancestor> {
    (key.tgid != 0).then(|| Ancestor {
        pid: key.tgid,
        start: ticks(key.start),
        exec: key.exec,
    })
}

/// Nanoseconds since the machine started, as `/proc` tells them.
pub(super) fn ticks(nanoseconds: u64) -> u64 {
    nanoseconds / TICK
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw() -> Raw {
        let nobody = ProcessKey {
            start: 0,
            tgid: 0,
            exec: 0,
        };
        Raw {
            inode: 7,
            ancestors: [nobody; 8],
            device: 8,
            ready: 1,
            path_at: PATH as u32,
            arguments_length: 0,
            path: [0; PATH + 256],
            arguments: [0; 512],
        }
    }

    #[test]
    fn a_path_ends_where_its_array_does() {
        let mut raw = raw();
        assert_eq!(Image::of(&raw).and_then(|image| image.exe), None);
        raw.path[PATH - 4..PATH + 3].copy_from_slice(b"/a/bxyz");
        raw.path_at = PATH as u32 - 4;
        assert_eq!(
            Image::of(&raw).and_then(|image| image.exe),
            Some("/a/b".into())
        );
        raw.path_at = u32::MAX;
        assert_eq!(Image::of(&raw).and_then(|image| image.exe), None);
        raw.ready = 0;
        assert_eq!(Image::of(&raw), None);
    }

    #[test]
    fn arguments_are_what_stands_between_zeros() {
        let mut raw = raw();
        raw.arguments[..10].copy_from_slice(b"node\0\0x.js\0"[..10].as_ref());
        for (length, expected) in [
            (10, vec!["node", "", "x.js"]),
            (8, vec!["node", "", "x."]),
            (0, vec![""]),
            (u32::MAX, vec![""]),
        ] {
            raw.arguments_length = length;
            assert_eq!(arguments(&raw), expected);
        }
    }
}
