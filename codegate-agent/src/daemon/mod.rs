//! The daemon: joins the rooms, starts them in order, and stops them without dropping what is
//! under way.
//!
//! Knows: what must be there before what. Must not know: what flows through it.

mod agent;
mod ahead;
mod authority;
mod classes;
mod commands;
mod connection;
mod existing;
mod files;
mod first;
mod heart;
mod lasting;
mod namespaces;
mod people;
mod place;
mod predecessor;
mod proxies;
mod reach;
mod reload;
mod resolvers;
mod scopes;
mod screen;
mod seat;
mod status;
mod successor;
mod through;
mod tunnel;

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tokio::{
    net::{TcpListener, TcpStream},
    signal::unix::{Signal, SignalKind, signal},
};

use self::{
    agent::Agent,
    heart::{Beating, Listening, Watched},
    namespaces::Watch,
    predecessor::Predecessor,
    resolvers::Resolvers,
    seat::Seat,
};
use crate::{
    accept,
    config::Config,
    control,
    drain::{self, Running},
};

/// How long exchanges under way may go on after the agent was told to stop.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long exchanges under way may go on after another agent has taken over: a model may think and
/// speak for many minutes.
const LEISURE: Duration = Duration::from_secs(30 * 60);
/// How long after the kernel let go the listeners still take what it had sent on its way before.
const QUIET: Duration = Duration::from_millis(250);
/// How long a failed accept is left alone: it fails for want of descriptors or memory.
const RETRY: Duration = Duration::from_millis(100);

/// Runs the agent until it is told to stop by SIGTERM or SIGINT, or another one takes over. On SIGHUP
/// it reads the configuration again, from `path` (or where it is by default). With `take_over` it
/// follows an agent that runs already, if there is one.
///
/// # Errors
/// Whatever keeps it from starting. Once it is ready it does not end by itself.
pub fn run(config: Config, path: Option<PathBuf>, take_over: bool) -> Result<()> {
    files::harden();
    tokio::runtime::Builder::new_multi_thread()
        .thread_name("codegate")
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(serve(config, path, take_over))
}

async fn serve(config: Config, path: Option<PathBuf>, take_over: bool) -> Result<()> {
    let mut stop = Stop::new()?;
    let mut hangup = signal(SignalKind::hangup()).context("cannot take SIGHUP")?;
    let (drain, running) = drain::drain();
    let (agent, beating) = tokio::select! {
        started = start(config, running, take_over) => started?,
        () = stop.asked() => return Ok(()),
    };
    let followed = loop {
        tokio::select! {
            () = stop.asked() => break false,
            () = agent.legacy.retired() => break true,
            _ = hangup.recv() => reload::reload(&agent, path.clone()).await,
        }
    };
    beating.stop();
    let finished = if followed {
        tracing::info!("another agent has taken over: {LEISURE:?} for the connections under way");
        tokio::select! {
            finished = drain.finish(LEISURE) => finished,
            () = stop.asked() => false,
        }
    } else {
        tracing::info!("stopping: {PATIENCE:?} for the connections under way");
        agent.release();
        drain.finish(PATIENCE).await
    };
    if !finished {
        tracing::warn!("some connections were still open and are closed now");
    }
    agent.flush().await;
    Ok(())
}

async fn start(config: Config, running: Running, take_over: bool) -> Result<(Arc<Agent>, Beating)> {
    let socket = config.socket();
    let mut predecessor = if take_over {
        Predecessor::find(&socket)?
    } else {
        None
    };
    let control = match predecessor {
        Some(_) => None,
        None => Some(control::bind(&socket).context("cannot open the control socket")?),
    };
    let agent = Arc::new(Agent::start(config, predecessor.as_mut()).await?);
    if let Some(control) = control {
        tokio::spawn(control::serve(control, agent.control()));
    }
    let follower = agent.clone();
    tokio::spawn(async move { follower.follow_packages().await });
    let beating = listen(&agent, running.clone())?;
    screen::start(&agent, predecessor.is_none());
    ahead::start(&agent, running.clone());
    agent.learn_names().await;
    beating.begun().await;
    let namespaces = Watch::new(agent.clone(), running.clone());
    namespaces.look().await;
    agent.pin()?;
    let followed = predecessor.is_some();
    if let Some(mut predecessor) = predecessor {
        predecessor.retire()?;
        let control = control::replace(&socket).context("cannot open the control socket")?;
        tokio::spawn(control::serve(control, agent.control()));
        agent.follow(predecessor)?;
    }
    agent.supersede()?;
    if !followed {
        existing::look(&agent).await;
    }
    tokio::spawn(existing::follow(agent.clone(), running.clone()));
    tokio::spawn(Resolvers::new(agent.clone(), !followed).follow(running));
    let news = namespaces.expect();
    tokio::spawn(namespaces.follow(news));
    agent.ready();
    Ok((agent, beating))
}

/// The signals that end the agent.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn new() -> Result<Self> {
        let terminate = signal(SignalKind::terminate()).context("cannot take SIGTERM")?;
        let interrupt = signal(SignalKind::interrupt()).context("cannot take SIGINT")?;
        Ok(Self {
            terminate,
            interrupt,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Opens the listeners, tells the kernel of them and proves that they answer: from here on
/// connections arrive.
fn listen(agent: &Arc<Agent>, running: Running) -> Result<Beating> {
    let bound = accept::bind().context("cannot listen on the loopback addresses")?;
    agent.listens(bound.v4_port()?, bound.v6_port()?)?;
    let mut watched = Vec::new();
    for listener in [Some(bound.v4), bound.v6].into_iter().flatten() {
        let listening = Listening::new(listener.local_addr()?);
        watched.push(listening.clone());
        tokio::spawn(take_all(
            agent.clone(),
            agent.seat.clone(),
            listener,
            listening,
            running.clone(),
        ));
    }
    let watched = Watched {
        listeners: watched,
        progress: agent.progress.clone(),
    };
    Beating::start(agent.hooks.heart().clone(), watched).context("cannot start the heart")
}

async fn take_all(
    agent: Arc<Agent>,
    seat: Arc<Seat>,
    listener: TcpListener,
    listening: Arc<Listening>,
    mut running: Running,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = running.stopped() => break,
        };
        take(&agent, &seat, &listening, &running, accepted).await;
    }
    // Nobody is redirected any more, but whoever was a moment ago must not be turned away.
    while let Ok(accepted) = tokio::time::timeout(QUIET, listener.accept()).await {
        take(&agent, &seat, &listening, &running, accepted).await;
    }
}

async fn take(
    agent: &Arc<Agent>,
    seat: &Arc<Seat>,
    listening: &Arc<Listening>,
    running: &Running,
    accepted: io::Result<(TcpStream, SocketAddr)>,
) {
    match accepted {
        Ok((client, peer)) => {
            let (agent, running) = (agent.clone(), running.clone());
            let (seat, listening) = (seat.clone(), listening.clone());
            tokio::spawn(async move {
                if !listening.took(peer) {
                    connection::handle(agent, seat, client, peer, running).await;
                }
            });
        }
        Err(error) => {
            tracing::error!(%error, "cannot accept a connection");
            tokio::time::sleep(RETRY).await;
        }
    }
}
