//! Reaching services by the company's proxy, where one was chosen: what is inspected goes that way, and
//! never direct.
//!
//! Knows: how a way is dialled. Must not know: what a proxy is told.

use std::{io, net::SocketAddr, time::Duration};

use tokio::net::TcpStream;

use super::{
    connection::{Failure, Way},
    reach::reach,
};
use crate::{
    decide::Target,
    proxy::{Authority, Host},
    session::Level,
    upstream::{Through, ThroughError},
};

/// How long the proxy may take to take the connection, and again to open a tunnel.
const LIMIT: Duration = Duration::from_secs(30);

impl Way<'_> {
    /// Reaches a guarded service by the proxy; `None` if the way there is the direct one.
    pub(super) async fn service(&self, target: &Target) -> Option<Result<TcpStream, Failure>> {
        let through = self.agent.through.get();
        let address = self.flow.original.ip();
        let through = through.as_ref().as_ref();
        let through = through.filter(|through| through.is_for(&target.host, Some(address)))?;
        let reached = self.by(through, target).await;
        Some(reached.map_err(|error| {
            self.event(target, Level::Warn, "upstream-proxy", error.to_string());
            error.into()
        }))
    }

    /// Has the proxy make the connection, to the name where the client has given it.
    async fn by(&self, through: &Through, target: &Target) -> Result<TcpStream, ThroughError> {
        let original = self.flow.original;
        let to = match target.named {
            true => Authority {
                host: Host::Name(target.host.clone()),
                port: original.port(),
            },
            false => original.into(),
        };
        let mut addresses = through.addresses().await?.into_iter();
        let first = addresses.next().unwrap_or(original);
        let mut stream = reach(first, || addresses.collect(), |at| self.dial_proxy(at))
            .await
            .map_err(|error| through.not_reached(error))?;
        self.agent.progress.step();
        through.tunnel(&mut stream, &to, LIMIT).await?;
        Ok(stream)
    }

    /// One on the machine itself is reached from where the agent is; others from where the client is.
    async fn dial_proxy(&self, at: SocketAddr) -> io::Result<TcpStream> {
        let mark = Some(self.agent.hooks.mark());
        let here = at.ip().to_canonical().is_loopback();
        let seat = if here { &self.agent.seat } else { self.seat };
        seat.dial(at, mark, LIMIT).await
    }
}
