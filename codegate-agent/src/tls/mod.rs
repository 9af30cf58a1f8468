//! The client's side of TLS.

pub mod alpn;
