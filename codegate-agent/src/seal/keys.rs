//! The keys of the vault: one root key in a file, and four per user that are derived from it.
//!
//! Knows: key material. Must not know: records, the database. Nothing here leaves `seal`.
//!
//! The derivation is HKDF-SHA256 (RFC 5869) with the root key as secret, [`SALT`] as salt, and as
//! info a word for the purpose followed by the user id in four bytes, big-endian.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use aes_gcm::{Aes256Gcm, KeyInit};
use aws_lc_rs::{constant_time, hkdf, hmac, rand};
use zeroize::Zeroizing;

use super::{token::MAC_LEN, vault::VaultError};

/// Bytes of the root key, and of every key derived from it.
const KEY_LEN: usize = 32;
/// Bytes of the mark that a note of our own carries.
pub(super) const NOTE_LEN: usize = 6;
const SALT: &[u8] = b"codegate vault v1";
/// Permission bits that nobody but the owner may have.
const OTHERS: u32 = 0o077;

/// Bits of a [`UserKeys::window`].
pub(super) const WINDOW_BITS: u32 = 20;
/// A Mersenne prime.
const PRIME: u64 = (1 << 61) - 1;

type Key = Zeroizing<[u8; KEY_LEN]>;

/// The root key, and the users' keys derived so far.
pub(super) struct Keys {
    root: Key,
    users: Mutex<HashMap<u32, Arc<UserKeys>>>,
}

impl Keys {
    /// Reads the root key from a file that only its owner may read.
    pub(super) fn load(path: &Path) -> Result<Self, VaultError> {
        read(path).map(Self::new)
    }

    /// Makes a root key and its file, durably. If the file has appeared meanwhile, it is read.
    pub(super) fn create(path: &Path) -> Result<Self, VaultError> {
        let mut root = Key::default();
        rand::fill(root.as_mut()).map_err(|_| VaultError::Crypto)?;
        match write(path, &root) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::load(path),
            Err(error) => Err(VaultError::io(path, error)),
            Ok(()) => Ok(Self::new(root)),
        }
    }

    pub(super) fn new(root: Key) -> Self {
        Self {
            root,
            users: Mutex::default(),
        }
    }

    /// A user's keys.
    pub(super) fn of(&self, uid: u32) -> Result<Arc<UserKeys>, VaultError> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keys) = users.get(&uid) {
            return Ok(Arc::clone(keys));
        }
        let keys = Arc::new(UserKeys::derive(self, uid)?);
        users.insert(uid, Arc::clone(&keys));
        Ok(keys)
    }

    /// Bytes that tell this root key from any other, and tell nothing else about it.
    pub(super) fn check(&self) -> Result<[u8; KEY_LEN], VaultError> {
        self.derive(b"check", 0).map(|bytes| *bytes)
    }

    fn derive(&self, purpose: &[u8], uid: u32) -> Result<Key, VaultError> {
        let mut key = Key::default();
        hkdf::Salt::new(hkdf::HKDF_SHA256, SALT)
            .extract(self.root.as_ref())
            .expand(&[purpose, &uid.to_be_bytes()], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(key.as_mut()))
            .map_err(|_| VaultError::Crypto)?;
        Ok(key)
    }
}

/// What one user's values are named and sealed with.
pub(super) struct UserKeys {
    mac: hmac::Key,
    /// Odd.
    window: u64,
    /// Less than [`PRIME`].
    print: u64,
    note: hmac::Key,
    /// AES-256-GCM with the user's data key.
    pub(super) data: Aes256Gcm,
}

impl UserKeys {
    fn derive(keys: &Keys, uid: u32) -> Result<Self, VaultError> {
        let mac = keys.derive(b"mac", uid)?;
        let data = keys.derive(b"data", uid)?;
        let literals = keys.derive(b"literals", uid)?;
        let number = |at| u64::from_be_bytes(std::array::from_fn(|i| literals[at + i]));
        let note = keys.derive(b"note", uid)?;
        Ok(Self {
            window: number(0) | 1,
            print: number(8) % PRIME,
            mac: hmac::Key::new(hmac::HMAC_SHA256, mac.as_ref()),
            note: hmac::Key::new(hmac::HMAC_SHA256, note.as_ref()),
            data: Aes256Gcm::new_from_slice(data.as_ref()).map_err(|_| VaultError::Crypto)?,
        })
    }

