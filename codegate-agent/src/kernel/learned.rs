//! What others told: the names of addresses that the programs have learned from DNS answers, the addresses
//! of answers that were too odd for them, and those that names have in other network namespaces.
//!
//! Anybody who can make a process ask for names below a wildcard can fill this: it is bounded, and what
//! is oldest goes first. Nothing in here touches what the agent resolved itself.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use codegate_ebpf::name;

use super::{
    Hooks, KernelError,
    addresses::Addresses,
    answers::{Answers, Overheard},
    guarded::Guarded,
};

/// Addresses and ports whose names are remembered: as many as the programs remember.
const MOST: usize = 16_384;
/// How many addresses of one answer count: no host has more, and each costs system calls.
const OF_ONE_ANSWER: usize = 256;

/// What is known from answers.
#[derive(Debug)]
pub(super) struct Learned {
    hooks: Hooks,
    guarded: Guarded,
    addresses: Mutex<Addresses>,
}

impl Learned {
    /// Tells the programs which names to listen for.
    pub(super) fn new(hooks: Hooks, guarded: Guarded) -> Self {
        if let Err(error) = hooks.guard_names(&guarded) {
            tracing::error!(%error, "addresses of some guarded names are NOT learned from DNS answers");
        }
        Self {
            hooks,
            guarded,
            addresses: Mutex::default(),
        }
    }

    /// Listens for as long as the task lives; must be called on a tokio runtime.
    pub(super) async fn listen(self: Arc<Self>) {
        let Some(buffer) = self.hooks.take_answers() else {
            tracing::warn!(
                "somebody else listens to DNS answers: names of addresses may be missing"
            );
            return;
        };
        let failed = match Answers::new(buffer) {
            Ok(mut answers) => loop {
                if let Err(error) = answers.read(|overheard| self.hear(&overheard)).await {
                    break error;
                }
            },
            Err(error) => error,
        };
        tracing::warn!(error = %failed, "DNS answers cannot be read: only the kernel learns from them");
    }

    /// The guarded host that an address was learned for; the latest, if there are several.
    pub(super) fn host_for(&self, address: SocketAddr) -> Option<String> {
        let addresses = self.addresses();
        addresses.hosts(address).next_back().map(str::to_owned)
    }

    /// The addresses that were learned for a host.
    pub(super) fn addresses_of(&self, host: &str) -> Vec<SocketAddr> {
        self.addresses().of(host).collect()
    }

    fn hear(&self, overheard: &Overheard) {
        let answer = &overheard.answer;
        let Some(ports) = self.guarded.ports(&answer.name) else {
            return;
        };
        let host: Arc<str> = answer.name.as_str().into();
        for (ip, ttl) in answer.addresses.iter().take(OF_ONE_ANSWER) {
            let ttl = bounded(*ttl);
            for (place, port) in ports.iter().enumerate() {
                let address = SocketAddr::new(*ip, *port);
                self.claim(address, &host, ttl);
                let unlearned = overheard.odd || place >= name::PORTS;
                if unlearned && let Err(error) = self.learn(address, ttl) {
                    tracing::warn!(%error, host = &*host, "an address is NOT guarded");
                }
            }
        }
    }

    /// The ports on which a name in lower case is guarded, if it is.
    pub(super) fn ports(&self, name: &str) -> Option<&[u16]> {
        self.guarded.ports(name)
    }

    /// Guards an address that a guarded name has somewhere.
    pub(super) fn take(
        &self,
        host: &str,
        address: SocketAddr,
        ttl: Duration,
    ) -> Result<(), KernelError> {
        self.claim(address, &host.into(), ttl);
        self.learn(address, ttl)
    }

    fn learn(&self, address: SocketAddr, ttl: Duration) -> Result<(), KernelError> {
        self.hooks.learn_endpoint(address, ttl)
    }

    fn claim(&self, address: SocketAddr, host: &Arc<str>, ttl: Duration) {
        let now = Instant::now();
        let mut addresses = self.addresses();
        if addresses.len() >= MOST {
            addresses.expire(now);
        }
        if addresses.len() < MOST || addresses.hosts(address).next().is_some() {
            addresses.claim(address, host, now + ttl);
        }
    }

    /// A panic elsewhere leaves the table whole: no method of it stops half-way.
    fn addresses(&self) -> MutexGuard<'_, Addresses> {
        self.addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time that an address is guarded, as the programs have it (RFC 2181, section 8: a TTL whose first
/// bit is set counts as 0).
fn bounded(ttl: u32) -> Duration {
    let ttl = if i32::try_from(ttl).is_ok() { ttl } else { 0 };
    Duration::from_secs(ttl.clamp(name::LEAST_TTL, name::MOST_TTL).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_to_live_are_bounded() {
        let seconds = |ttl| bounded(ttl).as_secs();
        assert_eq!([0, 600, 3600].map(seconds), [600, 600, 3600]);
        assert_eq!([1 << 30, 1 << 31, u32::MAX].map(seconds), [86400, 600, 600]);
    }
}
