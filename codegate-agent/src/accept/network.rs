//! Which network namespaces the processes of a cgroup are in.

use std::{
    collections::HashMap,
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt as _,
    path::Path,
};

/// A network namespace, for as long as it lives: device and inode of its handles (namespaces(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    device: u64,
    inode: u64,
}

impl Network {
    /// That of a process.
    ///
    /// # Errors
    /// Where the process is gone.
    pub fn of(pid: u32) -> io::Result<Self> {
        fs::metadata(format!("/proc/{pid}/ns/net")).map(|handle| Self::from(&handle))
    }

    /// That of a handle.
    ///
    /// # Errors
    /// What stat(2) says.
    pub fn of_handle(handle: &File) -> io::Result<Self> {
        handle.metadata().map(|handle| Self::from(&handle))
    }
}

impl From<&fs::Metadata> for Network {
    fn from(handle: &fs::Metadata) -> Self {
        Self {
            device: handle.dev(),
            inode: handle.ino(),
        }
    }
}

/// The namespaces of all processes in a cgroup2 directory and below it, each with one process of them.
/// What cannot be read any more is gone, and left out.
pub fn networks_below(cgroup: &Path) -> HashMap<Network, u32> {
    let mut found = HashMap::new();
    for_all(cgroup, &mut |pid| {
        if let Ok(network) = Network::of(pid) {
            found.entry(network).or_insert(pid);
        }
    });
    found
}

/// Most mount namespaces that are told apart in a network namespace.
const VIEWS: usize = 64;

/// The same, each with one process for every mount namespace that its processes are in: they need not see
/// the same files.
pub fn views_below(cgroup: &Path) -> HashMap<Network, Vec<u32>> {
    let mut found = HashMap::<Network, HashMap<(u64, u64), u32>>::new();
    for_all(cgroup, &mut |pid| {
        let mounts = fs::metadata(format!("/proc/{pid}/ns/mnt"));
        if let (Ok(network), Ok(mounts)) = (Network::of(pid), mounts) {
            let views = found.entry(network).or_default();
            if views.len() < VIEWS {
                views.entry((mounts.dev(), mounts.ino())).or_insert(pid);
            }
        }
    });
    let processes = |(network, views): (_, HashMap<_, _>)| (network, views.into_values().collect());
    found.into_iter().map(processes).collect()
}

fn for_all(cgroup: &Path, look: &mut impl FnMut(u32)) {
    let pids = fs::read_to_string(cgroup.join("cgroup.procs")).unwrap_or_default();
    pids.lines()
        .filter_map(|pid| pid.parse().ok())
        .for_each(&mut *look);
    for entry in fs::read_dir(cgroup).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            for_all(&entry.path(), look);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    #[test]
    fn a_process_and_its_handle_are_in_the_same_one() {
        let own = Network::of(std::process::id()).unwrap();
        let handle = File::open("/proc/self/ns/net").unwrap();
        assert_eq!(Network::of_handle(&handle).unwrap(), own);
        assert!(Network::of(u32::MAX).is_err());
    }

    #[test]
    fn processes_are_found_in_a_tree() {
        let tree = tempfile::tempdir().unwrap();
        fs::create_dir_all(tree.path().join("a/b")).unwrap();
        let pid = std::process::id();
        let procs = format!("{pid}\n{}\n", u32::MAX);
        fs::write(tree.path().join("a/b/cgroup.procs"), procs).unwrap();
        let found = networks_below(tree.path());
        assert_eq!(found, HashMap::from([(Network::of(pid).unwrap(), pid)]));
        assert!(networks_below(Path::new("/nowhere")).is_empty());
        let views = views_below(tree.path());
        assert_eq!(
            views,
            HashMap::from([(Network::of(pid).unwrap(), vec![pid])])
        );
    }
}
