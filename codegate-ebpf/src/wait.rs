//! The first connections of a network namespace wait until the agent listens there.
//!
//! They are sent to where it is going to listen. As nobody is there yet, the kernel answers their SYN with a
//! reset, which is kept from them; TCP tries again, soon, and again, until somebody is there.
//!
//! When it must choose, it lets connections go direct: one that is sent on its way to a listener which
//! never comes cannot be called back.

use core::mem::MaybeUninit;

use aya_ebpf::{
    EbpfContext as _,
    bindings::{BPF_SOCK_OPS_TIMEOUT_INIT, bpf_sock_tuple},
    helpers::{
        bpf_get_socket_cookie,
        generated::{bpf_ktime_get_ns, bpf_sk_lookup_tcp, bpf_sk_release},
    },
    programs::{SkBuffContext, SockAddrContext, SockOpsContext},
};
use codegate_ebpf::{Address, Counter, ELSEWHERE, Listener, WAITS};

use crate::{
    connect::LOOPBACK_DEVICE,
    heart,
    maps::{AGENT_MARK, DEAF, LISTENERS, ORIG, RETRY, WAITING, count},
    packet::Packet,
    process,
    socket::{TCP, field},
    space,
};

/// `TCP_SYN_SENT`
const SYN_SENT: u32 = 2;
/// Where TCP's flags are in its header (RFC 9293, section 3.1), and one of them.
const FLAGS: u32 = 13;
const RST: u8 = 4;

/// Who listens at an address.
enum There {
    Nobody,
    Agent,
    Another,
}

/// Where a connection goes from a namespace in which the agent does not listen, and until when it waits
/// there.
#[inline(always)]
pub(crate) fn for_listener(
    ctx: &SockAddrContext,
    netns: u64,
    to: &Address,
) -> Result<(Address, u64), Counter> {
    // SAFETY: an entry that is replaced while it is read costs this one connection.
    let expected = unsafe { LISTENERS.get(ELSEWHERE) }.ok_or(Counter::NoListener)?;
    let address = on_loopback(to, expected).ok_or(Counter::NoListener)?;
    match who_listens(ctx, &address) {
        // It has just begun to, and the map does not say so yet.
        There::Agent => return Ok((address, 0)),
        There::Another => return Err(Counter::NoListener),
        There::Nobody => {}
    }
    if is_deaf(netns) || process::has_no_loopback() || !space::tell(netns) {
        return Err(Counter::NoListener);
    }
    let until = now() + WAITS;
    let waiting = WAITING.get_ptr_mut(0).ok_or(Counter::NoListener)?;
    // SAFETY: an array's entry is always there.
    unsafe { waiting.write_volatile(until) };
    count(Counter::Waited);
    Ok((address, until))
}

/// The agent's address, of the family that the client's connection really has.
#[inline(always)]
pub(crate) fn on_loopback(to: &Address, listener: &Listener) -> Option<Address> {
    let address = if to.is_v4() {
        Address::v4(0x7f00_0001_u32.to_be(), listener.port4)
    } else {
        Address::v6([0, 0, 0, 1_u32.to_be()], listener.port6)
    };
    (address.port != 0).then_some(address)
}

/// The agent's listeners have its mark, which needs a right that guarded processes do not have.
#[inline(always)]
fn who_listens(ctx: &SockAddrContext, at: &Address) -> There {
    let mut tuple = MaybeUninit::<bpf_sock_tuple>::zeroed();
    let words = tuple.as_mut_ptr().cast::<u8>();
    // SAFETY: the fields are the tuple's own; unaligned ones cannot be.
    let length = unsafe {
        if at.is_v4() {
            words.add(4).cast::<u32>().write(at.ip[3]);
            words.add(10).cast::<u16>().write(at.port);
            12
        } else {
            words.add(16).cast::<[u32; 4]>().write(at.ip);
            words.add(34).cast::<u16>().write(at.port);
            36
        }
    };
    // SAFETY: the tuple has the length that is given; what is found is released on all ways.
    let found = unsafe {
        let current = u64::MAX;
        bpf_sk_lookup_tcp(ctx.as_ptr(), tuple.as_mut_ptr(), length, current, 0)
    };
    if found.is_null() {
        return There::Nobody;
    }
    let mark = field!(found, mark);
    // SAFETY: it was found, and nothing is read of it any more.
    unsafe { bpf_sk_release(found.cast()) };
    if mark == AGENT_MARK.load() {
        There::Agent
    } else {
        There::Another
    }
}

/// A connection is about to be made: how long until it tries again?
#[inline(always)]
pub(crate) fn hurry(ctx: &SockOpsContext) {
    let (op, is_full) = (field!(ctx.ops, op), field!(ctx.ops, is_fullsock));
    if op != BPF_SOCK_OPS_TIMEOUT_INIT || is_full == 0 || !somebody_waits() {
        return;
    }
    // SAFETY: the context is the kernel's.
    let cookie = unsafe { bpf_get_socket_cookie(ctx.as_ptr()) };
    if waits(cookie).is_some() {
        // SAFETY: the field is there to be written.
        unsafe {
            core::ptr::addr_of_mut!((*ctx.ops).__bindgen_anon_1.reply).write_volatile(RETRY.load());
        }
    }
}

/// Whether a packet is a reset that would end a connection which waits.
#[inline(always)]
pub(crate) fn is_kept_out(ctx: &SkBuffContext) -> bool {
    let skb = ctx.skb.skb;
    if field!(skb, ifindex) != LOOPBACK_DEVICE || !somebody_waits() || !is_for_syn(ctx) {
        return false;
    }
    let flags: Option<u8> = Packet::of(skb, TCP).and_then(|tcp| tcp.load(FLAGS));
    if flags.is_none_or(|flags| flags & RST == 0) {
        return false;
    }
    // SAFETY: the context is the kernel's.
    let cookie = unsafe { bpf_get_socket_cookie(skb.cast()) };
    waits(cookie).is_some_and(|netns| !is_deaf(netns) && heart::beats().is_ok())
}

/// Whether the socket has asked, and was not answered yet.
#[inline(always)]
pub(crate) fn is_for_syn(ctx: &SkBuffContext) -> bool {
    let socket = field!(ctx.skb.skb, __bindgen_anon_2.sk);
    !socket.is_null() && field!(socket, state) == SYN_SENT
}

/// The namespace in which a socket waits, if it does.
#[inline(always)]
fn waits(cookie: u64) -> Option<u64> {
    // SAFETY: the entry is this socket's, which lives as long as this call.
    let original = unsafe { ORIG.get(cookie) }?;
    (original.waits != 0 && now() < original.waits).then_some(original.netns)
}

/// What nearly all connections and packets are asked, and no more.
#[inline(always)]
fn somebody_waits() -> bool {
    WAITING
        .get(0)
        .is_some_and(|until| *until != 0 && now() < *until)
}

#[inline(always)]
fn is_deaf(netns: u64) -> bool {
    // SAFETY: a value of eight bytes is read whole.
    unsafe { DEAF.get(netns) }.is_some_and(|until| now() < *until)
}

#[inline(always)]
fn now() -> u64 {
    // SAFETY: the helper has no preconditions.
    unsafe { bpf_ktime_get_ns() }
}
