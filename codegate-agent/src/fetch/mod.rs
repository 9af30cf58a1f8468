//! Files from the network: OSV's bucket, and generations of the index that a fleet's owner signed.
//!
//! Knows: HTTPS, and how the data of packages is laid out. Must not know: what is in a record, or how
//! an index is built. When it must choose, it favours no file over a doubtful one: every size, wait,
//! attempt and redirect has a limit, and what has come is checked again by whoever reads it.

pub mod bucket;
mod connection;
mod error;
mod get;
mod url;

pub use bucket::{Fetched, fetch};
pub use error::FetchError;
pub use get::{Client, Progress};
pub use url::{BadUrl, Url};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]
mod tests;
