//! What arrived at the services: the upstream's side of every claim that a test makes.

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use serde_json::Value;

use crate::{
    coding::Coding,
    tap::{Wire, find},
};

/// One request, as it arrived.
#[derive(Clone)]
pub struct Arrived {
    /// The service's name, from TLS.
    pub host: String,
    /// The method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// HTTP/1.1 or HTTP/2.
    pub version: http::Version,
    /// Headers, names in lower case.
    pub headers: http::HeaderMap,
    /// The head as it was written, HTTP/1 only: order and case of the headers.
    pub head: Vec<u8>,
    /// The body as it was sent.
    pub raw: Vec<u8>,
    /// The body without its content coding; `None` where it could not be decoded.
    pub body: Option<Vec<u8>>,
    /// Trailers, if any came.
    pub trailers: Option<http::HeaderMap>,
    /// Whether the body came to its end.
    pub complete: bool,
    /// Which connection it came on, in the order they were opened.
    pub connection: usize,
    /// When its body had ended.
    pub at: Instant,
}

impl Arrived {
    /// A header's value, if it is there and text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The decoded body as text.
    ///
    /// # Panics
    /// Where it could not be decoded.
    #[must_use]
    pub fn text(&self) -> String {
        let body = self
            .body
            .as_deref()
            .expect("a body in a known content coding");
        String::from_utf8_lossy(body).into_owned()
    }

    /// The decoded body as JSON.
    ///
    /// # Panics
    /// Where it is not JSON.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text()).unwrap_or_else(|e| panic!("{self:?}: {e}"))
    }
}

impl fmt::Debug for Arrived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = self.body.as_deref().unwrap_or(&self.raw);
        writeln!(
            f,
            "{} {}{} ({:?})",
            self.method, self.host, self.path, self.version
        )?;
        writeln!(f, "{:?}", self.headers)?;
        write!(f, "{}", String::from_utf8_lossy(body))
    }
}

/// One TLS connection.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The name that the client asked for.
    pub host: String,
    /// The protocol that both agreed on.
    pub alpn: Option<String>,
    /// Who connected.
    pub peer: SocketAddr,
    /// Where they connected to.
    pub local: SocketAddr,
    wire: Wire,
}

impl Connection {
    /// Every byte that arrived on it, without TLS.
    #[must_use]
    pub fn wire(&self) -> Vec<u8> {
        self.wire.arrived()
    }
}

/// What arrived, in order. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    pages: Arc<Mutex<Pages>>,
    paused: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Pages {
    requests: Vec<Arrived>,
    connections: Vec<Connection>,
}

impl Journal {
    /// Every request so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Arrived> {
        self.pages.lock().unwrap().requests.clone()
    }

    /// The requests that came for `host`.
    #[must_use]
    pub fn of(&self, host: &str) -> Vec<Arrived> {
        self.requests()
            .into_iter()
            .filter(|request| request.host == host)
            .collect()
    }

    /// Every connection so far.
    #[must_use]
    pub fn connections(&self) -> Vec<Connection> {
        self.pages.lock().unwrap().connections.clone()
    }

    /// The one request that came.
    ///
    /// # Panics
    /// Where none or several came.
    #[must_use]
    #[track_caller]
    pub fn only(&self) -> Arrived {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "one request was to come: {requests:#?}");
        requests.remove(0)
    }

    /// Demands that `needle` arrived nowhere: in no wire, no head and no decoded body.
    ///
    /// # Panics
    /// Where it did.
    #[track_caller]
    pub fn never_saw(&self, needle: &[u8]) {
        for request in self.requests() {
            let parts = [
                Some(&request.head),
                Some(&request.raw),
                request.body.as_ref(),
            ];
            let seen = parts
                .into_iter()
                .flatten()
                .any(|part| find(part, needle).is_some());
            assert!(
                !seen,
                "{} arrived: {request:?}",
                String::from_utf8_lossy(needle)
            );
        }
        for connection in self.connections() {
            let seen = find(&connection.wire(), needle).is_some();
            assert!(!seen, "{} is on the wire", String::from_utf8_lossy(needle));
        }
    }

    /// Demands that nothing of any request arrived for `host`; a TLS handshake may have.
    ///
    /// # Panics
    /// Where something did.
    #[track_caller]
    pub fn nothing_arrived(&self, host: &str) {
        let requests = self.of(host);
        assert!(requests.is_empty(), "nothing was to arrive: {requests:#?}");
        for connection in self.connections().iter().filter(|c| c.host == host) {
            let wire = connection.wire();
            let http2 = connection.alpn.as_deref() == Some("h2");
            assert!(
                wire.is_empty() || http2,
                "bytes of a request arrived: {}",
                String::from_utf8_lossy(&wire)
            );
        }
    }

    /// Keeps nothing from now on: a measurement has no room for it.
    pub fn pause(&self) {
        self.paused.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }

    /// Starts afresh.
    pub fn clear(&self) {
        *self.pages.lock().unwrap() = Pages::default();
    }

    pub(crate) fn connected(
        &self,
        host: &str,
        alpn: Option<String>,
        peer: SocketAddr,
        local: SocketAddr,
        wire: Wire,
    ) -> usize {
        let connection = Connection {
            host: host.to_owned(),
            alpn,
            peer,
            local,
            wire,
        };
        let connections = &mut self.pages.lock().unwrap().connections;
        connections.push(connection);
        connections.len() - 1
    }

    pub(crate) fn add(&self, request: &Arrived) {
        if !self.is_paused() {
            self.pages.lock().unwrap().requests.push(request.clone());
        }
    }
}

/// Takes a body's content codings off, last one first; `None` where one is unknown or a lie.
pub(crate) fn decoded(headers: &http::HeaderMap, raw: &[u8]) -> Option<Vec<u8>> {
    let mut body = raw.to_vec();
    let values = headers.get_all(http::header::CONTENT_ENCODING);
    let names: Vec<&str> = values
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    for name in names.iter().flat_map(|value| value.split(',')).rev() {
        body = Coding::named(name)?.decode(&body)?;
    }
    Some(body)
}
