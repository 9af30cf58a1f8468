//! What an address means to the guard, and who is exempt from it.

use aya_ebpf::{helpers::bpf_get_current_cgroup_id, programs::SockAddrContext};
use codegate_ebpf::{Address, Counter, Endpoint, NEVER, flags};

use crate::{
    class, heart,
    maps::{AGENT_CGROUP, AGENT_MARK, ENDPOINTS, LEARNED},
    socket::{self, field},
};

/// The flags of a guarded address; else the reason why it is left alone.
///
/// `wanted` are the flags that the caller acts upon: an endpoint without any of them is none of its
/// business.
#[inline(always)]
pub(crate) fn guarded(ctx: &SockAddrContext, to: &Address, wanted: u32) -> Result<(), Counter> {
    // SAFETY: an entry that is removed while it is read yields another entry's value at worst; the
    // next connection sees the truth.
    let set = unsafe { ENDPOINTS.get(to) };
    let known = holds(set, wanted).or_else(|reason| {
        // SAFETY: the same.
        let learned = unsafe { LEARNED.get(to) };
        holds(learned, wanted).map_err(|_| reason)
    });
    if let Err(reason) = known
        && !class::is_looked_at(to, wanted)
    {
        return Err(reason);
    }
    if is_agent(ctx) {
        return Err(Counter::Exempt);
    }
    // What is looked at for who makes it need not be for a guarded host: without an agent it goes direct.
    heart::beats().map_err(|stale| known.err().unwrap_or(stale))?;
    // Of UDP the agent tells by its packets, which say nothing of who sends them.
    if wanted & flags::REDIRECT_TCP != 0 && class::passes() {
        return Err(Counter::ProcessPassed);
    }
    Ok(())
}

/// Whether UDP to an address is looked at, or refused.
#[inline(always)]
pub(crate) fn refuses_udp(to: &Address) -> bool {
    // SAFETY: as in `guarded`.
    let (set, learned) = unsafe { (ENDPOINTS.get(to), LEARNED.get(to)) };
    holds(set, flags::REFUSE_UDP).is_ok() || holds(learned, flags::REFUSE_UDP).is_ok()
}

/// Whether an entry says what is wanted, today.
#[inline(always)]
fn holds(entry: Option<&Endpoint>, wanted: u32) -> Result<(), Counter> {
    match entry {
        Some(endpoint) if endpoint.flags & wanted == 0 => Err(Counter::Passed),
        Some(endpoint) if is_past(endpoint.expires) => Err(Counter::Expired),
        Some(_) => Ok(()),
        None => Err(Counter::Passed),
    }
}

#[inline(always)]
fn is_past(expires: u64) -> bool {
    expires != NEVER && heart::time() >= expires
}

#[inline(always)]
fn is_agent(ctx: &SockAddrContext) -> bool {
    if field!(socket::of(ctx), mark) == AGENT_MARK.load() {
        return true;
    }
    let cgroup = AGENT_CGROUP.load();
    // SAFETY: the helper has no preconditions.
    cgroup != 0 && unsafe { bpf_get_current_cgroup_id() } == cgroup
}
