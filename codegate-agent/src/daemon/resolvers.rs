//! Guarded names in other network namespaces. The agent's own resolver is asked for them all the time
//! ([`Names`](crate::kernel::Names)); a container has files and servers of its own, and what they say is
//! guarded as well, on the first day as on the last.
//!
//! Knows: namespaces, whose turn it is to ask, where what was found goes. Must not know: how files are read
//! and servers asked.
//!
//! Files and servers may be a hostile container's: each namespace has one round at a time, all together have
//! a few, and those that failed wait among themselves. Nobody waits for any of this.

use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    task::{JoinSet, spawn_blocking},
    time::{sleep, timeout},
};

use super::{
    agent::Agent,
    existing,
    place::{MOST, Note, Place},
    scopes::Scopes,
    seat::Seat,
};
use crate::{
    accept::{Network, views_below},
    drain::Running,
    resolve::{self, Servers, View},
};

/// How often it is asked who is due, while there are other namespaces.
const LOOK: Duration = Duration::from_secs(5);
/// How long after a new namespace: others may come with it, and it has yet to get its files.
const SETTLE: Duration = Duration::from_millis(500);
/// How many rounds are under way at most.
const AT_ONCE: usize = 8;
/// How many of those whose last one failed.
const AILING: usize = 2;
/// How long files may take to be read. Some file systems are made to hang.
const READ: Duration = Duration::from_secs(2);
/// Most lists of servers in one namespace.
const LISTS: usize = 2;
/// Reading is shallow.
const STACK: usize = 256 << 10;

/// Asks in all namespaces where the agent listens.
pub(super) struct Resolvers {
    shared: Arc<Shared>,
    places: HashMap<Network, Arc<Place>>,
    rounds: JoinSet<()>,
}

struct Shared {
    agent: Arc<Agent>,
    scopes: Scopes,
    turns: Semaphore,
    ailing: Semaphore,
    /// Whether connections to what is found are older than the guard.
    is_first: bool,
}

/// What there is to do for one namespace.
struct Due {
    place: Arc<Place>,
    seat: Arc<Seat>,
    pids: Vec<u32>,
    /// The servers that the agent itself asks.
    own: Option<Servers>,
    permit: OwnedSemaphorePermit,
}

impl Resolvers {
    /// With `is_first` there was no guard before this one, so connections to an address that is found may
    /// have been made without it.
    pub(super) fn new(agent: Arc<Agent>, is_first: bool) -> Self {
        let shared = Shared {
            scopes: Scopes::new(agent.names.timing().interval),
            agent,
            turns: Semaphore::new(AT_ONCE),
            ailing: Semaphore::new(AILING),
            is_first,
        };
        Self {
            shared: Arc::new(shared),
            places: HashMap::new(),
            rounds: JoinSet::new(),
        }
    }

    /// Asks for as long as the agent runs.
    pub(super) async fn follow(mut self, mut running: Running) {
        let agent = self.shared.agent.clone();
        loop {
            self.look().await;
            let pause = match agent.namespaces.count() {
                0 => agent.names.timing().interval,
                _ => LOOK,
            };
            tokio::select! {
                () = running.stopped() => return,
                () = agent.namespaces.opened() => sleep(SETTLE).await,
                () = sleep(pause) => {}
            }
            while self.rounds.try_join_next().is_some() {}
        }
    }

    /// Begins the rounds that are due, and forgets who has gone.
    async fn look(&mut self) {
        let cgroup = self.shared.agent.cgroup.clone();
        let own_network = self.shared.agent.network;
        let looked = spawn_blocking(move || {
            let own = resolve::view(own_network, &[std::process::id()], |_| false, 0);
            (views_below(&cgroup), own.servers.into_iter().next())
        });
        let Ok((views, own)) = looked.await else {
            return;
        };
        self.places.retain(|network, _| views.contains_key(network));
        for (network, pids) in views {
            let Some(seat) = self.shared.agent.seat_in(&network) else {
                continue;
            };
            let now = Instant::now();
            let place = self.places.entry(network);
            let place = place.or_insert_with(|| Arc::new(Place::new(network, now)));
            if let Some(permit) = place.begin(now, self.shared.scopes.interval()) {
                let due = Due {
                    place: place.clone(),
                    seat,
                    pids,
                    own: own.clone(),
                    permit,
                };
                self.rounds.spawn(self.shared.clone().round(due));
            }
        }
    }
}

