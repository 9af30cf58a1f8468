//! The lab's certificate authority: it signs the services' certificates on their real names.

use std::{fs, path::Path, process::Command, sync::Arc};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer};
use rustls_pki_types::CertificateDer;

/// The lab's authority. Nothing outside the lab trusts it.
pub struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// Makes one with a key of its own.
    #[must_use]
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "CodeGate lab root");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a root certificate");
        Self {
            certificate,
            issuer: Issuer::new(params, key),
        }
    }

    /// The root certificate in PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// Signs a certificate for `host`.
    #[must_use]
    pub fn issue(&self, host: &str) -> Identity {
        let mut params = CertificateParams::new([host.to_owned()]).expect("a host name");
        params.distinguished_name.push(DnType::CommonName, host);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().expect("a key");
        let certificate = params
            .signed_by(&key, &self.issuer)
            .expect("a signed certificate");
        Identity {
            certificate: certificate.der().clone(),
            key: key.serialize_der(),
        }
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// A service's certificate and key.
#[derive(Debug)]
pub struct Identity {
    /// The leaf certificate, DER.
    pub certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Identity {
    /// What a TLS server needs to speak for the identity.
    pub(crate) fn server(&self, alpn: &[&str]) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::try_from(self.key.clone()).expect("a PKCS#8 key");
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .expect("TLS 1.2 and 1.3")
                .with_no_client_auth()
                .with_single_cert(vec![self.certificate.clone()], key)
                .expect("a certificate with its key");
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

/// Writes a trust store as OpenSSL reads it: a folder with hashed names, and a bundle.
///
/// # Panics
/// Where `openssl` is missing.
pub(crate) fn write_store(folder: &Path, roots: &[String]) {
    fs::create_dir_all(folder).expect("the trust store's folder");
    for (n, root) in roots.iter().enumerate() {
        fs::write(folder.join(format!("root-{n}.pem")), root).expect("a root");
    }
    fs::write(folder.join("ca-certificates.crt"), roots.concat()).expect("the bundle");
    let done = Command::new("openssl").arg("rehash").arg(folder).output();
    let done = done.expect("the lab needs `openssl` (`cargo xtask setup` installs it)");
    assert!(
        done.status.success(),
        "openssl rehash: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}
