//! From a socket's record to a connection's: the agent sees addresses, not sockets.

use aya_ebpf::{
    EbpfContext as _,
    bindings::BPF_SOCK_OPS_TCP_CONNECT_CB,
    helpers::bpf_get_socket_cookie,
    programs::{SockContext, SockOpsContext},
};
use codegate_ebpf::{Address, Client, Counter, ELSEWHERE};

use crate::{
    maps::{FLOW, LISTENERS, ORIG, count},
    netns,
    socket::{AF_INET, TCP, field},
};

/// A connection has its source port, and its SYN is about to go out: only now can the record be left
/// under the address by which the agent will look for it, and it is there before the agent accepts.
#[inline(always)]
pub(crate) fn on_connect(ctx: &SockOpsContext) {
    if field!(ctx.ops, op) != BPF_SOCK_OPS_TCP_CONNECT_CB {
        return;
    }
    let client = local_address(ctx);
    // SAFETY: the context is the kernel's.
    let cookie = unsafe { bpf_get_socket_cookie(ctx.as_ptr()) };
    // SAFETY: the entry is this socket's, which is locked while it connects.
    let Some(original) = (unsafe { ORIG.get(cookie) }) else {
        return drop_stale(ctx, cookie, client);
    };
    match FLOW.insert(Client::new(original.netns, client), original, 0) {
        Ok(()) => count(Counter::Published),
        Err(_) => count(Counter::NotPublished),
    }
}

/// Somebody connects to the agent itself, from a port whose record nobody has collected: they must never be
/// taken for it. To others a port may be used while its record waits.
#[inline(always)]
fn drop_stale(ctx: &SockOpsContext, cookie: u64, client: Address) {
    let Some(netns) = netns::ask(ctx.as_ptr(), cookie) else {
        return;
    };
    // In network order; the kernel has it in the upper half.
    let port = (field!(ctx.ops, remote_port) >> 16) as u16;
    if !is_the_agents(netns, port) && !is_the_agents(ELSEWHERE, port) {
        return;
    }
    if FLOW.remove(Client::new(netns, client)).is_ok() {
        count(Counter::StaleDropped);
    }
}

/// Whether the agent listens on a port in a namespace.
#[inline(always)]
fn is_the_agents(netns: u64, port: u16) -> bool {
    // SAFETY: a value of eight bytes is read whole.
    let listener = unsafe { LISTENERS.get(netns) };
    listener.is_some_and(|there| there.port4 == port || there.port6 == port)
}

#[inline(always)]
fn local_address(ctx: &SockOpsContext) -> Address {
    let ops = ctx.ops;
    let ip4 = field!(ops, local_ip4);
    let ip6 = [
        field!(ops, local_ip6[0]),
        field!(ops, local_ip6[1]),
        field!(ops, local_ip6[2]),
        field!(ops, local_ip6[3]),
    ];
    let port = (field!(ops, local_port) as u16).to_be();
    if field!(ops, family) == AF_INET {
        Address::v4(ip4, port)
    } else {
        Address::v6(ip6, port)
    }
}

/// The socket is gone. Its published record stays: the agent may not have accepted yet.
#[inline(always)]
pub(crate) fn forget(ctx: &SockContext) {
    if field!(ctx.sock, protocol) != TCP {
        return;
    }
    // SAFETY: the context is the kernel's.
    let cookie = unsafe { bpf_get_socket_cookie(ctx.as_ptr()) };
    // Most sockets were never redirected and have no record.
    _ = ORIG.remove(cookie);
}
