//! Dials before the client is connected: its SYN is held by the programs until there is somebody at the other end. So
//! `connect()` takes as long, and fails, as it would without us.
//!
//! Knows: where held SYNs were meant to go, what is sent in their stead. Must not know: what becomes of a connection that
//! was accepted.

use std::{
    collections::{HashMap, HashSet},
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{net::TcpStream, time};

use super::{agent::Agent, connection::DIAL, seat::Seat};
use crate::{
    decide::{self, Decision},
    drain::Running,
    kernel::{HeldSyn, KernelError, Syns},
    tcp::{Answer, Syn},
};

/// How long a client that was let go may take to be accepted.
const GRACE: Duration = Duration::from_secs(5);
/// How often it is looked whether a client still waits.
const LOOK: Duration = Duration::from_secs(1);
/// When an ICMP message is said again.
const AGAIN: [Duration; 3] = [
    Duration::from_millis(1),
    Duration::from_millis(10),
    Duration::from_millis(100),
];
/// How many wait at a time. Those beyond are let go, and dialled for later.
const MOST: usize = 4_096;

/// Connections whose clients are not connected yet.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// Whether somebody dials.
    dials: AtomicBool,
    /// What is being dialled for: a client's socket, and the sequence number of its SYN.
    waiting: Mutex<HashSet<(u64, u32)>>,
    /// What was reached for whoever is about to be accepted: by network namespace and client.
    reached: Mutex<HashMap<(u64, SocketAddr), Reached>>,
}

#[derive(Debug)]
struct Reached {
    /// The client's socket.
    socket: u64,
    to: SocketAddr,
    upstream: TcpStream,
}

/// What becomes of a held SYN.
enum Fate {
    /// It goes on, perhaps to somebody who is there.
    Goes(Option<(SocketAddr, TcpStream)>),
    /// The network has answered it.
    Answered(Answer),
    /// Its client has gone, or waits for an answer that never comes.
    Lost,
}

/// Has SYNs held from now on, where this kernel can.
pub(super) fn start(agent: &Arc<Agent>, running: Running) {
    match agent.hooks.syns() {
        Ok(Some(syns)) => {
            tokio::spawn(follow(agent.clone(), syns, running));
            agent.ahead.dials.store(true, Relaxed);
            agent.hold_in(&agent.seat);
        }
        Ok(None) => {}
        Err(error) => {
            tracing::warn!(%error, "clients are connected before their services are reached")
        }
    }
}

async fn follow(agent: Arc<Agent>, mut syns: Syns, running: Running) {
    if let Err(error) = dial(&agent, &mut syns, running).await {
        tracing::error!(%error, "clients are connected before their services are reached from now on");
        return agent.hold_no_more();
    }
    // What is still held is let go, for as long as there are connections.
    while syns.read(|held| take(&agent, None, held)).await.is_ok() {}
}

/// Dials until the agent stops.
async fn dial(agent: &Arc<Agent>, syns: &mut Syns, running: Running) -> io::Result<()> {
    let mut until = running.clone();
    let mut stopped = pin!(until.stopped());
    loop {
        tokio::select! {
            () = &mut stopped => return Ok(()),
            read = syns.read(|held| take(agent, Some(&running), held)) => read?,
        }
    }
}

/// Dials for a SYN while the agent is `running`.
fn take(agent: &Arc<Agent>, running: Option<&Running>, held: HeldSyn<'_>) {
    let (seat, syn) = (agent.seat_of(held.netns), Syn::read(held.packet));
    let (Some(seat), Some(syn)) = (seat, syn) else {
        tracing::debug!(netns = held.netns, "a SYN that cannot be sent on");
        return;
    };
    let client = Client {
        agent: agent.clone(),
        seat,
        socket: held.socket,
        syn,
    };
    let Some(running) = running else {
        return client.let_go();
    };
    match agent.ahead.begins(&client) {
        Some(true) => _ = tokio::spawn(client.serve(running.clone())),
        // It was sent again.
        Some(false) => {}
        None => client.let_go(),
    }
}

impl Ahead {
    /// What was reached for a client, if that is where it was meant to go.
    pub(super) fn reached(
        &self,
        netns: u64,
        client: SocketAddr,
        original: SocketAddr,
    ) -> Option<TcpStream> {
        let reached = lock(&self.reached).remove(&(netns, client))?;
        // Its port may have been another's.
        (reached.to == original).then_some(reached.upstream)
    }

    /// Whether it is new; `None` if there are too many.
    fn begins(&self, client: &Client) -> Option<bool> {
        let mut waiting = lock(&self.waiting);
        let is_new = !waiting.contains(&client.id());
        if is_new && waiting.len() >= MOST {
            return None;
        }
        waiting.insert(client.id());
        Some(is_new)
    }
}

impl Agent {
    /// Has SYNs held in a network namespace, if somebody dials, and can send them on there.
    pub(super) fn hold_in(&self, seat: &Seat) {
        if !self.ahead.dials.load(Relaxed) || !seat.sends() {
            return;
        }
        if let Err(error) = self.hooks.hold(seat.netns(), true) {
            tracing::warn!(%error, "clients in a network namespace are connected before their services are reached");
        }
    }

    fn hold_no_more(&self) {
        self.ahead.dials.store(false, Relaxed);
        for seat in self.seats() {
            if let Err(error) = self.hooks.hold(seat.netns(), false) {
                tracing::error!(%error, "some of them wait in vain");
            }
        }
    }
}

