//! The daemon: joins the rooms, starts them in order, and stops them without dropping what is
//! under way.
//!
//! Knows: what must be there before what. Must not know: what flows through it.

mod agent;
mod connection;
mod files;
mod status;

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};

use self::agent::Agent;
use crate::{
    accept,
    config::Config,
    control,
    drain::{self, Running},
};

/// How long exchanges under way may go on after the agent was told to stop.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a failed accept is left alone: it fails for want of descriptors or memory.
const RETRY: Duration = Duration::from_millis(100);

/// Runs the agent until it is told to stop by SIGTERM or SIGINT.
///
/// # Errors
/// Whatever keeps it from starting. Once it is ready it does not end by itself.
pub fn run(config: Config) -> Result<()> {
    files::harden();
    tokio::runtime::Builder::new_multi_thread()
        .thread_name("codegate")
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(serve(config))
}

async fn serve(config: Config) -> Result<()> {
    let mut stop = Stop::new()?;
    let (drain, running) = drain::drain();
    let agent = tokio::select! {
        started = start(config, running) => started?,
        () = stop.asked() => return Ok(()),
    };
    stop.asked().await;
    tracing::info!("stopping: new connections go direct, {PATIENCE:?} for those under way");
    agent.release();
    if !drain.finish(PATIENCE).await {
        tracing::warn!("some connections were still open and are closed now");
    }
    agent.flush().await;
    Ok(())
}

async fn start(config: Config, running: Running) -> Result<Arc<Agent>> {
    let control = control::bind(&config.socket()).context("cannot open the control socket")?;
    let agent = Arc::new(Agent::start(config)?);
    tokio::spawn(control::serve(control, agent.control()));
    listen(&agent, running)?;
    agent.learn_names().await;
    agent.ready();
    Ok(agent)
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

/// Opens the listeners and tells the kernel of them: from here on connections arrive.
fn listen(agent: &Arc<Agent>, running: Running) -> Result<()> {
    let bound = accept::bind().context("cannot listen on the loopback addresses")?;
    let (v4, v6) = (bound.v4_port()?, bound.v6_port()?);
    agent.listens(v4, v6)?;
    tokio::spawn(accept_all(agent.clone(), bound.v4, running.clone()));
    if let Some(v6) = bound.v6 {
        tokio::spawn(accept_all(agent.clone(), v6, running));
    }
    Ok(())
}

async fn accept_all(agent: Arc<Agent>, listener: TcpListener, mut running: Running) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = running.stopped() => return,
        };
        match accepted {
            Ok((client, peer)) => {
                let (agent, running) = (agent.clone(), running.clone());
                tokio::spawn(connection::handle(agent, client, peer, running));
            }
            Err(error) => {
                tracing::error!(%error, "cannot accept a connection");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}
