//! Why a client believes us: a local certificate authority, the leaves it signs, and the files and
//! variables that tell clients about it.
//!
//! Knows: X.509, the state directory's `ca/` and `trust/`. Must not know: connections, HTTP, who
//! is guarded (it is told the names). When it must choose, it favours being distrusted over being
//! trusted for too much: every certificate authority it makes is constrained to the guarded names.

pub mod anchors;
pub mod bundle;
pub mod ca;
pub mod environment;
pub mod leaf;
pub mod names;
pub mod variables;

mod file;
mod generation;
mod pem;

#[cfg(test)]
mod clients_test;

use std::{io, path::PathBuf};

pub use self::{
    anchors::Anchors,
    bundle::{Installed, ca_pem, install},
    ca::{Ca, Origin, Renewal},
    leaf::Leaves,
    names::Names,
    variables::variables,
};

/// Why the certificate authority, a leaf or a trust file could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// A file or directory could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// What was being touched.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A name that cannot stand in a certificate.
    #[error("“{0}” is neither a host name in ASCII nor an IP address")]
    BadName(String),
    /// A pattern so wide that a constraint to it would not constrain.
    #[error("“{0}” would let the local CA speak for a whole top-level domain")]
    TooWide(String),
    /// Nothing is guarded, so there is nothing a CA may speak for.
    #[error("a certificate authority needs at least one name")]
    NoNames,
    /// The host is outside the names that the CA may speak for.
    #[error("the local CA may not speak for “{0}”")]
    NotPermitted(String),
    /// The certificate library refused.
    #[error("making a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library refused the key we made.
    #[error("using the leaf key: {0}")]
    Key(#[from] rustls::Error),
    /// The system has no randomness to give.
    #[error("no randomness from the system")]
    Randomness,
    /// No known place for anchors.
    #[error(
        "this system has no trust store that CodeGate knows; `codegate ca show --pem` prints what to trust"
    )]
    NoStore,
    /// The system's program failed.
    #[error("{}: {said}", program.display())]
    Store {
        /// The program.
        program: PathBuf,
        /// The last line of what it said.
        said: String,
    },
    /// The system's program ran, and the bundle is without our root.
    #[error("{} ran, but the system's bundle does not hold the local CA", .0.display())]
    NotTaken(PathBuf),
    /// A stored generation, or a certificate just made, that cannot be read back.
    #[error("{0}")]
    Damaged(String),
}

impl TrustError {
    fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
