//! From one agent to the next: the new one asks the old one for what only one of them can have, and
//! the old one drains.
//!
//! On one connection: `hand-over` is answered with an [`Estate`], once the stores are free. With `go`
//! the new agent says that it guards; from then on the old one redirects nothing, says so with an empty
//! item, and sends what it still records, until it ends. If the connection ends before `go`, the old
//! agent takes everything back and goes on.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::{
    sync::{mpsc::UnboundedReceiver, oneshot},
    time::timeout,
};

use super::{
    Code, Commands, Failure, Request, State,
    answer::{Answer, blocking},
    commands::only_root,
    server::Peer,
};
use crate::{kernel::Guarded, session::Passed};

/// How long the new agent may take from the stores to the listeners.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a new agent has to know from the old one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estate {
    /// The old agent's process.
    pub pid: u32,
    /// The addresses that are guarded.
    pub guarded: Vec<Guarded>,
    /// How long the guard is paused yet.
    pub paused: Duration,
}

/// What an agent still has to tell that another one has followed.
#[derive(Debug)]
pub struct Retired {
    /// What it records.
    pub records: UnboundedReceiver<Passed>,
    /// Dropped when all of it was sent.
    pub sent: oneshot::Sender<()>,
}

pub(super) async fn hand_over(peer: &mut Peer, state: &State) -> Answer {
    only_root(peer)?;
    let commands = Arc::clone(&state.commands);
    let estate = blocking(move || commands.give()).await?;
    let heir = match peer.replies.item(&estate).await {
        Ok(()) => goes(peer).await,
        Err(_) => false,
    };
    let commands = Arc::clone(&state.commands);
    if !heir {
        blocking(move || commands.take_back()).await?;
        return Err(Failure::new(Code::Unavailable, "nobody took over").into());
    }
    tell(peer, commands.as_ref()).await
}

/// Whether the new agent says that it guards.
async fn goes(peer: &mut Peer) -> bool {
    let line = timeout(PATIENCE, peer.lines.next()).await;
    let request = match &line {
        Ok(Ok(Some(line))) => serde_json::from_slice(line).ok(),
        _ => None,
    };
    request == Some(Request::Go)
}

async fn tell(peer: &mut Peer, commands: &dyn Commands) -> Answer {
    let Some(mut retired) = commands.retire() else {
        return Err(Failure::new(Code::Unavailable, "there is nothing to hand over").into());
    };
    peer.replies.item(&()).await?;
    let mut told = 0_u64;
    while let Some(record) = retired.records.recv().await {
        peer.replies.item(&record).await?;
        told += 1;
    }
    tracing::info!(told, "the other agent was told what happened since");
    drop(retired.sent);
    Ok(())
}
