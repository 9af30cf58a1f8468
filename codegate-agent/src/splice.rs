//! Connections that are not ours: bytes go through untouched, both ways.
//!
//! When it must choose, it favours being unseen: half-closes stay half-closes, resets stay resets.
//!
//! Bulk goes through splice(2), not through a sockmap. That was measured: a sockmap answers small messages
//! sooner, but moves bulk no cheaper, takes bytes without bound for a peer that does not read, and loses them
//! where a half-close overtakes them. The figures are in `docs/architecture.md`.
//!
//! Knows: two byte streams. Must not know: what is in them.

mod way;

use std::{io, time::Duration};

use tokio::net::TcpStream;

use crate::hello::Replay;

/// Relays until both sides have ended; gives the bytes that went up and down.
///
/// # Errors
/// Whatever broke the relay; the other side has then been reset, as it would have been without us.
pub async fn relay(client: Replay<TcpStream>, upstream: TcpStream) -> io::Result<(u64, u64)> {
    let (first, client) = client.into_parts();
    let relayed = async {
        way::write(&upstream, &first).await?;
        let read = first.len() as u64;
        drop(first);
        let up = way::one_way(&client, &upstream);
        let down = way::one_way(&upstream, &client);
        let (up, down) = tokio::try_join!(up, down)?;
        Ok((read + up, down))
    };
    let relayed = relayed.await;
    if relayed.is_err() {
        reset(&client);
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests;
