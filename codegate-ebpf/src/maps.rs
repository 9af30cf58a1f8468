//! The maps and the variables that the loader sets. Their names are the contract's.

use aya_ebpf::{
    Global,
    macros::map,
    maps::{Array, HashMap, LruHashMap, PerCpuArray, RingBuf},
};
use codegate_ebpf::{
    Address, Client, Counter, DEFAULT_MARK, Destination, Endpoint, Failure, Heartbeat, Listener,
    Original, Switch,
    name::{NameKey, NamePorts},
};

/// Guarded addresses: a few per host and round of DNS, of some hundred hosts.
#[map]
pub(crate) static ENDPOINTS: HashMap<Address, Endpoint> = HashMap::with_max_entries(16_384, 0);

/// Addresses that DNS answers told. LRU: whoever floods it loses what others learned, but never an
/// address that the agent set.
#[map]
pub(crate) static LEARNED: LruHashMap<Address, Endpoint> = LruHashMap::with_max_entries(16_384, 0);

/// Guarded names; filled once, before anything is attached.
#[map]
pub(crate) static NAMES: HashMap<NameKey, NamePorts> = HashMap::with_max_entries(16_384, 0);

/// One per network namespace that is guarded.
#[map]
pub(crate) static LISTENERS: HashMap<u64, Listener> = HashMap::with_max_entries(1_024, 0);

/// Redirected sockets, as long as they live. LRU, so that a leak can never stop the guard.
#[map]
pub(crate) static ORIG: LruHashMap<u64, Original> = LruHashMap::with_max_entries(32_768, 0);

/// Redirected connections between SYN and accept.
#[map]
pub(crate) static FLOW: LruHashMap<Client, Original> = LruHashMap::with_max_entries(16_384, 0);

/// Namespaces in which the agent cannot listen.
#[map]
pub(crate) static DEAF: LruHashMap<u64, u64> = LruHashMap::with_max_entries(1_024, 0);

/// Until when somebody may be waiting. Two that write it at once write nearly the same.
#[map]
pub(crate) static WAITING: Array<u64> = Array::with_max_entries(1, 0);

/// What the agent could not reach, and why; each for a moment.
#[map]
pub(crate) static FAILED: LruHashMap<Destination, Failure> = LruHashMap::with_max_entries(1_024, 0);

/// Written by the agent, as long as it lives.
#[map]
pub(crate) static HEARTBEAT: Array<Heartbeat> = Array::with_max_entries(1, 0);

/// Written by the agent, and by the command line where the agent is gone.
#[map]
pub(crate) static SWITCH: Array<Switch> = Array::with_max_entries(1, 0);

/// Namespaces that the agent was told of a moment ago.
#[map]
pub(crate) static SEEN: LruHashMap<u64, u64> = LruHashMap::with_max_entries(1_024, 0);

/// Sockets in namespaces where nobody listens. What does not fit is told again by the next socket, and a
/// connection that cannot be told of does not wait.
#[map]
pub(crate) static NEWCOMERS: RingBuf = RingBuf::with_byte_size(16_384, 0);

/// Sockets' namespaces, told from a program that knows to one that does not, or to the agent.
#[map]
pub(crate) static NETNS: LruHashMap<u64, u64> = LruHashMap::with_max_entries(4_096, 0);

#[map]
static COUNTERS: PerCpuArray<u64> = PerCpuArray::with_max_entries(Counter::ALL.len() as u32, 0);

#[unsafe(no_mangle)]
pub(crate) static AGENT_MARK: Global<u32> = Global::new(DEFAULT_MARK);

#[unsafe(no_mangle)]
pub(crate) static AGENT_CGROUP: Global<u64> = Global::new(0);

#[unsafe(no_mangle)]
pub(crate) static NETNS_IN_SOCK_OPS: Global<u8> = Global::new(1);

#[unsafe(no_mangle)]
pub(crate) static RETRY: Global<u32> = Global::new(0);

#[unsafe(no_mangle)]
pub(crate) static ERRNO: Global<u8> = Global::new(0);

#[unsafe(no_mangle)]
pub(crate) static IDENTIFY: Global<u8> = Global::new(0);

#[unsafe(no_mangle)]
pub(crate) static NAME_SEED: Global<u64> = Global::new(0);

/// Adds one.
#[inline(always)]
pub(crate) fn count(counter: Counter) {
    add(counter, 1);
}

/// Adds some. Another program may interrupt this on the same CPU and its share be lost: these are
/// figures for people, not for accounts.
#[inline(always)]
pub(crate) fn add(counter: Counter, more: u64) {
    if let Some(slot) = COUNTERS.get_ptr_mut(counter as u32) {
        // SAFETY: a slot of a per-CPU array is valid as long as the program runs, and this CPU's alone.
        unsafe { *slot += more };
    }
}
