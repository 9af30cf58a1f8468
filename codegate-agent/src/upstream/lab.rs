//! For tests: authorities, certificates and TLS servers of every kind, on memory or loopback.

#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::trust::{Ca, Leaves};

/// An authority that is not ours.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate.
    pub(crate) der: CertificateDer<'static>,
    /// Its certificate as text.
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let (der, pem) = (certificate.der().clone(), certificate.pem());
        Self {
            issuer: Issuer::new(params, key),
            der,
            pem,
        }
    }

    /// A server for `host`.
    pub(crate) fn server(&self, host: &str, alpn: &[&[u8]]) -> Arc<ServerConfig> {
        self.server_with(params(host), alpn)
    }

    pub(crate) fn server_with(
        &self,
        params: CertificateParams,
        alpn: &[&[u8]],
    ) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        config(vec![certificate.der().clone()], &key, alpn)
    }
}

/// What a good certificate for `host` says.
pub(crate) fn params(host: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, host);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

pub(crate) fn self_signed(host: &str) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    let certificate = params(host).self_signed(&key).unwrap();
    config(vec![certificate.der().clone()], &key, &[])
}

fn config(chain: Vec<CertificateDer<'static>>, key: &KeyPair, alpn: &[&[u8]]) -> Arc<ServerConfig> {
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, private(key))
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|p| p.to_vec()).collect();
    Arc::new(config)
}

fn private(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(key.serialize_der()).into()
}

/// The guard's own trust, in a directory that goes with it.
pub(crate) struct Own {
    _dir: tempfile::TempDir,
    pub(crate) ca: Arc<Ca>,
    pub(crate) leaves: Leaves,
    pub(crate) pem: PathBuf,
}

impl Own {
    pub(crate) fn new(hosts: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        let ca = Arc::new(Ca::open_or_create(&dir.path().join("ca"), &hosts).unwrap());
        let pem = dir.path().join("root.pem");
        std::fs::write(&pem, ca.pem()).unwrap();
        let leaves = Leaves::new(Arc::clone(&ca)).unwrap();
        Self {
            _dir: dir,
            ca,
            leaves,
            pem,
        }
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self._dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn pem(&self) -> &Path {
        &self.pem
    }
}

/// Long enough for any handshake on this machine.
pub(crate) const LONG: Duration = Duration::from_secs(10);
