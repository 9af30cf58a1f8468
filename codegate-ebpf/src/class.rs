//! Processes all of whose TLS connections are looked at, wherever they go.
//!
//! What class a process is in the agent knows, as it has the rules. A process that it has not told of yet
//! is looked at, too: so its first connection tells the agent who it is, and none slips through before.

use aya_ebpf::{
    macros::map,
    maps::{Array, HashMap, LruHashMap},
};
use codegate_ebpf::{
    Address, flags,
    image::{Class, Policy, ProcessKey},
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
    let Some(key) = process::caller() else {
        return unknown;
    };
    // SAFETY: an entry that is pushed out while it is read is another's at worst, for one connection.
    match unsafe { CLASSES.get(key) } {
        Some(class) if class.generation == policy.generation => class.guard_all != 0,
        _ => unknown,
    }
}

/// Services of the machine itself: they are not on the way to anybody.
#[inline(always)]
fn is_loopback(to: &Address) -> bool {
    if to.is_v4() {
        return to.ip[3].to_ne_bytes()[0] == 127;
    }
    to.ip[0] | to.ip[1] | to.ip[2] == 0 && to.ip[3] == 1_u32.to_be()
}
