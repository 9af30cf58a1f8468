//! A connection to one host, kept for the next file.

use std::{io, time::Duration};

use http::{Request, Response, header};
use http_body_util::Empty;
use hyper::{
    body::{Bytes, Incoming},
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};

use super::{FetchError, Url};
use crate::{
    proxy::{Authority, Host},
    upstream::{Connector, Through, dial},
};

/// For a connection, and for a handshake.
const CONNECT: Duration = Duration::from_secs(15);
/// For an answer's head.
pub(super) const HEAD: Duration = Duration::from_secs(30);

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// How hosts are reached.
pub(super) struct Way {
    pub(super) connector: Connector,
    pub(super) through: Option<Through>,
}

/// The connection that was used last, if it still stands.
#[derive(Default)]
pub(super) struct Connection {
    open: Option<(String, SendRequest<Empty<Bytes>>)>,
}

impl Connection {
    /// Asks for a file, with further header fields.
    pub(super) async fn get(
        &mut self,
        way: &Way,
        url: &Url,
        fields: &[(header::HeaderName, String)],
    ) -> Result<Response<Incoming>, FetchError> {
        let mut request = Request::get(url.path_and_query())
            .header(header::HOST, url.authority())
            .header(
                header::USER_AGENT,
                concat!("codegate/", env!("CARGO_PKG_VERSION")),
            )
            .header(header::ACCEPT_ENCODING, "identity");
        for (name, value) in fields {
            request = request.header(name, value);
        }
        let request = request.body(Empty::new()).map_err(|_| FetchError::Data {
            url: url.to_string(),
            why: "it cannot be asked for".into(),
        })?;
        let mut sender = self.sender(way, url).await?;
        let answer = timeout(HEAD, sender.send_request(request)).await;
        let silent = |_| FetchError::Silent {
            url: url.to_string(),
            limit: HEAD,
        };
        let broken = |source| FetchError::Http {
            url: url.to_string(),
            source,
        };
        let answer = answer.map_err(silent)?.map_err(broken)?;
        self.open = Some((url.authority().to_owned(), sender));
        Ok(answer)
    }

    /// Forgets the connection: what is left of an answer is not wanted.
    pub(super) fn close(&mut self) {
        self.open = None;
    }

    async fn sender(
        &mut self,
        way: &Way,
        url: &Url,
    ) -> Result<SendRequest<Empty<Bytes>>, FetchError> {
        if let Some((authority, mut sender)) = self.open.take()
            && authority == url.authority()
            && matches!(timeout(CONNECT, sender.ready()).await, Ok(Ok(())))
        {
            return Ok(sender);
        }
        let stream = connect(way, url).await?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream))
                .await
                .map_err(|source| FetchError::Http {
                    url: url.to_string(),
                    source,
                })?;
        // It ends when the sender goes; what fails in it, fails the request too.
        tokio::spawn(connection);
        Ok(sender)
    }
}

async fn connect(way: &Way, url: &Url) -> Result<Box<dyn Stream>, FetchError> {
    let stream = match &way.through {
        Some(through) if url.is_tls() && through.is_for(url.host(), None) => {
            by(through, url).await?
        }
        _ => direct(url).await?,
    };
    if !url.is_tls() {
        return Ok(Box::new(stream));
    }
    let protocols = [b"http/1.1".to_vec()];
    let connector = &way.connector;
    let secured = connector.connect(url.host(), &protocols, stream, CONNECT);
    Ok(Box::new(secured.await?.stream))
}

/// By the proxy that upstreams are reached by.
async fn by(through: &Through, url: &Url) -> Result<TcpStream, FetchError> {
    let host: Host = url.authority_host().parse().map_err(|_| FetchError::Data {
        url: url.to_string(),
        why: "no proxy can be asked for such a host".into(),
    })?;
    let port = url.port();
    let mut last = io::ErrorKind::NotFound.into();
    for address in through.addresses().await? {
        match dial(address, None, CONNECT).await {
            Ok(mut stream) => {
                let to = Authority { host, port };
                through.tunnel(&mut stream, &to, HEAD).await?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(through.not_reached(last).into())
}

async fn direct(url: &Url) -> Result<TcpStream, FetchError> {
    let failed = |source| FetchError::Connect {
        host: url.host().to_owned(),
        source,
    };
    let lookup = timeout(CONNECT, tokio::net::lookup_host((url.host(), url.port()))).await;
    let lookup = lookup.map_err(|_| failed(io::ErrorKind::TimedOut.into()))?;
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in lookup.map_err(failed)? {
        match dial(address, None, CONNECT).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(failed(last))
}
