//! Leaf certificates: one per host, valid for a day, signed when first asked for.
//!
//! All leaves of a process share one key, which is never written: signing then costs half as much,
//! and a leaf is worth nothing after a restart.

use std::{
    borrow::Cow,
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::{crypto::aws_lc_rs::sign::any_ecdsa_type, sign::CertifiedKey};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{
    Ca, TrustError,
    generation::{self, BACKDATE},
};

/// How long a leaf is valid from now on.
const LIFE: Duration = Duration::from_secs(24 * 3600);

/// A leaf with less than this to live is not given out any more: connections last for hours.
const RENEW_BEFORE: Duration = Duration::from_secs(6 * 3600);

/// Hosts to remember. A wildcard endpoint has more names than we should keep leaves for.
const CAPACITY: usize = 1024;

/// The most a common name may hold (RFC 5280, `ub-common-name`).
const COMMON_NAME: usize = 64;

/// The leaves of one process under one generation of the CA.
pub struct Leaves {
    ca: Arc<Ca>,
    key: KeyPair,
    signing: Arc<dyn rustls::sign::SigningKey>,
    cache: Mutex<HashMap<Box<str>, Leaf>>,
}

#[derive(Clone)]
struct Leaf {
    certified: Arc<CertifiedKey>,
    from: SystemTime,
    until: SystemTime,
}

impl Leaves {
    /// Makes the process's leaf key.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn new(ca: Arc<Ca>) -> Result<Self, TrustError> {
        let key = generation::new_key()?;
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signing = any_ecdsa_type(&der)?;
        Ok(Self {
            ca,
            key,
            signing,
            cache: Mutex::default(),
        })
    }

    /// The certificate chain (leaf and intermediate, not the root) and key for a host name or
    /// address.
    ///
    /// # Errors
    /// [`TrustError::NotPermitted`] if the host is outside the CA's names.
    pub fn leaf(&self, host: &str) -> Result<Arc<CertifiedKey>, TrustError> {
        self.leaf_at(host, SystemTime::now())
    }

    fn leaf_at(&self, host: &str, now: SystemTime) -> Result<Arc<CertifiedKey>, TrustError> {
        let host = normal(host);
        if let Some(leaf) = self.cached(&host, now) {
            return Ok(leaf);
        }
        if !self.ca.permitted().covers_host(&host) {
            return Err(TrustError::NotPermitted(host.into_owned()));
        }
        let leaf = self.sign(&host, now)?; // not under the lock: two may sign, the later one stays
        let certified = Arc::clone(&leaf.certified);
        self.remember(&host, leaf, now);
        Ok(certified)
    }

    /// Signs for any host, also one that clients will refuse.
    fn sign(&self, host: &str, now: SystemTime) -> Result<Leaf, TrustError> {
        let (from, until) = (now - BACKDATE, (now + LIFE).min(self.ca.not_after()));
        let mut params = params(host)?;
        generation::set_validity(&mut params, from, until);
        let der = self.ca.sign(&params, &self.key)?;
        let chain = vec![der, self.ca.intermediate().clone()];
        let certified = Arc::new(CertifiedKey::new(chain, Arc::clone(&self.signing)));
        Ok(Leaf {
            certified,
            from,
            until,
        })
    }

    /// Signs for any host, to show that clients refuse what is outside the constraints.
    #[cfg(test)]
    pub(super) fn sign_unchecked(&self, host: &str) -> Result<Arc<CertifiedKey>, TrustError> {
        Ok(self.sign(host, SystemTime::now())?.certified)
    }

    fn cached(&self, host: &str, now: SystemTime) -> Option<Arc<CertifiedKey>> {
        let cache = self.lock();
        let leaf = cache.get(host).filter(|leaf| leaf.is_fresh(now))?;
        Some(Arc::clone(&leaf.certified))
    }

    fn remember(&self, host: &str, leaf: Leaf, now: SystemTime) {
        let mut cache = self.lock();
        if cache.len() >= CAPACITY {
            make_room(&mut cache, now);
        }
        cache.insert(host.into(), leaf);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Leaf>> {
        // Whoever panicked had at most inserted a leaf: the map is whole.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leaf {
    /// Also false when the clock was set back to before it is valid.
    fn is_fresh(&self, now: SystemTime) -> bool {
        self.from <= now && now + RENEW_BEFORE < self.until
    }
}

fn make_room(cache: &mut HashMap<Box<str>, Leaf>, now: SystemTime) {
    cache.retain(|_, leaf| leaf.is_fresh(now));
    if cache.len() < CAPACITY {
        return;
    }
    let oldest = cache
        .iter()
        .min_by_key(|(_, leaf)| leaf.from)
        .map(|(host, _)| host.clone());
    if let Some(host) = oldest {
        cache.remove(&host);
    }
}

fn normal(host: &str) -> Cow<'_, str> {
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    }
}

