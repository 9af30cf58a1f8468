//! What can go wrong between the agent and the kernel.

use std::{io, path::PathBuf};

use aya::{EbpfError, maps::MapError, pin::PinError, programs::ProgramError};

/// Why the hooks could not be loaded, attached or told something.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// There is no cgroup2 mount in this mount namespace.
    #[error("no cgroup2 file system is mounted (mount -t cgroup2 none /sys/fs/cgroup)")]
    NoCgroup2,
    /// There is no bpffs, in which programs could outlive the agent.
    #[error("no bpffs is mounted, and none could be (mount -t bpf bpf {path}): {source}")]
    NoBpffs {
        /// Where it was tried.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A link or a map could not be pinned.
    #[error("cannot pin {name}: {source}")]
    Pin {
        /// Its name.
        name: &'static str,
        /// Why.
        source: PinError,
    },
    /// A file of the kernel's could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The kernel says no.
    #[error(
        "not permitted to {action}: CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are needed \
         (CAP_SYS_ADMIN before Linux 5.8)"
    )]
    NotPermitted {
        /// What was tried.
        action: String,
    },
    /// The object could not be loaded.
    #[error("cannot load the eBPF object: {0}")]
    Load(#[source] Box<EbpfError>),
    /// A program was refused, by the verifier for instance.
    #[error("cannot {action}: {source}")]
    Program {
        /// What was tried, with the program's name.
        action: String,
        /// Why.
        source: Box<ProgramError>,
    },
    /// The committed object lacks what this agent expects of it.
    #[error("the eBPF object has no {0}: it is older than the agent (cargo xtask ebpf)")]
    Missing(&'static str),
    /// A map could not be read or written.
    #[error("map {map}: {source}")]
    Map {
        /// The map's name.
        map: &'static str,
        /// Why.
        source: MapError,
    },
    /// A socket's option could not be read or set.
    #[error("cannot {action}: {source}")]
    Socket {
        /// What was tried.
        action: &'static str,
        /// Why.
        source: io::Error,
    },
}

impl KernelError {
    /// An error of the loader, in which a lack of rights is told apart.
    pub(super) fn load(error: EbpfError) -> Self {
        if is_refusal(&error) {
            return Self::NotPermitted {
                action: "create eBPF maps".to_owned(),
            };
        }
        Self::Load(Box::new(error))
    }

    /// An error of one program, in which a lack of rights is told apart.
    pub(super) fn program(verb: &str, name: &str, error: ProgramError) -> Self {
        let action = format!("{verb} the eBPF program {name}");
        if is_refusal(&error) {
            return Self::NotPermitted { action };
        }
        Self::Program {
            action,
            source: Box::new(error),
        }
    }
}

/// Whether the kernel's EPERM is at the bottom of it.
fn is_refusal(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(current) = cause {
        if let Some(io) = current.downcast_ref::<io::Error>() {
            return io.raw_os_error() == Some(libc::EPERM);
        }
        cause = current.source();
    }
    false
}
