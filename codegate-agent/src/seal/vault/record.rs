//! One sealed value, as it lies in the database.
//!
//! Knows: AES-256-GCM and what a record is bound to. Must not know: tables, transactions.
//!
//! The associated data is `version ‖ uid (4 bytes, big-endian) ‖ mac (13 bytes) ‖ kind`: a sealed
//! value that is moved to another user, name or kind cannot be opened. Nonces are 96 random bits;
//! under one user's key 2³² values may be sealed before a repeated nonce is likelier than 2⁻³²
//! (NIST SP 800-38D, 8.3), which is more than a vault can hold.

use aes_gcm::{AeadInOut, Nonce};
use aws_lc_rs::rand;
use zeroize::Zeroizing;

use super::{super::keys::UserKeys, VaultError};
use crate::{inspect::Kind, seal::token::MAC_LEN};

/// The version of the format, the first byte of the associated data.
pub(super) const VERSION: u8 = 1;
/// Bytes of a nonce.
pub(super) const NONCE_LEN: usize = 12;
/// Bytes by which a sealed value is longer than the value.
const TAG_LEN: usize = 16;

/// Whose value it is, and which.
pub(super) type Id = (u32, [u8; MAC_LEN]);

/// A sealed value.
#[derive(Clone)]
pub(super) struct Record {
    pub(super) id: Id,
    pub(super) kind: Kind,
    pub(super) nonce: [u8; NONCE_LEN],
    pub(super) sealed: Vec<u8>,
}

impl Record {
    /// Seals a value.
    pub(super) fn seal(
        keys: &UserKeys,
        id: Id,
        kind: Kind,
        value: &[u8],
    ) -> Result<Self, VaultError> {
        let (nonce, sealed) = lock(keys, &bound_to(&id, &kind), value)?;
        Ok(Self {
            id,
            kind,
            nonce,
            sealed,
        })
    }

    /// Opens a sealed value, if it is what it was sealed as.
    pub(super) fn open(self, keys: &UserKeys) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let bound_to = bound_to(&self.id, &self.kind);
        let buffer = unlock(keys, &bound_to, &self.nonce, self.sealed)?;
        if !keys.verify(&buffer, &self.id.1) {
            return Err(VaultError::Altered);
        }
        Ok(buffer)
    }
}

/// Seals bytes, bound to others that are not kept with them.
pub(super) fn lock(
    keys: &UserKeys,
    bound_to: &[u8],
    clear: &[u8],
) -> Result<([u8; NONCE_LEN], Vec<u8>), VaultError> {
    let mut nonce = [0; NONCE_LEN];
    rand::fill(&mut nonce).map_err(|_| VaultError::Crypto)?;
    // Room for the tag from the start: growing would leave a copy of the value behind.
    let mut buffer = Zeroizing::new(Vec::with_capacity(clear.len() + TAG_LEN));
    buffer.extend_from_slice(clear);
    keys.data
        .encrypt_in_place(&Nonce::from(nonce), bound_to, &mut *buffer)
        .map_err(|_| VaultError::Crypto)?;
    Ok((nonce, std::mem::take(&mut *buffer)))
}

/// Opens sealed bytes, if they are bound to the same.
pub(super) fn unlock(
    keys: &UserKeys,
    bound_to: &[u8],
    nonce: &[u8; NONCE_LEN],
    sealed: Vec<u8>,
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let mut buffer = Zeroizing::new(sealed);
    keys.data
        .decrypt_in_place(&Nonce::from(*nonce), bound_to, &mut *buffer)
        .map_err(|_| VaultError::Altered)?;
    Ok(buffer)
}

/// The associated data.
fn bound_to((uid, mac): &Id, kind: &Kind) -> Vec<u8> {
    [
        &[VERSION],
        &uid.to_be_bytes()[..],
        mac,
        kind.as_str().as_bytes(),
    ]
    .concat()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    #[test]
    fn what_a_record_is_bound_to_is_frozen() {
        let id = (0x0102_0304, *b"a mac, 13 by.");
        let kind = Kind::parse("GITHUB").unwrap();
        assert_eq!(
            bound_to(&id, &kind),
            b"\x01\x01\x02\x03\x04a mac, 13 by.GITHUB"
        );
    }
}
