//! SYNs to the agent: held until it has dialled where they were meant to go, so that `connect()` takes as long, and
//! fails, as it would without us.
//!
//! A held SYN is lost for TCP, which sends it again after a second, and after two: the agent is told of each. When it must
//! choose, it lets them go: then the agent dials later, and a client may be connected that should not have been.

use core::ptr::addr_of_mut;

use aya_ebpf::{
    bindings::__sk_buff,
    helpers::bpf_get_socket_cookie,
    macros::map,
    maps::{LruHashMap, RingBuf},
    programs::SkBuffContext,
};
use codegate_ebpf::{
    Counter,
    held::{Held, SYN},
};

use crate::{
    heart,
    maps::{LISTENERS, ORIG, count},
    packet::Packet,
    socket::{TCP, field, set},
    wait,
};

/// Where the sequence number is in a header of TCP (RFC 9293, section 3.1), and its own length, in words.
const SEQUENCE: u32 = 4;
const OFFSET: u32 = 12;

/// SYNs, for the agent. What does not fit is not held.
#[map]
static SYNS: RingBuf = RingBuf::with_byte_size(256 * 1024, 0);

/// SYNs that the agent has let go. One that is pushed out is told again when it is sent again.
#[map]
static LET_GO: LruHashMap<u64, u32> = LruHashMap::with_max_entries(8_192, 0);

/// What is told of a SYN.
#[repr(C)]
struct Record {
    held: Held,
    octets: [u8; SYN],
}

/// Whether a packet is a SYN that waits for the agent, which was told of it.
///
/// TCP must not know: a packet that a full queue drops (which a program can say, too) is sent again so soon and
/// so often that a client would give up early.
#[inline(always)]
pub(crate) fn is_held(ctx: &SkBuffContext) -> bool {
    if !wait::is_for_syn(ctx) {
        return false;
    }
    let skb = ctx.skb.skb;
    // SAFETY: the context is the kernel's.
    let socket = unsafe { bpf_get_socket_cookie(skb.cast()) };
    let Some(netns) = redirected(socket) else {
        return false;
    };
    let told = tell(skb, socket, netns);
    if let Some(counter) = told {
        count(counter);
    }
    matches!(told, Some(Counter::SynHeld))
}

/// The namespace of a redirected socket, if its SYN is to be held there. One that [waits](wait) for its listener has
/// too little time to wait for anything else.
#[inline(always)]
fn redirected(socket: u64) -> Option<u64> {
    // SAFETY: the entry is this socket's, which lives as long as this call.
    let original = unsafe { ORIG.get(socket) }?;
    // SAFETY: a value of eight bytes is read whole.
    let holds = unsafe { LISTENERS.get(original.netns) }.is_some_and(|there| there.holds != 0);
    (holds && original.waits == 0 && heart::beats().is_ok()).then_some(original.netns)
}

/// Hands a SYN to the agent; `None` if that has let it go.
#[inline(always)]
fn tell(skb: *mut __sk_buff, socket: u64, netns: u64) -> Option<Counter> {
    let tcp = Packet::of(skb, TCP)?;
    let sequence: u32 = tcp.load(SEQUENCE)?;
    // SAFETY: a value of four bytes is read whole.
    if unsafe { LET_GO.get(socket) } == Some(&sequence) {
        return None;
    }
    let length = field!(skb, len);
    // What it brings besides would be lost with it.
    let offset: u8 = tcp.load(OFFSET)?;
    let is_bare = length == tcp.start + u32::from(offset >> 4) * 4;
    if length == 0 || length > SYN as u32 || !is_bare {
        return Some(Counter::SynNotHeld);
    }
    let Some(mut entry) = SYNS.reserve::<Record>(0) else {
        return Some(Counter::SynNotHeld);
    };
    let record = entry.as_mut_ptr();
    let held = Held {
        socket,
        netns,
        length,
        zero: 0,
    };
    set!(record, held, held);
    let packet = Packet { skb, start: 0 };
    // SAFETY: the record has room for that much.
    let copied =
        unsafe { packet.copy::<{ SYN as u32 }>(addr_of_mut!((*record).octets).cast(), length) };
    if !copied {
        entry.discard(0);
        return Some(Counter::SynNotHeld);
    }
    entry.submit(0);
    Some(Counter::SynHeld)
}
