//! Ends a client's handshake in TLS's own words, before we answered its ClientHello.

use std::{io, time::Duration};

use rustls::AlertDescription;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// How long a client gets to read the alert and hang up.
const LINGER: Duration = Duration::from_millis(500);

/// The most that is read from a client which goes on sending.
const DRAIN: u64 = 64 * 1024;

/// Sends a fatal alert in the clear, which is how they are sent before a ServerHello, and closes.
///
/// What the client still sends is read for a moment: a socket closed with unread bytes answers
/// with a reset, and a reset can overtake the alert.
///
/// # Errors
/// If the alert could not be written.
pub async fn refuse<S>(mut stream: S, alert: AlertDescription) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(&record(alert)).await?;
    stream.shutdown().await?;
    let mut rest = stream.take(DRAIN);
    let mut sink = tokio::io::sink();
    let drain = tokio::io::copy(&mut rest, &mut sink);
    match tokio::time::timeout(LINGER, drain).await {
        Ok(Ok(_)) | Ok(Err(_)) | Err(_) => Ok(()), // the alert is out, whatever came back
    }
}

/// An alert record (RFC 8446, sections 5.1 and 6): type 21, version 3.3, two bytes, level 2.
fn record(alert: AlertDescription) -> [u8; 7] {
    [21, 3, 3, 0, 2, 2, u8::from(alert)]
}
