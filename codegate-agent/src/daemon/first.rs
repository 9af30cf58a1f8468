//! Who has the first word.
//!
//! Knows: two streams of which nothing was read. Must not know: what is said.

use std::io;

use tokio::net::TcpStream;

/// Waits for a first word, and whether it is the service's, as that of SSH; to close the connection counts as one.
///
/// # Errors
/// Where a connection ends in another way.
pub(super) async fn service_is_first(client: &TcpStream, service: &TcpStream) -> io::Result<bool> {
    let (mut one, mut other) = ([0], [0]);
    tokio::select! {
        biased;
        heard = client.peek(&mut one) => heard.map(|_| false),
        heard = service.peek(&mut other) => heard.map(|_| true),
    }
}
