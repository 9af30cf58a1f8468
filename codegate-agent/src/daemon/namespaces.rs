//! The network namespaces that guarded processes are in, other than the agent's own: containers, most of
//! the time. Each gets listeners of its own, and what is dialled for it is dialled from there.
//!
//! The programs tell of the first socket in a namespace, and of connections, which wait there until
//! somebody listens; and now and then the guarded cgroup is looked through, for those that were there
//! before, and for those that have gone.
//!
//! Knows: namespaces, listeners. Must not know: what is done with connections.

use std::{
    collections::HashMap,
    fs::File,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io,
    net::UdpSocket,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use tokio::{
    sync::{Notify, mpsc},
    task::AbortHandle,
    time::MissedTickBehavior,
};

use super::{agent::Agent, heart::Listening, seat::Seat, take_all};
use crate::{
    accept::{self, Bound, Inside, Network, networks_below},
    drain::Running,
    kernel::{self, Newcomer},
    tcp::Raw,
};

/// How often the guarded cgroup is looked through while there are other namespaces.
const LOOK: Duration = Duration::from_secs(5);
/// The same where the programs cannot tell of them.
const LOOK_HARDER: Duration = Duration::from_secs(1);
/// How many may wait to be met. Whoever connects waits two seconds at most.
const QUEUE: usize = 1_024;
/// Most namespaces at a time: the kernel's table has no more.
const MOST: usize = 1_000;

/// The namespaces where the agent listens.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    all: Mutex<HashMap<Network, Opened>>,
    news: Notify,
}

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

    /// The one that a namespace has.
    pub(super) fn seat_in(&self, network: &Network) -> Option<Arc<Seat>> {
        self.lock().get(network).map(|opened| opened.seat.clone())
    }

    /// The one with a cookie.
    pub(super) fn seat_of(&self, netns: u64) -> Option<Arc<Seat>> {
        let all = self.lock();
        let opened = all.values().find(|opened| opened.seat.netns() == netns);
        opened.map(|opened| opened.seat.clone())
    }

    /// Returns when there is a new one, or was since it did last. For one to wait at a time.
    pub(super) async fn opened(&self) {
        self.news.notified().await;
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    /// A panic elsewhere leaves the table whole.
    fn lock(&self) -> MutexGuard<'_, HashMap<Network, Opened>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ports of which one is the agent's in each of them: what the kernel never gives to connections on
/// its own (its default `ip_local_port_range` ends below), so that one that waits is never connected to
/// itself.
const PORTS: std::ops::RangeInclusive<u16> = 61_000..=65_000;

/// Follows namespaces as they come and go.
pub(super) struct Watch {
    agent: Arc<Agent>,
    cgroup: PathBuf,
    running: Running,
    port: u16,
}

/// What the programs tell.
pub(super) struct News {
    newcomers: mpsc::Receiver<Newcomer>,
    /// How often to look besides.
    every: Duration,
}

impl Watch {
    pub(super) fn new(agent: Arc<Agent>, running: Running) -> Self {
        let chosen = RandomState::new().build_hasher().finish() % PORTS.len() as u64;
        Self {
            cgroup: agent.cgroup.clone(),
            agent,
            running,
            port: PORTS
                .start()
                .saturating_add(u16::try_from(chosen).unwrap_or(0)),
        }
    }

    /// Has the programs tell of new namespaces, and hold the first connections there until the agent
    /// listens.
    pub(super) fn expect(&self) -> News {
        let (tell, told) = mpsc::channel(QUEUE);
        let mut news = News {
            newcomers: told,
            every: LOOK_HARDER,
        };
        let mut newcomers = match self.agent.hooks.newcomers() {
            Ok(Some(newcomers)) => newcomers,
            Ok(None) => return news,
            Err(error) => {
                tracing::warn!(%error, "new network namespaces are found late");
                return news;
            }
        };
        tokio::spawn(async move {
            // Whoever finds no room is told of again.
            while newcomers
                .read(|newcomer| _ = tell.try_send(newcomer))
                .await
                .is_ok()
            {}
        });
        news.every = LOOK;
        if let Err(error) = self.agent.hooks.expect(self.port) {
            tracing::warn!(%error, "first connections in new network namespaces do not wait");
        }
        news
    }

    /// Follows them for as long as the agent runs.
    pub(super) async fn follow(self, mut news: News) {
        let mut running = self.running.clone();
        let mut tick = tokio::time::interval(news.every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.look().await;
        loop {
            tokio::select! {
                () = running.stopped() => return,
                Some(newcomer) = news.newcomers.recv() => self.welcome(newcomer).await,
                _ = tick.tick() => if news.every == LOOK_HARDER || self.agent.namespaces.count() > 0 {
                    self.look().await;
                },
            }
        }
    }

    /// Listens where somebody makes a socket or connects. Where that cannot be, nobody must wait for it.
    async fn welcome(&self, newcomer: Newcomer) {
        let is_up = self.meet(newcomer.tid).await;
        if is_up
            && !self.agent.listens_in(newcomer.netns)
            && let Err(error) = self.agent.hooks.give_up(newcomer.netns)
        {
            tracing::debug!(%error, "connections wait in vain");
        }
    }

    /// Opens what is new below the cgroup, and lets go of what is there no more.
    pub(super) async fn look(&self) {
        let cgroup = self.cgroup.clone();
        let looked = tokio::task::spawn_blocking(move || networks_below(&cgroup)).await;
        let Ok(found) = looked else { return };
        self.close(|network| !found.contains_key(network));
        for pid in found.into_values() {
            self.meet(pid).await;
        }
    }

    /// Listens in the namespace of a thread, unless that is done. A thread that is gone had no time to
    /// connect. False where it can be expected to succeed a little later.
    async fn meet(&self, tid: u32) -> bool {
        let Ok(handle) = File::open(format!("/proc/{tid}/ns/net")) else {
            return true;
        };
        match self.open(handle).await {
            Ok(Opening::New) => tracing::info!(tid, "a network namespace is guarded"),
            Ok(Opening::Known) => {}
            // The programs see that, too, unless they cannot read the kernel's memory.
            Ok(Opening::TooEarly) => return self.agent.hooks.is_blind(),
            Err(error) => tracing::warn!(tid, "a network namespace is NOT guarded: {error:#}"),
        }
        true
    }

    async fn open(&self, handle: File) -> Result<Opening> {
        let network = Network::of_handle(&handle)?;
        if network == self.agent.network || self.agent.namespaces.lock().contains_key(&network) {
            return Ok(Opening::Known);
        }
        ensure!(
            self.agent.namespaces.count() < MOST,
            "there are more than {MOST} others"
        );
        let inside = Inside::enter(handle).await.context("cannot enter it")?;
        if inside.run(has_no_loopback).await? {
            return Ok(Opening::TooEarly);
        }
        let netns = inside.run(kernel::netns_cookie).await??;
        let (port, mark) = (self.port, self.agent.hooks.mark());
        let bound = inside.run(move || accept::bind_at(port, Some(mark)));
        let bound = bound.await?.context("cannot listen")?;
        let raw = inside.run(Raw::open).await?;
        let ports = (bound.v4_port()?, bound.v6_port()?);
        let opened = self.serve(Seat::there(netns, inside, raw), bound)?;
        let seat = opened.seat.clone();
        self.agent.namespaces.lock().insert(network, opened);
        self.agent.hooks.listen(netns, Some(ports.0), ports.1)?;
        self.agent.hold_in(&seat);
        self.agent.namespaces.news.notify_one();
        Ok(Opening::New)
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

/// What came of the wish to listen in a namespace.
enum Opening {
    New,
    Known,
    /// It has no loopback interface yet.
    TooEarly,
}

/// Whether connections to the loopback addresses lead nowhere, as in a namespace that is being set up.
/// Connecting a datagram socket asks for a route, and sends nothing.
fn has_no_loopback() -> bool {
    let route = || -> io::Result<()> { UdpSocket::bind("127.0.0.1:0")?.connect("127.0.0.1:9") };
    route().is_err()
}
