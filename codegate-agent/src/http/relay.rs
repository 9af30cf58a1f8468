//! One client connection joined to one upstream connection, both HTTP/1.1 or both HTTP/2.

use std::{
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use http::{Request, Response};
use hyper::{
    body::Incoming,
    client::conn::{http1 as client_h1, http2 as client_h2},
    server::conn::{http1 as server_h1, http2 as server_h2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{Mutex, watch},
    time::timeout,
};

use super::{
    Connection, answer,
    body::{Body, Broken},
    hints::{Hinted, Hints},
    journal::Journal,
    refusal,
    request::{self, Refused},
};
use crate::{drain::Running, provider};

/// The ALPN name of HTTP/2 (RFC 9113 section 3.1).
pub const ALPN_H2: &[u8] = b"h2";

/// The most bytes of a request's or answer's head; session cookies of web front ends are large.
const HEAD: usize = 64 * 1024;
/// The HTTP/2 flow-control window of a stream, in bytes: a prompt fits without a round trip.
const WINDOW: u32 = 1 << 20;
/// The window of an answer's stream: what an upstream may send while its client does not read.
const ANSWER: u32 = 512 * 1024;
/// The window of an upstream connection. Half of it is what the HTTP/2 library grants to frames of fewer than
/// 256 bytes that nobody has read yet, and beyond that it ends the connection: events of a few words, unread
/// by a client that is slow, must fit.
const ANSWERS: u32 = 32 << 20;

/// How long a connection on which nothing was asked yet outlives the agent's stop.
const FIRST: Duration = Duration::from_secs(3);

/// Why a joined pair of connections ended badly.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The upstream did not speak HTTP.
    #[error("upstream: {0}")]
    Upstream(#[source] hyper::Error),
    /// The client did not speak HTTP, or went away in the middle.
    #[error("client: {0}")]
    Client(#[source] hyper::Error),
}

/// Serves one client connection from one upstream connection until either ends.
///
/// `alpn` is what both sides agreed on. When the agent stops, exchanges under way are finished and
/// none is begun.
///
/// # Errors
/// [`RelayError`] where a side broke the protocol.
pub async fn serve<C, U>(
    client: C,
    upstream: U,
    alpn: Option<&[u8]>,
    connection: Connection,
) -> Result<(), RelayError>
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    U: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let running = connection.running.clone();
    let connection = Arc::new(connection);
    if alpn == Some(ALPN_H2) {
        serve_h2(client, upstream, connection, running).await
    } else {
        serve_h1(client, upstream, connection, running).await
    }
}

async fn serve_h1<C, U>(
    client: C,
    upstream: U,
    connection: Arc<Connection>,
    running: Running,
) -> Result<(), RelayError>
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    U: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, driver) = client_h1::Builder::new()
        .preserve_header_case(true)
        .max_headers(256)
        .handshake::<_, Body>(TokioIo::new(upstream))
        .await
        .map_err(RelayError::Upstream)?;
    // HTTP/1.1 answers one request at a time; the lock is never contended.
    let sender = Arc::new(Mutex::new(sender));
    let hints = Hints::default();
    let begun = Begun::default();
    let service = service_fn(|mut request| {
        begun.set();
        hints.follow(&mut request);
        let (connection, sender) = (connection.clone(), sender.clone());
        async move { exchange(&connection, Upstream::H1(&sender), request).await }
    });
    let server = server_h1::Builder::new()
        .preserve_header_case(true)
        .max_headers(256)
        .serve_connection(TokioIo::new(Hinted::new(client, hints.clone())), service);
    let end = |server: Pin<&mut _>| server_h1::Connection::graceful_shutdown(server);
    join(server, end, driver, &begun, running).await
}

