//! The way to the real service: a connection to the address the client meant, and TLS on it that
//! is verified as the client would have verified it.
//!
//! Knows: sockets, the host's trust. Must not know: HTTP, what is in the traffic. When it must
//! choose, it favours failing over trusting: a client is never shown a leaf of ours for an
//! upstream that did not prove who it is.

pub mod dial;
mod own;
pub mod roots;
pub mod through;
pub mod tls;

#[cfg(test)]
pub(crate) mod lab;

pub use self::{
    dial::{connect, dial, socket},
    roots::RootsError,
    through::{BadThrough, Through, ThroughError},
    tls::{Connector, Secured, UpstreamTls},
};
