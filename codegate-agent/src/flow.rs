//! Who called, and whereto: the noun that the kernel and `accept` make and all others read.
//!
//! Knows: addresses and processes. Must not know: TLS, HTTP, what is guarded.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf, sync::Arc};

/// One redirected connection, as the kernel saw it before it was redirected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// The client's own address and port.
    pub client: SocketAddr,
    /// Where the client meant to go.
    pub original: SocketAddr,
    /// Who called `connect()`.
    pub process: Process,
}

/// A process, named so that a reused pid cannot be mistaken for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Process {
    /// The thread group's id in the agent's pid namespace.
    pub pid: u32,
    /// When it started, in clock ticks since boot (`/proc/PID/stat`, field 22); 0 if it was gone.
    pub start: u64,
    /// Real user id of the caller.
    pub uid: u32,
    /// The executable; `None` if the process was gone before it could be read.
    pub exe: Option<PathBuf>,
    /// The kernel's name of the calling thread (at most 15 bytes).
    pub comm: String,
    /// Its cgroup2 path below the mount, if known.
    pub cgroup: Option<String>,
    /// The container that it is in.
    pub container: Option<Arc<Container>>,
    /// Its command line, or the beginning of it: it says of itself what it likes.
    pub arguments: Vec<OsString>,
    /// Who started it, nearest first, as far as that is known. They have no ancestors of their own here.
    pub ancestors: Vec<Arc<Process>>,
    /// The AI tool that it is, or was started by.
    pub tool: Option<&'static str>,
}

/// A container, as its engine names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Container {
    /// Its id: 64 hexadecimal digits.
    pub id: String,
    /// The whole name of the image that it was made from, if the engine's state tells.
    pub image: Option<String>,
}
