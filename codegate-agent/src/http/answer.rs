//! The way back: placeholders in the answer become the user's own values again.
//!
//! What cannot be restored is passed on as it came: a placeholder in an answer is harmless.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, HeaderValue, Method, Response, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;

use super::{
    Connection,
    body::{Body, Broken, Collected, Whole, collect},
    coding::{self, Coding, CodingError, Decoder},
    journal::Journal,
    restorer,
};
use crate::provider::{self, AnswerStream, Malformed, Route, Watch};

/// The most that one piece of a compressed stream may decode to, in bytes.
const BURST: usize = 16 << 20;

/// Makes the client's answer out of the upstream's.
///
/// # Errors
/// The transport's, where the upstream broke off in the middle of a body that is read whole.
pub(super) async fn pass(
    connection: &Connection,
    route: Route,
    method: &Method,
    response: Response<Incoming>,
    mut journal: Journal,
) -> Result<Response<Body>, Broken> {
    let (mut parts, body) = response.into_parts();
    journal.answered(parts.status);
    // Their content-length tells of a body that does not follow (RFC 9110 section 8.6).
    if method == Method::HEAD || parts.status == StatusCode::NOT_MODIFIED {
        journal.done();
        let nothing = Empty::new().map_err(|never| match never {}).boxed_unsync();
        return Ok(Response::from_parts(parts, nothing));
    }
    if body.is_end_stream() {
        return Ok(Response::from_parts(parts, counted(body, journal)));
    }
    let uid = connection.flow.process.uid;
    let editing = journal.watches() || connection.guard.vault.holds_any(uid);
    let shape = Shape::of(&parts.headers, route);
    let codings = match coding::codings(&parts.headers) {
        Ok(codings) => codings,
        Err(error) => {
            journal.unrestored(&error);
            return Ok(Response::from_parts(parts, counted(body, journal)));
        }
    };
    let body = match shape {
        Shape::Opaque => counted(body, journal),
        _ if !editing && !route.inference => counted(body, journal),
        Shape::Json => {
            whole(
                connection,
                route,
                &mut parts.headers,
                body,
                &codings,
                journal,
            )
            .await?
        }
        shape => {
            let reader = match shape {
                Shape::Events => route.dialect.stream(),
                Shape::Lines => route.dialect.lines(),
                _ => provider::plain().stream(),
            };
            if editing {
                restream(&mut parts.headers);
            }
            Streaming::new(body, &codings, reader, editing, journal).boxed_unsync()
        }
    };
    Ok(Response::from_parts(parts, body))
}

/// What an answer's body is, by its content type.
enum Shape {
    /// Server-sent events.
    Events,
    /// One JSON value.
    Json,
    /// Lines of JSON.
    Lines,
    /// Text.
    Text,
    /// Nothing that a placeholder could be restored in.
    Opaque,
}

impl Shape {
    fn of(headers: &HeaderMap, route: Route) -> Self {
        let value = headers
            .get(CONTENT_TYPE)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        let kind = value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        match kind.as_str() {
            "text/event-stream" => Self::Events,
            "application/json" if is_open(headers, route) => Self::Text,
            "application/json" => Self::Json,
            "application/x-ndjson" | "application/jsonl" => Self::Lines,
            kind if kind.ends_with("+json") => Self::Json,
            kind if kind.starts_with("text/") => Self::Text,
            _ => Self::Opaque,
        }
    }
}

/// Waiting for the end of what is written bit by bit would hold up the client.
fn is_open(headers: &HeaderMap, route: Route) -> bool {
    route.dialect.answers_in_pieces() && !headers.contains_key(CONTENT_LENGTH)
}

/// A restored stream has another length, and goes out unencoded: every client takes that.
fn restream(headers: &mut HeaderMap) {
    headers.remove(CONTENT_LENGTH);
    headers.remove(CONTENT_ENCODING);
}

/// A body that is read whole before any of it goes on.
async fn whole(
    connection: &Connection,
    route: Route,
    headers: &mut HeaderMap,
    body: Incoming,
    codings: &[Coding],
    mut journal: Journal,
) -> Result<Body, Broken> {
    let limit = connection.guard.body_limit;
    let Whole {
        bytes: wire,
        trailers,
    } = match collect(body, limit)
        .await
        .inspect_err(|error| journal.broke(error))?
    {
        Collected::Whole(whole) => whole,
        Collected::TooLarge(resumed) => {
            journal.unrestored(&CodingError::TooLarge(limit));
            return Ok(counted(resumed, journal));
        }
    };
    journal.received(wire.len());
    let bytes = match restored(route, &wire, codings, limit, &mut journal) {
        Ok(Some(restored)) => {
            headers.remove(CONTENT_ENCODING);
            if headers.contains_key(CONTENT_LENGTH) {
                headers.insert(CONTENT_LENGTH, HeaderValue::from(restored.len()));
            }
            Bytes::from(restored)
        }
        Ok(None) => wire,
        Err(error) => {
            journal.unrestored(&error);
            wire
        }
    };
    journal.done();
    Ok(Whole { bytes, trailers }.into_body())
}

