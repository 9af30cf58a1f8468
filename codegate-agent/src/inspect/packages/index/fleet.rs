//! Generations that a fleet's owner builds once, signs, and hands to all machines.
//!
//! `generation.json` holds what is signed as a text of JSON, who signed it, and the signature
//! (Ed25519, RFC 8032) over a prefix of our own and the text. What is signed has a version that only
//! grows, an end of its validity, and the SHA-256 of the index beside it: nothing older comes back,
//! nothing stays for ever, nothing is exchanged.

mod key;

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use key::{BadKey, PublicKey, SigningKey};

use super::{
    IndexError,
    manifest::{self, Manifest},
    update,
};
use crate::durable;

/// The envelope's name.
pub const NAME: &str = "generation.json";
/// Envelopes are small, in bytes.
pub const LARGEST_ENVELOPE: u64 = 1 << 20;
/// No index is larger, in bytes.
pub const LARGEST_INDEX: u64 = 4 << 30;
/// What is signed is signed for this, and nothing else.
const PREFIX: &[u8] = b"codegate index of packages, version 1\n";

/// What a fleet's owner signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// Larger than that of every generation before it.
    pub version: u64,
    /// When it must not be taken any more.
    pub expires: Timestamp,
    /// The index: its file beside the envelope, with length and SHA-256.
    pub index: Manifest,
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    signed: String,
    key: PublicKey,
    signature: String,
}

/// Signs the index in service, and writes it and its envelope into a folder.
///
/// # Errors
/// If there is no index, the folder has the same version or a newer one, or cannot be written.
pub fn publish(
    dir: &Path,
    key: &SigningKey,
    to: &Path,
    version: Option<u64>,
    valid: SignedDuration,
) -> Result<Published, IndexError> {
    let Some(index) = Manifest::read(dir)? else {
        return Err(IndexError::data(
            dir,
            "there is no index that could be published",
        ));
    };
    let expires = Timestamp::now().checked_add(valid);
    let published = Published {
        version: version.unwrap_or(index.generation),
        expires: expires.map_err(|error| IndexError::data(dir, error))?,
        index,
    };
    fs::create_dir_all(to).map_err(IndexError::at(to))?;
    let path = to.join(NAME);
    if let Ok(text) = fs::read(&path) {
        let before = open(&text, &[key.public()], None)?;
        if before.version >= published.version {
            let why = format!("version {} is there already", before.version);
            return Err(IndexError::data(&path, why));
        }
    }
    let name = &published.index.file;
    copy(&dir.join(name), &to.join(name), &published.index)?;
    let envelope = envelope(&published, key)?;
    durable::replace(&path, &envelope, manifest::MODE).map_err(IndexError::at(&path))?;
    Ok(published)
}

fn envelope(published: &Published, key: &SigningKey) -> Result<Vec<u8>, IndexError> {
    let signed = serde_json::to_string(published)?;
    let signature = key.sign(&message(&signed));
    let envelope = Envelope {
        signature: BASE64_STANDARD.encode(signature),
        key: key.public(),
        signed,
    };
    Ok(serde_json::to_vec_pretty(&envelope)?)
}

fn message(signed: &str) -> Vec<u8> {
    [PREFIX, signed.as_bytes()].concat()
}

/// What an envelope says, if one of the keys signed it and it is still valid.
///
/// # Errors
/// If it is no envelope, nobody who is trusted signed it, or its time is over.
pub fn verify(text: &[u8], trusted: &[PublicKey]) -> Result<Published, IndexError> {
    open(text, trusted, Some(Timestamp::now()))
}

fn open(
    text: &[u8],
    trusted: &[PublicKey],
    now: Option<Timestamp>,
) -> Result<Published, IndexError> {
    let refused = |why: String| IndexError::Refused { why };
    let envelope: Envelope = serde_json::from_slice(text)
        .map_err(|error| refused(format!("it is no signed generation: {error}")))?;
    if !trusted.contains(&envelope.key) {
        return Err(refused(format!("{} is no trusted key", envelope.key)));
    }
    let signature = BASE64_STANDARD.decode(&envelope.signature);
    let signature = signature.map_err(|_| refused("its signature is no base64".into()))?;
    UnparsedPublicKey::new(&ED25519, envelope.key.bytes())
        .verify(&message(&envelope.signed), &signature)
        .map_err(|_| refused("its signature is wrong".into()))?;
    let published: Published = serde_json::from_str(&envelope.signed)
        .map_err(|error| refused(format!("what is signed is no generation: {error}")))?;
    if !published.index.names_file_beside() {
        return Err(refused("it names a file elsewhere".into()));
    }
    match now {
        Some(now) if published.expires <= now => {
            Err(refused(format!("it expired at {}", published.expires)))
        }
        _ => Ok(published),
    }
}

/// Puts a published index in service; what is in service already stays.
///
/// # Errors
/// If a newer one was in service, or the file is not the one that was signed: the old index stays.
pub fn install(dir: &Path, published: &Published, file: &Path) -> Result<Manifest, IndexError> {
    update::make_dir(dir)?;
    let _lock = update::lock(dir)?;
    let before = Manifest::read(dir).ok().flatten();
    if let Some(before) = before.filter(|before| before.published.is_some()) {
        let version = before.published.unwrap_or_default();
        if published.version < version {
            let why = format!(
                "version {} is older than {version}, which was taken before",
                published.version
            );
            return Err(IndexError::Refused { why });
        }
        if published.version == version && before.sha256 == published.index.sha256 {
            return Ok(before);
        }
        if published.version == version {
            let why = format!("another index has had its version, {version}");
            return Err(IndexError::Refused { why });
        }
    }
    let generation = update::next_generation(dir);
    let name = update::file_name(generation);
    copy(file, &dir.join(&name), &published.index)?;
    let manifest = Manifest {
        generation,
        file: name,
        published: Some(published.version),
        ..published.index.clone()
    };
    update::serve(dir, &manifest)?;
    Ok(manifest)
}

/// Copies an index that must have this length and SHA-256.
fn copy(from: &Path, to: &Path, wanted: &Manifest) -> Result<(), IndexError> {
    let source = File::open(from).map_err(IndexError::at(from))?;
    let mut target = manifest::create(to).map_err(IndexError::at(to))?;
    // One byte more than there should be is enough to tell.
    let copied = io::copy(&mut source.take(wanted.bytes + 1), &mut target);
    copied.map_err(IndexError::at(to))?;
    target.sync_all().map_err(IndexError::at(to))?;
    let file = File::open(to).map_err(IndexError::at(to))?;
    let (bytes, sha256) = manifest::digest(&file).map_err(IndexError::at(to))?;
    if (bytes, &sha256) != (wanted.bytes, &wanted.sha256) {
        fs::remove_file(to).map_err(IndexError::at(to))?;
        return Err(IndexError::data(
            from,
            "it is not the index that was signed",
        ));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]
mod tests;
