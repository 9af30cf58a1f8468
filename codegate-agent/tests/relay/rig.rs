//! A client, the relay and an upstream, joined in memory.

use std::{
    io::Write as _,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use codegate::{
    config::Unscannable,
    drain,
    flow::{Flow, Process},
    http::{ALPN_H2, Connection, Guard, PackageGuard, serve},
    inspect::{
        Inspector,
        packages::{Lists, Live},
        pii,
    },
    seal::Vault,
    session::{Detail, Entry, Exchange, Recorder, Viewer},
};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::DuplexStream;

/// A body of the tests' own.
pub type TestBody = UnsyncBoxBody<Bytes, std::io::Error>;
/// What an upstream answers.
pub type Answer = Response<TestBody>;

/// What arrived upstream.
#[derive(Debug, Clone)]
pub struct Seen {
    pub head: http::request::Parts,
    pub body: Bytes,
    pub trailers: Option<HeaderMap>,
}

/// What the client got.
#[derive(Debug)]
pub struct Got {
    pub head: http::response::Parts,
    pub body: Bytes,
    pub trailers: Option<HeaderMap>,
}

impl Got {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

pub const HOST: &str = "api.openai.com";
pub const LIMIT: usize = 1 << 20;

/// One relay and what stands on both sides of it.
pub struct Rig {
    pub guard: Arc<Guard>,
    seen: Arc<Mutex<Vec<Seen>>>,
    sender: Sender,
    _dir: tempfile::TempDir,
    _drain: drain::Drain,
}

enum Sender {
    H1(hyper::client::conn::http1::SendRequest<TestBody>),
    H2(hyper::client::conn::http2::SendRequest<TestBody>),
}

/// Which HTTP both sides speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    H1,
    H2,
}

impl Rig {
    pub async fn new(
        version: Version,
        provider: &str,
        answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let guard = Arc::new(Guard {
            inspector: inspector().into(),
            packages: PackageGuard::new(
                Arc::new(Live::open(&dir.path().join("packages"), Lists::default())),
                true,
                true,
            ),
            vault: Arc::new(Vault::open(&dir.path().join("vault")).unwrap()),
            recorder: Recorder::open(&dir.path().join("sessions.redb")).unwrap(),
            body_limit: LIMIT,
            unscannable: Unscannable::Block,
        });
        let (client, relay_client) = tokio::io::duplex(64 * 1024);
        let (relay_upstream, upstream) = tokio::io::duplex(64 * 1024);
        let seen = Arc::default();
        tokio::spawn(play_upstream(
            version,
            upstream,
            Arc::clone(&seen),
            Arc::new(answer),
        ));
        let (drain, running) = drain::drain();
        let connection = connection(guard.clone(), provider, running);
        let alpn = (version == Version::H2).then_some(ALPN_H2);
        tokio::spawn(serve(relay_client, relay_upstream, alpn, connection));
        let sender = Sender::connect(version, client).await;
        Self {
            guard,
            seen,
            sender,
            _dir: dir,
            _drain: drain,
        }
    }

    /// Sends a request and reads its whole answer.
    pub async fn send(&mut self, request: Request<TestBody>) -> Got {
        let (head, body) = self.open(request).await.into_parts();
        let collected = body.collect().await.unwrap();
        let trailers = collected.trailers().cloned();
        Got {
            head,
            body: collected.to_bytes(),
            trailers,
        }
    }

    /// Sends a request and gives the answer's head, its body unread.
    pub async fn open(&mut self, request: Request<TestBody>) -> Response<Incoming> {
        let sent = async {
            match &mut self.sender {
                Sender::H1(sender) => {
                    sender.ready().await.unwrap();
                    sender.send_request(request).await
                }
                Sender::H2(sender) => {
                    sender.ready().await.unwrap();
                    sender.send_request(request).await
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), sent)
            .await
            .unwrap()
            .unwrap()
    }

    pub async fn post(&mut self, path: &str, body: impl Into<Bytes>) -> Got {
        self.send(post(path, body)).await
    }

    /// All requests that reached the upstream.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The body of the only request that reached the upstream.
    pub fn seen_body(&self) -> String {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "one request reaches the upstream");
        String::from_utf8(seen[0].body.to_vec()).unwrap()
    }

    /// The exchanges on record, oldest first.
    pub async fn exchanges(&self) -> Vec<Exchange> {
        let recorder = self.guard.recorder.clone();
        tokio::task::spawn_blocking(move || {
            recorder.flush();
            let root = Viewer::new(0);
            let sessions = recorder.list(root, 10).unwrap();
            let details = sessions
                .iter()
                .filter_map(|s| recorder.show(root, s.id).unwrap());
            details.flat_map(exchanges_of).collect()
        })
        .await
        .unwrap()
    }

    /// Waits until this many exchanges are on record: the last one ends with its body's drop.
    pub async fn recorded(&self, count: usize) -> Vec<Exchange> {
        for _ in 0..100 {
            let exchanges = self.exchanges().await;
            if exchanges.len() >= count {
                return exchanges;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{count} exchanges were never recorded");
    }
}

/// Compiled once for all tests: it takes its time without optimisation.
fn inspector() -> Arc<Inspector> {
    static INSPECTOR: OnceLock<Arc<Inspector>> = OnceLock::new();
    INSPECTOR
        .get_or_init(|| Arc::new(Inspector::builtin(pii::Policy::default()).unwrap()))
        .clone()
}

fn exchanges_of(detail: Detail) -> impl Iterator<Item = Exchange> {
    detail.entries.into_iter().filter_map(|entry| match entry {
        Entry::Exchange(exchange) => Some(exchange),
        Entry::Event(_) => None,
    })
}

fn connection(guard: Arc<Guard>, provider: &str, running: drain::Running) -> Connection {
    let process = Process {
        pid: 7,
        start: 1,
        uid: 1000,
        exe: Some("/usr/bin/tool".into()),
        comm: "tool".into(),
        cgroup: None,
        ..Process::default()
    };
    let flow = Flow {
        client: "127.0.0.1:40000".parse().unwrap(),
        original: "198.18.0.1:443".parse().unwrap(),
        process,
    };
    Connection {
        guard,
        flow,
        host: HOST.into(),
        in_clear: false,
        provider: provider.into(),
        running,
    }
}

impl Sender {
    async fn connect(version: Version, io: DuplexStream) -> Self {
        let io = TokioIo::new(io);
        match version {
            Version::H1 => {
                let (sender, driver) = hyper::client::conn::http1::Builder::new()
                    .preserve_header_case(true)
                    .handshake(io)
                    .await
                    .unwrap();
                tokio::spawn(driver);
                Self::H1(sender)
            }
            Version::H2 => {
                let exec = TokioExecutor::new();
                // A small window: what a client does not read waits with the relay, and behind it.
                let (sender, driver) = hyper::client::conn::http2::Builder::new(exec)
                    .initial_stream_window_size(65_535)
                    .handshake(io)
                    .await
                    .unwrap();
                tokio::spawn(driver);
                Self::H2(sender)
            }
        }
    }
}

async fn play_upstream<F>(
    version: Version,
    io: DuplexStream,
    seen: Arc<Mutex<Vec<Seen>>>,
    answer: Arc<F>,
) where
    F: Fn(&Seen) -> Answer + Send + Sync + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let (seen, answer) = (seen.clone(), answer.clone());
        async move {
            let (head, body) = request.into_parts();
            let collected = body.collect().await?;
            let trailers = collected.trailers().cloned();
            let request = Seen {
                head,
                body: collected.to_bytes(),
                trailers,
            };
            seen.lock().unwrap().push(request.clone());
            Ok::<_, hyper::Error>(answer(&request))
        }
    });
    let io = TokioIo::new(io);
    let served = match version {
        Version::H1 => {
            let mut builder = hyper::server::conn::http1::Builder::new();
            builder
                .preserve_header_case(true)
                .serve_connection(io, service)
                .await
        }
        Version::H2 => {
            let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            builder.serve_connection(io, service).await
        }
    };
    // A test that ends drops its side in the middle.
    drop(served);
}