    /// The first 100 bits of HMAC-SHA256 of a value, as placeholders carry them.
    pub(super) fn mac(&self, value: &[u8]) -> [u8; MAC_LEN] {
        let tag = hmac::sign(&self.mac, value);
        let mut mac = [0; MAC_LEN];
        for (to, from) in mac.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        mac[MAC_LEN - 1] &= 0xF0;
        mac
    }

    /// [`WINDOW_BITS`] bits of a hash of up to eight bytes: cheap enough for every byte of a text.
    #[inline]
    pub(super) fn window(&self, bytes: u64) -> u32 {
        (bytes.wrapping_mul(self.window) >> (u64::BITS - WINDOW_BITS)) as u32
    }

    /// A polynomial hash of a value, by the key, modulo [`PRIME`]: two values of one length agree
    /// for one key in 2⁵⁰ at most.
    pub(super) fn print(&self, value: &[u8]) -> u64 {
        let chunks = value.chunks(7).map(|chunk| {
            let number = chunk.iter().fold(0, |n, byte| n << 8 | u64::from(*byte));
            number | 1 << 56
        });
        chunks.fold(value.len() as u64, |sum, chunk| {
            let product = u128::from(sum) * u128::from(self.print) + u128::from(chunk);
            let folded = (product as u64 & PRIME) + (product >> 61) as u64;
            if folded >= PRIME {
                folded - PRIME
            } else {
                folded
            }
        })
    }

    /// The first bits of HMAC-SHA256 of a note of our own.
    pub(super) fn note(&self, text: &[u8]) -> [u8; NOTE_LEN] {
        let tag = hmac::sign(&self.note, text);
        let mut mark = [0; NOTE_LEN];
        for (to, from) in mark.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        mark
    }

    /// Whether a value has this MAC, told in a time that depends on neither.
    pub(super) fn verify(&self, value: &[u8], mac: &[u8; MAC_LEN]) -> bool {
        constant_time::verify_slices_are_equal(&self.mac(value), mac).is_ok()
    }
}

/// Reads a key file, and refuses one that others could have read.
fn read(path: &Path) -> Result<Key, VaultError> {
    let fail = |error| VaultError::io(path, error);
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
        .map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    let refuse = |reason: String| VaultError::Key {
        path: path.to_owned(),
        reason,
    };
    if metadata.mode() & OTHERS != 0 {
        let mode = metadata.mode() & 0o777;
        return Err(refuse(format!(
            "its permissions are {mode:o}, wider than 600"
        )));
    }
    if ![0, rustix::process::geteuid().as_raw()].contains(&metadata.uid()) {
        return Err(refuse(format!("it belongs to user {}", metadata.uid())));
    }
    if !metadata.is_file() || metadata.len() != KEY_LEN as u64 {
        let len = metadata.len();
        return Err(refuse(format!(
            "it is {len} bytes long instead of {KEY_LEN}"
        )));
    }
    let mut key = Key::default();
    file.read_exact(key.as_mut()).map_err(fail)?;
    Ok(key)
}

/// Writes a new key file so that after a crash it is there whole or not at all, and so that an
/// existing one is never replaced.
fn write(path: &Path, key: &Key) -> io::Result<()> {
    let draft = draft(path);
    let written = write_synced(&draft, key).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    written?;
    removed?;
    let dir = path.parent().unwrap_or(Path::new("."));
    File::open(dir)?.sync_all()
}

fn write_synced(path: &Path, key: &Key) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(key.as_ref())?;
    file.sync_all()
}

