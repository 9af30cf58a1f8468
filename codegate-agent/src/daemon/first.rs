//! Who has the first word.
//!
//! Knows: two streams of which nothing was read. Must not know: what is said.

use std::io;

use tokio::net::TcpStream;

/// Who speaks first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum First {
    /// The client does, or goes.
    Client,
    /// The service does, as that of SSH.
    Service,
    /// The service has ended the connection before.
    Nobody,
}

/// Waits for a first word, and says whose it is. It is left to be read.
///
/// # Errors
/// Where a connection is reset.
pub(super) async fn first_word(client: &TcpStream, service: &TcpStream) -> io::Result<First> {
    let (mut one, mut other) = ([0], [0]);
    tokio::select! {
        biased;
        heard = client.peek(&mut one) => heard.map(|_| First::Client),
        heard = service.peek(&mut other) => heard.map(|heard| match heard {
            0 => First::Nobody,
            _ => First::Service,
        }),
    }
}
