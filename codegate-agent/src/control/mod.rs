//! The control socket: the one way from the command line to the agent.
//!
//! Knows: who asks (peer credentials), sessions, placeholders, the trust files. Must not know:
//! connections of clients, bodies, keys. When it must choose, it favours silence over disclosure:
//! what a user may not see does not exist for them.

mod answer;
mod commands;
mod handover;
mod lines;
mod protocol;
mod seats;
mod server;

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::{
        fs::{DirBuilderExt, PermissionsExt},
        net::UnixStream,
    },
    path::Path,
    sync::Arc,
};

use tokio::net::UnixListener;

pub use commands::{Asker, Commands, LONGEST_PAUSE, Pause};
pub use handover::{Estate, Retired};
pub use protocol::{
    Clear, Code, Failure, Older, Readiness, Reply, Request, Revealed, SecretLine, Shown, Status,
    Trust, Watched,
};
pub use server::serve;

use crate::{seal::Vault, session::Recorder, swap::Swap};

/// What the daemon knows of itself.
pub trait StatusSource: Send + Sync + 'static {
    /// How the agent is, now. Must not block.
    fn status(&self) -> Status;
}

/// What the socket answers from.
pub struct State {
    /// How the agent is.
    pub source: Box<dyn StatusSource>,
    /// What it does when it is told to.
    pub commands: Arc<dyn Commands>,
    /// The sessions.
    pub recorder: Recorder,
    /// The secrets.
    pub vault: Arc<Vault>,
    /// What clients must trust.
    pub trust: Arc<Swap<Trust>>,
}

impl State {
    /// How the agent is, with what its history says.
    fn status(&self) -> Status {
        let mut status = self.source.status();
        let stats = self.recorder.stats();
        status
            .counters
            .insert("records_written".into(), stats.recorded);
        status.counters.insert("records_lost".into(), stats.lost);
        if stats.lost > 0 {
            let problem = format!("{} records of sessions were lost; see the log", stats.lost);
            status.problems.push(problem);
        }
        status
    }
}

/// Makes the socket, and its directory where it is missing. Anybody may connect: what they see is
/// decided by who they are. Must be called within a Tokio runtime.
///
/// # Errors
/// If the path cannot be used, or another agent answers on it.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    if let Some(dir) = path.parent().filter(|dir| !dir.exists()) {
        DirBuilder::new().recursive(true).mode(0o755).create(dir)?;
        fs::set_permissions(dir, Permissions::from_mode(0o755))?; // whatever the umask was
    }
    if UnixStream::connect(path).is_ok() {
        let message = format!("{}: another agent answers here", path.display());
        return Err(io::Error::new(io::ErrorKind::AddrInUse, message));
    }
    open(path)
}

/// As [`bind`], but in the place of an agent that answers there; at no moment nobody does.
///
/// # Errors
/// If the path cannot be used.
pub fn replace(path: &Path) -> io::Result<UnixListener> {
    let beside = path.with_extension("new");
    let listener = open(&beside)?;
    fs::rename(&beside, path)?;
    Ok(listener)
}

fn open(path: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o666))?;
    Ok(listener)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]
mod tests;
