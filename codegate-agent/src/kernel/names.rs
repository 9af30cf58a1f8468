//! From guarded names to guarded addresses: asks the system's resolver again and again.
//!
//! The system's resolver, because clients ask it, too: `/etc/hosts`, `resolv.conf` and all. Addresses
//! are hints: they may be shared with hosts that are not guarded, so the SNI decides later.
//!
//! It is the second line: answers that clients get by UDP are learned by the programs before the clients
//! see them ([`learned`](super::learned)). This one knows of `/etc/hosts`, of answers over TCP, TLS and
//! HTTPS, and of addresses that were handed out before the agent started. What names are in other network
//! namespaces, where another resolver is asked, it is told ([`Names::learn`]).
//!
//! When it must choose, it guards too much: an address that vanished from the answers stays until it
//! expires (clients keep addresses, too), and while the resolver is silent nothing is forgotten.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
    time,
};

use super::{Hooks, KernelError, addresses::Addresses, guarded::Guarded, learned::Learned};

/// Each look-up blocks a thread; a dead resolver must not have hundreds of them.
const AT_ONCE: usize = 32;

/// The first pause after a failure; it doubles up to [`Timing::interval`].
const RETRY: Duration = Duration::from_secs(1);

/// A host's exact name (or an address), or `*.` and a name for all below it, with the guarded TCP ports.
/// Wildcards cannot be asked for: their addresses come from DNS answers only. A host without ports is
/// left alone, whatever a wildcard says.
pub type Host = (String, Vec<u16>);

/// How often names are resolved, and how long an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// From one look-up of a name to the next.
    pub interval: Duration,
    /// How long an address is guarded after it was last seen.
    pub ttl: Duration,
    /// How long [`Names::ready`] waits at most for the first answers.
    pub patience: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(30),
            ttl: Duration::from_secs(60 * 60),
            patience: Duration::from_secs(3),
        }
    }
}

/// Resolves in the background until its last clone is dropped.
#[derive(Debug, Clone)]
pub struct Names {
    shared: Arc<Shared>,
    learned: Arc<Learned>,
    /// Names that can be asked for.
    named: Arc<[String]>,
    /// How many names have not been tried yet.
    untried: watch::Receiver<usize>,
    deadline: Instant,
    _tasks: Arc<JoinSet<()>>,
}

#[derive(Debug)]
struct Shared {
    hooks: Hooks,
    timing: Timing,
    addresses: Mutex<Addresses>,
    turns: Semaphore,
}

