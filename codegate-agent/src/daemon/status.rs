//! How the agent is, for `codegate status`.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use super::{existing::Existing, namespaces::Namespaces};
use crate::{
    control::{Pause, Readiness, Status, StatusSource},
    inspect::packages::Live,
    kernel::{Hooks, Pulse, programs},
};

/// What the agent counts of itself.
pub(super) struct Tally {
    started: Instant,
    hooks: Hooks,
    namespaces: Arc<Namespaces>,
    existing: Arc<Existing>,
    packages: Arc<Live>,
    endpoints: usize,
    listeners: Mutex<Vec<String>>,
    phase: AtomicU8,
    open: AtomicU64,
    terminated: AtomicU64,
    spliced: AtomicU64,
    reloaded: AtomicU64,
    /// Why the configuration on disk is not the one in force.
    stale: Mutex<Option<String>>,
}

const STARTING: u8 = 0;
const READY: u8 = 1;
const STOPPING: u8 = 2;

/// One open connection; it is counted until this is dropped.
pub(super) struct Open(Arc<Tally>);

impl Tally {
    pub(super) fn new(
        hooks: Hooks,
        namespaces: Arc<Namespaces>,
        existing: Arc<Existing>,
        packages: Arc<Live>,
        endpoints: usize,
    ) -> Self {
        Self {
            started: Instant::now(),
            hooks,
            namespaces,
            existing,
            packages,
            endpoints,
            listeners: Mutex::default(),
            phase: AtomicU8::new(STARTING),
            open: AtomicU64::new(0),
            terminated: AtomicU64::new(0),
            spliced: AtomicU64::new(0),
            reloaded: AtomicU64::new(0),
            stale: Mutex::default(),
        }
    }

    pub(super) fn listens(&self, v4: u16, v6: Option<u16>) {
        let v4 = Some(format!("127.0.0.1:{v4}"));
        let addresses = v4.into_iter().chain(v6.map(|port| format!("[::1]:{port}")));
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(addresses);
    }

    pub(super) fn ready(&self) {
        self.phase.store(READY, Relaxed);
    }

    pub(super) fn stopping(&self) {
        self.phase.store(STOPPING, Relaxed);
    }

    pub(super) fn opened(self: &Arc<Self>) -> Open {
        self.open.fetch_add(1, Relaxed);
        Open(self.clone())
    }

    pub(super) fn terminated(&self) {
        self.terminated.fetch_add(1, Relaxed);
    }

    pub(super) fn spliced(&self) {
        self.spliced.fetch_add(1, Relaxed);
    }

    /// The configuration was read again: it is in force, or there is a reason why not.
    pub(super) fn reloaded(&self, why_not: Option<String>) {
        self.reloaded
            .fetch_add(u64::from(why_not.is_none()), Relaxed);
        *self.stale.lock().unwrap_or_else(PoisonError::into_inner) = why_not;
    }

    fn readiness(&self, pulse: Pulse) -> Readiness {
        match self.phase.load(Relaxed) {
            STARTING => Readiness::Starting,
            READY if pulse.beats && pulse.paused.is_none() => Readiness::Ready,
            _ => Readiness::Degraded,
        }
    }

    fn problems(&self, pulse: Pulse) -> Vec<String> {
        let otherwise = if pulse.closed {
            "new connections to guarded hosts are refused"
        } else {
            "new connections go direct"
        };
        let what = match self.phase.load(Relaxed) {
            STOPPING => Some("the agent is stopping"),
            READY if !pulse.beats => Some("connections are not taken in time"),
            _ => None,
        };
        let stale = self.stale.lock().unwrap_or_else(PoisonError::into_inner);
        let stale = stale.iter().map(|why| {
            format!("the configuration was not taken up, the one before it holds: {why}")
        });
        let lost = self.hooks.lost().iter();
        let lost = lost.map(|lost| format!("{}: {}", lost.without, lost.why));
        let paused = pulse.paused.map(|_| {
            "the guard is paused: new connections go direct (`codegate resume` ends it)".to_owned()
        });
        what.map(|what| format!("{what}: {otherwise}"))
            .into_iter()
            .chain(paused)
            .chain(stale)
            .chain(lost)
            .chain(self.packages.problems())
            .collect()
    }

    /// What the kernel sees. What cannot be read is not claimed.
    fn pulse(&self) -> Pulse {
        self.hooks.heart().pulse().unwrap_or(Pulse {
            beats: false,
            closed: false,
            paused: None,
        })
    }

    /// A program and whether it is attached.
    fn hook(&self, name: &str) -> (String, String) {
        let lost = self.hooks.lost().iter().find(|lost| lost.program == name);
        let state = lost.map_or("attached", |_| "missing");
        (name.to_owned(), state.to_owned())
    }

    fn counters(&self) -> BTreeMap<String, u64> {
        let own = [
            ("terminated", &self.terminated),
            ("spliced", &self.spliced),
            ("reloaded", &self.reloaded),
        ];
        let own = own.map(|(name, count)| (name.to_owned(), count.load(Relaxed)));
        let kernel = self.hooks.counters().ok();
        let kernel = kernel.iter().flat_map(|counters| counters.iter());
        let kernel = kernel.map(|(counter, count)| (format!("kernel_{}", counter.name()), count));
        let namespaces = ("namespaces".to_owned(), self.namespaces.count() as u64);
        kernel.chain(own).chain([namespaces]).collect()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}

impl StatusSource for Arc<Tally> {
    fn status(&self) -> Status {
        let pulse = self.pulse();
        Status {
            state: self.readiness(pulse),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            uptime_s: self.started.elapsed().as_secs(),
            hooks: programs().map(|name| self.hook(name)).collect(),
            listeners: self
                .listeners
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
            endpoints: self.endpoints as u64,
            connections: self.open.load(Relaxed),
            counters: self.counters(),
            existing: self.existing.shown(),
            problems: self.problems(pulse),
            paused_until: Pause::of(pulse.paused).paused_until,
        }
    }
}
