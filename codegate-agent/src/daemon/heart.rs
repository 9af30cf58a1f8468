//! The agent's heart: a few times a second it proves that connections are taken, and only then it
//! beats. The kernel lets go of an agent that does not.
//!
//! The proof is a connection of our own to each listener, which has to come through the accept loop
//! and into a task of the runtime: an agent that is stopped, short of descriptors, or whose workers
//! are all blocked cannot give it. A thread of its own asks for it, so that it is the proof that is
//! late, never the question.
//!
//! An agent that is busy is not gone: a burst of connections must not open a way past it. While the
//! proof is on its way behind them, their progress counts, for some seconds.
//!
//! Knows: listeners, the beat. Must not know: what is done with connections.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use sd_notify::NotifyState;
use tokio::{
    net::{TcpSocket, TcpStream},
    runtime::Builder,
    sync::{oneshot, watch},
    time::{MissedTickBehavior, interval, timeout},
};

use super::agent::tell_manager;
use crate::{kernel::Heart, splice};

/// From one beat to the next; the kernel's patience is four of them.
const EVERY: Duration = Duration::from_millis(250);
/// How long a beat holds for the kernel.
const HOLDS: Duration = Duration::from_secs(1);
/// How long a beat waits for a probe.
const PATIENCE: Duration = Duration::from_millis(200);
/// How long the progress of other connections is proof enough.
const BUSY: Duration = Duration::from_secs(10);

/// A listener under watch: its accept loop reports what it takes.
#[derive(Debug)]
pub(super) struct Listening {
    address: SocketAddr,
    taken: watch::Sender<u64>,
    /// The probe that is on its way, and its address. A busy listener may take a while to come to it.
    probe: Mutex<Option<Probe>>,
}

/// A connection of our own.
#[derive(Debug)]
struct Probe {
    from: SocketAddr,
    begun: Instant,
    /// `None` while it is being made.
    stream: Option<TcpStream>,
}

impl Probe {
    /// Whether it will hardly be taken any more.
    fn is_over(&self) -> bool {
        self.stream.is_none() || self.begun.elapsed() > BUSY
    }
}

impl Listening {
    pub(super) fn new(address: SocketAddr) -> Arc<Self> {
        Arc::new(Self {
            address,
            taken: watch::Sender::new(0),
            probe: Mutex::default(),
        })
    }

    /// A connection has reached its task; true if it is a probe, which has done its work then.
    pub(super) fn took(&self, peer: SocketAddr) -> bool {
        self.taken
            .send_modify(|taken| *taken = taken.wrapping_add(1));
        let is_probe = |probe: &mut Probe| probe.from == peer;
        self.probe().take_if(is_probe).is_some()
    }

    /// Whether a connection is taken, ours or another, after this was asked.
    async fn answers(&self) -> bool {
        let mut taken = self.taken.subscribe();
        let proof = async {
            self.send_probe().await?;
            taken.changed().await.map_err(io::Error::other)
        };
        match timeout(PATIENCE, proof).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::debug!(%error, listener = %self.address, "a probe failed");
                *self.probe() = None;
                false
            }
            // One that is made waits its turn, and another would only make the queue longer.
            Err(_) => {
                self.probe().take_if(|probe| probe.is_over());
                false
            }
        }
    }

    /// Connects, unless there is a probe on its way.
    async fn send_probe(&self) -> io::Result<()> {
        if self.probe().is_some() {
            return Ok(());
        }
        let ip = self.address.ip();
        let socket = match ip {
            IpAddr::V4(_) => TcpSocket::new_v4()?,
            IpAddr::V6(_) => TcpSocket::new_v6()?,
        };
        socket.bind(SocketAddr::new(ip, 0))?;
        let from = socket.local_addr()?;
        *self.probe() = Some(Probe {
            from,
            begun: Instant::now(),
            stream: None,
        });
        let stream = socket.connect(self.address).await?;
        // It may have been taken already, and is not needed any more then.
        if let Some(probe) = &mut *self.probe() {
            probe.stream = Some(stream);
        } else {
            splice::reset(&stream);
        }
        Ok(())
    }

    /// A panic elsewhere leaves an option whole.
    fn probe(&self) -> MutexGuard<'_, Option<Probe>> {
        self.probe.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Probe {
    /// One that is closed in good order would keep its port for a minute.
    fn drop(&mut self) {
        if let Some(stream) = &self.stream {
            splice::reset(stream);
        }
    }
}

/// Counts the steps of connections: as long as there are any, the runtime works.
#[derive(Debug, Default)]
pub(super) struct Progress(AtomicU64);

impl Progress {
    /// A connection has come a step further.
    pub(super) fn step(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    fn steps(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// The thread that beats, until it is stopped.
#[derive(Debug)]
pub(super) struct Beating {
    thread: JoinHandle<()>,
    stop: oneshot::Sender<()>,
    first: watch::Receiver<bool>,
}

/// What has to prove itself.
pub(super) struct Watched {
    pub(super) listeners: Vec<Arc<Listening>>,
    pub(super) progress: Arc<Progress>,
}

impl Beating {
    /// Starts to beat, as long as all these listeners answer.
    ///
    /// # Errors
    /// There is no thread to be had, or no runtime for it.
    pub(super) fn start(heart: Arc<Heart>, watched: Watched) -> io::Result<Self> {
        let (begun, first) = watch::channel(false);
        let (stop, stopped) = oneshot::channel();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let beat = async move {
            tokio::select! {
                () = beat(heart, watched, begun) => {}
                _ = stopped => {}
            }
        };
        let thread = thread::Builder::new()
            .name("heart".to_owned())
            .spawn(move || runtime.block_on(beat))?;
        Ok(Self {
            thread,
            stop,
            first,
        })
    }

    /// Returns after the first beat.
    pub(super) async fn begun(&self) {
        let mut first = self.first.clone();
        // An error says that the thread is gone, which is told elsewhere.
        let _gone = first.wait_for(|begun| *begun).await.is_err();
    }

    /// Ends the thread: no beat comes after this. It never blocks for long.
    pub(super) fn stop(self) {
        let _told = self.stop.send(()).is_ok();
        if self.thread.join().is_err() {
            tracing::error!("the heart panicked");
        }
    }
}

async fn beat(heart: Arc<Heart>, watched: Watched, begun: watch::Sender<bool>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut manager, mut well) = (Manager::new(), true);
    let (mut proven, mut beaten, mut steps) = (Instant::now(), Instant::now(), 0);
    loop {
        ticks.tick().await;
        let answers = watched.listeners.iter().map(|one| one.answers());
        let answered = join_all(answers).await.into_iter().all(|answers| answers);
        if answered {
            proven = Instant::now();
        }
        let before = std::mem::replace(&mut steps, watched.progress.steps());
        let alive = answered || before != steps && proven.elapsed() < BUSY;
        if alive {
            beaten = Instant::now();
        }
        let seems_well = beaten.elapsed() <= HOLDS;
        if seems_well != std::mem::replace(&mut well, seems_well) {
            say(seems_well);
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
        assert!(listening.probe().is_none());
    }

    #[tokio::test]
    async fn a_loop_that_does_not_accept_does_not_answer() {
        let (_listener, listening) = listener().await;
        assert!(!listening.answers().await);
        let first = listening.probe().as_ref().map(|probe| probe.from);
        assert!(!listening.answers().await);
        let second = listening.probe().as_ref().map(|probe| probe.from);
        assert!(first.is_some() && first == second, "one probe is enough");
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
