//! The eBPF programs: entry points only; each says what it hooks and hands over to the module that knows.
//!
//! Rules that the verifier imposes on all of them: context fields are read once, up front and volatile
//! (a merged or offset access to the context is refused); loops have a bound; nothing recurses.
#![no_std]
#![no_main]
#![allow(
    unsafe_code,
    reason = "helpers, maps and contexts are raw pointers; the verifier checks them"
)]

mod class;
mod connect;
mod datagram;
mod dns;
mod endpoint;
mod failed;
mod heart;
mod initial;
mod maps;
mod netns;
mod packet;
mod peer;
mod process;
mod publish;
mod screen;
mod socket;
mod space;
mod syn;
mod wait;

use aya_ebpf::{
    EbpfContext as _,
    macros::{cgroup_skb, cgroup_sock, cgroup_sock_addr, sock_ops},
    programs::{SkBuffContext, SockAddrContext, SockContext, SockOpsContext},
};

/// What a `sock_addr` program returns: the call goes on, or fails: with `EPERM`, unless it chose an error.
enum Verdict {
    Allow,
    Refuse,
}

impl From<Verdict> for i32 {
    #[inline(always)]
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Allow => 1,
            Verdict::Refuse => 0,
        }
    }
}

/// `connect()` of an IPv4 socket.
#[cgroup_sock_addr(connect4)]
fn connect4(ctx: SockAddrContext) -> i32 {
    connect::connect(&ctx, socket::destination4(&ctx), socket::write4).into()
}

/// `connect()` of an IPv6 socket, whose address may be v4-mapped.
#[cgroup_sock_addr(connect6)]
fn connect6(ctx: SockAddrContext) -> i32 {
    connect::connect(&ctx, socket::destination6(&ctx), socket::write6).into()
}

/// `sendto()` and `sendmsg()` with an address, on a UDP socket; v4-mapped ones end up here, too.
#[cgroup_sock_addr(sendmsg4)]
fn sendmsg4(ctx: SockAddrContext) -> i32 {
    datagram::send(&ctx, socket::destination4(&ctx)).into()
}

/// The same for IPv6.
#[cgroup_sock_addr(sendmsg6)]
fn sendmsg6(ctx: SockAddrContext) -> i32 {
    datagram::send(&ctx, socket::destination6(&ctx)).into()
}

/// `getpeername()` of an IPv4 socket.
#[cgroup_sock_addr(getpeername4)]
fn getpeername4(ctx: SockAddrContext) -> i32 {
    peer::name4(&ctx);
    Verdict::Allow.into()
}

/// `getpeername()` of an IPv6 socket.
#[cgroup_sock_addr(getpeername6)]
fn getpeername6(ctx: SockAddrContext) -> i32 {
    peer::name6(&ctx);
    Verdict::Allow.into()
}

/// TCP's states, of which two matter: the source port is chosen and the SYN not yet sent, and how long
/// until it is sent again.
#[sock_ops]
fn publish(ctx: SockOpsContext) -> u32 {
    publish::on_connect(&ctx);
    wait::hurry(&ctx);
    1
}

/// The last reference to a socket is closed.
#[cgroup_sock(sock_release)]
fn release(ctx: SockContext) -> i32 {
    publish::forget(&ctx);
    1
}

/// `socket()`.
#[cgroup_sock(sock_create)]
fn announce(ctx: SockContext) -> i32 {
    space::announce(&ctx);
    1
}

/// `socket()`, on kernels that are asked for a namespace in no other way.
#[cgroup_sock(sock_create)]
fn tell_netns(ctx: SockContext) -> i32 {
    netns::tell(ctx.as_ptr());
    1
}

/// A packet is about to be handed to a socket. It is, unless it would end a connection that waits.
#[cgroup_skb(ingress)]
fn learn(ctx: SkBuffContext) -> i32 {
    if wait::is_kept_out(&ctx) {
        return 0;
    }
    dns::learn(&ctx);
    1
}

/// A packet is about to leave a socket.
#[cgroup_skb(egress)]
fn screen(ctx: SkBuffContext) -> i32 {
    if syn::is_held(&ctx) {
        return 0;
    }
    screen::screen(&ctx)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // The verifier proves that this is never reached.
    loop {}
}

/// The helpers that read the kernel's memory ([`process`]) are for programs under the GPL only. These
/// sources may be used under it, as well as under the licence of the whole (`Cargo.toml`).
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 4] = *b"GPL\0";