async fn serve_h2<C, U>(
    client: C,
    upstream: U,
    connection: Arc<Connection>,
    running: Running,
) -> Result<(), RelayError>
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    U: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, driver) = client_h2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(ANSWER)
        .initial_connection_window_size(ANSWERS)
        .max_header_list_size(HEAD as u32)
        .handshake::<_, Body>(TokioIo::new(upstream))
        .await
        .map_err(RelayError::Upstream)?;
    let begun = Begun::default();
    let service = service_fn(|request| {
        begun.set();
        let (connection, mut sender) = (connection.clone(), sender.clone());
        async move { exchange(&connection, Upstream::H2(&mut sender), request).await }
    });
    let server = server_h2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(4 * WINDOW)
        .max_header_list_size(HEAD as u32)
        .serve_connection(TokioIo::new(client), service);
    let end = |server: Pin<&mut _>| server_h2::Connection::graceful_shutdown(server);
    join(server, end, driver, &begun, running).await
}

/// Runs both sides until either ends. `end` has the server finish what is under way and take no more.
async fn join<S>(
    server: S,
    end: impl Fn(Pin<&mut S>),
    driver: impl Future<Output = Result<(), hyper::Error>>,
    begun: &Begun,
    mut running: Running,
) -> Result<(), RelayError>
where
    S: Future<Output = Result<(), hyper::Error>>,
{
    let (mut server, mut driver) = (pin!(server), pin!(driver));
    let (mut open, mut stopping) = (true, false);
    loop {
        tokio::select! {
            // Upstream first: what it has just said goes on in the same turn of this task.
            biased;
            ended = driver.as_mut(), if open => {
                open = false;
                trace_end(ended);
            }
            served = server.as_mut() => return served.map_err(RelayError::Client),
            () = begun.then_stopped(&mut running), if !stopping => stopping = true,
        }
        // Nothing more can be asked: the client is told when its exchange under way is done.
        end(server.as_mut());
    }
}

/// Whether anything was asked on a connection yet.
///
/// Nobody asks again on a new connection that is closed without a word: one that was made a moment
/// before the agent stops has to have its first answer.
#[derive(Default)]
struct Begun(watch::Sender<bool>);

impl Begun {
    fn set(&self) {
        self.0.send_replace(true);
    }

    /// Returns when the agent stops, and something was asked or will hardly be any more.
    async fn then_stopped(&self, running: &mut Running) {
        running.stopped().await;
        let mut begun = self.0.subscribe();
        // Late or not, it is over.
        let _late = timeout(FIRST, begun.wait_for(|begun| *begun))
            .await
            .is_err();
    }
}

fn trace_end(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "the upstream connection broke");
    }
}

/// The sending half of the upstream connection.
enum Upstream<'a> {
    H1(&'a Mutex<client_h1::SendRequest<Body>>),
    H2(&'a mut client_h2::SendRequest<Body>),
}

impl Upstream<'_> {
    async fn send(self, request: Request<Body>) -> Result<Response<Incoming>, hyper::Error> {
        match self {
            Self::H1(sender) => {
                let mut sender = sender.lock().await;
                sender.ready().await?;
                sender.send_request(request).await
            }
            Self::H2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }
}

/// One request and its answer. An error here closes the client's connection (HTTP/1.1) or resets
/// its stream (HTTP/2), as the upstream's own failure would have.
async fn exchange(
    connection: &Arc<Connection>,
    upstream: Upstream<'_>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Broken> {
    let method = request.method().clone();
    let route = provider::route(&connection.provider, method.as_str(), request.uri().path());
    let mut journal = Journal::begin(connection.clone(), route, &method, request.uri());
    match request::prepare(connection, route, request, &mut journal).await {
        Ok(request) => {
            let response = upstream
                .send(request)
                .await
                .inspect_err(|e| journal.broke(e))?;
            answer::pass(connection, route, &method, response, journal).await
        }
        Err(Refused::Client(error)) => {
            journal.broke(&error);
            Err(error.into())
        }
        Err(refused) => Ok(refuse(route, refused, &mut journal)),
    }
}

fn refuse(route: provider::Route, refused: Refused, journal: &mut Journal) -> Response<Body> {
    let message = format!("CodeGate blocked this request: {refused}");
    let response = match refused {
        Refused::Upgrade(_) => refusal::no_upgrade(route.dialect, &message),
        _ => refusal::bad_request(route.dialect, &message),
    };
    journal.refused(response.status(), &message);
    response
}