fn params(host: &str) -> Result<CertificateParams, TrustError> {
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![alternative_name(host)?];
    params.distinguished_name = subject(host);
    params.serial_number = Some(generation::serial()?);
    params.is_ca = IsCa::ExplicitNoCa; // also what makes the library write a key identifier
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn alternative_name(host: &str) -> Result<SanType, TrustError> {
    match host.parse::<IpAddr>() {
        Ok(address) => Ok(SanType::IpAddress(address)),
        Err(_) => Ok(SanType::DnsName(host.try_into()?)),
    }
}

/// The host as common name, where it can be one.
///
/// Clients read the alternative name. A common name that is too long would make the certificate
/// malformed, a cut one would name somebody else, and where the alternative name is an address,
/// OpenSSL and GnuTLS hold the common name to the constraints on host names.
fn subject(host: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    if host.len() <= COMMON_NAME && host.parse::<IpAddr>().is_err() {
        subject.push(DnType::CommonName, host);
    } else {
        subject.push(DnType::OrganizationName, "CodeGate leaf");
    }
    subject
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    fn leaves() -> (tempfile::TempDir, Leaves) {
        let dir = tempfile::tempdir().unwrap();
        let permitted = ["*.example.ai".to_owned(), "127.0.0.1".to_owned()];
        let ca = Ca::open_or_create(&dir.path().join("ca"), &permitted).unwrap();
        (dir, Leaves::new(Arc::new(ca)).unwrap())
    }

    #[test]
    fn a_leaf_is_kept_until_a_quarter_of_its_day_is_left() {
        let (_dir, leaves) = leaves();
        let now = SystemTime::now();
        let first = leaves.leaf_at("api.example.ai", now).unwrap();
        let again = leaves
            .leaf_at("API.example.ai.", now + Duration::from_secs(17 * 3600))
            .unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        let later = leaves
            .leaf_at("api.example.ai", now + Duration::from_secs(19 * 3600))
            .unwrap();
        assert!(!Arc::ptr_eq(&first, &later));
        let set_back = leaves
            .leaf_at("api.example.ai", now - Duration::from_secs(7200))
            .unwrap();
        assert!(!Arc::ptr_eq(&later, &set_back));
    }

    #[test]
    fn hosts_outside_the_constraints_get_none() {
        let (_dir, leaves) = leaves();
        for host in ["example.org", "notexample.ai", "127.0.0.2", "::1", "ai"] {
            let refused = leaves.leaf(host);
            assert!(
                matches!(refused, Err(TrustError::NotPermitted(_))),
                "{host}: {refused:?}"
            );
        }
        leaves.leaf("127.0.0.1").unwrap();
    }

    #[test]
    fn the_cache_is_bounded() {
        let (_dir, leaves) = leaves();
        for n in 0..CAPACITY + 50 {
            leaves.leaf(&format!("h{n}.example.ai")).unwrap();
        }
        assert_eq!(leaves.lock().len(), CAPACITY);
    }

    #[test]
    fn each_leaf_has_a_serial_of_its_own() {
        let (_dir, leaves) = leaves();
        let serial = |host: &str| {
            let leaf = leaves.leaf(host).unwrap();
            generation::read(leaf.cert.first().unwrap())
                .unwrap()
                .raw_serial()
                .to_vec()
        };
        assert_ne!(serial("a.example.ai"), serial("b.example.ai"));
    }
}
