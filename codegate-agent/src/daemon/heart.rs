//! The agent's heart: a few times a second it proves that connections are taken, and only then it
//! beats. The kernel lets go of an agent that does not.
//!
//! The proof is a connection of our own to each listener, which has to come through the accept loop
//! and into a task of the runtime: an agent that is stopped, short of descriptors, or whose workers
//! are all blocked cannot give it.
//!
//! Knows: listeners, the beat. Must not know: what is done with connections.

use std::{
    collections::HashSet,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use sd_notify::NotifyState;
use tokio::{
    net::{TcpSocket, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};

use super::agent::tell_manager;
use crate::{kernel::Heart, splice};

/// From one beat to the next; the kernel's patience is four of them.
const EVERY: Duration = Duration::from_millis(250);
/// How long a probe may take. One that takes longer has missed its beat, and the next one is due.
const PATIENCE: Duration = Duration::from_millis(700);

/// A listener under watch: its accept loop reports what it takes.
#[derive(Debug)]
pub(super) struct Listening {
    address: SocketAddr,
    taken: watch::Sender<u64>,
    probes: Mutex<HashSet<SocketAddr>>,
}

impl Listening {
    pub(super) fn new(address: SocketAddr) -> Arc<Self> {
        Arc::new(Self {
            address,
            taken: watch::Sender::new(0),
            probes: Mutex::default(),
        })
    }

    /// A connection has reached its task; true if it is a probe, which has done its work then.
    pub(super) fn took(&self, peer: SocketAddr) -> bool {
        self.taken
            .send_modify(|taken| *taken = taken.wrapping_add(1));
        self.probes().remove(&peer)
    }

    /// Whether a connection is taken, ours or another, after this was asked.
    async fn answers(&self) -> bool {
        let mut taken = self.taken.subscribe();
        let proof = async {
            let _probe = Probe::start(self).await?;
            taken.changed().await.map_err(io::Error::other)
        };
        match timeout(PATIENCE, proof).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::debug!(%error, listener = %self.address, "a probe failed");
                false
            }
            Err(_) => false,
        }
    }

    /// A panic elsewhere leaves the set whole.
    fn probes(&self) -> MutexGuard<'_, HashSet<SocketAddr>> {
        self.probes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection of our own, known by its address as long as it is open.
struct Probe<'a> {
    listening: &'a Listening,
    from: SocketAddr,
    stream: Option<TcpStream>,
}

impl<'a> Probe<'a> {
    async fn start(listening: &'a Listening) -> io::Result<Self> {
        let to = listening.address;
        let socket = match to.ip() {
            IpAddr::V4(_) => TcpSocket::new_v4()?,
            IpAddr::V6(_) => TcpSocket::new_v6()?,
        };
        socket.bind(SocketAddr::new(to.ip(), 0))?;
        let from = socket.local_addr()?;
        listening.probes().insert(from);
        let mut probe = Self {
            listening,
            from,
            stream: None,
        };
        probe.stream = Some(socket.connect(to).await?);
        Ok(probe)
    }
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        self.listening.probes().remove(&self.from);
        if let Some(stream) = &self.stream {
            splice::reset(stream); // a closed one would keep its port for a minute
        }
    }
}

/// The task that beats, until it is stopped.
#[derive(Debug)]
pub(super) struct Beating {
    task: JoinHandle<()>,
    first: watch::Receiver<bool>,
}

impl Beating {
    /// Starts to beat, as long as all these listeners answer. Must be called on the runtime.
    pub(super) fn start(heart: Arc<Heart>, listeners: Vec<Arc<Listening>>) -> Self {
        let (begun, first) = watch::channel(false);
        let task = tokio::spawn(beat(heart, listeners, begun));
        Self { task, first }
    }

    /// Returns after the first beat.
    pub(super) async fn begun(&self) {
        let mut first = self.first.clone();
        // An error says that the task is gone, which is told elsewhere.
        let _gone = first.wait_for(|begun| *begun).await.is_err();
    }

    /// Ends the task: no beat comes after this.
    pub(super) async fn stop(self) {
        self.task.abort();
        let _cancelled = self.task.await.is_err();
    }
}

async fn beat(heart: Arc<Heart>, listeners: Vec<Arc<Listening>>, begun: watch::Sender<bool>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut manager, mut well) = (Manager::new(), true);
    loop {
        ticks.tick().await;
        let answers = join_all(listeners.iter().map(|listening| listening.answers())).await;
        let alive = answers.into_iter().all(|answers| answers);
        if alive != std::mem::replace(&mut well, alive) {
            say(alive);
        }
        if !alive {
            continue;
        }
        if let Err(error) = heart.beat() {
            tracing::error!(%error, "the kernel cannot be told that the agent lives");
            continue;
        }
        begun.send_replace(true);
        manager.beat();
    }
}

fn say(alive: bool) {
    if alive {
        tracing::info!("connections are taken again");
    } else {
        tracing::error!("connections are not taken in time: the kernel will let go of the agent");
    }
}

/// The service manager, which restarts an agent that hangs (`WatchdogSec=`).
struct Manager {
    every: Option<Duration>,
    told: Option<Instant>,
}

impl Manager {
    fn new() -> Self {
        // It asks for a sign twice in its time.
        let every = sd_notify::watchdog_enabled().map(|time| time / 2);
        Self { every, told: None }
    }

    fn beat(&mut self) {
        let Some(every) = self.every else { return };
        if self.told.is_none_or(|told| told.elapsed() + EVERY >= every) {
            tell_manager(NotifyState::Watchdog);
            self.told = Some(Instant::now());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn listener() -> (TcpListener, Arc<Listening>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listening = Listening::new(listener.local_addr().unwrap());
        (listener, listening)
    }

    #[tokio::test]
    async fn a_loop_that_accepts_answers_and_knows_a_probe() {
        let (listener, listening) = listener().await;
        let seen = tokio::spawn({
            let listening = listening.clone();
            async move {
                let (_stream, peer) = listener.accept().await.unwrap();
                listening.took(peer)
            }
        });
        assert!(listening.answers().await);
        assert!(seen.await.unwrap());
        assert!(listening.probes().is_empty());
    }

    #[tokio::test]
    async fn a_loop_that_does_not_accept_does_not_answer() {
        let (_listener, listening) = listener().await;
        assert!(!listening.answers().await);
        assert!(listening.probes().is_empty());
    }

    #[tokio::test]
    async fn a_stranger_is_a_sign_of_life_but_no_probe() {
        let (listener, listening) = listener().await;
        let stranger = TcpStream::connect(listening.address).await.unwrap();
        let from = stranger.local_addr().unwrap();
        let asked = tokio::spawn({
            let listening = listening.clone();
            async move { listening.answers().await }
        });
        while listening.taken.receiver_count() == 0 {
            tokio::task::yield_now().await;
        }
        let (_stream, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, from);
        assert!(!listening.took(peer));
        assert!(asked.await.unwrap());
    }
}
