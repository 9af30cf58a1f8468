//! The daemon: joins the rooms, starts them in order, and stops them without dropping what is
//! under way.
//!
//! Knows: what must be there before what. Must not know: what flows through it.

mod agent;
mod classes;
mod connection;
mod files;
mod heart;
mod lasting;
mod namespaces;
mod pause;
mod people;
mod reach;
mod reload;
mod seat;
mod status;

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tokio::{
    net::{TcpListener, TcpStream},
    signal::unix::{Signal, SignalKind, signal},
};

use self::{
    agent::Agent,
    heart::{Beating, Listening},
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
/// How long after the kernel let go the listeners still take what it had sent on its way before.
const QUIET: Duration = Duration::from_millis(250);
/// How long a failed accept is left alone: it fails for want of descriptors or memory.
const RETRY: Duration = Duration::from_millis(100);

/// Runs the agent until it is told to stop by SIGTERM or SIGINT. On SIGHUP it reads the
/// configuration again, from `path` (or where it is by default).
///
/// # Errors
/// Whatever keeps it from starting. Once it is ready it does not end by itself.
pub fn run(config: Config, path: Option<PathBuf>) -> Result<()> {
    files::harden();
    tokio::runtime::Builder::new_multi_thread()
        .thread_name("codegate")
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(serve(config, path))
}

async fn serve(config: Config, path: Option<PathBuf>) -> Result<()> {
    let mut stop = Stop::new()?;
    let mut hangup = signal(SignalKind::hangup()).context("cannot take SIGHUP")?;
    let (drain, running) = drain::drain();
    let (agent, beating) = tokio::select! {
        started = start(config, running) => started?,
        () = stop.asked() => return Ok(()),
    };
    loop {
        tokio::select! {
            () = stop.asked() => break,
            _ = hangup.recv() => reload::reload(&agent, path.clone()).await,
        }
    }
    tracing::info!("stopping: {PATIENCE:?} for the connections under way");
    beating.stop().await;
    agent.release();
    if !drain.finish(PATIENCE).await {
        tracing::warn!("some connections were still open and are closed now");
    }
    agent.flush().await;
    Ok(())
}

async fn start(config: Config, running: Running) -> Result<(Arc<Agent>, Beating)> {
    let control = control::bind(&config.socket()).context("cannot open the control socket")?;
    let agent = Arc::new(Agent::start(config)?);
    tokio::spawn(control::serve(control, agent.control()));
    let follower = agent.clone();
    tokio::spawn(async move { follower.follow_packages().await });
    let beating = listen(&agent, running.clone())?;
    agent.learn_names().await;
    beating.begun().await;
    agent.settle()?;
    let cgroup = agent.cgroup.clone();
    tokio::spawn(namespaces::follow(agent.clone(), cgroup, running));
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
    Ok(Beating::start(agent.hooks.heart().clone(), watched))
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
