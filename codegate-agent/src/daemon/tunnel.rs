//! Clients that reach a service through an HTTP proxy: they ask it for a tunnel (`CONNECT`), and what goes
//! through that is decided as if it had come by itself.
//!
//! The client's words to the proxy and the proxy's to the client go on as they are, credentials too. When
//! it must choose, it favours the proxy's way: all that is no tunnel is between the two of them.

use std::{future::pending, io, time::Duration};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{
    connection::{DIAL, Failure, HELLO, Way, uncut},
    first::{First, first_word},
};
use crate::{
    decide::{self, Decision, Reason, Target},
    drain::Running,
    hello::{self, Greeting, Hello, Replay},
    proxy::{self, Answer, Authority, HeadError, Kind},
    splice,
};

/// How long a client may take to end the head that it has begun.
const REQUEST: Duration = Duration::from_secs(30);
/// How long a proxy may take to answer: as long as it could take to connect, and a while.
const ANSWER: Duration = DIAL.saturating_add(Duration::from_secs(8));
/// A piece of what a proxy says besides.
const PIECE: usize = 16 * 1024;
/// The port of a target that cannot be read: that of HTTPS.
const USUAL: u16 = 443;

/// Why there was no tunnel.
#[derive(Debug, thiserror::Error)]
pub(super) enum TunnelError {
    #[error("the client's request: {0}")]
    Request(HeadError),
    #[error("the client did not end its request within {0:?}")]
    Slow(Duration),
    #[error("the client did not wait for the proxy's answer")]
    Gone,
    #[error("the proxy's answer: {0}")]
    Answer(HeadError),
    #[error("the proxy did not answer within {0:?}")]
    Silent(Duration),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// What came of asking.
enum Opened {
    /// A tunnel.
    To(Option<Authority>),
    /// What goes on between the two is nobody else's business.
    Nothing(Reason),
}

/// The two whom it stands between.
struct Pair {
    client: Replay<TcpStream>,
    proxy: TcpStream,
}

impl Way<'_> {
    /// Follows a client that begins with a `CONNECT`.
    pub(super) async fn tunnel(
        &self,
        client: Replay<TcpStream>,
        running: Running,
    ) -> Result<(), Failure> {
        let proxy = self.dial(&client, None).await?;
        let mut pair = Pair { client, proxy };
        loop {
            self.agent.progress.step();
            let target = match pair.open().await {
                Ok(Opened::To(target)) => target,
                Ok(Opened::Nothing(reason)) => {
                    return self.relay(pair.client, pair.proxy, reason).await;
                }
                Err(error) => return Err(pair.reset(error.into())),
            };
            match hello::read(&mut pair.client, HELLO).await {
                Ok(Greeting::Tls(hello)) => {
                    pair.client.unread(hello.raw.clone());
                    return self.greeted_inside(pair, hello, target, running).await;
                }
                Ok(Greeting::NotTls(first)) => {
                    let first = uncut(&mut pair.client, first).await;
                    pair.client.unread(first.clone());
                    // Through one proxy to the next.
                    if proxy::kind(&first) != Kind::Connect {
                        return self.spoke_inside(pair, &first, target, running).await;
                    }
                }
                Err(error) => return Err(pair.reset(error.into())),
            }
        }
    }

    /// The client speaks TLS to whoever is at the tunnel's other end.
    async fn greeted_inside(
        &self,
        pair: Pair,
        hello: Hello,
        target: Option<Authority>,
        running: Running,
    ) -> Result<(), Failure> {
        self.agent.progress.step();
        let (port, name) = meant(target);
        match self.by_hello(port, &hello, name) {
            Decision::Terminate(target) => {
                self.terminate_inside(pair, hello, target, running).await
            }
            Decision::Splice(reason) => self.relay(pair.client, pair.proxy, reason).await,
            Decision::Refuse(_) => Err(pair.reset(Failure::Refused)),
        }
    }

    async fn terminate_inside(
        &self,
        pair: Pair,
        hello: Hello,
        target: Target,
        running: Running,
    ) -> Result<(), Failure> {
        let Pair { client, proxy } = pair;
        match self.secure(proxy, &hello, &target).await {
            Ok(secured) => self.join(client, secured, target, running).await,
            Err(error) => self.unsecured(client, &target, error).await,
        }
    }

