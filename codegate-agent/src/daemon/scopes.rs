//! Whose turn it is to ask servers. Containers have the same ones most of the time: then one of them asks
//! for all, and each in its turn, so that none can hide for long what the others would be told.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{accept::Network, resolve::Servers};

/// Servers that are asked once for all who have them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Scope {
    /// The only network namespace in which the addresses mean these servers.
    within: Option<Network>,
    servers: Servers,
}

/// Who asked when.
#[derive(Debug)]
pub(super) struct Scopes {
    interval: Duration,
    last: Mutex<HashMap<Scope, Last>>,
}

#[derive(Debug)]
struct Last {
    at: Instant,
    by: Network,
}

impl Scopes {
    /// Each is asked every `interval`, more or less.
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval,
            last: Mutex::default(),
        }
    }

    /// The time from one turn to the next.
    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    /// Gives a network namespace the turn, unless somebody had it not long ago. Whoever had it last waits
    /// for twice as long, in case others are there.
    pub(super) fn claim(&self, by: Network, servers: &Servers, now: Instant) -> Option<Scope> {
        let scope = Scope {
            within: servers.are_local().then_some(by),
            servers: servers.clone(),
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.retain(|_, last| now.duration_since(last.at) < 3 * self.interval);
        if let Some(last) = last.get(&scope) {
            let is_again = scope.within.is_none() && last.by == by;
            let wait = if is_again {
                2 * self.interval
            } else {
                self.interval
            };
            // Rounds begin when they can, and not to the millisecond.
            if now.duration_since(last.at) < wait * 3 / 4 {
                return None;
            }
        }
        last.insert(scope.clone(), Last { at: now, by });
        Some(scope)
    }

    /// It was not answered: somebody else may try.
    pub(super) fn give_up(&self, scope: &Scope) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.remove(scope);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use std::fs::File;

    use super::*;

    const INTERVAL: Duration = Duration::from_secs(30);

    fn networks() -> [Network; 2] {
        // Any two files will do: all that counts is that they differ.
        ["/proc/self/ns/net", "/proc/self/ns/mnt"]
            .map(|path| Network::of_handle(&File::open(path).unwrap()).unwrap())
    }

    fn servers(address: &str) -> Servers {
        Servers::read(&format!("nameserver {address}")).unwrap()
    }

    #[test]
    fn the_same_servers_are_asked_in_turns() {
        let (scopes, [one, two], begin) = (Scopes::new(INTERVAL), networks(), Instant::now());
        let shared = servers("10.0.0.53");
        let claims = |by, seconds| {
            let now = begin + Duration::from_secs(seconds);
            scopes.claim(by, &shared, now).is_some()
        };
        assert!(claims(one, 0));
        assert!(!claims(two, 1));
        assert!(!claims(one, 30));
        assert!(claims(two, 31));
        assert!(!claims(one, 32));
        assert!(claims(one, 60));
        assert!(claims(one, 120), "nobody else is left");
    }

    #[test]
    fn each_asks_its_own_local_server() {
        let (scopes, [one, two], now) = (Scopes::new(INTERVAL), networks(), Instant::now());
        let local = servers("127.0.0.11");
        assert!(scopes.claim(one, &local, now).is_some());
        assert!(scopes.claim(two, &local, now).is_some());
        assert!(scopes.claim(one, &local, now).is_none());
        assert!(scopes.claim(one, &local, now + INTERVAL).is_some());
    }

    #[test]
    fn who_is_not_answered_keeps_nobody_from_asking() {
        let (scopes, [one, two], now) = (Scopes::new(INTERVAL), networks(), Instant::now());
        let shared = servers("10.0.0.53");
        let scope = scopes.claim(one, &shared, now).unwrap();
        scopes.give_up(&scope);
        assert!(scopes.claim(two, &shared, now).is_some());
    }
}
