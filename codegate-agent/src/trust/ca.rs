//! The local certificate authority: one generation at a time, kept in `<state_dir>/ca/`.
//!
//! A generation is one file of mode 0600, replaced by rename, so that a crash leaves the old one
//! or the new one. A new generation means that trust must be installed again wherever it was
//! copied to; [`Ca::origin`] says so, and the caller must tell the user.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, SystemTime},
};

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls_pki_types::CertificateDer;
use zeroize::Zeroizing;

use super::{
    Names, TrustError, file,
    generation::{self, Generation, ORGANISATION},
    pem,
};

/// The file of the current generation.
const FILE: &str = "generation.pem";

/// A generation with less than this to live is replaced at the next start.
const RENEW_BEFORE: Duration = Duration::from_secs(30 * 24 * 3600);

/// Where the generation in use came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It was there, and it does.
    Stored,
    /// There was none: this is the first start.
    First,
    /// The stored one was replaced: trust must be installed again.
    Renewed(Renewal),
}

/// Why a stored generation was replaced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Renewal {
    /// Hosts were added that it may not speak for.
    #[error("it did not cover every guarded host")]
    Names,
    /// It is expired, or will be within 30 days.
    #[error("it was about to expire")]
    Expiry,
    /// Others than its owner could read its key.
    #[error("its key could be read by others (mode {0:o})")]
    Exposed(u32),
    /// It could not be read back.
    #[error("it was damaged: {0}")]
    Damaged(String),
    /// `ca rotate`.
    #[error("a rotation was asked for")]
    Asked,
}

/// The certificate authority that the agent signs leaves with.
pub struct Ca {
    root: CertificateDer<'static>,
    intermediate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    names: Names,
    not_after: SystemTime,
    origin: Origin,
}

impl Ca {
    /// Opens the stored generation, or makes one that may speak for `permitted` (hosts, patterns
    /// and addresses as configured) if there is none that serves.
    ///
    /// # Errors
    /// If a name is bad, or the directory cannot be read or written.
    pub fn open_or_create(dir: &Path, permitted: &[String]) -> Result<Self, TrustError> {
        Self::open_at(dir, permitted, SystemTime::now())
    }

    /// Makes a new generation whatever is stored: narrower constraints, or a fresh key.
    ///
    /// # Errors
    /// As [`Self::open_or_create`].
    pub fn rotate(dir: &Path, permitted: &[String]) -> Result<Self, TrustError> {
        let names = Names::parse(permitted)?;
        let _lock = lock(dir)?;
        create(
            dir,
            &names,
            Origin::Renewed(Renewal::Asked),
            SystemTime::now(),
        )
    }

    /// The root certificate, the only one that clients need to trust, as PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        pem::certificate(&self.root)
    }

    /// SHA-256 of the root, in the form `openssl x509 -fingerprint` prints: `AB:CD:…`.
    #[must_use]
    pub fn fingerprint_sha256(&self) -> String {
        let hash = digest(&SHA256, &self.root);
        let bytes: Vec<String> = hash.as_ref().iter().map(|b| format!("{b:02X}")).collect();
        bytes.join(":")
    }

    /// When the generation expires.
    #[must_use]
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// The names it may speak for, with everything below each.
    #[must_use]
    pub fn permitted(&self) -> &Names {
        &self.names
    }

    /// Whether it was stored, is the first, or replaced another.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether a certificate is one of our authorities, of this or an earlier generation.
    ///
    /// Such a one must never be trusted upstream, wherever it was installed.
    #[must_use]
    pub fn is_own(&self, der: &CertificateDer<'_>) -> bool {
        let Ok(certificate) = generation::read(der) else {
            return false;
        };
        Self::is_marked(der)
            || [&self.root, &self.intermediate]
                .iter()
                .any(|own| same_key(own, &certificate))
    }

    /// Whether a certificate says that it is of a CodeGate, of this machine's or of another's.
    pub fn is_marked(der: &CertificateDer<'_>) -> bool {
        generation::read(der).is_ok_and(|certificate| {
            certificate
                .subject()
                .iter_organization()
                .any(|o| o.as_str().is_ok_and(|o| o == ORGANISATION))
        })
    }

    /// The certificate that signs leaves, which servers send along.
    pub(super) fn intermediate(&self) -> &CertificateDer<'static> {
        &self.intermediate
    }

    /// Signs a leaf.
    pub(super) fn sign(
        &self,
        params: &CertificateParams,
        key: &KeyPair,
    ) -> Result<CertificateDer<'static>, TrustError> {
        Ok(params.signed_by(key, &self.issuer)?.der().clone())
    }

    pub(super) fn open_at(
        dir: &Path,
        permitted: &[String],
        now: SystemTime,
    ) -> Result<Self, TrustError> {
        let names = Names::parse(permitted)?;
        let _lock = lock(dir)?;
        match stored(dir, &names, now)? {
            Ok(generation) => Self::new(generation, Origin::Stored),
            Err(origin) => create(dir, &names, origin, now),
        }
    }

    fn new(generation: Generation, origin: Origin) -> Result<Self, TrustError> {
        let Generation {
            root,
            intermediate,
            key,
            names,
            not_after,
        } = generation;
        let issuer = Issuer::from_ca_cert_der(&intermediate, key)?;
        Ok(Self {
            root,
            intermediate,
            issuer,
            names,
            not_after,
            origin,
        })
    }
}

/// Two agents that start at once must not each make a generation.
fn lock(dir: &Path) -> Result<File, TrustError> {
    file::directory(dir, 0o700)?;
    let lock = File::open(dir).map_err(TrustError::file(dir))?;
    lock.lock().map_err(TrustError::file(dir))?;
    Ok(lock)
}

/// The stored generation, or why there must be another.
fn stored(
    dir: &Path,
    names: &Names,
    now: SystemTime,
) -> Result<Result<Generation, Origin>, TrustError> {
    let path = dir.join(FILE);
    let (text, mode) = match read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Err(Origin::First)),
        other => other.map_err(TrustError::file(path))?,
    };
    let usable = Generation::parse(&text)
        .map_err(|error| Renewal::Damaged(error.to_string()))
        .and_then(|generation| serves(generation, mode, names, now));
    Ok(usable.map_err(Origin::Renewed))
}

fn read(path: &Path) -> io::Result<(Zeroizing<Vec<u8>>, u32)> {
    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    Ok((Zeroizing::new(fs::read(path)?), mode))
}

fn serves(
    generation: Generation,
    mode: u32,
    names: &Names,
    now: SystemTime,
) -> Result<Generation, Renewal> {
    if mode & 0o077 != 0 {
        return Err(Renewal::Exposed(mode));
    }
    if now + RENEW_BEFORE > generation.not_after {
        return Err(Renewal::Expiry);
    }
    if !generation.names.covers(names) {
        return Err(Renewal::Names);
    }
    Ok(generation)
}

fn create(dir: &Path, names: &Names, origin: Origin, now: SystemTime) -> Result<Ca, TrustError> {
    let generation = Generation::make(names, now)?;
    file::replace(&dir.join(FILE), generation.to_pem().as_bytes(), 0o600)?;
    Ca::new(generation, origin)
}

fn same_key(
    own: &CertificateDer<'_>,
    other: &x509_parser::certificate::X509Certificate<'_>,
) -> bool {
    generation::read(own).is_ok_and(|own| own.public_key().raw == other.public_key().raw)
}

#[cfg(test)]
#[path = "ca_test.rs"]
mod tests;