pub fn full(body: impl Into<Bytes>) -> TestBody {
    Full::new(body.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// A body in frames of their own, and trailers behind them.
pub fn frames(pieces: Vec<Bytes>, trailers: Option<HeaderMap>) -> TestBody {
    let data = pieces.into_iter().map(Frame::data);
    let all: Vec<_> = data.chain(trailers.map(Frame::trailers)).map(Ok).collect();
    StreamBody::new(futures_util::stream::iter(all)).boxed_unsync()
}

pub fn post(path: &str, body: impl Into<Bytes>) -> Request<TestBody> {
    let body = body.into();
    Request::post(format!("https://{HOST}{path}"))
        .header("host", HOST)
        .header("content-type", "application/json")
        .header("content-length", body.len())
        .body(full(body))
        .unwrap()
}

pub fn json(body: impl Into<Bytes>) -> Answer {
    Response::builder()
        .header("content-type", "application/json")
        .body(full(body))
        .unwrap()
}

pub fn events(pieces: Vec<Bytes>) -> Answer {
    Response::builder()
        .status(StatusCode::OK)
        .header("content-type", "text/event-stream; charset=utf-8")
        .body(frames(pieces, None))
        .unwrap()
}

pub fn gzip(text: &[u8]) -> Bytes {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(text).unwrap();
    writer.finish().unwrap().into()
}

pub fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzDecoder::new(Vec::new());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

/// A GitHub token whose checksum holds, put together so that no scanner of ours or others finds it
/// in this source.
pub fn github_token() -> String {
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    // In no order that somebody would type: such a row is not taken for a token.
    let random: String = (0..30)
        .map(|n| char::from(digits[(n * 37 + 11) % 62]))
        .collect();
    let mut crc = flate2::Crc::new();
    crc.update(random.as_bytes());
    let mut rest = crc.sum() as usize;
    let mut checksum = [b'0'; 6];
    for digit in checksum.iter_mut().rev() {
        *digit = digits[rest % 62];
        rest /= 62;
    }
    format!(
        "{}_{random}{}",
        "ghp",
        std::str::from_utf8(&checksum).unwrap()
    )
}
