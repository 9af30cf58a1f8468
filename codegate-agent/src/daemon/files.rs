//! The process's own limits, and its directories.

use std::{
    fs::{DirBuilder, Permissions, set_permissions},
    os::unix::fs::DirBuilderExt,
    os::unix::fs::PermissionsExt,
    path::Path,
};

use anyhow::{Context, Result};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Config;

/// Others may pass through to the trust files, and list nothing.
const STATE_MODE: u32 = 0o711;
/// Anybody may reach the control socket.
const RUNTIME_MODE: u32 = 0o755;

/// Keeps secrets out of core dumps and other processes' eyes, and allows as many open connections
/// as the system does.
pub(super) fn harden() {
    if let Err(error) = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "core dumps cannot be switched off");
    }
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit {
        current: maximum,
        maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
}

/// Makes the state and runtime directories where they are missing.
pub(super) fn make_dirs(config: &Config) -> Result<()> {
    make_dir(&config.state_dir, STATE_MODE)?;
    make_dir(&config.runtime_dir, RUNTIME_MODE)
}

fn make_dir(dir: &Path, mode: u32) -> Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(dir)
        .and_then(|()| set_permissions(dir, Permissions::from_mode(mode)))
        .with_context(|| format!("cannot make {}", dir.display()))
}
