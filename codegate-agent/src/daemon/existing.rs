//! Connections to guarded addresses that are older than the guard. What flows through them is not seen; by
//! policy they are listed, or closed so that their clients connect again.
//!
//! Knows: namespaces, connections, processes, the policy. Must not know: what is said on a connection. An
//! address may be shared, so one that is listed need not be for the guarded host.

use std::{
    collections::HashSet,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::{task::spawn_blocking, time::sleep};

use super::{agent::Agent, seat::Seat};
use crate::{
    accept::{Diag, Established, owners},
    config::{self, Action},
    control::Older,
    drain::Running,
    flow::{Flow, Process},
    session::{Event, Level},
};

/// How often it is asked whether those that were listed are still there.
const LOOK: Duration = Duration::from_secs(10);
/// The most that are listed.
const MOST: usize = 1_000;

/// Those that were found, and are still there.
#[derive(Debug, Default)]
pub(super) struct Existing(Mutex<Vec<Found>>);

#[derive(Debug)]
struct Found {
    netns: u64,
    connection: Established,
    shown: Older,
}

impl Existing {
    /// What is told of them.
    pub(super) fn shown(&self) -> Vec<Older> {
        self.lock()
            .iter()
            .map(|found| found.shown.clone())
            .collect()
    }

    fn add(&self, found: Found) {
        let mut all = self.lock();
        if all.len() < MOST {
            all.push(found);
        }
    }

    fn knows(&self, netns: u64, connection: &Established) -> bool {
        let all = self.lock();
        all.iter()
            .any(|found| found.netns == netns && found.connection == *connection)
    }

    fn is_waited_for(&self, netns: u64) -> bool {
        self.lock().iter().any(|found| found.netns == netns)
    }

    /// Forgets those of a namespace that are gone.
    fn retain(&self, netns: u64, there: &[Established]) {
        self.lock()
            .retain(|found| found.netns != netns || there.contains(&found.connection));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Found>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks for them in all namespaces where the agent listens.
pub(super) async fn look(agent: &Arc<Agent>) {
    for seat in agent.seats() {
        tell_failure(look_at(agent, &seat, None).await);
    }
}

/// Looks in one namespace for those to addresses that are not guarded for long.
pub(super) async fn look_for(agent: &Arc<Agent>, seat: &Seat, addresses: HashSet<SocketAddr>) {
    tell_failure(look_at(agent, seat, Some(addresses)).await);
}

fn tell_failure(looked: Result<()>) {
    if let Err(error) = looked {
        tracing::warn!("connections that are older than the guard are not known: {error:#}");
    }
}

/// Without `only`, all guarded addresses count.
async fn look_at(agent: &Arc<Agent>, seat: &Seat, only: Option<HashSet<SocketAddr>>) -> Result<()> {
    let diag = seat.diag().await.context("cannot ask for connections")?;
    let (agent, netns) = (agent.clone(), seat.netns());
    spawn_blocking(move || {
        Search {
            agent: &agent,
            diag,
            netns,
            only,
        }
        .run()
    })
    .await?
}

/// Forgets those that have ended, for as long as the agent runs.
pub(super) async fn follow(agent: Arc<Agent>, mut running: Running) {
    loop {
        tokio::select! {
            () = running.stopped() => return,
            () = sleep(LOOK) => {}
        }
        let waited_for = |seat: &Arc<Seat>| agent.existing.is_waited_for(seat.netns());
        for seat in agent.seats().into_iter().filter(waited_for) {
            if let Err(error) = forget(&agent, &seat).await {
                tracing::debug!("which old connections are left is not known: {error:#}");
            }
        }
    }
}

async fn forget(agent: &Agent, seat: &Seat) -> Result<()> {
    let diag = seat.diag().await?;
    let there = spawn_blocking(move || diag.established()).await??;
    agent.existing.retain(seat.netns(), &there);
    Ok(())
}

/// One look through a namespace.
struct Search<'a> {
    agent: &'a Agent,
    diag: Diag,
    netns: u64,
    only: Option<HashSet<SocketAddr>>,
}

impl Search<'_> {
    fn run(self) -> Result<()> {
        let guarded = match &self.only {
            Some(only) => only.clone(),
            None => {
                let guarded = self.agent.hooks.guarded()?;
                guarded.iter().map(|one| one.address).collect()
            }
        };
        let mark = self.agent.hooks.mark();
        let mut found = self.diag.established()?;
        let is_new = |one: &_| !self.agent.existing.knows(self.netns, one);
        found.retain(|one| guarded.contains(&one.remote) && one.mark != mark && is_new(one));
        if found.is_empty() {
            return Ok(());
        }
        let owners = owners(found.iter().map(|one| one.inode).collect());
        for connection in found {
            let owner = owners.get(&connection.inode).copied();
            let (process, guarded) = self.agent.people.behind(&connection, owner);
            if guarded && self.is_ours_to_see(&process) {
                self.tell(connection, process);
            }
        }
        Ok(())
    }

    fn is_ours_to_see(&self, process: &Process) -> bool {
        let action = self.agent.config.get().processes.action(process);
        action != Action::Pass && process.pid != std::process::id()
    }

    /// Lists it or closes it, and records that.
    fn tell(&self, connection: Established, process: Process) {
        let config = self.agent.config.get();
        let (event, closed) = match config.capture.existing {
            config::Existing::List => (listed(), false),
            config::Existing::Close => closed(self.diag.destroy(&connection)),
        };
        let host = self.agent.names.host_for(connection.remote);
        let host = host.unwrap_or_else(|| connection.remote.ip().to_string());
        let endpoint = config.endpoints.find(&host, connection.remote.port());
        let provider = endpoint.map_or("opaque", |endpoint| endpoint.provider.as_str());
        tracing::warn!(pid = process.pid, to = %connection.remote, host, "{}", event.message);
        let shown = Older {
            process: (&process).into(),
            local: connection.local,
            remote: connection.remote,
            host: host.clone(),
        };
        let flow = Flow {
            client: connection.local,
            original: connection.remote,
            process,
        };
        self.agent
            .guard
            .recorder
            .event(&flow, &host, provider, event);
        if !closed {
            let netns = self.netns;
            self.agent.existing.add(Found {
                netns,
                connection,
                shown,
            });
        }
    }
}

const CODE: &str = "existing-connection";

fn listed() -> Event {
    let message = "a connection is older than the guard: what it carries is not seen";
    Event::new(Level::Alert, CODE, message)
}

/// What came of closing one, and whether it is closed.
fn closed(done: io::Result<()>) -> (Event, bool) {
    let Err(error) = done else {
        let message = "a connection was older than the guard, and was closed";
        return (Event::new(Level::Warn, CODE, message), true);
    };
    let why = match error.raw_os_error() {
        Some(libc::EOPNOTSUPP) => "this kernel cannot close it (INET_DIAG_DESTROY)".to_owned(),
        _ => format!("it cannot be closed: {error}"),
    };
    let message =
        format!("a connection is older than the guard, what it carries is not seen: {why}");
    (Event::new(Level::Alert, CODE, message), false)
}
