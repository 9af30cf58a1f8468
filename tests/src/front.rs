//! The services' common front: it takes TLS by name, reads requests whole, keeps the journal, and
//! sends what the site's handler answers.

use std::{
    collections::HashMap,
    io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    time::Instant,
};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Version};
use http_body::Frame;
use http_body_util::{BodyExt, Either, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{body::Incoming, server::conn, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::{ServerConfig, server::Acceptor};
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;

use crate::{
    coding::Encoder,
    journal::{Arrived, Journal, decoded},
    reply::{Body, Ending, Pieces, Reply},
    tap::{Tap, Wire},
};

/// What a site answers.
pub(crate) type Handler = Arc<dyn Fn(&Arrived) -> Reply + Send + Sync>;

/// A name's certificate and what it answers.
#[derive(Clone)]
pub(crate) struct Behind {
    pub(crate) tls: Arc<ServerConfig>,
    pub(crate) handler: Handler,
}

/// All services. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Front {
    sites: Arc<Mutex<HashMap<String, Behind>>>,
    pub(crate) journal: Journal,
}

impl Front {
    pub(crate) fn site(&self, host: &str) -> Option<Behind> {
        self.sites.lock().unwrap().get(host).cloned()
    }

    pub(crate) fn put(&self, host: &str, behind: Behind) {
        self.sites.lock().unwrap().insert(host.to_owned(), behind);
    }

    /// Serves until the lab is gone.
    pub(crate) async fn serve(self, listener: TcpListener) {
        listener
            .set_nonblocking(true)
            .expect("a listener for tokio");
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener for tokio");
        while let Ok((stream, peer)) = listener.accept().await {
            let front = self.clone();
            // A client that goes away in the middle is a part of many tests, not a failure.
            tokio::spawn(async move { front.connection(stream, peer).await.is_ok() });
        }
    }

    async fn connection(self, stream: TcpStream, peer: SocketAddr) -> anyhow::Result<()> {
        stream.set_nodelay(true)?;
        let (local, wire) = (
            stream.local_addr()?,
            Wire::new(&stream, !self.journal.is_paused())?,
        );
        let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let host = hello
            .client_hello()
            .server_name()
            .unwrap_or_default()
            .to_owned();
        let Some(site) = self.site(&host) else {
            return Ok(());
        };
        let tls = hello.into_stream(site.tls).await?;
        let alpn = tls
            .get_ref()
            .1
            .alpn_protocol()
            .map(|a| String::from_utf8_lossy(a).into_owned());
        let http2 = alpn.as_deref() == Some("h2");
        let number = self
            .journal
            .connected(&host, alpn, peer, local, wire.clone());
        let visit = Visit {
            host,
            number,
            wire: wire.clone(),
            journal: self.journal,
            handler: site.handler,
        };
        let service = service_fn(move |request| visit.clone().answer(request));
        let io = TokioIo::new(Tap::new(tls, wire.clone()));
        let served = if http2 {
            let builder = conn::http2::Builder::new(TokioExecutor::new());
            builder.serve_connection(io, service).await
        } else {
            let mut builder = conn::http1::Builder::new();
            builder
                .timer(TokioTimer::new())
                .serve_connection(io, service)
                .await
        };
        wire.close();
        Ok(served?)
    }
}

/// One connection's requests.
#[derive(Clone)]
struct Visit {
    host: String,
    number: usize,
    wire: Wire,
    journal: Journal,
    handler: Handler,
}

impl Visit {
    async fn answer(self, request: Request<Incoming>) -> anyhow::Result<Response<Outgoing>> {
        let arrived = self.read(request).await;
        self.journal.add(&arrived);
        anyhow::ensure!(arrived.complete, "the request ended early");
        let reply = (self.handler)(&arrived);
        if !reply.hints.is_empty() && arrived.version == Version::HTTP_11 {
            self.wire.say_out_of_turn(&early_hints(&reply.hints));
        }
        if reply.ending == Ending::Reset {
            self.wire.end_with_reset()?;
        }
        respond(reply, arrived.method == "HEAD")
    }

    async fn read(&self, request: Request<Incoming>) -> Arrived {
        let (parts, mut incoming) = request.into_parts();
        let path = parts
            .uri
            .path_and_query()
            .map_or("/", |p| p.as_str())
            .to_owned();
        let head = if parts.version == Version::HTTP_2 {
            Vec::new()
        } else {
            self.wire
                .head(&format!("{} {path} HTTP/1.1\r\n", parts.method))
        };
        let (mut raw, mut trailers, mut complete) = (Vec::new(), None, true);
        while let Some(frame) = incoming.frame().await {
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => raw.extend_from_slice(&data),
                Ok(Err(frame)) => trailers = frame.into_trailers().ok(),
                Err(_) => complete = false,
            }
            if !complete {
                break;
            }
        }
        Arrived {
            host: self.host.clone(),
            method: parts.method.to_string(),
            path,
            version: parts.version,
            body: decoded(&parts.headers, &raw),
            headers: parts.headers,
            head,
            raw,
            trailers,
            complete,
            connection: self.number,
            at: Instant::now(),
        }
    }
}

