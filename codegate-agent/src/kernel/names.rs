//! The addresses of the guarded names: asked for again and again, and told to the kernel.
//!
//! Names are resolved as the machine's programs resolve them (`/etc/hosts`, `resolv.conf`). An
//! address that is no longer answered stays guarded until it expires, since clients keep it too.

use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use tokio::{sync::watch, task::AbortHandle};

use super::Hooks;

/// How long an address stays guarded after it was answered last: longer than clients cache.
const KEEP: Duration = Duration::from_secs(30 * 60);
/// How long one name may take: the resolver's own patience is longer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many names are asked for at once; each takes a thread.
const AT_ONCE: usize = 16;
/// How long the first round may hold up the start.
const FIRST_ROUND: Duration = Duration::from_secs(4);

/// A host and its guarded ports.
pub type Host = (String, Vec<u16>);

/// The learned addresses. Resolving stops when this is dropped.
#[derive(Debug)]
pub struct Names {
    learned: Arc<Mutex<Learned>>,
    asked: watch::Receiver<bool>,
    task: AbortHandle,
}

/// Which host an address was answered for, and until when that counts.
type Learned = HashMap<IpAddr, (String, Instant)>;

impl Names {
    /// Begins to resolve `hosts`, every `interval`, on the current tokio runtime.
    pub fn start(hooks: Hooks, hosts: Vec<Host>, interval: Duration) -> Self {
        let learned = Arc::default();
        let (done, asked) = watch::channel(false);
        let resolver = Resolver {
            hooks,
            hosts,
            learned: Arc::clone(&learned),
            silent: HashSet::new(),
            deaf: false,
        };
        let task = tokio::spawn(resolver.run(interval, done)).abort_handle();
        Self {
            learned,
            asked,
            task,
        }
    }

    /// Waits until every name was asked for once; not longer than some seconds, since a dead
    /// resolver must not keep the agent from starting.
    pub async fn ready(&self) {
        let mut asked = self.asked.clone();
        let first_round = asked.wait_for(|asked| *asked);
        if tokio::time::timeout(FIRST_ROUND, first_round)
            .await
            .is_err()
        {
            tracing::warn!("the resolver is slow: some endpoints are not guarded yet");
        }
    }

    /// The guarded host that an address was answered for; the first, if there are several.
    pub fn host_for(&self, address: SocketAddr) -> Option<String> {
        let learned = lock(&self.learned);
        let (host, until) = learned.get(&address.ip().to_canonical())?;
        (*until > Instant::now()).then(|| host.clone())
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Resolver {
    hooks: Hooks,
    hosts: Vec<Host>,
    learned: Arc<Mutex<Learned>>,
    /// Names that did not resolve when they were asked for last; each is logged once.
    silent: HashSet<String>,
    /// Whether none of them resolved in the last round.
    deaf: bool,
}

impl Resolver {
    async fn run(mut self, interval: Duration, done: watch::Sender<bool>) {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.round().await;
            done.send_replace(true);
        }
    }

    async fn round(&mut self) {
        let hosts = self.hosts.clone();
        let lookups = stream::iter(hosts).map(|(host, ports)| async move {
            let addresses = lookup(&host).await;
            (host, ports, addresses)
        });
        let mut answers = std::pin::pin!(lookups.buffered(AT_ONCE));
        while let Some((host, ports, addresses)) = answers.next().await {
            match addresses {
                Ok(addresses) => self.learn(&host, &ports, &addresses),
                Err(why) => self.unanswered(host, &why),
            }
        }
        lock(&self.learned).retain(|_, (_, until)| *until > Instant::now());
        self.judge();
    }

    /// Says loudly, once, that nothing resolves: then nothing is guarded.
    fn judge(&mut self) {
        let deaf = self.silent.len() == self.hosts.len() && !self.hosts.is_empty();
        if deaf && !self.deaf {
            tracing::warn!("no guarded name resolves: nothing is guarded until one does");
        }
        self.deaf = deaf;
    }

    fn learn(&mut self, host: &str, ports: &[u16], addresses: &[IpAddr]) {
        self.silent.remove(host);
        for address in addresses.iter().map(IpAddr::to_canonical) {
            for port in ports {
                self.guard(SocketAddr::new(address, *port));
            }
            let until = Instant::now() + KEEP;
            let mut learned = lock(&self.learned);
            let known = learned
                .entry(address)
                .or_insert_with(|| (host.to_owned(), until));
            if known.0 == host || known.1 <= Instant::now() {
                *known = (host.to_owned(), until);
            }
        }
    }

    fn guard(&self, address: SocketAddr) {
        if let Err(error) = self.hooks.set_endpoint(address, Some(KEEP), true) {
            tracing::error!(%address, %error, "an address cannot be guarded");
        }
    }

    fn unanswered(&mut self, host: String, why: &str) {
        if self.silent.insert(host.clone()) {
            tracing::debug!(host, why, "a name does not resolve; it is asked for again");
        }
    }
}

async fn lookup(host: &str) -> Result<Vec<IpAddr>, String> {
    match tokio::time::timeout(PATIENCE, tokio::net::lookup_host((host, 0))).await {
        Ok(Ok(addresses)) => Ok(addresses.map(|address| address.ip()).collect()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_elapsed) => Err("no answer in time".to_owned()),
    }
}

/// A panic of another thread leaves whole entries: there is nothing to be poisoned.
fn lock(learned: &Mutex<Learned>) -> MutexGuard<'_, Learned> {
    learned.lock().unwrap_or_else(PoisonError::into_inner)
}
