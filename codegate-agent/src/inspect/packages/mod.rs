//! Packages: what a text names, and what is known about it.
//!
//! Knows: names, versions, and the index of records on disk. Must not know: HTTP, dialects, sockets,
//! or what becomes of a verdict.
//!
//! A name is looked up exactly, after the normalisation of its own ecosystem; anything that is only
//! *like* a name is a suspicion and never more.

mod affected;
mod catalogue;
mod ecosystem;
pub mod extract;
mod hashes;
pub mod index;
mod likeness;
mod live;
mod name;
mod purl;
mod record;
mod seed;
mod verdict;
mod version;

pub use affected::{Affected, Event, Hit, Range, Scheme};
pub use catalogue::{Catalogue, Lists};
pub use ecosystem::Ecosystem;
pub use likeness::{Like, Likeness};
pub use live::{Live, index_problems};
pub use name::Package;
pub use purl::{BadPurl, Purl};
pub use record::{Feed, Record, Status};
pub use verdict::{Judgement, Severity, Verdict};
pub use version::compare;
