//! What can go wrong with a fetch.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use http::StatusCode;

use super::BadUrl;
use crate::upstream::{BadThrough, RootsError, ThroughError, UpstreamTls};

/// Why a file was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The address, or one that it redirects to, may not be fetched.
    #[error(transparent)]
    Url(#[from] BadUrl),
    /// There is nobody to trust.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// The proxy that was chosen cannot be used.
    #[error(transparent)]
    Proxy(#[from] BadThrough),
    /// The proxy gives no way to the host.
    #[error(transparent)]
    Through(#[from] ThroughError),
    /// The host has no address, or none of them answers.
    #[error("cannot reach {host}: {source}")]
    Connect {
        /// The host.
        host: String,
        /// What the system said.
        source: io::Error,
    },
    /// The host could not prove who it is.
    #[error(transparent)]
    Tls(#[from] UpstreamTls),
    /// The host breaks the protocol, or off.
    #[error("{url}: {source}")]
    Http {
        /// The file.
        url: String,
        /// What happened.
        source: hyper::Error,
    },
    /// The host answers with something else than the file.
    #[error("{url}: HTTP {status}")]
    Status {
        /// The file.
        url: String,
        /// What it says instead.
        status: StatusCode,
    },
    /// The file ends before it should.
    #[error("{url}: it broke off after {got} of {wanted} bytes")]
    Short {
        /// The file.
        url: String,
        /// Bytes that came.
        got: u64,
        /// Bytes that were announced.
        wanted: u64,
    },
    /// The file is larger than such a file can be.
    #[error("{url}: it is larger than {limit} bytes")]
    TooLarge {
        /// The file.
        url: String,
        /// The limit.
        limit: u64,
    },
    /// Nothing came for too long.
    #[error("{url}: nothing came within {limit:?}")]
    Silent {
        /// The file.
        url: String,
        /// The limit.
        limit: Duration,
    },
    /// It redirects in circles.
    #[error("{0}: too many redirects")]
    Redirects(String),
    /// What came is not what should be there.
    #[error("{url}: {why}")]
    Data {
        /// The file.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// It cannot be written down.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl FetchError {
    /// For `map_err`: an error about a file.
    pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    /// Whether it may be over in a moment.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Http { .. } | Self::Short { .. } | Self::Silent { .. } => {
                true
            }
            Self::Through(error) => !matches!(error, ThroughError::Credentials { .. }),
            Self::Tls(error) => matches!(error, UpstreamTls::Io(_) | UpstreamTls::Timeout(_)),
            Self::Status { status, .. } => {
                status.is_server_error()
                    || matches!(
                        *status,
                        StatusCode::TOO_MANY_REQUESTS
                            | StatusCode::REQUEST_TIMEOUT
                            | StatusCode::RANGE_NOT_SATISFIABLE
                    )
            }
            _ => false,
        }
    }
}