impl Names {
    /// Starts to resolve; must be called on a tokio runtime. Addresses go to the hooks as they are
    /// learned: TCP redirected, and UDP to the same ports, which is HTTP/3, refused.
    pub fn start(hooks: Hooks, hosts: Vec<Host>, timing: Timing) -> Self {
        let shared = Arc::new(Shared {
            hooks,
            timing,
            addresses: Mutex::default(),
            turns: Semaphore::new(AT_ONCE),
        });
        let learned = Arc::new(Learned::new(
            shared.hooks.clone(),
            Guarded::new(hosts.iter().cloned()),
        ));
        let hosts: Vec<_> = hosts.into_iter().filter(can_be_asked_for).collect();
        let named = hosts.iter().map(|(name, _)| name.clone()).collect();
        let (tried, untried) = watch::channel(hosts.len());
        let tried = Arc::new(tried);
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(&learned).listen());
        for host in hosts {
            tasks.spawn(follow(
                Followed::new(host),
                Arc::clone(&shared),
                Arc::clone(&tried),
            ));
        }
        Self {
            shared,
            learned,
            named,
            untried,
            deadline: Instant::now() + timing.patience,
            _tasks: Arc::new(tasks),
        }
    }

    /// Waits until each name has been tried once, or patience is at its end: a dead resolver does not
    /// hold up the start, and what it answers later is guarded from then on.
    pub async fn ready(&self) {
        let mut untried = self.untried.clone();
        let all = untried.wait_for(|untried| *untried == 0);
        if time::timeout_at(self.deadline.into(), all).await.is_err() {
            let untried = *self.untried.borrow();
            tracing::warn!(
                untried,
                "some guarded names are not resolved yet: going on without"
            );
        }
        if self.shared.addresses().is_empty() {
            tracing::warn!("no guarded name resolves: nothing is guarded until one does");
        }
    }

    /// The guarded host that an address belongs to: the first one that the agent resolved to it, or the
    /// last one that a client was told it for.
    pub fn host_for(&self, address: SocketAddr) -> Option<String> {
        let resolved = self.hosts_for(address).into_iter().next();
        resolved.or_else(|| self.learned.host_for(address))
    }

    /// Where a guarded host can be reached besides `address`, at the same port by the other family of
    /// addresses. It looks at all that is known, so it is for those who have failed already.
    pub fn elsewhere(&self, host: &str, address: SocketAddr) -> Vec<SocketAddr> {
        let is_v4 = address.ip().to_canonical().is_ipv4();
        let mut others: Vec<SocketAddr> = self.shared.addresses().of(host).collect();
        others.extend(self.learned.addresses_of(host));
        others.retain(|other| other.port() == address.port() && other.is_ipv4() != is_v4);
        others.sort_unstable();
        others.dedup();
        others
    }

    /// How often names are resolved, and how long an answer holds.
    pub fn timing(&self) -> Timing {
        self.shared.timing
    }

    /// The guarded names that can be asked for; wildcards cannot.
    pub fn named(&self) -> Arc<[String]> {
        Arc::clone(&self.named)
    }

    /// Whether a name in lower case is guarded, by itself or by a wildcard.
    pub fn is_guarded(&self, name: &str) -> bool {
        self.learned.ports(name).is_some()
    }

    /// What is guarded at an address of a name in lower case.
    pub fn endpoints_at(&self, name: &str, ip: IpAddr) -> impl Iterator<Item = SocketAddr> {
        let ip = ip.to_canonical();
        let ports = self.learned.ports(name).unwrap_or_default();
        let is_one_host = !ip.is_unspecified() && !ip.is_multicast();
        let ports = ports.iter().filter(move |_| is_one_host);
        ports.map(move |port| SocketAddr::new(ip, *port))
    }

    /// Guards an address that a name has in another network namespace, until it was not seen there for as
    /// long as an answer holds. False if the agent resolves the name to it itself.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn learn(&self, host: &str, address: SocketAddr) -> Result<bool, KernelError> {
        if self
            .shared
            .addresses()
            .hosts(address)
            .any(|own| own == host)
        {
            return Ok(false);
        }
        self.learned.take(host, address, self.shared.timing.ttl)?;
        Ok(true)
    }

    /// All guarded hosts that the agent resolved to an address.
    pub fn hosts_for(&self, address: SocketAddr) -> Vec<String> {
        self.shared
            .addresses()
            .hosts(address)
            .map(str::to_owned)
            .collect()
    }
}

fn can_be_asked_for((name, ports): &Host) -> bool {
    !name.contains('*') && !ports.is_empty()
}

/// One name, and what became of it so far.
struct Followed {
    name: Arc<str>,
    ports: Vec<u16>,
    /// The last answer.
    addresses: Vec<IpAddr>,
    /// Failures since then.
    failures: u32,
}

/// Keeps one name's addresses guarded, for as long as the task lives.
async fn follow(mut host: Followed, shared: Arc<Shared>, tried: Arc<watch::Sender<usize>>) {
    let mut first = true;
    loop {
        let answer = shared.resolve(&host.name).await;
        host.take(answer);
        if let Err(error) = shared.guard(&host) {
            tracing::error!(host = &*host.name, %error, "addresses of a guarded host are NOT guarded");
        }
        if std::mem::take(&mut first) {
            tried.send_modify(|untried| *untried = untried.saturating_sub(1));
        }
        time::sleep(pause(host.failures, shared.timing.interval)).await;
    }
}

