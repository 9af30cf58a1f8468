//! One connection's way through the rooms.

use std::{
    error::Error,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use rustls::AlertDescription;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{
    agent::Agent,
    first::{First, first_word},
    reach::reach,
    seat::Seat,
    tunnel::TunnelError,
};
use crate::{
    decide::{self, Decision, Http, Reason, Target},
    drain::Running,
    flow::Flow,
    hello::{self, Greeting, Hello, HelloError, Replay},
    http::{self, Connection, RelayError},
    proxy::{self, Kind},
    session::{Event, Level},
    splice,
    tls::{self, ClientTls},
    upstream::{Secured, ThroughError, UpstreamTls},
};

/// How long a client may take to say hello: clients open connections ahead of their first request.
pub(super) const HELLO: Duration = Duration::from_secs(300);
/// How long the upstream may take to accept a connection: as long as Linux itself would try.
pub(super) const DIAL: Duration = Duration::from_secs(127);
/// How long a TLS handshake may take on either side.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// Why a connection ended before it was served.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("the client's hello: {0}")]
    Hello(#[from] HelloError),
    #[error("upstream: {0}")]
    Upstream(#[from] UpstreamTls),
    #[error("upstream cannot be reached: {0}")]
    Dial(io::Error),
    #[error("the client: {0}")]
    Client(#[from] ClientTls),
    #[error("no certificate for the client: {0}")]
    Leaf(#[from] crate::trust::TrustError),
    #[error(transparent)]
    Relay(#[from] RelayError),
    #[error("upstream cannot be reached: {0}")]
    Through(#[from] ThroughError),
    #[error("through a proxy: {0}")]
    Tunnel(#[from] TunnelError),
    #[error("splicing: {0}")]
    Splice(io::Error),
    #[error("refused for its process")]
    Refused,
}

/// Takes an accepted connection to its end.
pub(super) async fn handle(
    agent: Arc<Agent>,
    seat: Arc<Seat>,
    client: TcpStream,
    peer: SocketAddr,
    running: Running,
) {
    let Some(flow) = agent.caller(&seat, peer) else {
        tracing::warn!(%peer, "somebody connected to the listener itself");
        splice::reset(&client);
        return;
    };
    if let Err(error) = client.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let _open = agent.status.opened();
    agent.progress.step();
    let way = Way {
        agent: &agent,
        seat: &seat,
        flow: &flow,
        reached: Mutex::new(agent.ahead.reached(seat.netns(), peer, flow.original)),
    };
    if let Err(failure) = way.conduct(client, running).await {
        tracing::debug!(pid = flow.process.pid, to = %flow.original, "{failure}");
    }
}

/// A connection's circumstances.
pub(super) struct Way<'a> {
    pub(super) agent: &'a Agent,
    pub(super) seat: &'a Seat,
    pub(super) flow: &'a Flow,
    /// The original destination, if it was dialled before the client came.
    reached: Mutex<Option<TcpStream>>,
}

impl Way<'_> {
    async fn conduct(&self, mut client: TcpStream, running: Running) -> Result<(), Failure> {
        match decide::by_process(&self.agent.config.get(), &self.flow.process) {
            Some(Decision::Splice(reason)) => {
                return self
                    .splice(Replay::new(Default::default(), client), reason)
                    .await;
            }
            Some(_) => {
                splice::reset(&client);
                return Err(Failure::Refused);
            }
            None => {}
        }
        if let Some(service) = self.reached() {
            match timeout(HELLO, first_word(&client, &service)).await {
                Ok(Ok(First::Service)) if !self.is_in_clear() => {
                    let client = Replay::new(Bytes::new(), client);
                    return self.relay(client, service, Reason::ServerFirst).await;
                }
                // What the client may say yet is for nobody.
                Ok(Ok(First::Nobody)) => return Ok(()),
                Ok(Err(error)) => {
                    splice::reset(&client);
                    return Err(Failure::Splice(error));
                }
                Ok(Ok(First::Client | First::Service)) | Err(_) => self.keep(service),
            }
        }
        match hello::read(&mut client, HELLO).await {
            Ok(Greeting::Tls(hello)) => self.greeted(client, hello, running).await,
            Ok(Greeting::NotTls(first)) => self.spoke(client, first, running).await,
            Err(error) => {
                splice::reset(&client);
                Err(error.into())
            }
        }
    }

    async fn greeted(
        &self,
        client: TcpStream,
        hello: Hello,
        running: Running,
    ) -> Result<(), Failure> {
        self.agent.progress.step();
        let client = Replay::new(hello.raw.clone(), client);
        let original = self.flow.original;
        let learned = self.agent.names.host_for(original);
        match self.by_hello(original.port(), &hello, learned) {
            Decision::Terminate(target) => self.terminate(client, hello, target, running).await,
            Decision::Splice(reason) => self.splice(client, reason).await,
            Decision::Refuse(_) => {
                splice::reset(client.get_ref());
                Err(Failure::Refused)
            }
        }
    }

    /// Whether the original destination is a guarded host's that speaks HTTP without TLS.
    fn is_in_clear(&self) -> bool {
        let original = self.flow.original;
        let config = self.agent.config.get();
        self.agent.names.host_for(original).is_some_and(|host| {
            let endpoint = config.endpoints.find(&host, original.port());
            endpoint.is_some_and(|endpoint| !endpoint.tls)
        })
    }

    /// What the hello says; `learned` is the host that is meant if it names none.
    pub(super) fn by_hello(&self, port: u16, hello: &Hello, learned: Option<String>) -> Decision {
        if self.agent.connector.is_own(&hello.raw) {
            return Decision::Splice(Reason::Own);
        }
        decide::by_hello(&self.agent.config.get(), port, hello, learned)
    }

    /// The client does not speak TLS, and need not where that is the endpoint's way, or a proxy's.
    async fn spoke(
        &self,
        mut client: TcpStream,
        first: Bytes,
        running: Running,
    ) -> Result<(), Failure> {
        let first = uncut(&mut client, first).await;
        if proxy::kind(&first) == Kind::Connect {
            return self.tunnel(Replay::new(first, client), running).await;
        }
        let original = self.flow.original;
        let learned = self.agent.names.host_for(original);
        let config = self.agent.config.get();
        let decided = decide::in_clear(&config, original.port(), &first, learned);
        let http = decide::speaks(&first);
        let client = Replay::new(first, client);
        match decided {
            Decision::Terminate(target) => {
                let upstream = match self.service(&target).await {
                    Some(reached) => reached.inspect_err(|_| splice::reset(client.get_ref()))?,
                    None => self.dial(&client, Some(&target.host)).await?,
                };
                self.in_clear(client, upstream, target, http, running).await
            }
            Decision::Splice(reason) => self.splice(client, reason).await,
            Decision::Refuse(_) => {
                splice::reset(client.get_ref());
                Err(Failure::Refused)
            }
        }
    }

    /// Between a client and an upstream that speak HTTP without TLS.
    pub(super) async fn in_clear(
        &self,
        client: Replay<TcpStream>,
        upstream: TcpStream,
        target: Target,
        http: Option<Http>,
        running: Running,
    ) -> Result<(), Failure> {
        self.agent.status.terminated();
        self.agent.progress.step();
        let alpn = (http == Some(Http::Two)).then_some(http::ALPN_H2);
        let connection = Connection {
            in_clear: true,
            ..self.connection(&target, running)
        };
        http::serve(client, upstream, alpn, connection).await?;
        Ok(())
    }

    async fn splice(&self, client: Replay<TcpStream>, reason: Reason) -> Result<(), Failure> {
        let upstream = self.dial(&client, None).await?;
        self.relay(client, upstream, reason).await
    }

    /// Bytes go between the two untouched.
    pub(super) async fn relay(
        &self,
        client: Replay<TcpStream>,
        upstream: TcpStream,
        reason: Reason,
    ) -> Result<(), Failure> {
        self.agent.status.spliced();
        tracing::debug!(to = %self.flow.original, ?reason, "spliced");
        splice::relay(client, upstream)
            .await
            .map(|_bytes| ())
            .map_err(Failure::Splice)
    }

    /// Reaches the original destination, or a guarded host elsewhere, or lets the client see that it
    /// cannot be reached.
    pub(super) async fn dial(
        &self,
        client: &Replay<TcpStream>,
        host: Option<&str>,
    ) -> Result<TcpStream, Failure> {
        if let Some(reached) = self.reached() {
            return Ok(reached);
        }
        let mark = Some(self.agent.hooks.mark());
        let original = self.flow.original;
        let others =
            || host.map_or_else(Vec::new, |host| self.agent.names.elsewhere(host, original));
        reach(original, others, |to| self.seat.dial(to, mark, DIAL))
            .await
            .map_err(|error| {
                self.fail_alike(original, &error);
                splice::reset(client.get_ref());
                Failure::Dial(error)
            })
    }

    /// What was dialled before the client came, once.
    fn reached(&self) -> Option<TcpStream> {
        self.lock().take()
    }

    fn keep(&self, service: TcpStream) {
        *self.lock() = Some(service);
    }

    /// Nothing panics that holds it.
    fn lock(&self) -> MutexGuard<'_, Option<TcpStream>> {
        self.reached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This client's `connect()` has succeeded; others need not.
    fn fail_alike(&self, to: SocketAddr, error: &io::Error) {
        let netns = self.seat.netns();
        if let Err(error) = self.agent.hooks.fail_alike(netns, to, error) {
            tracing::debug!(%to, %error, "other clients may be accepted and reset, too");
        }
    }

    /// Upstream first: nothing is shown to the client before the host has proved its name.
    async fn terminate(
        &self,
        client: Replay<TcpStream>,
        hello: Hello,
        target: Target,
        running: Running,
    ) -> Result<(), Failure> {
        let tcp = match self.service(&target).await {
            Some(Ok(tcp)) => tcp,
            Some(Err(error)) => {
                return self
                    .refuse(client, AlertDescription::InternalError, error)
                    .await;
            }
            None => self.dial(&client, Some(&target.host)).await?,
        };
        match self.secure(tcp, &hello, &target).await {
            Ok(secured) => self.join(client, secured, target, running).await,
            Err(UpstreamTls::Untrusted { .. }) if !target.named => {
                self.splice(client, Reason::NoName).await
            }
            Err(error) => self.unsecured(client, &target, error).await,
        }
    }

    /// Has upstream prove its name.
    pub(super) async fn secure(
        &self,
        tcp: TcpStream,
        hello: &Hello,
        target: &Target,
    ) -> Result<Secured<TcpStream>, UpstreamTls> {
        self.agent.progress.step();
        let connector = &self.agent.connector;
        connector
            .connect(&target.host, &hello.alpn, tcp, HANDSHAKE)
            .await
    }

    /// Joins the client to an upstream that has proved its name.
    pub(super) async fn join(
        &self,
        client: Replay<TcpStream>,
        upstream: Secured<TcpStream>,
        target: Target,
        running: Running,
    ) -> Result<(), Failure> {
        let Secured {
            stream: upstream,
            alpn,
        } = upstream;
        self.agent.progress.step();
        let leaf = self.agent.authority.leaf(&target.host)?;
        let client = self
            .agent
            .terminator
            .accept(client, leaf, alpn, HANDSHAKE)
            .await
            .inspect_err(|error| self.client_failed(&target, error))?;
        self.agent.status.terminated();
        self.agent.progress.step();
        let connection = self.connection(&target, running);
        http::serve(client, upstream, alpn, connection)
            .await
            .inspect_err(|error| self.relay_failed(&target, error))?;
        Ok(())
    }

    fn connection(&self, target: &Target, running: Running) -> Connection {
        Connection {
            guard: self.agent.guard.clone(),
            flow: self.flow.clone(),
            host: target.host.clone(),
            in_clear: false,
            provider: target.provider.to_owned(),
            running,
        }
    }

    /// The client is told by the TLS alert that says best what is wrong upstream.
    pub(super) async fn unsecured(
        &self,
        client: Replay<TcpStream>,
        target: &Target,
        error: UpstreamTls,
    ) -> Result<(), Failure> {
        if let UpstreamTls::Untrusted { .. } = error {
            self.event(
                target,
                Level::Block,
                "upstream-untrusted",
                error.to_string(),
            );
        }
        self.refuse(client, error.alert(), error.into()).await
    }

    async fn refuse(
        &self,
        client: Replay<TcpStream>,
        alert: AlertDescription,
        failure: Failure,
    ) -> Result<(), Failure> {
        if let Err(error) = tls::refuse(client, alert).await {
            tracing::debug!(%error, "the client was gone before it could be told");
        }
        Err(failure)
    }

    fn client_failed(&self, target: &Target, error: &ClientTls) {
        if let ClientTls::Untrusted(_) = error {
            self.distrusted(target);
        }
    }

    /// With TLS 1.3 a client's distrust arrives after the handshake, as the first read's error.
    fn relay_failed(&self, target: &Target, error: &RelayError) {
        let mut cause: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(error) = cause {
            let io = error.downcast_ref::<io::Error>();
            if io.and_then(tls::distrust).is_some() {
                return self.distrusted(target);
            }
            cause = error.source();
        }
    }

    fn distrusted(&self, target: &Target) {
        let message =
            "the client does not trust CodeGate's CA; see `codegate env` and `codegate run`";
        self.event(target, Level::Alert, "client-distrusts", message.to_owned());
    }

    pub(super) fn event(&self, target: &Target, level: Level, code: &'static str, message: String) {
        tracing::warn!(
            host = target.host,
            pid = self.flow.process.pid,
            code,
            "{message}"
        );
        let event = Event::new(level, code, message);
        self.agent
            .guard
            .recorder
            .event(self.flow, &target.host, target.provider, event);
    }
}

/// Reads on while it cannot be told yet what the client speaks.
pub(super) async fn uncut<S: AsyncRead + Unpin>(client: &mut S, first: Bytes) -> Bytes {
    let mut first = BytesMut::from(first);
    while decide::is_cut(&first) || proxy::kind(&first) == Kind::Cut {
        let more = timeout(HANDSHAKE, client.read_buf(&mut first)).await;
        if !matches!(more, Ok(Ok(1..))) {
            break;
        }
    }
    first.freeze()
}
