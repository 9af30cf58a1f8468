//! The resolver's files as a process sees them, below its root and in its mount namespace.
//!
//! Links lead to what they lead to for that process, never out of its root. What is no regular file is not
//! opened: a pipe would block, a device would do something. Nor is what the kernel makes up as it is read:
//! `/proc/kmsg` is a regular file, too.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Read as _},
    os::fd::{AsFd, AsRawFd as _},
};

use rustix::fs::{self, FileType, Mode, OFlags, ResolveFlags};

use super::{
    Servers,
    hosts::{self, Entry},
};
use crate::accept::Network;

/// How much of `/etc/hosts` counts: lists of advertisers have hundreds of kilobytes.
const HOSTS: u64 = 1 << 20;
/// How much of `/etc/resolv.conf` counts.
const RESOLV_CONF: u64 = 64 << 10;
/// Most files of a kind that are read for one network namespace.
const FILES: usize = 8;

/// File systems (statfs(2)) whose files are made up by the kernel.
const MADE_UP: [u32; 14] = [
    0x9fa0,      // proc
    0x6265_6572, // sysfs
    0x6462_6720, // debugfs
    0x7472_6163, // tracefs
    0x7363_6673, // securityfs
    0x0027_e0eb, // cgroup
    0x6367_7270, // cgroup2
    0xcafe_4a11, // bpf
    0x6265_6570, // configfs
    0x6165_676c, // pstore
    0xde5e_81e4, // efivarfs
    0xf97c_ff8c, // selinux
    0x4341_5d53, // smack
    0x4249_4e4d, // binfmt_misc
];

/// What the files of a network namespace's processes say.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Names and their addresses, as `wanted` chose them.
    pub hosts: Vec<Entry>,
    /// Whom to ask, each only once.
    pub servers: Vec<Servers>,
}

/// Reads the files of processes, one process for each of a network namespace's mount namespaces. What
/// cannot be read, and who has gone or moved to another network, is left out. `wanted` chooses names, in
/// lower case, of which at most `most` addresses are taken.
///
/// It blocks for as long as the processes' file systems do, which is for ever if they like.
pub fn view(network: Network, pids: &[u32], wanted: impl Fn(&str) -> bool, most: usize) -> View {
    let mut view = View::default();
    let (mut hosts_seen, mut conf_seen) = (HashSet::new(), HashSet::new());
    for pid in pids {
        let Ok(root) = root(*pid) else { continue };
        if Network::of(*pid).ok() != Some(network) {
            continue;
        }
        let room = most.saturating_sub(view.hosts.len());
        if room > 0
            && let Some(text) = read_new(&root, "etc/hosts", HOSTS, &mut hosts_seen)
        {
            let entries = hosts::read(&text).filter(|entry| wanted(&entry.name));
            view.hosts.extend(entries.take(room));
        }
        if let Some(text) = read_new(&root, "etc/resolv.conf", RESOLV_CONF, &mut conf_seen)
            && let Some(servers) = Servers::read(&text)
            && !view.servers.contains(&servers)
        {
            view.servers.push(servers);
        }
    }
    view
}

/// A process's root, which is only a place: nothing of it is opened.
fn root(pid: u32) -> io::Result<File> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = fs::open(format!("/proc/{pid}/root"), flags, Mode::empty())?;
    Ok(root.into())
}

/// The text of a file that was not read before, if there may be more of them.
fn read_new(root: &File, path: &str, most: u64, seen: &mut HashSet<(u64, u64)>) -> Option<String> {
    let file = Place::find(root, path).ok()?;
    if seen.len() >= FILES || !seen.insert(file.identity) {
        return None;
    }
    file.read(most).ok()
}

/// A file that was found and not opened.
struct Place {
    place: File,
    /// Device and inode.
    identity: (u64, u64),
}

impl Place {
    fn find(root: impl AsFd, path: &str) -> io::Result<Self> {
        let place = fs::openat2(
            root,
            path,
            OFlags::PATH | OFlags::CLOEXEC,
            Mode::empty(),
            ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
        )?;
        let stat = fs::fstat(&place)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // The kernel's type differs between architectures; these numbers have 32 bits.
        let kind = fs::fstatfs(&place)?.f_type as u32;
        if MADE_UP.contains(&kind) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        Ok(Self {
            place: place.into(),
            identity: (stat.st_dev, stat.st_ino),
        })
    }