impl Followed {
    fn new((name, ports): Host) -> Self {
        Self {
            name: name.into(),
            ports,
            addresses: Vec::new(),
            failures: 0,
        }
    }

    /// Takes an answer; a failure leaves the last one in place. Only changes are worth a word.
    fn take(&mut self, answer: io::Result<Vec<IpAddr>>) {
        match answer {
            Ok(addresses) => {
                if self.failures > 0 {
                    tracing::debug!(host = &*self.name, "a guarded host can be resolved again");
                }
                self.addresses = addresses;
                self.failures = 0;
            }
            Err(error) => {
                if self.failures == 0 {
                    tracing::debug!(host = &*self.name, %error, "a guarded host cannot be resolved");
                }
                self.failures = self.failures.saturating_add(1);
            }
        }
    }

    fn endpoints(&self) -> impl Iterator<Item = SocketAddr> {
        self.addresses
            .iter()
            .flat_map(|ip| self.ports.iter().map(|port| SocketAddr::new(*ip, *port)))
    }
}

impl Shared {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let _turn = self.turns.acquire().await.map_err(io::Error::other)?;
        let answer = tokio::net::lookup_host((name, 0)).await?;
        Ok(answer.map(|address| address.ip()).collect())
    }

    /// Guards a host's addresses anew, and no longer those that nobody has claimed for too long. The
    /// table is held meanwhile, so that the kernel's map never disagrees with it.
    fn guard(&self, host: &Followed) -> Result<(), KernelError> {
        let (now, ttl) = (Instant::now(), self.timing.ttl);
        let mut addresses = self.addresses();
        for endpoint in host.endpoints() {
            addresses.claim(endpoint, &host.name, now + ttl);
            // Nobody speaks HTTP/3 to the machine itself, and other services of its may use the port.
            let refuse_udp = !endpoint.ip().is_loopback();
            self.hooks.set_endpoint(endpoint, Some(ttl), refuse_udp)?;
        }
        for endpoint in addresses.expire(now) {
            self.hooks.remove_endpoint(endpoint)?;
        }
        Ok(())
    }

    /// A panic elsewhere leaves the table whole: no method of it stops half-way.
    fn addresses(&self) -> MutexGuard<'_, Addresses> {
        self.addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// After success the interval; after failures shorter, as a network that comes up brings all names,
/// then doubling.
fn pause(failures: u32, interval: Duration) -> Duration {
    match failures.checked_sub(1) {
        None => interval,
        Some(doublings) => {
            let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
            RETRY.saturating_mul(factor).min(interval)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    fn host() -> Followed {
        Followed::new(("a.test".to_owned(), vec![443, 8443]))
    }

    #[test]
    fn failures_are_retried_soon_and_then_ever_more_rarely() {
        let interval = Duration::from_secs(30);
        let seconds = |failures| pause(failures, interval).as_secs();
        assert_eq!(
            [0, 1, 2, 3, 5, 6, 7, 33, u32::MAX].map(seconds),
            [30, 1, 2, 4, 16, 30, 30, 30, 30]
        );
    }

    #[test]
    fn a_failure_forgets_nothing() {
        let mut host = host();
        host.take(Ok(vec!["192.0.2.1".parse().unwrap()]));
        host.take(Err(io::Error::other("silence")));
        host.take(Err(io::Error::other("silence")));
        let endpoints: Vec<_> = host
            .endpoints()
            .map(|endpoint| endpoint.to_string())
            .collect();
        assert_eq!(endpoints, ["192.0.2.1:443", "192.0.2.1:8443"]);
        assert_eq!(host.failures, 2);
        host.take(Ok(Vec::new()));
        assert_eq!((host.endpoints().count(), host.failures), (0, 0));
    }

    #[test]
    fn only_guarded_names_are_asked_for() {
        let asked = |name: &str, ports: &[u16]| can_be_asked_for(&(name.to_owned(), ports.into()));
        assert!(asked("a.test", &[443]));
        assert!(!asked("*.a.test", &[443]));
        assert!(!asked("a.test", &[]));
    }
}
