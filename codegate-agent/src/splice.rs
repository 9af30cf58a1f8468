//! Connections that are not ours: bytes go through untouched, both ways.
//!
//! When it must choose, it favours being unseen: half-closes stay half-closes, resets stay resets.
//!
//! Knows: two byte streams. Must not know: what is in them.

use std::{io, time::Duration};

use tokio::{io::copy_bidirectional_with_sizes, net::TcpStream};

use crate::hello::Replay;

/// The relay's buffer, in bytes, each way.
const BUFFER: usize = 64 * 1024;

/// Relays until both sides have ended; gives the bytes that went up and down.
///
/// # Errors
/// Whatever broke the relay; the other side has then been reset, as it would have been without us.
pub async fn relay(
    mut client: Replay<TcpStream>,
    mut upstream: TcpStream,
) -> io::Result<(u64, u64)> {
    let relayed = copy_bidirectional_with_sizes(&mut client, &mut upstream, BUFFER, BUFFER).await;
    if relayed.is_err() {
        reset(client.get_ref());
        reset(&upstream);
    }
    relayed
}

/// Makes the socket's close a reset, so that its peer sees a failure and no clean end.
pub fn reset(socket: &TcpStream) {
    let zero = Some(Duration::ZERO);
    if let Err(error) = socket2::SockRef::from(socket).set_linger(zero) {
        tracing::debug!(%error, "a connection could not be reset");
    }
}
