//! Network namespaces without names: they live as long as a descriptor or a process holds them, so
//! that a run that dies leaves none behind.

use std::{
    fs::File,
    net::{TcpListener, UdpSocket},
    os::fd::AsRawFd,
    process::Command,
};

use nix::sched::{CloneFlags, setns, unshare};

/// A network namespace of the lab's own.
#[derive(Debug)]
pub struct Namespace {
    handle: File,
}

impl Namespace {
    /// Makes one, with its loopback interface up.
    ///
    /// # Panics
    /// Without the right to (`CAP_SYS_ADMIN`).
    #[must_use]
    pub fn new() -> Self {
        let handle = std::thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET)
                .expect("the lab needs root (CAP_SYS_ADMIN) to make a network namespace");
            File::open("/proc/thread-self/ns/net").expect("the new namespace's handle")
        })
        .join()
        .expect("a thread for the new namespace");
        let namespace = Self { handle };
        namespace.ip("link set lo up");
        namespace
    }

    /// Runs `work` on a thread inside the namespace. Sockets made there stay there.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let inside = scope.spawn(|| {
                self.join();
                work()
            });
            inside
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Moves the calling thread into the namespace, for good.
    pub(crate) fn join(&self) {
        setns(&self.handle, CloneFlags::CLONE_NEWNET).expect("enter the network namespace");
    }

    /// Runs `ip` with these words inside the namespace.
    ///
    /// # Panics
    /// Where iproute2 is missing or refuses.
    pub fn ip(&self, words: &str) {
        let output = self
            .enter(|| Command::new("ip").args(words.split_whitespace()).output())
            .expect("the lab needs `ip` (package iproute2; `cargo xtask setup` installs it)");
        assert!(
            output.status.success(),
            "ip {words}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }

    /// Lays a cable: `eth0` here, and a name there.
    pub fn connect(&self, other: &Self, there: &str) {
        let path = format!(
            "/proc/{}/fd/{}",
            std::process::id(),
            other.handle.as_raw_fd()
        );
        self.ip("link add eth0 type veth peer name cable");
        self.ip(&format!("link set cable netns {path}"));
        other.ip(&format!("link set cable name {there}"));
        self.ip("link set eth0 up");
        other.ip(&format!("link set {there} up"));
    }

    /// A TCP listener inside the namespace.
    pub fn listen(&self, address: &str) -> TcpListener {
        self.enter(|| TcpListener::bind(address))
            .unwrap_or_else(|e| panic!("bind {address}: {e}"))
    }

    /// A UDP socket inside the namespace.
    pub fn datagrams(&self, address: &str) -> UdpSocket {
        self.enter(|| UdpSocket::bind(address))
            .unwrap_or_else(|e| panic!("bind {address}: {e}"))
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self::new()
    }
}
