//! Network namespaces where the agent does not listen yet: it is told when somebody makes a socket there,
//! which is before the first name is resolved and the first connection made.

use aya_ebpf::{
    EbpfContext as _,
    helpers::{
        bpf_get_current_pid_tgid,
        generated::{bpf_get_netns_cookie, bpf_ktime_get_ns},
    },
    programs::SockContext,
};
use codegate_ebpf::Newcomer;

use crate::maps::{LISTENERS, NEWCOMERS, SEEN};

/// The agent is told of a namespace so often at most, in nanoseconds: it may not be able to listen there.
const PAUSE: u64 = 100_000_000;

/// Somebody makes a socket.
#[inline(always)]
pub(crate) fn announce(ctx: &SockContext) {
    // SAFETY: the context is the kernel's.
    let netns = unsafe { bpf_get_netns_cookie(ctx.as_ptr()) };
    // SAFETY: only whether it is there is asked.
    if unsafe { LISTENERS.get(netns) }.is_some() || was_told(netns) {
        return;
    }
    tell(netns);
}

/// Tells the agent of a namespace, and whether that was possible.
#[inline(always)]
pub(crate) fn tell(netns: u64) -> bool {
    let thread = bpf_get_current_pid_tgid();
    let newcomer = Newcomer {
        netns,
        tgid: (thread >> 32) as u32,
        tid: thread as u32,
    };
    NEWCOMERS.output::<Newcomer>(newcomer, 0).is_ok()
}

/// Whether the agent was told of a namespace a moment ago; from now on it was.
#[inline(always)]
fn was_told(netns: u64) -> bool {
    // SAFETY: the helper has no preconditions.
    let now = unsafe { bpf_ktime_get_ns() };
    // SAFETY: a value of eight bytes is read whole.
    let last = unsafe { SEEN.get(netns) }.copied().unwrap_or_default();
    if last != 0 && now.wrapping_sub(last) < PAUSE {
        return true;
    }
    _ = SEEN.insert(netns, now, 0);
    false
}
