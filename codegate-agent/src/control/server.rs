//! Who is let in, and how long they may take. Who asks is read from the socket, never from what
//! they say.

use std::{future::Future, io, sync::Arc, time::Duration};

use serde::Serialize;
use tokio::{
    io::AsyncWriteExt,
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinSet,
    time::{sleep, timeout},
};
use zeroize::Zeroizing;

use super::{
    Asker, Code, Failure, Reply, Request, State,
    answer::answer,
    lines::Lines,
    seats::{Seat, Seats},
};
use crate::session::Viewer;

/// How long a connection may say nothing.
const IDLE: Duration = Duration::from_secs(30);
/// How long a client may take to read a line.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait when no connection can be accepted, as without file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers on the socket until it is dropped, and all its connections with it.
pub async fn serve(listener: UnixListener, state: Arc<State>) {
    let seats = Seats::default();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => admit(stream, &seats, &state, &mut connections),
                Err(error) => {
                    tracing::warn!(%error, "control: a connection could not be accepted");
                    sleep(PAUSE).await;
                }
            },
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "control: a connection's task failed");
                }
            }
        }
    }
}

fn admit(stream: UnixStream, seats: &Seats, state: &Arc<State>, connections: &mut JoinSet<()>) {
    let asker = match stream.peer_cred() {
        Ok(credentials) => Asker {
            pid: credentials.pid().and_then(|pid| u32::try_from(pid).ok()),
            uid: credentials.uid(),
        },
        Err(error) => {
            tracing::warn!(%error, "control: a peer without credentials");
            return;
        }
    };
    let uid = asker.uid;
    let seat = seats.take(uid);
    let state = Arc::clone(state);
    connections.spawn(async move {
        let (read, write) = stream.into_split();
        let mut peer = Peer {
            viewer: Viewer::new(uid),
            pid: asker.pid,
            lines: Lines::new(read),
            replies: Replies { write },
        };
        if let Err(error) = peer.converse(seat, &state).await {
            tracing::debug!(uid, %error, "control: a connection ended early");
        }
    });
}

/// A client of the socket.
pub(super) struct Peer {
    pub(super) viewer: Viewer,
    pid: Option<u32>,
    pub(super) lines: Lines<OwnedReadHalf>,
    pub(super) replies: Replies,
}

impl Peer {
    /// Who it is.
    pub(super) fn asker(&self) -> Asker {
        Asker {
            pid: self.pid,
            uid: self.viewer.uid(),
        }
    }

    async fn converse(&mut self, seat: Option<Seat>, state: &State) -> io::Result<()> {
        let Some(_seat) = seat else {
            let busy = Failure::new(Code::Unavailable, "too many connections of this user");
            return self.replies.error(busy).await;
        };
        while let Some(line) = within(IDLE, self.lines.next()).await? {
            let line = Zeroizing::new(line); // it may hold a value in clear
            match serde_json::from_slice::<Request>(&line) {
                Ok(request) => self.answer(request, state).await?,
                Err(error) => {
                    let bad = Failure::new(Code::BadRequest, format!("not a request: {error}"));
                    self.replies.error(bad).await?;
                }
            }
        }
        Ok(())
    }

    async fn answer(&mut self, request: Request, state: &State) -> io::Result<()> {
        match answer(self, request, state).await {
            Ok(()) => self.replies.line(&Reply::<()>::End).await,
            Err(Stop::Failure(failure)) => self.replies.error(failure).await,
            Err(Stop::Io(error)) => Err(error),
        }
    }
}

/// Why an answer ends before its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// The client is told.
    Failure(Failure),
    /// The client cannot be told.
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// The way back to the client.
pub(super) struct Replies {
    write: OwnedWriteHalf,
}

impl Replies {
    pub(super) async fn item(&mut self, item: &impl Serialize) -> io::Result<()> {
        self.line(&Reply::Item(item)).await
    }

    async fn error(&mut self, failure: Failure) -> io::Result<()> {
        self.line(&Reply::<()>::Error(failure)).await
    }

    async fn line(&mut self, reply: &impl Serialize) -> io::Result<()> {
        // It may hold a value in clear.
        let mut line = Zeroizing::new(serde_json::to_vec(reply)?);
        line.push(b'\n');
        within(PATIENCE, self.write.write_all(&line)).await
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = |_| io::Error::from(io::ErrorKind::TimedOut);
    timeout(limit, work).await.map_err(late)?
}