/// Why an answer is passed on as it came.
#[derive(Debug, thiserror::Error)]
enum Unrestorable {
    #[error(transparent)]
    Coding(#[from] CodingError),
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// The restored, unencoded body, with what is to be told in it; `None` if nothing was to be edited.
fn restored(
    route: Route,
    wire: &[u8],
    codings: &[Coding],
    limit: usize,
    journal: &mut Journal,
) -> Result<Option<Vec<u8>>, Unrestorable> {
    let decoded = match codings {
        [] => None,
        codings => Some(coding::decode(wire, codings, limit)?),
    };
    let plain = decoded.as_deref().unwrap_or(wire);
    let watched = match journal.watches() {
        true => route.dialect.watched(plain, journal),
        false => None,
    };
    let plain = watched.as_deref().unwrap_or(plain);
    let answer = route.dialect.answer(plain)?;
    journal.used(answer.model.as_deref(), answer.usage);
    journal.called(answer.id.as_deref());
    Ok(restorer::restore_whole(plain, &answer.text, journal).or(watched))
}

/// A body that goes on untouched, and is counted.
fn counted<B>(body: B, journal: Journal) -> Body
where
    B: HttpBody<Data = Bytes, Error = hyper::Error> + Send + Unpin + 'static,
{
    Counted { body, journal }.boxed_unsync()
}

struct Counted<B> {
    body: B,
    journal: Journal,
}

impl<B> HttpBody for Counted<B>
where
    B: HttpBody<Data = Bytes, Error = hyper::Error> + Unpin,
{
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let polled = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(match polled {
            Some(Ok(frame)) => {
                self.journal
                    .received(frame.data_ref().map_or(0, Bytes::len));
                Some(Ok(frame))
            }
            Some(Err(error)) => {
                self.journal.broke(&error);
                Some(Err(error.into()))
            }
            None => {
                self.journal.done();
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body that is read, and restored, as it arrives.
struct Streaming {
    body: Incoming,
    decoders: Vec<Decoder>,
    reader: Box<dyn AnswerStream>,
    /// Whether the client gets what the reader gives, or (where this user has no secrets, and nobody
    /// looks at what is said) the upstream's own bytes.
    editing: bool,
    out: BytesMut,
    trailers: Option<HeaderMap>,
    ended: bool,
    /// How the stream broke, to be said once what was held back has gone on.
    broken: Option<Break>,
    journal: Journal,
}

/// A stream's bad end.
struct Break {
    error: Broken,
    /// Whether hyper had its chance to send what came before.
    flushed: bool,
}

impl Streaming {
    fn new(
        body: Incoming,
        codings: &[Coding],
        reader: Box<dyn AnswerStream>,
        editing: bool,
        journal: Journal,
    ) -> Self {
        let decoders = codings
            .iter()
            .rev()
            .map(|c| Decoder::new(*c, BURST))
            .collect();
        let (out, trailers, broken) = (BytesMut::new(), None, None);
        Self {
            body,
            decoders,
            reader,
            editing,
            out,
            trailers,
            ended: false,
            broken,
            journal,
        }
    }

    /// Reads one piece; what may go on is in `out`.
    fn take(&mut self, wire: &Bytes) -> Result<(), CodingError> {
        self.journal.received(wire.len());
        let mut decoded = None::<Vec<u8>>;
        for decoder in &mut self.decoders {
            decoded = Some(decoder.push(decoded.as_deref().unwrap_or(wire))?);
        }
        let plain = decoded.as_deref().unwrap_or(wire);
        self.reader.push(plain, &mut self.journal, &mut self.out);
        if !self.editing {
            self.out.clear();
            self.out.extend_from_slice(wire);
        }
        Ok(())
    }

    /// The upstream has said all: what was held back goes on.
    fn end(&mut self) -> Result<(), CodingError> {
        self.ended = true;
        let mut tail = Vec::new();
        for decoder in &mut self.decoders {
            let mut next = decoder.push(&tail)?;
            next.extend(decoder.finish()?);
            tail = next;
        }
        self.reader.push(&tail, &mut self.journal, &mut self.out);
        self.reader.finish(&mut self.journal, &mut self.out);
        if !self.editing {
            self.out.clear();
        }
        self.journal.used(self.reader.model(), self.reader.usage());
        self.journal.called(self.reader.id());
        self.journal.done();
        Ok(())
    }

    /// A stream that breaks gives what was held back, then breaks.
    fn fail(&mut self, error: Broken) {
        self.ended = true;
        self.reader.finish(&mut self.journal, &mut self.out);
        if !self.editing {
            self.out.clear();
        }
        self.journal.used(self.reader.model(), self.reader.usage());
        self.journal.called(self.reader.id());
        self.journal.broke(&error);
        self.broken = Some(Break {
            error,
            flushed: false,
        });
    }
}

impl HttpBody for Streaming {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = &mut *self;
        loop {
            if !this.out.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(this.out.split().freeze()))));
            }
            if let Some(broken) = &mut this.broken {
                // hyper drops what it has not flushed when a body fails, and flushes when it waits.
                if !std::mem::replace(&mut broken.flushed, true) {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                return Poll::Ready(this.broken.take().map(|broken| Err(broken.error)));
            }
            if this.ended {
                let trailers = this.trailers.take().map(|t| Ok(Frame::trailers(t)));
                return Poll::Ready(trailers);
            }
            let step = match std::task::ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                Some(Err(error)) => Err(error.into()),
                None => this.end().map_err(Broken::from),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(wire) => this.take(&wire).map_err(Broken::from),
                    Err(other) => {
                        this.trailers = other.into_trailers().ok();
                        this.end().map_err(Broken::from)
                    }
                },
            };
            if let Err(error) = step {
                this.fail(error);
            }
        }
    }
}
