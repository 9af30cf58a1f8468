//! A seat: where the agent listens, and from where it dials, in one network namespace.

use std::{fs::File, io, net::SocketAddr, time::Duration};

use tokio::net::TcpStream;

use crate::{
    accept::{Diag, Inside},
    upstream,
};

/// One network namespace.
#[derive(Debug)]
pub(super) struct Seat {
    netns: u64,
    /// Who makes sockets there; `None` in the agent's own namespace.
    inside: Option<Inside>,
}

impl Seat {
    /// The agent's own namespace.
    pub(super) fn own(netns: u64) -> Self {
        Self {
            netns,
            inside: None,
        }
    }

    /// Another one.
    pub(super) fn there(netns: u64, inside: Inside) -> Self {
        Self {
            netns,
            inside: Some(inside),
        }
    }

    /// The namespace's cookie.
    pub(super) fn netns(&self) -> u64 {
        self.netns
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