    /// The client speaks no TLS to whoever is at the tunnel's other end.
    async fn spoke_inside(
        &self,
        pair: Pair,
        first: &[u8],
        target: Option<Authority>,
        running: Running,
    ) -> Result<(), Failure> {
        let (port, name) = meant(target);
        let Pair { client, proxy } = pair;
        match decide::in_clear(&self.agent.config.get(), port, first, name) {
            Decision::Terminate(target) => {
                let http = decide::speaks(first);
                self.in_clear(client, proxy, target, http, running).await
            }
            Decision::Splice(reason) => self.relay(client, proxy, reason).await,
            Decision::Refuse(_) => Err(Pair { client, proxy }.reset(Failure::Refused)),
        }
    }
}

/// The port and the name that a client asked its proxy for.
fn meant(target: Option<Authority>) -> (u16, Option<String>) {
    target.map_or((USUAL, None), |target| {
        (target.port, target.name().map(str::to_owned))
    })
}

impl Pair {
    /// Lets the client ask, as often as the proxy wants it to (it may have to say who it is first).
    async fn open(&mut self) -> Result<Opened, TunnelError> {
        loop {
            let (head, rest) = timeout(REQUEST, proxy::read_request(&mut self.client))
                .await
                .map_err(|_elapsed| TunnelError::Slow(REQUEST))?
                .map_err(TunnelError::Request)?;
            self.client.unread(rest);
            self.proxy.write_all(&head).await?;
            let answer = self.answer().await?;
            self.client.write_all(&answer.head).await?;
            self.client.write_all(&answer.rest).await?;
            if !(200..300).contains(&answer.status) {
                tracing::debug!(status = answer.status, "a proxy gives no tunnel");
                if self.asks_again().await? {
                    continue;
                }
                return Ok(Opened::Nothing(Reason::Proxy));
            }
            if !answer.rest.is_empty() || self.service_is_first().await? {
                return Ok(Opened::Nothing(Reason::ServerFirst));
            }
            return Ok(Opened::To(proxy::target(&head)));
        }
    }

    /// What the proxy answers, unless the client goes away meanwhile.
    async fn answer(&mut self) -> Result<Answer, TunnelError> {
        let Self { client, proxy } = self;
        tokio::select! {
            answer = timeout(ANSWER, proxy::read_answer(proxy)) => answer
                .map_err(|_elapsed| TunnelError::Silent(ANSWER))?
                .map_err(TunnelError::Answer),
            () = gone(client.get_ref()) => Err(TunnelError::Gone),
        }
    }

    /// Passes on what belongs to the proxy's answer, until the client speaks. Whether it asks for a tunnel
    /// again: then it has seen all of the answer.
    async fn asks_again(&mut self) -> io::Result<bool> {
        let (mut piece, mut one) = (vec![0; PIECE], [0]);
        while self.client.left() == 0 {
            tokio::select! {
                heard = self.client.get_ref().peek(&mut one) => match heard? {
                    0 => return Ok(false),
                    _ => break,
                },
                read = self.proxy.read(&mut piece) => match read? {
                    0 => return Ok(false),
                    read => {
                        let piece = piece.get(..read).unwrap_or_default();
                        self.client.write_all(piece).await?;
                    }
                },
            }
        }
        let first = uncut(&mut self.client, Bytes::new()).await;
        let asks = proxy::kind(&first) == Kind::Connect;
        self.client.unread(first);
        Ok(asks)
    }

    /// Whether the service speaks before the client does, as that of SSH.
    async fn service_is_first(&self) -> io::Result<bool> {
        if self.client.left() > 0 {
            return Ok(false);
        }
        let first = first_word(self.client.get_ref(), &self.proxy).await?;
        Ok(first != First::Client)
    }

    /// Ends both connections in the way of a failure.
    fn reset(self, failure: Failure) -> Failure {
        splice::reset(self.client.get_ref());
        splice::reset(&self.proxy);
        failure
    }
}

