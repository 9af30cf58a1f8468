//! Processes all of whose TLS connections are looked at, wherever they go, and those that are left alone.
//!
//! What class a process is in the agent knows, as it has the rules. A process that it has not told of yet
//! is looked at, whatever it is: so its first connection tells the agent who it is, and none slips through before.

use aya_ebpf::{
    helpers::{bpf_get_current_uid_gid, generated::bpf_get_current_cgroup_id},
    macros::map,
    maps::{Array, HashMap, LruHashMap},
};
use codegate_ebpf::{
    Address, flags,
    image::{Class, Policy, ProcessKey, class},
};

use crate::{process, screen};

/// Written by the agent as it gets to know processes.
#[map]
static CLASSES: LruHashMap<ProcessKey, Class> = LruHashMap::with_max_entries(16_384, 0);

/// Whether there are rules that ask for it.
#[map]
static POLICY: Array<Policy> = Array::with_max_entries(1, 0);

/// The ports, in network order, on which connections are looked at.
#[map]
static LOOKED_AT: HashMap<u16, u8> = HashMap::with_max_entries(1_024, 0);

/// Whether a connection or datagram to an address that is nobody's goes to the agent, for who makes it.
///
/// UDP of a process that is not known yet passes, unless it is looked at as it leaves: without that, the agent would
/// never get to know who never speaks TCP.
#[inline(always)]
pub(crate) fn is_looked_at(to: &Address, wanted: u32) -> bool {
    let Some(policy) = POLICY.get(0) else {
        return false;
    };
    // SAFETY: only whether it is there matters.
    if policy.guard_all == 0 || unsafe { LOOKED_AT.get(to.port) }.is_none() || is_loopback(to) {
        return false;
    }
    let unknown = wanted & flags::REDIRECT_TCP != 0 || screen::looks_at(to.port);
    of_caller().map_or(unknown, |class| class == class::GUARD_ALL)
}

/// Whether the caller's connections go direct, wherever they go.
#[inline(always)]
pub(crate) fn passes() -> bool {
    of_caller() == Some(class::PASS)
}

/// The caller's class, if the agent has told.
#[inline(always)]
fn of_caller() -> Option<u32> {
    let (policy, key) = (POLICY.get(0)?, process::caller()?);
    // SAFETY: an entry that is pushed out while it is read is another's at worst, for one connection.
    let class = unsafe { CLASSES.get(key) }?;
    // SAFETY: the helper has no preconditions.
    let cgroup = unsafe { bpf_get_current_cgroup_id() };
    let is_it = class.generation == policy.generation
        && class.uid == bpf_get_current_uid_gid() as u32
        && class.cgroup == cgroup;
    is_it.then_some(class.class)
}

/// Services of the machine itself: they are not on the way to anybody.
#[inline(always)]
fn is_loopback(to: &Address) -> bool {
    if to.is_v4() {
        return to.ip[3].to_ne_bytes()[0] == 127;
    }
    to.ip[0] | to.ip[1] | to.ip[2] == 0 && to.ip[3] == 1_u32.to_be()
}
