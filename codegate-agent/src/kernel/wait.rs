//! Connections that wait until the agent listens in their network namespace.

use std::time::Duration;

use codegate_ebpf::{ELSEWHERE, maps, programs};
use rustix::time::{ClockId, clock_getres};

use super::{
    Hooks, KernelError,
    hooks::{lock, of_map},
    layout,
};

/// How long a connection that waits lets pass before it tries again. TCP doubles it six times before it
/// gives up, which is after two seconds then.
const RETRY: Duration = Duration::from_millis(16);
/// How long nobody waits in a namespace that was given up.
const DEAF: Duration = Duration::from_secs(1);

/// [`RETRY`] in the kernel's ticks, of which a coarse clock is made.
pub(super) fn retry() -> u32 {
    let tick = clock_getres(ClockId::MonotonicCoarse);
    let tick = u128::try_from(tick.tv_nsec).unwrap_or(0).max(1_000_000);
    u32::try_from(RETRY.as_nanos() / tick).unwrap_or(0).max(2)
}

impl Hooks {
    /// Has the first connections of network namespaces where nobody listens wait for it, up to two seconds:
    /// the agent must be going to listen there, on this port of 127.0.0.1 and ::1, as soon as it
    /// [is told](Hooks::newcomers) of one. Its listeners must carry its [mark](Hooks::mark).
    ///
    /// Whether this kernel can make connections wait.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn expect(&self, port: u16) -> Result<bool, KernelError> {
        let waits = self.has(programs::LEARN);
        if waits {
            self.listen(ELSEWHERE, Some(port), Some(port))?;
        }
        Ok(waits)
    }

    /// From now on connections go direct where nobody listens.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn expect_no_more(&self) -> Result<(), KernelError> {
        self.unlisten(ELSEWHERE)
    }

    /// There can be no listener in a namespace: whoever waits there is refused, and for a second nobody does.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn give_up(&self, netns_cookie: u64) -> Result<(), KernelError> {
        lock(&self.0.deaf)
            .insert(netns_cookie, layout::expiry(Some(DEAF)), 0)
            .map_err(of_map(maps::DEAF))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_those_of_this_kernel() {
        // From 100 to 1000 of them make a second.
        assert!((2..=16).contains(&retry()), "{}", retry());
    }
}
