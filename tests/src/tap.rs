//! The wire under HTTP: a stream that keeps what arrived, and can be told to say something out of
//! turn (an early hint), or to end with a reset.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, ready},
    time::Duration,
};

use socket2::{SockRef, Socket};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

/// What a service knows of a connection's wire, and can do to it. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    shared: Arc<Mutex<Shared>>,
    /// A second handle on the socket; gone with the connection, which it would keep open.
    socket: Arc<Mutex<Option<Socket>>>,
    keep: bool,
}

#[derive(Debug, Default)]
struct Shared {
    arrived: Vec<u8>,
    out_of_turn: Vec<u8>,
    /// How far `head` has read.
    read: usize,
}

impl Wire {
    /// With `keep`, what arrives can be read again.
    pub(crate) fn new(stream: &TcpStream, keep: bool) -> io::Result<Self> {
        let socket = SockRef::from(stream).try_clone()?;
        Ok(Self {
            shared: Arc::default(),
            socket: Arc::new(Mutex::new(Some(socket))),
            keep,
        })
    }

    /// Every byte that arrived, without TLS.
    pub(crate) fn arrived(&self) -> Vec<u8> {
        self.shared.lock().unwrap().arrived.clone()
    }

    /// Sends these bytes before whatever is written next.
    pub(crate) fn say_out_of_turn(&self, bytes: &[u8]) {
        self.shared
            .lock()
            .unwrap()
            .out_of_turn
            .extend_from_slice(bytes);
    }

    /// Makes the connection end with a reset instead of a goodbye.
    pub(crate) fn end_with_reset(&self) -> io::Result<()> {
        let socket = self.socket.lock().unwrap();
        socket
            .as_ref()
            .map_or(Ok(()), |socket| socket.set_linger(Some(Duration::ZERO)))
    }

    /// The connection has ended: what arrived stays to be read.
    pub(crate) fn close(&self) {
        self.socket.lock().unwrap().take();
    }

    /// The next HTTP/1 request head that starts with `line`, as it was written: its header lines in
    /// their order and case. Empty for HTTP/2.
    pub(crate) fn head(&self, line: &str) -> Vec<u8> {
        let mut shared = self.shared.lock().unwrap();
        let rest = &shared.arrived[shared.read..];
        let Some(start) = find(rest, line.as_bytes()) else {
            return Vec::new();
        };
        let Some(length) = find(&rest[start..], b"\r\n\r\n") else {
            return Vec::new();
        };
        let head = rest[start..start + length + 2].to_vec();
        shared.read += start + length + 4;
        head
    }
}

/// Where `needle` first stands in `haystack`.
pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

/// A TLS stream with a listener on it.
#[derive(Debug)]
pub(crate) struct Tap {
    stream: TlsStream<TcpStream>,
    wire: Wire,
}

impl Tap {
    pub(crate) fn new(stream: TlsStream<TcpStream>, wire: Wire) -> Self {
        Self { stream, wire }
    }

    /// Sends what was said out of turn; what could not be sent yet is kept for the next time.
    fn poll_out_of_turn(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let waiting = std::mem::take(&mut self.wire.shared.lock().unwrap().out_of_turn);
            if waiting.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let written = Pin::new(&mut self.stream).poll_write(cx, &waiting);
            let done = if let Poll::Ready(Ok(n)) = written {
                n
            } else {
                0
            };
            self.wire.say_out_of_turn(&waiting[done..]);
            ready!(written)?;
        }
    }
}

impl AsyncRead for Tap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if self.wire.keep {
            let arrived = &buffer.filled()[before..];
            let mut shared = self.wire.shared.lock().unwrap();
            shared.arrived.extend_from_slice(arrived);
        }
        read
    }
}

impl AsyncWrite for Tap {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_out_of_turn(cx))?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_out_of_turn(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_out_of_turn(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
