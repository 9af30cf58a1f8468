//! Bodies: collected within a limit, or streaming through.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::body::Incoming;

use super::coding::CodingError;

/// How a body broke off; hyper tears the connection or stream down with it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The other side went away or broke the framing.
    #[error(transparent)]
    Transport(#[from] hyper::Error),
    /// What it sent cannot be decoded.
    #[error(transparent)]
    Coding(#[from] CodingError),
}

/// Any body that goes out.
pub(super) type Body = UnsyncBoxBody<Bytes, Broken>;

/// The most that is reserved on the word of a content-length; a larger body grows as it arrives.
const RESERVE: usize = 1 << 20;

/// A body that was collected.
pub(super) enum Collected {
    /// All of it.
    Whole(Whole),
    /// The limit was passed: what has been read, and the rest.
    TooLarge(Resumed),
}

/// A whole body and its trailers.
pub(super) struct Whole {
    pub(super) bytes: Bytes,
    pub(super) trailers: Option<HeaderMap>,
}

/// Reads a whole body of at most `limit` bytes.
///
/// # Errors
/// The transport's, where the peer went away or broke the framing.
pub(super) async fn collect(mut body: Incoming, limit: usize) -> Result<Collected, hyper::Error> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Ok(Collected::TooLarge(Resumed {
            start: VecDeque::new(),
            rest: body,
        }));
    }
    let (mut first, mut buffer, mut trailers) = (None::<Bytes>, BytesMut::new(), None);
    while let Some(frame) = body.frame().await.transpose()? {
        match frame.into_data() {
            Ok(data) if first.is_none() && buffer.is_empty() && data.len() <= limit => {
                first = Some(data);
            }
            Ok(data) => {
                if let Some(data) = first.take() {
                    buffer.reserve(announced.clamp(data.len(), RESERVE));
                    buffer.extend_from_slice(&data);
                }
                buffer.extend_from_slice(&data);
            }
            Err(other) => trailers = other.into_trailers().ok(),
        }
        if buffer.len() > limit {
            let start = VecDeque::from([buffer.freeze()]);
            return Ok(Collected::TooLarge(Resumed { start, rest: body }));
        }
    }
    // A body that came in one piece is never copied.
    let bytes = first.unwrap_or_else(|| buffer.freeze());
    Ok(Collected::Whole(Whole { bytes, trailers }))
}

/// Reads and drops at most `limit` bytes, so that a refused client has said all before it is
/// answered: many clients do not read an answer while they still write.
pub(super) async fn drain(mut body: impl HttpBody<Data = Bytes> + Unpin, limit: usize) {
    let mut left = limit;
    while let Some(Ok(frame)) = body.frame().await {
        left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
        if left == 0 {
            return;
        }
    }
}

impl Whole {
    /// The body as it goes out.
    pub(super) fn into_body(self) -> Body {
        let full = Full::new(self.bytes).map_err(|never| match never {});
        match self.trailers {
            None => full.boxed_unsync(),
            Some(trailers) => full
                .with_trailers(std::future::ready(Some(Ok(trailers))))
                .boxed_unsync(),
        }
    }
}

/// A body of which some has been read already.
pub(super) struct Resumed {
    start: VecDeque<Bytes>,
    rest: Incoming,
}

impl HttpBody for Resumed {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.start.pop_front() {
            Some(data) => Poll::Ready(Some(Ok(Frame::data(data)))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.start.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.start.iter().map(|b| b.len() as u64).sum::<u64>();
        let rest = self.rest.size_hint();
        match rest.exact() {
            Some(exact) => SizeHint::with_exact(exact.saturating_add(read)),
            None => SizeHint::new(),
        }
    }
}
