//! The first words of a connection: reads a TLS ClientHello without answering it, and can give
//! its bytes again to whoever goes on with the connection.
//!
//! Knows: the ClientHello (RFC 8446, section 4.1.2; parsed by rustls). Must not know: who is
//! guarded, and what is done with the connection. No byte read is ever lost: each outcome, errors
//! included, hands back what was read, so that the connection can still be spliced.

use std::{
    io, mem,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{BufMut, Bytes, BytesMut};
use rustls::server::{Accepted, Acceptor};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// The most that a ClientHello may take, records' headers included. Real ones are 1.5 KB.
pub const LIMIT: usize = 64 * 1024;

/// A usual read: one ClientHello with a post-quantum key share.
const CHUNK: usize = 4096;

/// The content type of a handshake record, and the major version of every TLS.
const HANDSHAKE: [u8; 2] = [22, 3];

/// What a client asked for before anything was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The host it named: lower-case, no trailing dot. With ECH this is the outer name.
    pub sni: Option<String>,
    /// The protocols it offered, in its order; empty if it sent no ALPN.
    pub alpn: Vec<Vec<u8>>,
    /// Everything read so far: the ClientHello, and whatever came in the same segment; of a message that came by itself,
    /// that.
    pub raw: Bytes,
}

/// What a connection turned out to begin with.
#[derive(Debug)]
pub enum Greeting {
    /// A whole ClientHello.
    Tls(Hello),
    /// Bytes that no TLS connection begins with.
    NotTls(Bytes),
}

/// Why there is no greeting; with what was read until then.
#[derive(Debug, thiserror::Error)]
pub enum HelloError {
    /// It began like TLS but is no ClientHello that TLS 1.2 or 1.3 could go on with.
    #[error("not a usable ClientHello: {1}")]
    Malformed(Bytes, rustls::Error),
    /// [`LIMIT`] was reached.
    #[error("a ClientHello of more than {LIMIT} bytes")]
    TooLarge(Bytes),
    /// Nothing, or not all, came in time: perhaps the server is to speak first.
    #[error("no whole ClientHello in time ({} bytes came)", .0.len())]
    Timeout(Bytes),
    /// The client closed its side.
    #[error("closed after {} bytes", .0.len())]
    Closed(Bytes),
    /// The connection broke.
    #[error("reading a ClientHello: {1}")]
    Io(Bytes, io::Error),
}

/// Reads until the ClientHello is whole, over any number of segments and records.
///
/// # Errors
/// See [`HelloError`]. Nothing is written to the stream in any case.
pub async fn read<S>(stream: &mut S, limit: Duration) -> Result<Greeting, HelloError>
where
    S: AsyncRead + Unpin,
{
    let mut raw = BytesMut::with_capacity(CHUNK);
    match tokio::time::timeout(limit, read_into(stream, &mut raw)).await {
        Ok(Ok(Some(accepted))) => Ok(Greeting::Tls(Hello::new(&accepted, raw.freeze()))),
        Ok(Ok(None)) => Ok(Greeting::NotTls(raw.freeze())),
        Ok(Err(failure)) => Err(failure.with(raw.freeze())),
        Err(_elapsed) => Err(HelloError::Timeout(raw.freeze())),
    }
}

/// Reads a ClientHello that came by another way than records, as in QUIC: the whole message with its head (RFC 8446,
/// section 4). `None` if it is none.
pub fn of_message(message: &[u8]) -> Option<Hello> {
    /// A record's body has no more (RFC 8446, section 5.1).
    const BODY: usize = 1 << 14;
    let mut acceptor = Acceptor::default();
    for body in message.chunks(BODY) {
        let [high, low] = u16::try_from(body.len()).ok()?.to_be_bytes();
        let record = [&[HANDSHAKE[0], HANDSHAKE[1], 1, high, low], body].concat();
        if let Some(accepted) = feed(&mut acceptor, &record).ok()? {
            return Some(Hello::new(&accepted, Bytes::copy_from_slice(message)));
        }
    }
    None
}

