//! Secrets that look real and are not: made up on the spot, so that none stands in the sources.

use flate2::Crc;
use rcgen::{KeyPair, PKCS_RSA_SHA256};

const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const HEX: &[u8] = b"0123456789abcdef";

/// A GitHub token with a right checksum; other seeds, other tokens.
#[must_use]
pub fn github(seed: u64) -> String {
    let random = word(seed, 30, BASE62);
    let mut crc = Crc::new();
    crc.update(random.as_bytes());
    let mut rest = crc.sum() as usize;
    let mut check = [0; 6];
    for digit in check.iter_mut().rev() {
        *digit = BASE62[rest % 62];
        rest /= 62;
    }
    format!("ghp_{random}{}", String::from_utf8_lossy(&check))
}

/// An Anthropic API key.
#[must_use]
pub fn anthropic(seed: u64) -> String {
    format!("sk-ant-api03-{}AA", word(seed, 93, BASE62))
}

/// A Hugging Face token.
#[must_use]
pub fn hugging_face(seed: u64) -> String {
    format!("hf_{}", word(seed, 34, &BASE62[10..]))
}

/// A password as people write them into connection strings.
#[must_use]
pub fn password(seed: u64) -> String {
    word(seed, 20, BASE62)
}

/// A hexadecimal key of 40 digits.
#[must_use]
pub fn hex(seed: u64) -> String {
    word(seed, 40, HEX)
}

/// A database URL with a password in it.
#[must_use]
pub fn database(seed: u64) -> String {
    format!("postgres://app:{}@db.internal:5432/orders", password(seed))
}

/// A private key in PEM, of many lines.
///
/// # Panics
/// Where no key can be made.
#[must_use]
pub fn pem() -> String {
    KeyPair::generate_for(&PKCS_RSA_SHA256)
        .expect("an RSA key")
        .serialize_pem()
        .trim_end()
        .to_owned()
}

/// Evenly distributed letters, the same for the same seed (splitmix64).
fn word(seed: u64, length: usize, alphabet: &[u8]) -> String {
    let mut state = seed.wrapping_mul(0x2545_F491_4F6C_DD1D);
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % alphabet.len() as u64).expect("an index")
    };
    (0..length).map(|_| char::from(alphabet[next()])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_have_their_shape_and_differ_by_seed() {
        assert_eq!(github(1).len(), 40);
        assert_ne!(github(1), github(2));
        assert_eq!(github(7), github(7));
        assert!(pem().lines().count() > 20);
    }
}
