//! How a command ends.

use std::{io, path::PathBuf, process::ExitCode};

use crate::{
    config,
    control::{Code, Failure},
    fetch::FetchError,
    inspect::packages::index::IndexError,
    kernel::KernelError,
    trust::TrustError,
};

/// The exit codes of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Fine = 0,
    Findings = 1,
    Usage = 2,
    Denied = 3,
    Unreachable = 4,
    Degraded = 5,
}

/// Why a command could not do what it should.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error("{0}")]
    Config(#[from] config::Error),
    #[error("cannot reach the agent at {}: {source}; is it running? (`codegate agent`)", path.display())]
    Connect { path: PathBuf, source: io::Error },
    /// No agent, but programs of one that is gone.
    #[error("{problem}\n{left}")]
    Left { problem: Box<Problem>, left: String },
    #[error("{0}")]
    Kernel(#[from] KernelError),
    #[error("the agent's answer broke off: {0}")]
    Answer(io::Error),
    #[error("{0}")]
    Refused(#[from] Failure),
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
    #[error("the agent ended: {0:#}")]
    Agent(anyhow::Error),
    /// A command that could not be run; the code is that of `env(1)`.
    #[error("{}: {source}", command.display())]
    Exec { command: PathBuf, source: io::Error },
    #[error("{0}")]
    Packages(#[from] IndexError),
    #[error("{0}")]
    Fetch(#[from] FetchError),
    #[error("{0}")]
    Trust(#[from] TrustError),
    /// What was asked for cannot be done.
    #[error("{0}")]
    Usage(String),
    #[error("{}: {source}", path.display())]
    Input { path: PathBuf, source: io::Error },
    /// The reader has gone, as in `codegate sessions list | head -1`.
    #[error("")]
    NobodyReads,
}

impl Problem {
    /// An error on the way out.
    pub(super) fn output(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::NobodyReads,
            _ => Self::Output(error),
        }
    }

    pub(super) fn exit(&self) -> ExitCode {
        match self {
            Self::Exec { source, .. } => exec_code(source).into(),
            Self::NobodyReads => Exit::Fine.into(),
            Self::Config(config::Error::Read { source, .. }) if is_denied(source) => {
                Exit::Denied.into()
            }
            Self::Config(_) => Exit::Usage.into(),
            Self::Left { problem, .. } => problem.exit(),
            Self::Kernel(KernelError::Read { source, .. }) if is_denied(source) => {
                Exit::Denied.into()
            }
            Self::Kernel(KernelError::NotPermitted { .. }) => Exit::Denied.into(),
            Self::Connect { source, .. } if is_denied(source) => Exit::Denied.into(),
            Self::Connect { .. } | Self::Answer(_) => Exit::Unreachable.into(),
            Self::Refused(failure) => refused(failure.code).into(),
            Self::Packages(error) => packages(error).into(),
            Self::Fetch(FetchError::Url(_)) => Exit::Usage.into(),
            Self::Fetch(FetchError::File { source, .. }) if is_denied(source) => {
                Exit::Denied.into()
            }
            Self::Fetch(_) => Exit::Degraded.into(),
            Self::Trust(TrustError::File { source, .. }) if is_denied(source) => {
                Exit::Denied.into()
            }
            Self::Trust(TrustError::NoStore) => Exit::Usage.into(),
            Self::Input { source, .. } if is_denied(source) => Exit::Denied.into(),
            Self::Usage(_) | Self::Input { .. } => Exit::Usage.into(),
            Self::Agent(error) if denied_somewhere(error) => Exit::Denied.into(),
            Self::Output(_) | Self::Agent(_) | Self::Kernel(_) | Self::Trust(_) => {
                Exit::Degraded.into()
            }
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

fn refused(code: Code) -> Exit {
    match code {
        Code::BadRequest | Code::NotFound => Exit::Usage,
        Code::Denied => Exit::Denied,
        Code::Unavailable => Exit::Degraded,
    }
}

fn packages(error: &IndexError) -> Exit {
    match error {
        IndexError::File { source, .. } if is_denied(source) => Exit::Denied,
        IndexError::File { source, .. } if source.kind() == io::ErrorKind::NotFound => Exit::Usage,
        IndexError::Data { .. } | IndexError::Refused { .. } => Exit::Usage,
        _ => Exit::Degraded,
    }
}

fn exec_code(error: &io::Error) -> u8 {
    match error.kind() {
        io::ErrorKind::NotFound => 127,
        _ => 126,
    }
}

fn is_denied(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

/// Loading programs into the kernel, or opening the state, as somebody who may not.
fn denied_somewhere(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(is_denied)
}
