//! A name for a value that is not the value.
//!
//! PBKDF2-HMAC-SHA-256 (RFC 8018) over the value, salted with a fixed text and the rule, cut to 128
//! bits. There is no key, so that a baseline made on one machine holds on another; a token cannot be
//! found from it, and guessing at a weak value (a password of a list, a phone number) costs thousands
//! of times what a plain hash would. Where even that is too little, a report is as confidential as a
//! file of hashed passwords.

use std::{collections::HashMap, num::NonZero, sync::Arc};

use aws_lc_rs::{digest, pbkdf2};

/// Changing any of these changes every fingerprint that users have kept.
const CONTEXT: &[u8] = b"codegate scan fingerprint 1\0";
const ROUNDS: NonZero<u32> = NonZero::<u32>::MIN.saturating_add(2047);
const LEN: usize = 16;

/// Values whose fingerprints are remembered, at most.
const REMEMBERED: usize = 4096;

/// Makes fingerprints; a value that stands in many places costs once.
#[derive(Debug, Default)]
pub(super) struct Fingerprints {
    /// By rule and the SHA-256 of the value, so that no value is kept.
    known: HashMap<(Arc<str>, [u8; 32]), String>,
}

impl Fingerprints {
    pub(super) fn of(&mut self, rule: &Arc<str>, value: &[u8]) -> String {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, value).as_ref());
        let key = (rule.clone(), hash);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let made = derive(rule, value);
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(key, made.clone());
        made
    }
}

fn derive(rule: &str, value: &[u8]) -> String {
    let salt = [CONTEXT, rule.as_bytes()].concat();
    let mut out = [0; LEN];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, &salt, value, &mut out);
    format!("{:032x}", u128::from_be_bytes(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_changes_and_tells_rules_and_values_apart() {
        let mut fingerprints = Fingerprints::default();
        let mut of = |rule: &str, value: &str| fingerprints.of(&rule.into(), value.as_bytes());
        // From Python: hashlib.pbkdf2_hmac("sha256", value, context + rule, 2048, 16).hex()
        assert_eq!(
            of("aws-secret", "hunter2"),
            "9742e34fff1c94bc82d2bf83f64b7c03"
        );
        assert_eq!(of("aws-secret", "hunter2"), of("aws-secret", "hunter2"));
        assert_ne!(of("aws-secret", "hunter2"), of("aws-secret", "hunter3"));
        assert_ne!(of("aws-secret", "hunter2"), of("github", "hunter2"));
    }
}
