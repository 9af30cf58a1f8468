//! The application protocols that the guard speaks (RFC 7301).

/// HTTP/2.
pub const H2: &[u8] = b"h2";

/// HTTP/1.1.
pub const H1: &[u8] = b"http/1.1";

/// The protocol, if it is one that we speak.
#[must_use]
pub fn known(protocol: &[u8]) -> Option<&'static [u8]> {
    [H2, H1].into_iter().find(|known| *known == protocol)
}
