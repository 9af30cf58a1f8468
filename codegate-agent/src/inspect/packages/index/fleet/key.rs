//! Keys of Ed25519: the owner's own in a file, the public one in the configuration.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    str::FromStr,
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, prelude::BASE64_STANDARD};
use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use zeroize::Zeroizing;

use crate::inspect::packages::index::IndexError;

/// Nobody but the owner reads a key.
const MODE: u32 = 0o600;
/// What a public key begins with.
const KIND: &str = "ed25519:";

/// A key that signatures are verified with: `ed25519:` and 32 bytes in base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

/// Why a text is no public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a public key is `ed25519:` and 32 bytes in base64")]
pub struct BadKey;

/// A key that generations are signed with.
pub struct SigningKey(Ed25519KeyPair);

impl PublicKey {
    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for PublicKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let bytes = text.strip_prefix(KIND).ok_or(BadKey)?;
        let bytes = BASE64_STANDARD.decode(bytes).map_err(|_| BadKey)?;
        bytes.try_into().map(Self).map_err(|_| BadKey)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{KIND}{}", BASE64_STANDARD.encode(self.0))
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

impl SigningKey {
    /// Makes a key, in a new file that only its owner may read (PKCS #8, PEM).
    ///
    /// # Errors
    /// If the file is there already, or cannot be written.
    pub fn create(path: &Path) -> Result<Self, IndexError> {
        let failed = |_| IndexError::data(path, "no key can be made");
        let pair = Ed25519KeyPair::generate().map_err(failed)?;
        let der = pair.to_pkcs8().map_err(failed)?;
        let body = Zeroizing::new(BASE64_STANDARD.encode(der.as_ref()));
        let mut text = Zeroizing::new(String::with_capacity(body.len() + 64));
        text.push_str("-----BEGIN PRIVATE KEY-----\n");
        for line in body.as_bytes().chunks(64) {
            text.push_str(std::str::from_utf8(line).unwrap_or_default());
            text.push('\n');
        }
        text.push_str("-----END PRIVATE KEY-----\n");
        let write = || {
            let mut options = OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(MODE).open(path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write().map_err(IndexError::at(path))?;
        Ok(Self(pair))
    }

    /// Reads a key: PKCS #8 in PEM, as this makes it, and `openssl genpkey -algorithm ed25519`.
    ///
    /// # Errors
    /// If the file cannot be read, or has no such key.
    pub fn read(path: &Path) -> Result<Self, IndexError> {
        let text = fs::read(path)
            .map(Zeroizing::new)
            .map_err(IndexError::at(path))?;
        let der = PrivatePkcs8KeyDer::from_pem_slice(&text);
        let der = der.map_err(|error| IndexError::data(path, error))?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der());
        let wrong = |error| IndexError::data(path, format!("it has no key of Ed25519: {error}"));
        pair.map(Self).map_err(wrong)
    }

    /// What others verify with.
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; 32];
        // An Ed25519 public key always has 32 bytes (RFC 8032, 5.1.5).
        for (to, from) in bytes.iter_mut().zip(self.0.public_key().as_ref()) {
            *to = *from;
        }
        PublicKey(bytes)
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(message).as_ref().to_vec()
    }
}
