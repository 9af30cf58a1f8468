//! The files that clients are pointed at: our root alone, and the system's roots with ours.
//!
//! Programs that are given a bundle by a variable forget the system's own, so ours must hold all.

use std::{
    collections::HashSet,
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use rustls_pki_types::{CertificateDer, pem::PemObject};

use super::{Ca, TrustError, file, pem};

/// Where distributions keep their bundle: Debian and its kin, Fedora and its kin, SUSE, Alpine.
pub(super) const SYSTEM: [&str; 7] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/pki/tls/cert.pem",
];

/// What was written, and what a user should know about it.
#[derive(Debug, Clone)]
pub struct Installed {
    /// Our root alone.
    pub ca_pem: PathBuf,
    /// The system's roots, the configured ones and ours.
    pub bundle: PathBuf,
    /// The system bundle that was read; `None` if this system has none where we look.
    pub system: Option<PathBuf>,
    /// A directory on the way that other users cannot pass, so that they cannot read the files.
    pub barred_by: Option<PathBuf>,
}

/// Where our root alone is, once an agent has run.
#[must_use]
pub fn ca_pem(state_dir: &Path) -> PathBuf {
    state_dir.join("trust/codegate-ca.pem")
}

/// The bundle of this system that holds a certificate, given as PEM.
#[must_use]
pub fn trusting(pem: &str) -> Option<PathBuf> {
    SYSTEM
        .iter()
        .map(PathBuf::from)
        .find(|path| holds(path, pem))
}

/// Writes `trust/codegate-ca.pem` and `trust/bundle.pem` below `state_dir`, readable by all.
///
/// # Errors
/// If one of `extra_roots` cannot be read, or the files cannot be written.
pub fn install(
    state_dir: &Path,
    ca: &Ca,
    extra_roots: &[PathBuf],
) -> Result<Installed, TrustError> {
    install_from(state_dir, ca, extra_roots, &SYSTEM.map(Path::new))
}

fn install_from(
    state_dir: &Path,
    ca: &Ca,
    extra_roots: &[PathBuf],
    candidates: &[&Path],
) -> Result<Installed, TrustError> {
    let dir = state_dir.join("trust");
    let (ca_pem, bundle) = (ca_pem(state_dir), dir.join("bundle.pem"));
    let mut collected = Collected::new(ca);
    let system = collected.system(candidates);
    for path in extra_roots {
        let text = fs::read(path).map_err(TrustError::file(path))?;
        collected.add(&text, path);
    }
    collected.text.push_str(&ca.pem());

    file::directory(&dir, 0o755)?;
    file::replace(&ca_pem, ca.pem().as_bytes(), 0o644)?;
    file::replace(&bundle, collected.text.as_bytes(), 0o644)?;
    Ok(Installed {
        ca_pem,
        bundle,
        system,
        barred_by: barrier(&dir),
    })
}

/// Whether a bundle holds a certificate, given as PEM.
pub(super) fn holds(bundle: &Path, pem: &str) -> bool {
    let Ok(wanted) = CertificateDer::from_pem_slice(pem.as_bytes()) else {
        return false;
    };
    CertificateDer::pem_file_iter(bundle)
        .is_ok_and(|mut all| all.any(|der| der.is_ok_and(|der| der == wanted)))
}

/// Certificates as PEM, each once, none of ours.
struct Collected<'a> {
    ca: &'a Ca,
    seen: HashSet<CertificateDer<'static>>,
    text: String,
}

impl<'a> Collected<'a> {
    fn new(ca: &'a Ca) -> Self {
        Self {
            ca,
            seen: HashSet::new(),
            text: String::new(),
        }
    }

    fn system(&mut self, candidates: &[&Path]) -> Option<PathBuf> {
        for path in candidates {
            match fs::read(path) {
                Ok(text) => {
                    self.add(&text, path);
                    return Some(path.to_path_buf());
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => tracing::warn!(path = %path.display(), %error, "system roots"),
            }
        }
        None
    }

    fn add(&mut self, text: &[u8], path: &Path) {
        for certificate in CertificateDer::pem_slice_iter(text) {
            match certificate {
                // An earlier generation of ours may have been installed into the system store.
                Ok(der) if self.ca.is_own(&der) => {}
                Ok(der) => self.push(der),
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "skipped a certificate");
                }
            }
        }
    }

    fn push(&mut self, der: CertificateDer<'static>) {
        let block = pem::certificate(&der);
        if self.seen.insert(der) {
            self.text.push_str(&block);
        }
    }
}

/// The outermost directory down to `dir` that others may not pass through.
fn barrier(dir: &Path) -> Option<PathBuf> {
    let mut way: Vec<&Path> = dir
        .ancestors()
        .filter(|d| !d.as_os_str().is_empty())
        .collect();
    way.reverse();
    let passable = |d: &Path| fs::metadata(d).is_ok_and(|m| m.permissions().mode() & 0o001 != 0);
    way.into_iter()
        .find(|d| !passable(d))
        .map(Path::to_path_buf)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    fn ca(dir: &Path) -> Ca {
        Ca::open_or_create(&dir.join("ca"), &["example.ai".to_owned()]).unwrap()
    }

    fn blocks(path: &Path) -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_file_iter(path)
            .unwrap()
            .map(Result::unwrap)
            .collect()
    }

    #[test]
    fn the_bundle_holds_system_extra_and_our_root_each_once() {
        let dir = tempfile::tempdir().unwrap();
        let (ours, old, other) = (
            ca(dir.path()),
            ca(&dir.path().join("old")),
            rcgen_root("Some Corporate Root"),
        );
        let system = dir.path().join("system.crt");
        let extra = dir.path().join("extra.pem");
        let junk = "-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n";
        fs::write(&system, [junk, &other, &old.pem(), &ours.pem()].concat()).unwrap();
        fs::write(&extra, [rcgen_root("Extra").as_str(), &other].concat()).unwrap();

        let missing = dir.path().join("missing");
        let candidates = [missing.as_path(), system.as_path()];
        let done = install_from(dir.path(), &ours, &[extra], &candidates).unwrap();

        assert_eq!(done.system.as_deref(), Some(system.as_path()));
        let all = blocks(&done.bundle);
        assert_eq!(all.len(), 3, "corporate, extra and ours");
        assert_eq!(pem::certificate(all.last().unwrap()), ours.pem());
        assert_eq!(fs::read_to_string(&done.ca_pem).unwrap(), ours.pem());
    }

    #[test]
    fn the_files_can_be_read_by_all_and_a_barrier_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let done = install_from(dir.path(), &ca(dir.path()), &[], &[]).unwrap();
        for path in [&done.ca_pem, &done.bundle] {
            assert_eq!(
                fs::metadata(path).unwrap().permissions().mode() & 0o777,
                0o644
            );
        }
        let trust = fs::metadata(dir.path().join("trust")).unwrap();
        assert_eq!(trust.permissions().mode() & 0o777, 0o755);
        assert_eq!(done.barred_by.as_deref(), Some(dir.path()));
        assert_eq!(done.system, None);
    }

    #[test]
    fn an_extra_root_that_is_missing_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("corporate.pem");
        let refused = install(dir.path(), &ca(dir.path()), std::slice::from_ref(&missing));
        assert!(matches!(refused, Err(TrustError::File { path, .. }) if path == missing));
    }

    fn rcgen_root(name: &str) -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec![]).unwrap();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        params.self_signed(&key).unwrap().pem()
    }
}
