//! What every exchange needs: the rules, the vault, the record, and whose connection it is.

use std::sync::Arc;

use super::PackageGuard;
use crate::{
    config::Unscannable, drain::Running, flow::Flow, inspect::Inspector, seal::Vault,
    session::Recorder, swap::Swap,
};

/// Shared by all connections.
pub struct Guard {
    /// Finds secrets and personal data.
    pub inspector: Swap<Inspector>,
    /// Keeps them.
    pub vault: Arc<Vault>,
    /// Knows packages, and what is done about them.
    pub packages: PackageGuard,
    /// Keeps what happened.
    pub recorder: Recorder,
    /// The largest body that is read whole, in bytes, as sent and as decoded.
    pub body_limit: usize,
    /// What happens to a prompt that cannot be read.
    pub unscannable: Unscannable,
}

/// One intercepted connection.
pub struct Connection {
    /// Shared by all.
    pub guard: Arc<Guard>,
    /// Who called.
    pub flow: Flow,
    /// The host that the client named and the upstream proved to be.
    pub host: String,
    /// Whether there is no TLS, so that the address alone says which host it is: clients write it, or any
    /// other name that they know it by, into their requests.
    pub in_clear: bool,
    /// The configured provider of that host.
    pub provider: String,
    /// Tells when the agent stops, which waits until the last exchange has been recorded.
    pub running: Running,
}
