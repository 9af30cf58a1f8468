//! Informational answers (RFC 9110 section 15.2) on their way to an HTTP/1.1 client.
//!
//! hyper's server has no way to send them, so they are written between its own writes: only where
//! it has flushed all it had, which is the border of a message. Where it has not, a hint is
//! dropped; a hint may always be.

use std::{
    io::{self, Write as _},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use bytes::{Buf, Bytes};
use http::{HeaderMap, Request, StatusCode, Version};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most bytes of hints that wait for the client's connection.
const LIMIT: usize = 16 * 1024;

/// What is waiting to be written; shared by a connection and its requests.
#[derive(Clone, Default)]
pub(super) struct Hints(Arc<Mutex<Slot>>);

#[derive(Default)]
struct Slot {
    waiting: Vec<u8>,
    connection: Option<Waker>,
}

impl Hints {
    /// Passes on what the upstream says before its answer to this request.
    pub(super) fn follow<B>(&self, request: &mut Request<B>) {
        if request.version() < Version::HTTP_11 {
            return; // an older client takes the first head for the answer
        }
        let hints = self.clone();
        hyper::ext::on_informational(request, move |hint| {
            hints.push(hint.status(), hint.headers());
        });
    }

    /// `100` is hyper's own to send, and `101` ends HTTP.
    fn push(&self, status: StatusCode, headers: &HeaderMap) {
        let mut slot = self.lock();
        if status.as_u16() < 102 || slot.waiting.len() > LIMIT {
            return;
        }
        write_head(&mut slot.waiting, status, headers);
        if let Some(connection) = slot.connection.take() {
            connection.wake();
        }
    }

    fn take(&self, cx: &Context<'_>) -> Vec<u8> {
        let mut slot = self.lock();
        slot.connection = Some(cx.waker().clone());
        std::mem::take(&mut slot.waiting)
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write_head(out: &mut Vec<u8>, status: StatusCode, headers: &HeaderMap) {
    let reason = status.canonical_reason().unwrap_or_default();
    // Writing into memory does not fail.
    let _done = write!(out, "HTTP/1.1 {} {reason}\r\n", status.as_str()).is_ok();
    for (name, value) in headers {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// A client's connection with hints between what hyper writes.
pub(super) struct Hinted<S> {
    inner: S,
    hints: Hints,
    /// A hint under way: nothing else may be written before its end.
    sending: Bytes,
    /// Whether hyper has nothing half written.
    flushed: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Hinted<S> {
    pub(super) fn new(inner: S, hints: Hints) -> Self {
        Self {
            inner,
            hints,
            sending: Bytes::new(),
            flushed: true,
        }
    }

    /// Writes hints that wait, if this is a place for them: upstream gives them before it answers,
    /// so whatever hyper writes next comes after them.
    fn interject(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let waiting = self.hints.take(cx);
        if self.flushed && !waiting.is_empty() && self.sending.is_empty() {
            self.sending = waiting.into();
        }
        self.finish_hint(cx)
    }

    fn finish_hint(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.sending.is_empty() {
            return Poll::Ready(Ok(()));
        }
        while !self.sending.is_empty() {
            let written = ready!(Pin::new(&mut self.inner).poll_write(cx, &self.sending))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sending.advance(written);
        }
        Pin::new(&mut self.inner).poll_flush(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Hinted<S> {
    /// hyper reads while it waits for an answer, to see the client go: so hints are timely.
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(Err(error)) = self.interject(cx) {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Hinted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.interject(cx))?;
        self.flushed = false;
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.interject(cx))?;
        self.flushed = false;
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.finish_hint(cx))?;
        ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
        self.flushed = true;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.finish_hint(cx))?;
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
