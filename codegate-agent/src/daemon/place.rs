//! What is known of the names in one network namespace: the addresses that were found there, and whether
//! its resolver is well.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::accept::Network;

/// Most addresses, with their ports, that one namespace has at a time: all guarded names together seldom
/// have as many, and what others have learned must not give way to what one makes up.
pub(super) const MOST: usize = 2_048;
/// The first pause after a failure; it doubles.
const RETRY: Duration = Duration::from_secs(5);
/// The longest.
const LONGEST: Duration = Duration::from_secs(8 * 60);

/// A network namespace.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) network: Network,
    /// Taken by whoever reads its files: one at a time, also where one never comes back.
    gate: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    due: Instant,
    /// When its resolver may be asked again.
    ask: Instant,
    failures: u32,
    /// What was found, and until when it counts.
    found: HashMap<SocketAddr, Instant>,
}

/// What an address is to a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Note {
    New,
    Known,
    /// There are too many.
    Refused,
}

impl Place {
    pub(super) fn new(network: Network, now: Instant) -> Self {
        Self {
            network,
            gate: Arc::new(Semaphore::new(1)),
            state: Mutex::new(State {
                due: now,
                ask: now,
                failures: 0,
                found: HashMap::new(),
            }),
        }
    }

    /// The right to a round, if one is due and none is under way; the next is due an interval later.
    pub(super) fn begin(&self, now: Instant, interval: Duration) -> Option<OwnedSemaphorePermit> {
        let mut state = self.state();
        if now < state.due {
            return None;
        }
        let permit = self.gate.clone().try_acquire_owned().ok()?;
        state.due = now + interval;
        if state.ask > now {
            state.due = state.due.min(state.ask);
        }
        Some(permit)
    }

    /// Whether the last round failed.
    pub(super) fn is_ailing(&self) -> bool {
        self.state().failures > 0
    }

    /// Whether its resolver may be asked: one that was dead is left alone for a while.
    pub(super) fn may_ask(&self, now: Instant) -> bool {
        now >= self.state().ask
    }

    /// Notes how it went.
    pub(super) fn went(&self, well: bool, now: Instant) {
        let mut state = self.state();
        if well {
            state.failures = 0;
            return;
        }
        let pause = RETRY * 2_u32.saturating_pow(state.failures.min(16));
        state.failures = state.failures.saturating_add(1);
        state.ask = now + pause.min(LONGEST);
        state.due = state.due.min(state.ask);
    }

    /// Notes that an address was seen, which counts for `ttl`.
    pub(super) fn note(&self, address: SocketAddr, now: Instant, ttl: Duration) -> Note {
        let found = &mut self.state().found;
        if let Some(until) = found.get_mut(&address) {
            let was_there = *until > now;
            *until = now + ttl;
            return if was_there { Note::Known } else { Note::New };
        }
        if found.len() >= MOST {
            found.retain(|_, until| *until > now);
        }
        if found.len() >= MOST {
            return Note::Refused;
        }
        found.insert(address, now + ttl);
        Note::New
    }

    /// A panic elsewhere leaves it whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(30);
    const TTL: Duration = Duration::from_secs(3_600);

    fn place(now: Instant) -> Place {
        Place::new(Network::of(std::process::id()).unwrap(), now)
    }

    fn address(n: u16) -> SocketAddr {
        ([192, 0, 2, 1], n).into()
    }

    #[test]
    fn one_round_at_a_time_and_one_in_an_interval() {
        let now = Instant::now();
        let place = place(now);
        let permit = place.begin(now, INTERVAL).unwrap();
        assert!(
            place.begin(now + 2 * INTERVAL, INTERVAL).is_none(),
            "it is under way"
        );
        drop(permit);
        assert!(
            place.begin(now + INTERVAL / 2, INTERVAL).is_none(),
            "it is not due"
        );
        assert!(place.begin(now + INTERVAL, INTERVAL).is_some());
    }

    #[test]
    fn a_dead_resolver_is_asked_ever_more_rarely_and_files_are_read_all_the_same() {
        let begin = Instant::now();
        let place = place(begin);
        let mut now = begin;
        let mut asked = Vec::new();
        for _ in 0..200 {
            if place.begin(now, INTERVAL).is_some() && place.may_ask(now) {
                asked.push(now.duration_since(begin).as_secs());
                place.went(false, now);
            }
            now += Duration::from_secs(5);
        }
        assert_eq!(asked, [0, 5, 15, 35, 75, 155, 315, 635]);
        assert!(place.is_ailing());
        place.went(true, now);
        assert!(!place.is_ailing());
    }

    #[test]
    fn what_one_place_has_is_bounded_and_expires() {
        let now = Instant::now();
        let place = place(now);
        let all = 0..u16::try_from(MOST).unwrap();
        assert!(
            all.clone()
                .all(|n| place.note(address(n), now, TTL) == Note::New)
        );
        assert_eq!(place.note(address(9_999), now, TTL), Note::Refused);
        let later = now + TTL / 2;
        assert_eq!(place.note(address(0), later, TTL), Note::Known);
        let end = now + TTL;
        assert_eq!(place.note(address(9_999), end, TTL), Note::New);
        assert_eq!(place.note(address(0), end, TTL), Note::Known);
        assert_eq!(place.note(address(1), end, TTL), Note::New);
    }
}
