//! Sealing: from a finding to a placeholder, and back.
//!
//! Knows: values, keys, users. Must not know: HTTP, dialects, processes. The only module that sees
//! key material.

mod find;
mod token;

pub use find::{Match, find, pending};
pub use token::Placeholder;