impl Hello {
    fn new(accepted: &Accepted, raw: Bytes) -> Self {
        let hello = accepted.client_hello();
        let sni = hello.server_name().map(|name| {
            let name = name.strip_suffix('.').unwrap_or(name);
            name.to_ascii_lowercase()
        });
        let alpn = hello
            .alpn()
            .into_iter()
            .flatten()
            .map(<[u8]>::to_vec)
            .collect();
        Self { sni, alpn, raw }
    }
}

/// A failure, before the bytes read are added.
enum Failure {
    Malformed(rustls::Error),
    TooLarge,
    Closed,
    Io(io::Error),
}

impl Failure {
    fn with(self, raw: Bytes) -> HelloError {
        match self {
            Self::Malformed(error) => HelloError::Malformed(raw, error),
            Self::TooLarge => HelloError::TooLarge(raw),
            Self::Closed => HelloError::Closed(raw),
            Self::Io(error) => HelloError::Io(raw, error),
        }
    }
}

/// `None`: this is not TLS.
async fn read_into<S>(stream: &mut S, raw: &mut BytesMut) -> Result<Option<Accepted>, Failure>
where
    S: AsyncRead + Unpin,
{
    let mut acceptor = Acceptor::default();
    while raw.len() < LIMIT {
        let old = raw.len();
        raw.reserve(CHUNK);
        let mut room = (&mut *raw).limit(LIMIT - old);
        if stream.read_buf(&mut room).await.map_err(Failure::Io)? == 0 {
            return Err(Failure::Closed);
        }
        if !HANDSHAKE
            .iter()
            .zip(raw.iter())
            .all(|(want, have)| want == have)
        {
            return Ok(None);
        }
        if let Some(accepted) = feed(&mut acceptor, raw.get(old..).unwrap_or_default())? {
            return Ok(Some(accepted));
        }
    }
    Err(Failure::TooLarge)
}

/// Gives the parser bytes, a part at a time as it takes them.
fn feed(acceptor: &mut Acceptor, mut bytes: &[u8]) -> Result<Option<Accepted>, Failure> {
    while !bytes.is_empty() {
        // The parser takes no more when its own buffer of 64 KiB is full.
        if acceptor.read_tls(&mut bytes).map_or(0, |n| n) == 0 {
            return Err(Failure::TooLarge);
        }
        // The alert that the parser would answer with is dropped: who answers is decided later.
        match acceptor.accept() {
            Ok(None) => {}
            Ok(accepted) => return Ok(accepted),
            Err((error, _alert)) => return Err(Failure::Malformed(error)),
        }
    }
    Ok(None)
}

/// A stream whose first bytes were read already: it gives them again, then goes on.
#[derive(Debug)]
pub struct Replay<S> {
    first: Bytes,
    inner: S,
}

impl<S> Replay<S> {
    /// `first` is what was read from `inner`.
    pub fn new(first: Bytes, inner: S) -> Self {
        Self { first, inner }
    }

    /// The stream, and those first bytes that nobody read again.
    pub fn into_parts(self) -> (Bytes, S) {
        (self.first, self.inner)
    }

    /// Gives these bytes to be read before all others.
    pub fn unread(&mut self, bytes: Bytes) {
        self.first = if self.first.is_empty() {
            bytes
        } else {
            [bytes, mem::take(&mut self.first)].concat().into()
        };
    }

    /// How much of what was read is still to be read again.
    pub fn left(&self) -> usize {
        self.first.len()
    }

    /// The stream below.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Replay<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.first.is_empty() {
            return Pin::new(&mut self.inner).poll_read(cx, buf);
        }
        let n = self.first.len().min(buf.remaining());
        buf.put_slice(&self.first.split_to(n));
        if self.first.is_empty() {
            self.first = Bytes::new(); // lets go of the buffer, which a connection may outlive long
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Replay<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
#[path = "hello_test.rs"]
mod tests;
