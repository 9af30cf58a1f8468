//! Whom the agent trusts upstream: the host's roots and the configured ones, never our own.
//!
//! Our root is installed into the host's store for the clients' sake. Were it trusted here too,
//! whoever gets hold of the intermediate's key could stand in for every guarded service.

use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls_pki_types::{
    CertificateDer,
    pem::{self, PemObject},
};

use crate::trust::Ca;

/// Why there is nobody to trust, or not whom the configuration names.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// A file of `extra_roots` cannot be read as PEM.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The configured file.
        path: PathBuf,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// A file of `extra_roots` holds a certificate that cannot be a root, or none at all.
    #[error("{}: {reason}", path.display())]
    Unusable {
        /// The configured file.
        path: PathBuf,
        /// Why it does not serve.
        reason: String,
    },
    /// Neither the host nor the configuration has a root: no upstream could ever be verified.
    #[error("this system has no trusted root certificates (is ca-certificates installed?)")]
    None,
    /// The TLS library's own set-up failed.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

/// The host's roots and those in `extra`, without ours; where our authority is not at hand, without
/// those that say that they are ours.
pub(super) fn load(own: Option<&Ca>, extra: &[PathBuf]) -> Result<RootCertStore, RootsError> {
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "a system root could not be loaded");
    }
    collect(own, native.certs, extra)
}

pub(super) fn collect(
    own: Option<&Ca>,
    native: Vec<CertificateDer<'static>>,
    extra: &[PathBuf],
) -> Result<RootCertStore, RootsError> {
    let mut store = RootCertStore::empty();
    let foreign = native.into_iter().filter(|der| !is_own(own, der));
    let (_, unusable) = store.add_parsable_certificates(foreign);
    if unusable > 0 {
        tracing::warn!(unusable, "some system roots are of no use");
    }
    for path in extra {
        add_file(&mut store, own, path)?;
    }
    if store.is_empty() {
        Err(RootsError::None)
    } else {
        Ok(store)
    }
}

fn is_own(own: Option<&Ca>, der: &CertificateDer<'_>) -> bool {
    own.map_or_else(|| Ca::is_marked(der), |own| own.is_own(der))
}

/// Unlike the host's, a configured root that does not serve is an error: somebody counts on it.
fn add_file(store: &mut RootCertStore, own: Option<&Ca>, path: &Path) -> Result<(), RootsError> {
    let unreadable = |source| RootsError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let unusable = |reason: String| RootsError::Unusable {
        path: path.to_owned(),
        reason,
    };
    let mut found = false;
    for der in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
        let der = der.map_err(unreadable)?;
        found = true;
        if is_own(own, &der) {
            tracing::warn!(path = %path.display(), "CodeGate's own CA is not trusted upstream");
            continue;
        }
        store
            .add(der)
            .map_err(|error| unusable(error.to_string()))?;
    }
    if found {
        Ok(())
    } else {
        Err(unusable("no certificate in it".into()))
    }
}
