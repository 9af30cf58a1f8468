//! The network namespaces that guarded processes are in, other than the agent's own: containers, most of
//! the time. Each gets listeners of its own, and what is dialled for it is dialled from there.
//!
//! The programs tell of the first socket in a namespace; and now and then the guarded cgroup is looked
//! through, for those that were there before, and for those that have gone.
//!
//! Knows: namespaces, listeners. Must not know: what is done with connections.

use std::{
    collections::HashMap,
    fs::File,
    io,
    net::UdpSocket,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use tokio::{sync::mpsc, task::AbortHandle, time::MissedTickBehavior};

use super::{agent::Agent, heart::Listening, seat::Seat, take_all};
use crate::{
    accept::{self, Bound, Inside, Network, networks_below},
    drain::Running,
    kernel,
};

/// How often the guarded cgroup is looked through while there are other namespaces.
const LOOK: Duration = Duration::from_secs(5);
/// The same where the programs cannot tell of them.
const LOOK_HARDER: Duration = Duration::from_secs(1);
/// Most namespaces at a time: the kernel's table has no more.
const MOST: usize = 1_000;

/// The namespaces where the agent listens.
#[derive(Debug, Default)]
pub(super) struct Namespaces(Mutex<HashMap<Network, Opened>>);

/// A namespace where the agent listens; its tasks end when it is dropped, and with the last connection
/// it is let go.
#[derive(Debug)]
struct Opened {
    seat: Arc<Seat>,
    tasks: Vec<AbortHandle>,
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Namespaces {
    /// All of them.
    pub(super) fn seats(&self) -> Vec<Arc<Seat>> {
        let all = self.lock();
        all.values().map(|opened| opened.seat.clone()).collect()
    }

    /// The cookies of all of them.
    pub(super) fn cookies(&self) -> Vec<u64> {
        let all = self.lock();
        all.values().map(|opened| opened.seat.netns()).collect()
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    /// A panic elsewhere leaves the table whole.
    fn lock(&self) -> MutexGuard<'_, HashMap<Network, Opened>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens in all namespaces that there are now.
pub(super) async fn look(agent: &Arc<Agent>, cgroup: &Path, running: &Running) {
    let watch = Watch {
        agent: agent.clone(),
        cgroup: cgroup.to_owned(),
        running: running.clone(),
    };
    watch.look().await;
}

/// Follows namespaces as they come and go, for as long as the agent runs.
pub(super) async fn follow(agent: Arc<Agent>, cgroup: PathBuf, mut running: Running) {
    let watch = Watch {
        agent,
        cgroup,
        running: running.clone(),
    };
    let (mut told, every) = newcomers(&watch.agent);
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    watch.look().await;
    loop {
        tokio::select! {
            () = running.stopped() => return,
            Some(tid) = told.recv() => watch.meet(tid).await,
            _ = tick.tick() => if every == LOOK_HARDER || watch.agent.namespaces.count() > 0 {
                watch.look().await;
            },
        }
    }
}

/// The threads that the programs tell of, and how often to look besides.
fn newcomers(agent: &Agent) -> (mpsc::Receiver<u32>, Duration) {
    let (tell, told) = mpsc::channel(64);
    let mut newcomers = match agent.hooks.newcomers() {
        Ok(Some(newcomers)) => newcomers,
        Ok(None) => return (told, LOOK_HARDER),
        Err(error) => {
            tracing::warn!(%error, "new network namespaces are found late");
            return (told, LOOK_HARDER);
        }
    };
    tokio::spawn(async move {
        // Whoever finds no room is told of again.
        while newcomers
            .read(|newcomer| _ = tell.try_send(newcomer.tid))
            .await
            .is_ok()
        {}
    });
    (told, LOOK)
}

struct Watch {
    agent: Arc<Agent>,
    cgroup: PathBuf,
    running: Running,
}

impl Watch {
    /// Opens what is new below the cgroup, and lets go of what is there no more.
    async fn look(&self) {
        let cgroup = self.cgroup.clone();
        let looked = tokio::task::spawn_blocking(move || networks_below(&cgroup)).await;
        let Ok(found) = looked else { return };
        self.close(|network| !found.contains_key(network));
        for pid in found.into_values() {
            self.meet(pid).await;
        }
    }

    /// Listens in the namespace of a thread, unless that is done. A thread that is gone had no time to
    /// connect.
    async fn meet(&self, tid: u32) {
        let Ok(handle) = File::open(format!("/proc/{tid}/ns/net")) else {
            return;
        };
        match self.open(handle).await {
            Ok(true) => tracing::info!(tid, "a network namespace is guarded"),
            Ok(false) => {}
            Err(error) => tracing::warn!(tid, "a network namespace is NOT guarded: {error:#}"),
        }
    }

    /// Whether it is a new one.
    async fn open(&self, handle: File) -> Result<bool> {
        let network = Network::of_handle(&handle)?;
        if network == self.agent.network || self.agent.namespaces.lock().contains_key(&network) {
            return Ok(false);
        }
        ensure!(
            self.agent.namespaces.count() < MOST,
            "there are more than {MOST} others"
        );
        let inside = Inside::enter(handle).await.context("cannot enter it")?;
        if inside.run(has_no_loopback).await? {
            return Ok(false);
        }
        let netns = inside.run(kernel::netns_cookie).await??;
        let bound = inside.run(accept::bind).await?.context("cannot listen")?;
        let ports = (bound.v4_port()?, bound.v6_port()?);
        let opened = self.serve(Seat::there(netns, inside), bound)?;
        self.agent.namespaces.lock().insert(network, opened);
        self.agent.hooks.listen(netns, Some(ports.0), ports.1)?;
        Ok(true)
    }

    /// Takes connections there.
    fn serve(&self, seat: Seat, bound: Bound) -> Result<Opened> {
        let seat = Arc::new(seat);
        let mut tasks = Vec::new();
        for listener in [Some(bound.v4), bound.v6].into_iter().flatten() {
            let listening = Listening::new(listener.local_addr()?);
            let taking = take_all(
                self.agent.clone(),
                seat.clone(),
                listener,
                listening,
                self.running.clone(),
            );
            tasks.push(tokio::spawn(taking).abort_handle());
        }
        Ok(Opened { seat, tasks })
    }

    fn close(&self, is_gone: impl Fn(&Network) -> bool) {
        let mut all = self.agent.namespaces.lock();
        for (_, opened) in all.extract_if(|network, _| is_gone(network)) {
            if let Err(error) = self.agent.hooks.unlisten(opened.seat.netns()) {
                tracing::warn!(%error, "the kernel could not be told that a network namespace is gone");
            }
            tracing::info!("a network namespace has nobody left and is let go");
        }
    }
}

/// Whether connections to the loopback addresses lead nowhere, as in a namespace that is being set up.
/// Connecting a datagram socket asks for a route, and sends nothing.
fn has_no_loopback() -> bool {
    let route = || -> io::Result<()> { UdpSocket::bind("127.0.0.1:0")?.connect("127.0.0.1:9") };
    route().is_err()
}
