//! Whether the agent lives: its heartbeat, and what becomes of guarded connections without it.
//!
//! When it must choose, it does what the administrator chose: [`Switch`] has the word.

use aya_ebpf::helpers::{bpf_ktime_get_boot_ns, bpf_ktime_get_ns};
use codegate_ebpf::{BEAT_HOLDS, Counter, Heartbeat, Switch};

use crate::{
    Verdict,
    maps::{HEARTBEAT, SWITCH},
};

/// Whether there is an agent that takes what is redirected; else why nothing is.
#[inline(always)]
pub(crate) fn beats() -> Result<(), Counter> {
    let switch = switch();
    if is_paused(&switch) {
        return Err(Counter::PausedPassed);
    }
    if is_fresh(last_beat()) {
        return Ok(());
    }
    Err(if switch.closed == 0 {
        Counter::StalePassed
    } else {
        Counter::StaleRefused
    })
}

/// What a connection or datagram may do that is left alone for a reason.
#[inline(always)]
pub(crate) fn verdict(reason: Counter) -> Verdict {
    match reason {
        Counter::StaleRefused | Counter::FailedAlike => Verdict::Refuse,
        _ => Verdict::Allow,
    }
}

/// The time by which endpoints expire. An agent that is gone renews nothing: where guarded hosts are
/// refused without it, time stands still until it is back.
#[inline(always)]
pub(crate) fn time() -> u64 {
    let beat = last_beat();
    if beat != 0 && switch().closed != 0 {
        return beat;
    }
    // SAFETY: the helper has no preconditions.
    unsafe { bpf_ktime_get_ns() }
}

#[inline(always)]
fn is_paused(switch: &Switch) -> bool {
    // SAFETY: the helper has no preconditions.
    switch.paused_until != 0 && unsafe { bpf_ktime_get_boot_ns() } < switch.paused_until
}

#[inline(always)]
fn is_fresh(beat: u64) -> bool {
    // SAFETY: the helper has no preconditions.
    beat != 0 && unsafe { bpf_ktime_get_ns() }.saturating_sub(beat) <= BEAT_HOLDS
}

#[inline(always)]
fn last_beat() -> u64 {
    HEARTBEAT
        .get(0)
        .map_or(0, |heartbeat: &Heartbeat| heartbeat.beat)
}

#[inline(always)]
fn switch() -> Switch {
    SWITCH.get(0).copied().unwrap_or(Switch::OPEN)
}