/// Returns once the client has closed its side; what it sends before is left to be read.
async fn gone(client: &TcpStream) {
    if let Ok(1..) = client.peek(&mut [0]).await {
        pending::<()>().await;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use tokio::{net::TcpListener, task::JoinHandle};

    use super::*;

    const FIRST: &str = "CONNECT a.test:443 HTTP/1.1\r\n\r\n";
    const AGAIN: &str = "CONNECT a.test:443 HTTP/1.1\r\nProxy-Authorization: NTLM x\r\n\r\n";
    const WHO: &str = "HTTP/1.1 407 Who\r\nContent-Length: 9\r\n\r\n";
    const OPEN: &str = "HTTP/1.1 200 Go\r\n\r\n";

    async fn cable() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap());
        let (near, far) = tokio::join!(near, listener.accept());
        (near.unwrap(), far.unwrap().0)
    }

    /// A pair, and the client's and the proxy's own ends.
    async fn pair() -> (Pair, TcpStream, TcpStream) {
        let ((client, its), (proxy, other)) = (cable().await, cable().await);
        let client = Replay::new(Bytes::new(), client);
        (Pair { client, proxy }, its, other)
    }

    async fn hears(stream: &mut TcpStream, text: &str) {
        let mut heard = vec![0; text.len()];
        stream.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, text.as_bytes());
    }

    async fn says(stream: &mut TcpStream, text: &str) {
        stream.write_all(text.as_bytes()).await.unwrap();
    }

    fn open(mut pair: Pair) -> JoinHandle<(Pair, Result<Opened, TunnelError>)> {
        tokio::spawn(async move {
            let opened = pair.open().await;
            (pair, opened)
        })
    }

    #[tokio::test]
    async fn a_client_that_must_say_who_it_is_first_is_followed_on_the_same_connection() {
        let (pair, mut client, mut proxy) = pair().await;
        let opened = open(pair);
        says(&mut client, FIRST).await;
        hears(&mut proxy, FIRST).await;
        says(&mut proxy, WHO).await;
        hears(&mut client, WHO).await;
        says(&mut proxy, "who, then").await;
        hears(&mut client, "who, then").await;
        says(&mut client, AGAIN).await;
        hears(&mut proxy, AGAIN).await;
        says(&mut proxy, OPEN).await;
        hears(&mut client, OPEN).await;
        says(&mut client, "hello").await;
        let (pair, opened) = opened.await.unwrap();
        let Opened::To(target) = opened.unwrap() else {
            unreachable!("there is a tunnel");
        };
        assert_eq!(meant(target), (443, Some("a.test".to_owned())));
        drop((pair, proxy));
    }

    #[tokio::test]
    async fn a_service_that_speaks_first_is_let_speak() {
        for with_the_answer in [true, false] {
            let (pair, mut client, mut proxy) = pair().await;
            let opened = open(pair);
            says(&mut client, FIRST).await;
            hears(&mut proxy, FIRST).await;
            if with_the_answer {
                says(&mut proxy, &format!("{OPEN}SSH-2.0-x\r\n")).await;
                hears(&mut client, &format!("{OPEN}SSH-2.0-x\r\n")).await;
            } else {
                says(&mut proxy, OPEN).await;
                hears(&mut client, OPEN).await;
                says(&mut proxy, "SSH-2.0-x\r\n").await;
            }
            let (_, opened) = opened.await.unwrap();
            assert!(matches!(
                opened.unwrap(),
                Opened::Nothing(Reason::ServerFirst)
            ));
        }
    }

    #[tokio::test]
    async fn a_client_that_goes_away_leaves_no_waiting_proxy_behind() {
        let (pair, mut client, mut proxy) = pair().await;
        let opened = open(pair);
        says(&mut client, FIRST).await;
        hears(&mut proxy, FIRST).await;
        drop(client);
        let (_, opened) = opened.await.unwrap();
        assert!(matches!(opened, Err(TunnelError::Gone)));
    }

    #[tokio::test]
    async fn what_follows_a_refusal_and_is_no_tunnel_is_left_to_be_read() {
        let (pair, mut client, mut proxy) = pair().await;
        let opened = open(pair);
        says(&mut client, FIRST).await;
        hears(&mut proxy, FIRST).await;
        says(&mut proxy, "HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n").await;
        hears(&mut client, "HTTP/1.1 403 No\r\n").await;
        says(&mut client, "GET http://a.test/ HTTP/1.1\r\n\r\n").await;
        let (mut pair, opened) = opened.await.unwrap();
        assert!(matches!(opened.unwrap(), Opened::Nothing(Reason::Proxy)));
        let mut left = vec![0; 18];
        pair.client.read_exact(&mut left).await.unwrap();
        assert_eq!(left, b"GET http://a.test/");
    }

    #[tokio::test]
    async fn an_answer_that_is_none_ends_it() {
        let (pair, mut client, mut proxy) = pair().await;
        let opened = open(pair);
        says(&mut client, FIRST).await;
        says(&mut proxy, "SSH-2.0-x\r\n\r\n").await;
        let (_, opened) = opened.await.unwrap();
        assert!(matches!(
            opened,
            Err(TunnelError::Answer(HeadError::NotHttp))
        ));
    }
}
