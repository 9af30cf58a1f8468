//! What tells the programs whether the agent lives, and what they do without it.
//!
//! The programs decide by themselves: an agent that is stopped, hung or dead cannot tell them any more.

use std::{sync::Mutex, time::Duration};

use aya::maps::{Array, MapData};
use codegate_ebpf::{BEAT_HOLDS, Heartbeat, Switch, maps};

use super::{
    KernelError,
    hooks::{lock, of_map},
    layout::{Plain, boottime_ns, monotonic_ns},
};

/// The two maps of the agent's life. It does not keep the programs attached.
pub struct Heart {
    beats: Mutex<Array<MapData, Plain<Heartbeat>>>,
    // Read and written back as a whole, so the lock is held over both.
    switch: Mutex<Array<MapData, Plain<Switch>>>,
}

/// What the programs see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// Whether the last beat still holds: guarded connections are redirected.
    pub beats: bool,
    /// Whether guarded connections are refused, not passed, without a heartbeat.
    pub closed: bool,
    /// How long everything goes direct yet, if the guard is paused.
    pub paused: Option<Duration>,
}

impl Heart {
    pub(super) fn new(
        beats: Array<MapData, Plain<Heartbeat>>,
        switch: Array<MapData, Plain<Switch>>,
    ) -> Self {
        Self {
            beats: Mutex::new(beats),
            switch: Mutex::new(switch),
        }
    }

    /// Says that the agent takes connections, now. It holds for a second.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn beat(&self) -> Result<(), KernelError> {
        self.set_beat(monotonic_ns())
    }

    /// Says that the agent takes no connections any more.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn still(&self) -> Result<(), KernelError> {
        // A beat that holds no longer, so that the programs still know when the last one was.
        self.set_beat(monotonic_ns().saturating_sub(BEAT_HOLDS + 1).max(1))
    }

    /// When it last beat, in the programs' clock; 0 if it never did.
    pub(super) fn last(&self) -> Result<u64, KernelError> {
        let Plain(heartbeat) = lock(&self.beats)
            .get(&0, 0)
            .map_err(of_map(maps::HEARTBEAT))?;
        Ok(heartbeat.beat)
    }

    /// Chooses what becomes of guarded connections without a heartbeat: refused, or passed.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn close(&self, closed: bool) -> Result<(), KernelError> {
        self.change(|switch| switch.closed = u32::from(closed))
    }

    /// Lets everything go direct for some time, whether the agent lives or not; for no time at all it
    /// ends what was paused.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn pause(&self, time: Duration) -> Result<(), KernelError> {
        let until = match u64::try_from(time.as_nanos()) {
            Ok(0) => 0,
            Ok(nanoseconds) => boottime_ns().saturating_add(nanoseconds),
            Err(_) => u64::MAX,
        };
        self.change(|switch| switch.paused_until = until)
    }

    /// What the programs see now.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn pulse(&self) -> Result<Pulse, KernelError> {
        let heartbeat = Heartbeat { beat: self.last()? };
        let Plain(switch) = lock(&self.switch)
            .get(&0, 0)
            .map_err(of_map(maps::SWITCH))?;
        Ok(Pulse::at(heartbeat, switch, monotonic_ns(), boottime_ns()))
    }

    fn set_beat(&self, beat: u64) -> Result<(), KernelError> {
        lock(&self.beats)
            .set(0, Plain(Heartbeat { beat }), 0)
            .map_err(of_map(maps::HEARTBEAT))
    }

    fn change(&self, change: impl FnOnce(&mut Switch)) -> Result<(), KernelError> {
        let mut map = lock(&self.switch);
        let Plain(mut switch) = map.get(&0, 0).map_err(of_map(maps::SWITCH))?;
        change(&mut switch);
        map.set(0, Plain(switch), 0).map_err(of_map(maps::SWITCH))
    }
}

impl Pulse {
    /// As the programs reckon, by the two clocks.
    fn at(heartbeat: Heartbeat, switch: Switch, monotonic: u64, boottime: u64) -> Self {
        let age = monotonic.saturating_sub(heartbeat.beat);
        let left = switch.paused_until.saturating_sub(boottime);
        Self {
            beats: heartbeat.beat != 0 && age <= BEAT_HOLDS,
            closed: switch.closed != 0,
            paused: (left > 0).then(|| Duration::from_nanos(left)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 50_000_000_000;

    fn pulse(beat: u64, paused_until: u64, closed: u32) -> Pulse {
        let switch = Switch {
            paused_until,
            closed,
            zero: 0,
        };
        Pulse::at(Heartbeat { beat }, switch, NOW, NOW)
    }

    #[test]
    fn a_beat_holds_for_a_second() {
        assert!(pulse(NOW, 0, 0).beats);
        assert!(pulse(NOW - BEAT_HOLDS, 0, 0).beats);
        assert!(!pulse(NOW - BEAT_HOLDS - 1, 0, 0).beats);
    }

    #[test]
    fn no_beat_is_no_life_even_right_after_the_machine_started() {
        let early = Pulse::at(Heartbeat { beat: 0 }, Switch::OPEN, 5, 5);
        assert!(!early.beats);
    }

    #[test]
    fn a_pause_ends_by_itself() {
        assert_eq!(pulse(0, NOW + 7, 1).paused, Some(Duration::from_nanos(7)));
        assert_eq!(pulse(0, NOW, 1).paused, None);
        assert_eq!(pulse(0, 0, 1).paused, None);
        assert!(pulse(0, 0, 1).closed && !pulse(0, 0, 0).closed);
    }
}
