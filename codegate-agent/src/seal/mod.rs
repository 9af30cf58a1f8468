//! Sealing: from a finding to a placeholder, and back.
//!
//! Knows: values, keys, users. Must not know: HTTP, dialects, processes. The only module that sees
//! key material.

mod find;
mod keys;
mod literals;
mod token;
mod vault;

pub use find::{Match, find, pending};
pub use literals::Literals;
pub use token::Placeholder;
pub use vault::{NewSecret, Reveal, SecretInfo, Vault, VaultError};