/// A name that no other process uses at the same time, and that a crashed one may have left.
fn draft(path: &Path) -> PathBuf {
    let mut random = [0; 8];
    // Only uniqueness hangs on it: if there is no randomness, the key itself could not be made.
    let unique = rand::fill(&mut random).map_or(0, |()| u64::from_ne_bytes(random));
    path.with_extension(format!("{unique:016x}.new"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn refusal(path: &Path) -> String {
        match Keys::load(path) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{} was accepted", path.display()),
        }
    }

    #[test]
    fn a_key_file_is_made_once_and_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vault.key");
        let made = Keys::create(&path).ok().unwrap();
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        assert_eq!(metadata.len(), 32);
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            1,
            "the draft is gone"
        );
        for again in [Keys::load(&path), Keys::create(&path)] {
            assert_eq!(*again.ok().unwrap().root, *made.root);
        }
        let other = Keys::create(&dir.path().join("other.key")).ok().unwrap();
        assert_ne!(*other.root, *made.root);
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vault.key");
        Keys::create(&path).ok().unwrap();
        for mode in [0o640, 0o604, 0o601, 0o620, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let why = refusal(&path);
            assert!(why.contains(&format!("permissions are {mode:o}")), "{why}");
            assert!(why.contains("vault.key"), "{why}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(Keys::load(&path).is_ok());
    }

    #[test]
    fn a_key_of_another_length_or_kind_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vault.key");
        for len in [0, 31, 33] {
            fs::write(&path, vec![7; len]).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            assert!(refusal(&path).contains(&format!("{len} bytes long")));
        }
        let link = dir.path().join("link.key");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        refusal(&link);
        refusal(&dir.path().join("absent.key"));
    }

    const DATA_1000: [u8; KEY_LEN] = [
        0x46, 0xda, 0xa6, 0x7a, 0xf8, 0xa4, 0x03, 0xd6, 0x27, 0x96, 0x52, 0x22, 0x8f, 0xcc, 0x4b,
        0x60, 0x0b, 0x85, 0xb7, 0x89, 0x30, 0xea, 0x63, 0xd4, 0x7e, 0xaa, 0xa8, 0xe6, 0x94, 0xe0,
        0x86, 0x3c,
    ];
    const MAC_1000: [u8; MAC_LEN] = [
        0xc3, 0xa6, 0xfe, 0xf3, 0x02, 0xc7, 0x45, 0x02, 0xbe, 0xec, 0xa2, 0xf9, 0x50,
    ];
    const CHECK: [u8; KEY_LEN] = [
        0x69, 0x0d, 0xf2, 0xfc, 0x6d, 0xba, 0x85, 0x14, 0xb1, 0x25, 0xdd, 0x76, 0x08, 0x11, 0xd9,
        0x84, 0x93, 0xe6, 0x7c, 0xb5, 0x3c, 0x1c, 0xa4, 0xf1, 0x19, 0x43, 0xd2, 0x75, 0x64, 0x37,
        0x68, 0x1c,
    ];

    #[test]
    fn the_derivation_is_frozen() {
        // Reckoned by another program (Python's hmac). Whoever changes this loses every vault.
        let keys = Keys::new(Key::new([0x42; KEY_LEN]));
        assert_eq!(*keys.derive(b"data", 1000).unwrap(), DATA_1000);
        assert_eq!(keys.of(1000).unwrap().mac(b"a value"), MAC_1000);
        assert_eq!(keys.check().unwrap(), CHECK);
    }

    #[test]
    fn every_user_and_purpose_has_a_key_of_its_own() {
        let keys = Keys::new(Key::new([0x42; KEY_LEN]));
        let all = [
            keys.derive(b"mac", 0).unwrap(),
            keys.derive(b"mac", 1).unwrap(),
            keys.derive(b"data", 0).unwrap(),
            keys.derive(b"data", 1).unwrap(),
            keys.derive(b"note", 0).unwrap(),
            keys.derive(b"check", 0).unwrap(),
        ];
        let distinct: std::collections::HashSet<_> = all.iter().map(|k| **k).collect();
        assert_eq!(distinct.len(), all.len());
    }
}
