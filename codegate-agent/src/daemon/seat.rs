//! A seat: where the agent listens, and from where it dials, in one network namespace.

use std::{
    fs::File,
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use tokio::net::TcpStream;

use crate::{
    accept::{Diag, Inside},
    tcp::Raw,
    upstream,
};

/// One network namespace.
#[derive(Debug)]
pub(super) struct Seat {
    netns: u64,
    /// Who makes sockets there; `None` in the agent's own namespace.
    inside: Option<Inside>,
    /// Who sends packets there; `None` where nobody may.
    raw: Option<Raw>,
}

impl Seat {
    /// The agent's own namespace.
    pub(super) fn own(netns: u64) -> Self {
        Self {
            netns,
            inside: None,
            raw: usable(Raw::open()),
        }
    }

    /// Another one, and what was opened there.
    pub(super) fn there(netns: u64, inside: Inside, raw: io::Result<Raw>) -> Self {
        Self {
            netns,
            inside: Some(inside),
            raw: usable(raw),
        }
    }

    /// The namespace's cookie.
    pub(super) fn netns(&self) -> u64 {
        self.netns
    }

    /// Whether packets can be sent there.
    pub(super) fn sends(&self) -> bool {
        self.raw.is_some()
    }

    /// Sends a packet there, from its IP header on.
    ///
    /// # Errors
    /// As [`Raw::send`].
    pub(super) fn send(&self, packet: &[u8], to: IpAddr) -> io::Result<()> {
        let raw = self.raw.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        raw.send(packet, to)
    }

    /// A handle of this namespace; `None` for the agent's own, which everybody is in.
    ///
    /// # Errors
    /// Where there is no `/proc`, or no descriptor is left.
    pub(super) async fn handle(&self) -> io::Result<Option<File>> {
        match &self.inside {
            Some(inside) => {
                let handle = inside.run(|| File::open("/proc/thread-self/ns/net"));
                handle.await?.map(Some)
            }
            None => Ok(None),
        }
    }

    /// Asks about the connections in this namespace.
    ///
    /// # Errors
    /// Where the kernel does not answer such questions.
    pub(super) async fn diag(&self) -> io::Result<Diag> {
        match &self.inside {
            Some(inside) => inside.run(Diag::open).await?,
            None => Diag::open(),
        }
    }

    /// Connects to `to` from this namespace; see [`upstream::dial`].
    ///
    /// # Errors
    /// What the network says.
    pub(super) async fn dial(
        &self,
        to: SocketAddr,
        mark: Option<u32>,
        limit: Duration,
    ) -> io::Result<TcpStream> {
        let Some(inside) = &self.inside else {
            return upstream::dial(to, mark, limit).await;
        };
        let socket = inside.run(move || upstream::socket(to, mark)).await??;
        upstream::connect(socket, to, limit).await
    }
}

fn usable(raw: io::Result<Raw>) -> Option<Raw> {
    raw.inspect_err(|error| {
        tracing::warn!(%error, "clients are connected before their services are reached");
    })
    .ok()
}