/// One whose SYN is held.
struct Client {
    agent: Arc<Agent>,
    seat: Arc<Seat>,
    socket: u64,
    syn: Syn,
}

impl Client {
    fn id(&self) -> (u64, u32) {
        (self.socket, self.syn.sequence())
    }

    async fn serve(self, mut running: Running) {
        let fate = tokio::select! {
            fate = self.fate() => fate,
            () = self.gone() => Fate::Lost,
            // Nobody is kept waiting by an agent that goes.
            () = running.stopped() => Fate::Goes(None),
        };
        drop(running);
        match fate {
            Fate::Goes(upstream) => {
                let is_kept = upstream
                    .map(|(to, upstream)| self.keep(to, upstream))
                    .is_some();
                self.let_go();
                self.forget();
                if is_kept {
                    time::sleep(GRACE).await;
                    self.drop_kept();
                }
            }
            Fate::Answered(answer) => {
                self.answer(answer).await;
                self.forget();
            }
            Fate::Lost => self.forget(),
        }
    }

    /// Dials, unless only the client's first words tell whom.
    async fn fate(&self) -> Fate {
        let agent = &self.agent;
        let Some(to) = agent.hooks.destination(self.socket) else {
            return Fate::Lost;
        };
        if agent.through.get().is_some() || self.is_refused() {
            return Fate::Goes(None);
        }
        let dialled = self.seat.dial(to, Some(agent.hooks.mark()), DIAL).await;
        agent.progress.step();
        match dialled {
            Ok(upstream) if agent.hooks.destination(self.socket) == Some(to) => {
                Fate::Goes(Some((to, upstream)))
            }
            // It has found another way, perhaps, and this one is closed again.
            Ok(_) => Fate::Lost,
            Err(error) => {
                tracing::debug!(%to, %error, "a client is told what the network says");
                answered(&error)
            }
        }
    }

    /// Answers in the network's stead. The kernel keeps a reset until a socket can take it, but forgets an ICMP message
    /// that comes while `connect()` is still at work; so that is said again. It means this SYN, and no other.
    async fn answer(&self, answer: Answer) {
        self.send(self.syn.answer(answer));
        if answer == Answer::Refused {
            return;
        }
        for pause in AGAIN {
            time::sleep(pause).await;
            self.send(self.syn.answer(answer));
        }
    }

    /// Whether rules refuse its process: then nobody hears of it.
    fn is_refused(&self) -> bool {
        let config = self.agent.config.get();
        if !config.processes.block() {
            return false;
        }
        let caller = self.agent.hooks.owner(self.socket);
        caller.is_some_and(|caller| {
            let process = self.agent.process(&caller);
            matches!(
                decide::by_process(&config, &process),
                Some(Decision::Refuse(_))
            )
        })
    }

    /// Returns once the client waits no longer.
    async fn gone(&self) {
        let mut looks = time::interval_at(time::Instant::now() + LOOK, LOOK);
        while self.agent.hooks.destination(self.socket).is_some() {
            looks.tick().await;
        }
    }

    /// Keeps what was reached until the client is accepted.
    fn keep(&self, to: SocketAddr, upstream: TcpStream) {
        let reached = Reached {
            socket: self.socket,
            to,
            upstream,
        };
        lock(&self.agent.ahead.reached).insert(self.place(), reached);
    }

    /// The client never came, perhaps.
    fn drop_kept(&self) {
        let mut reached = lock(&self.agent.ahead.reached);
        // Its port may be another's by now.
        if reached
            .get(&self.place())
            .is_some_and(|kept| kept.socket == self.socket)
        {
            reached.remove(&self.place());
        }
    }

    fn place(&self) -> (u64, SocketAddr) {
        (self.seat.netns(), self.syn.from)
    }

    /// Sends the SYN on. Should that fail, TCP will.
    fn let_go(&self) {
        if let Err(error) = self.let_pass() {
            tracing::warn!(%error, "a SYN is held for longer than it should be");
        }
        self.send(self.syn.packet());
    }

    fn let_pass(&self) -> Result<(), KernelError> {
        self.agent.hooks.let_go(self.socket, self.syn.sequence())
    }

    fn send(&self, packet: Option<Vec<u8>>) {
        let sent = packet.map(|packet| self.seat.send(&packet, self.syn.from.ip()));
        if let Some(Err(error)) = sent {
            tracing::debug!(%error, "a packet for a client was not sent");
        }
    }

    fn forget(&self) {
        lock(&self.agent.ahead.waiting).remove(&self.id());
    }
}

/// What the network says to one whom the agent has dialled. What has another reason is no answer of the network: the
/// client is let go, and dialled for again when it has spoken.
fn answered(error: &io::Error) -> Fate {
    match error.raw_os_error() {
        Some(libc::ECONNREFUSED) => Fate::Answered(Answer::Refused),
        Some(libc::ENETUNREACH | libc::ENETDOWN) => Fate::Answered(Answer::NetUnreachable),
        Some(libc::EHOSTUNREACH | libc::EHOSTDOWN) => Fate::Answered(Answer::HostUnreachable),
        // The client's own patience is over, too, or it would have chosen another.
        Some(libc::ETIMEDOUT) => Fate::Lost,
        _ => Fate::Goes(None),
    }
}

/// A panic elsewhere leaves a table whole.
fn lock<T>(table: &Mutex<T>) -> MutexGuard<'_, T> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}
