//! Whose sockets they are.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
};

/// The processes that hold sockets, by the sockets' inodes; the first that is found, if there are
/// several. It looks through the descriptors of all processes, so it is for those who seldom ask.
pub fn owners(mut inodes: HashSet<u32>) -> HashMap<u32, u32> {
    let mut found = HashMap::new();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        if inodes.is_empty() {
            break;
        }
        let name = process.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        for inode in sockets(&process.path()) {
            if inodes.remove(&inode) {
                found.insert(inode, pid);
            }
        }
    }
    found
}

/// The inodes of a process's sockets (proc_pid_fd(5)).
fn sockets(process: &Path) -> impl Iterator<Item = u32> {
    let descriptors = fs::read_dir(process.join("fd"));
    let links = descriptors.into_iter().flatten().flatten();
    links.filter_map(|link| {
        let target = fs::read_link(link.path()).ok()?;
        let inode = target.to_str()?.strip_prefix("socket:[")?;
        inode.strip_suffix(']')?.parse().ok()
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use std::{net::UdpSocket, os::fd::AsFd as _};

    use super::*;

    #[test]
    fn a_socket_is_its_process_s() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let inode = rustix::fs::fstat(socket.as_fd()).unwrap().st_ino;
        let inode = u32::try_from(inode).unwrap();
        let found = owners(HashSet::from([inode, u32::MAX]));
        assert_eq!(found, HashMap::from([(inode, std::process::id())]));
    }
}