fn early_hints(headers: &[(String, String)]) -> Vec<u8> {
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    format!("HTTP/1.1 103 Early Hints\r\n{lines}\r\n").into_bytes()
}

type Outgoing = Either<Full<Bytes>, UnsyncBoxBody<Bytes, io::Error>>;

fn respond(reply: Reply, head: bool) -> anyhow::Result<Response<Outgoing>> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    if let Some(coding) = reply.coding.name() {
        response = response.header("content-encoding", coding);
    }
    if !reply.trailers.is_empty() {
        let names: Vec<&str> = reply
            .trailers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        response = response.header("trailer", names.join(", "));
    }
    let body = match reply.body {
        Body::Whole(body) if head => {
            // hyper would send the body of a HEAD's answer over HTTP/2.
            let response = response.header("content-length", body.len());
            return Ok(response.body(Either::Left(Full::default()))?);
        }
        Body::Whole(body) if reply.ending == Ending::Clean && reply.trailers.is_empty() => {
            return Ok(response.body(Either::Left(Full::from(reply.coding.encode(&body))))?);
        }
        Body::Whole(body) => Box::new(std::iter::once(body)),
        Body::Pieces(pieces) => pieces,
    };
    let sender = Sender {
        pieces: body,
        encoder: Some(Encoder::new(reply.coding)),
        delay: reply.delay,
        trailers: trailers(&reply.trailers)?,
        ending: reply.ending,
    };
    let frames = stream::unfold(sender, Sender::next);
    Ok(
        response.body(Either::Right(BodyExt::boxed_unsync(StreamBody::new(
            frames,
        ))))?,
    )
}

fn trailers(pairs: &[(String, String)]) -> anyhow::Result<Option<HeaderMap>> {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
    }
    Ok((!map.is_empty()).then_some(map))
}

/// A body on its way out.
struct Sender {
    pieces: Pieces,
    encoder: Option<Encoder>,
    delay: std::time::Duration,
    trailers: Option<HeaderMap>,
    ending: Ending,
}

impl Sender {
    async fn next(mut self) -> Option<(io::Result<Frame<Bytes>>, Self)> {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        // Lets hyper write the last piece by itself before the next one is made.
        tokio::task::yield_now().await;
        if let Some(piece) = self.pieces.next() {
            let coded = self.encoder.as_mut()?.push(&piece);
            return Some((Ok(Frame::data(coded.into())), self));
        }
        if let Some(encoder) = self.encoder.take() {
            if self.ending != Ending::Clean {
                // A reset of HTTP/2 drops what hyper has queued and not yet written.
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                return Some((Err(io::ErrorKind::ConnectionAborted.into()), self));
            }
            let end = encoder.finish();
            if !end.is_empty() {
                return Some((Ok(Frame::data(end.into())), self));
            }
        }
        let trailers = self.trailers.take()?;
        Some((Ok(Frame::trailers(trailers)), self))
    }
}
