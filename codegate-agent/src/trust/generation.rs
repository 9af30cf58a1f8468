//! One generation of the certificate authority: a root, an intermediate below it, and the
//! intermediate's key.
//!
//! Both certificates are constrained to the guarded names: Java ignores constraints on a trusted
//! root, other clients look at both. The root's key signs once and is wiped, so what is on disk
//! can never be made to speak for more names, or for longer.

use std::{
    net::IpAddr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SerialNumber,
};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject};
use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, GeneralSubtree},
    prelude::FromDer,
};
use zeroize::{Zeroize, Zeroizing};

use super::{Names, TrustError, pem};

/// How our certificates are known among others: the organisation in each CA's subject.
pub(super) const ORGANISATION: &str = "CodeGate local CA";

/// How long a generation lives.
const LIFE: Duration = Duration::from_secs(365 * 24 * 3600);

/// How far back validity starts, for clients whose clock is behind.
pub(super) const BACKDATE: Duration = Duration::from_secs(3600);

/// A root, an intermediate and the intermediate's key.
pub(super) struct Generation {
    pub(super) root: CertificateDer<'static>,
    pub(super) intermediate: CertificateDer<'static>,
    pub(super) key: KeyPair,
    pub(super) names: Names,
    pub(super) not_after: SystemTime,
}

impl Generation {
    /// Makes a new generation that may speak for `names` from an hour before `now`.
    pub(super) fn make(names: &Names, now: SystemTime) -> Result<Self, TrustError> {
        if names.is_empty() {
            return Err(TrustError::NoNames);
        }
        let id = u32::from_be_bytes(random()?);
        let mut root_key = new_key()?;
        let root = authority(&format!("CodeGate root {id:08x}"), 1, names, now)?;
        let mut intermediate = authority(&format!("CodeGate signer {id:08x}"), 0, names, now)?;
        intermediate.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];

        let key = new_key()?;
        let root_der = root.self_signed(&root_key)?.der().clone();
        let issuer = Issuer::from_params(&root, &root_key);
        let intermediate_der = intermediate.signed_by(&key, &issuer)?.der().clone();
        root_key.zeroize();
        Self::new(root_der, intermediate_der, key)
    }

    /// Reads what [`Self::to_pem`] wrote.
    pub(super) fn parse(text: &[u8]) -> Result<Self, TrustError> {
        let mut certificates = CertificateDer::pem_slice_iter(text);
        let mut next = |what: &str| match certificates.next() {
            Some(Ok(der)) => Ok(der),
            _ => Err(damaged(format!("no {what} certificate in it"))),
        };
        let (root, intermediate) = (next("root")?, next("intermediate")?);
        let key = PrivatePkcs8KeyDer::from_pem_slice(text)
            .map_err(|e| damaged(format!("no key in it: {e}")))?;
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&key, &PKCS_ECDSA_P256_SHA256)?;
        Self::new(root, intermediate, key)
    }

    /// The whole generation as one text, so that one rename replaces it.
    pub(super) fn to_pem(&self) -> Zeroizing<String> {
        let key = Zeroizing::new(self.key.serialize_pem());
        let root = pem::certificate(&self.root);
        let intermediate = pem::certificate(&self.intermediate);
        Zeroizing::new([root.as_str(), &intermediate, &key].concat())
    }

    /// Reads the certificates back and checks that the three parts belong together.
    fn new(
        root: CertificateDer<'static>,
        intermediate: CertificateDer<'static>,
        key: KeyPair,
    ) -> Result<Self, TrustError> {
        let (names, not_after) = {
            let (above, below) = (read(&root)?, read(&intermediate)?);
            check_signatures(&above, &below)?;
            if below.public_key().raw != key.subject_public_key_info() {
                return Err(damaged("the key is not the intermediate's".into()));
            }
            (permitted(&below)?, expiry(&above).min(expiry(&below)))
        };
        Ok(Self {
            root,
            intermediate,
            key,
            names,
            not_after,
        })
    }
}

/// A new P-256 key.
pub(super) fn new_key() -> Result<KeyPair, TrustError> {
    Ok(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?)
}

/// A random serial number: the library's own hangs on the key alone, and a client that sees one
/// issuer use a serial twice refuses the second certificate (NSS).
pub(super) fn serial() -> Result<SerialNumber, TrustError> {
    let mut bytes: [u8; 16] = random()?;
    if let Some(first) = bytes.first_mut() {
        *first = (*first & 0x7f) | 0x40; // positive, and the same length always
    }
    Ok(SerialNumber::from_slice(&bytes))
}

/// Sets the validity, to the second.
pub(super) fn set_validity(params: &mut CertificateParams, from: SystemTime, until: SystemTime) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(seconds(from));
    params.not_after = epoch + Duration::from_secs(seconds(until));
}

/// Parses a certificate.
pub(super) fn read<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, TrustError> {
    let (_, certificate) =
        X509Certificate::from_der(der).map_err(|e| damaged(format!("not a certificate: {e}")))?;
    Ok(certificate)
}

fn authority(
    name: &str,
    below: u8,
    names: &Names,
    now: SystemTime,
) -> Result<CertificateParams, TrustError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, ORGANISATION);
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(serial()?);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(names.constraints());
    params.use_authority_key_identifier_extension = true;
    set_validity(&mut params, now - BACKDATE, now + LIFE);
    Ok(params)
}

fn check_signatures(
    root: &X509Certificate<'_>,
    intermediate: &X509Certificate<'_>,
) -> Result<(), TrustError> {
    root.verify_signature(None)
        .and_then(|()| intermediate.verify_signature(Some(root.public_key())))
        .map_err(|e| damaged(format!("the root does not vouch for the intermediate: {e}")))
}

fn permitted(certificate: &X509Certificate<'_>) -> Result<Names, TrustError> {
    let constraints = certificate
        .name_constraints()
        .map_err(|e| damaged(e.to_string()))?;
    let subtrees = constraints.and_then(|c| c.value.permitted_subtrees.as_ref());
    let mut names = Names::default();
    for subtree in subtrees.into_iter().flatten() {
        restore(&mut names, subtree)?;
    }
    Ok(names)
}

fn restore(names: &mut Names, subtree: &GeneralSubtree<'_>) -> Result<(), TrustError> {
    match &subtree.base {
        GeneralName::DNSName(domain) => names.restore(domain),
        GeneralName::IPAddress(bytes) => names.restore_address(address(bytes)?),
        other => return Err(damaged(format!("a constraint we never made: {other}"))),
    }
    Ok(())
}

/// The address of a constraint: address and mask, both in network order.
fn address(bytes: &[u8]) -> Result<IpAddr, TrustError> {
    let (address, _mask) = bytes.split_at(bytes.len() / 2);
    if let Ok(v4) = <[u8; 4]>::try_from(address) {
        return Ok(v4.into());
    }
    let v6 = <[u8; 16]>::try_from(address);
    v6.map(IpAddr::from)
        .map_err(|_| damaged("an address constraint of no known size".into()))
}

fn expiry(certificate: &X509Certificate<'_>) -> SystemTime {
    let seconds = certificate.validity().not_after.timestamp();
    UNIX_EPOCH + Duration::from_secs(seconds.try_into().unwrap_or(0))
}

fn seconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

fn random<const N: usize>() -> Result<[u8; N], TrustError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| TrustError::Randomness)?;
    Ok(bytes)
}

fn damaged(why: String) -> TrustError {
    TrustError::Damaged(why)
}
