//! How QUIC connections begin: from the packets that a client sends first to the ClientHello in them.
//!
//! Knows: Initial packets and how they are protected (RFC 9000, RFC 9001; RFC 9369 for version 2), and the
//! ClientHello by `hello`. Must not know: sockets, who is guarded, what follows a handshake.
//!
//! The bytes are a client's, and any process can be one: nothing here grows without a bound.

mod beginning;
mod crypto;
mod packet;

pub use beginning::{Beginning, Progress};
pub use packet::client_id;

#[cfg(test)]
mod tests;