    /// The file's beginning up to `most` bytes; a line that is cut there is left out.
    fn read(&self, most: u64) -> io::Result<String> {
        let itself = format!("/proc/self/fd/{}", self.place.as_raw_fd());
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = File::from(fs::open(itself, flags, Mode::empty())?);
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes)?;
        if bytes.len() as u64 == most {
            let whole = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
            bytes.truncate(whole);
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use std::{fs, os::unix::fs::symlink, path::Path};

    use rustix::fs::{CWD, mknodat};

    use super::*;

    /// What a process whose root is `folder` would read.
    fn read(folder: &Path, path: &str, most: u64) -> io::Result<String> {
        Place::find(File::open(folder).unwrap(), path)?.read(most)
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("root/etc")).unwrap();
        folder
    }

    #[test]
    fn links_never_lead_out_of_the_root() {
        let folder = folder();
        let root = folder.path().join("root");
        fs::write(folder.path().join("outside"), "out").unwrap();
        fs::write(root.join("inside"), "in").unwrap();
        let outside = folder.path().join("outside");
        symlink(&outside, root.join("etc/absolute")).unwrap();
        symlink("../../../../../../outside", root.join("etc/up")).unwrap();
        symlink("../../../inside", root.join("etc/down")).unwrap();
        symlink("/inside", root.join("etc/own")).unwrap();
        symlink("loop", root.join("etc/loop")).unwrap();
        symlink("/", root.join("etc/folder")).unwrap();
        assert!(read(&root, "etc/absolute", 99).is_err());
        assert!(read(&root, "etc/up", 99).is_err());
        assert_eq!(read(&root, "etc/down", 99).unwrap(), "in");
        assert_eq!(read(&root, "etc/own", 99).unwrap(), "in");
        assert!(read(&root, "etc/loop", 99).is_err());
        assert!(read(&root, "etc/folder", 99).is_err());
        assert!(read(&root, "etc/nothing", 99).is_err());
    }

    #[test]
    fn the_kernels_own_links_and_files_are_left_alone() {
        let root = Path::new("/");
        assert!(read(root, "proc/self/root/etc/passwd", 99).is_err());
        assert!(read(root, "proc/self/fd/0", 99).is_err());
        assert!(read(root, "proc/version", 99).is_err());
        assert!(read(root, "dev/null", 99).is_err());
    }

    #[test]
    fn a_pipe_blocks_nobody() {
        let folder = folder();
        let pipe = folder.path().join("pipe");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).unwrap();
        symlink("pipe", folder.path().join("link")).unwrap();
        assert!(read(folder.path(), "pipe", 99).is_err());
        assert!(read(folder.path(), "link", 99).is_err());
    }

    #[test]
    fn a_file_counts_up_to_its_bound_and_by_whole_lines() {
        let folder = folder();
        let file = File::create(folder.path().join("huge")).unwrap();
        file.set_len(1 << 40).unwrap();
        fs::write(folder.path().join("cut"), "192.0.2.1 a\n192.0.2.22 b\n").unwrap();
        assert_eq!(read(folder.path(), "huge", HOSTS).unwrap(), "");
        assert_eq!(read(folder.path(), "cut", 21).unwrap(), "192.0.2.1 a");
        assert_eq!(read(folder.path(), "cut", 99).unwrap().len(), 25);
    }

    #[test]
    fn garbage_is_text_without_sense() {
        let folder = folder();
        fs::write(folder.path().join("garbage"), [0xff, 0, b'\n', 0xc0]).unwrap();
        let text = read(folder.path(), "garbage", 99).unwrap();
        assert_eq!(hosts::read(&text).count(), 0);
        assert_eq!(Servers::read(&text), None);
    }

    #[test]
    fn a_process_is_read_once_however_often_it_is_named() {
        let own = std::process::id();
        let network = Network::of(own).unwrap();
        let all = |pids: &[u32]| view(network, pids, |_| true, usize::MAX);
        assert_eq!(all(&[own, own, u32::MAX]), all(&[own]));
        assert_eq!(all(&[u32::MAX]), View::default());
        let bounded = view(network, &[own], |_| true, 1);
        assert!(bounded.hosts.len() <= 1);
    }
}