impl Shared {
    async fn round(self: Arc<Self>, due: Due) {
        let turns = if due.place.is_ailing() {
            &self.ailing
        } else {
            &self.turns
        };
        let Ok(_turn) = turns.acquire().await else {
            return;
        };
        let Due {
            place,
            seat,
            pids,
            own,
            permit,
        } = due;
        // The right is held until the end, or for as long as files are not read.
        let Some((view, _permit)) = self.read(&place, pids, permit).await else {
            tracing::debug!(
                "a network namespace's files are not to be had: its names are not known"
            );
            place.went(false, Instant::now());
            return;
        };
        let mut fresh = HashSet::new();
        for entry in view.hosts {
            self.take(&place, &entry.name, [entry.address], &mut fresh);
        }
        let others = view.servers.into_iter();
        let others = others.filter(|servers| !self.is_asked_anyway(&place, servers, own.as_ref()));
        for servers in others.take(LISTS) {
            self.ask(&place, &seat, servers, &mut fresh).await;
        }
        // On the host any user can make a view of its own, and must not have others' connections closed.
        let is_elsewhere = place.network != self.agent.network;
        if self.is_first && is_elsewhere && !fresh.is_empty() {
            existing::look_for(&self.agent, &seat, fresh).await;
        }
    }

    /// Reads on a thread that may never come back.
    async fn read(
        &self,
        place: &Place,
        pids: Vec<u32>,
        permit: OwnedSemaphorePermit,
    ) -> Option<(View, OwnedSemaphorePermit)> {
        let (names, network) = (self.agent.names.clone(), place.network);
        let (tell, told) = oneshot::channel();
        let read = move || {
            let view = resolve::view(network, &pids, |name| names.is_guarded(name), MOST);
            // Nobody waits any more: then the right to the next round comes back here.
            _ = tell.send((view, permit));
        };
        let thread = thread::Builder::new()
            .name("codegate-etc".to_owned())
            .stack_size(STACK);
        thread.spawn(read).ok()?;
        timeout(READ, told).await.ok()?.ok()
    }

    /// Whether the agent's own resolver knows what these servers say. In the agent's own network it is the
    /// only one: any user there can name servers, and the agent would send where the user perhaps cannot.
    fn is_asked_anyway(&self, place: &Place, servers: &Servers, own: Option<&Servers>) -> bool {
        let is_here = place.network == self.agent.network;
        is_here || (own == Some(servers) && !servers.are_local())
    }

    async fn ask(
        &self,
        place: &Place,
        seat: &Seat,
        servers: Servers,
        fresh: &mut HashSet<SocketAddr>,
    ) {
        let now = Instant::now();
        if !place.may_ask(now) {
            return;
        }
        let Some(scope) = self.scopes.claim(place.network, &servers, now) else {
            return;
        };
        let asked = async {
            let handle = seat.handle().await?;
            resolve::ask(handle, servers, self.agent.names.named()).await
        };
        let asked = asked.await;
        place.went(asked.is_ok(), Instant::now());
        match asked {
            Ok(found) => {
                for (name, addresses) in found {
                    self.take(place, &name, addresses, fresh);
                }
            }
            Err(error) => {
                self.scopes.give_up(&scope);
                tracing::debug!(%error, "a network namespace's resolver does not answer");
            }
        }
    }

    /// Guards what a name is there.
    fn take(
        &self,
        place: &Place,
        name: &str,
        addresses: impl IntoIterator<Item = IpAddr>,
        fresh: &mut HashSet<SocketAddr>,
    ) {
        let names = &self.agent.names;
        let (now, ttl) = (Instant::now(), names.timing().ttl);
        let addresses = addresses.into_iter();
        for endpoint in addresses.flat_map(|ip| names.endpoints_at(name, ip)) {
            let note = place.note(endpoint, now, ttl);
            if note == Note::Refused {
                tracing::debug!(host = name, "a network namespace has too many addresses");
                continue;
            }
            match names.learn(name, endpoint) {
                Ok(true) if note == Note::New => _ = fresh.insert(endpoint),
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(host = name, %error, "an address of a guarded host is NOT guarded");
                }
            }
        }
    }
}
