//! HTTP between one client connection and one upstream connection: what a request says is read,
//! sealed and sent on; what the answer says is restored.
//!
//! When it must choose, a request that cannot be read is refused rather than forwarded, and an
//! answer that cannot be read is passed on as it came.
//!
//! Knows: requests, answers, encodings, and the dialects as the trait only. Must not know: any
//! provider by name, addresses, how connections are made.

mod answer;
mod body;
pub mod coding;
mod guard;
mod hints;
mod journal;
mod lookout;
mod notice;
mod refusal;
mod refused;
mod relay;
mod request;
mod restorer;
mod seen;
mod told;

pub use guard::{Connection, Guard};
pub use lookout::PackageGuard;
pub use relay::{ALPN_H2, RelayError, serve};
