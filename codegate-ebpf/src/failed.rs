//! What the agent could not reach a moment ago fails in `connect()` itself, with the same error.
//!
//! Where its SYN is not held (`syn`), a redirected `connect()` succeeds before the agent has dialled, so the first to find a
//! service gone is accepted and then reset. Clients try again, and those attempts end as they would without a guard.

use aya_ebpf::helpers::{bpf_ktime_get_ns, generated::bpf_set_retval};
use codegate_ebpf::{Address, Destination};

use crate::maps::{ERRNO, FAILED};

/// The largest `errno` that the kernel takes.
const MOST: u32 = 4095;

/// Whether a connection fails; its error is chosen then, and it only needs to be refused.
#[inline(always)]
pub(crate) fn alike(netns: u64, to: &Address) -> bool {
    if ERRNO.load() == 0 {
        return false;
    }
    // SAFETY: an entry that is replaced while it is read yields another failure's error at worst.
    let Some(failure) = (unsafe { FAILED.get(Destination::new(netns, *to)) }) else {
        return false;
    };
    // SAFETY: the helper has no preconditions.
    if failure.errno == 0 || failure.errno > MOST || unsafe { bpf_ktime_get_ns() } >= failure.until
    {
        return false;
    }
    // SAFETY: the helper has no preconditions; where it failed, the error would be `EPERM`.
    unsafe { bpf_set_retval(-(failure.errno as i32)) == 0 }
}
