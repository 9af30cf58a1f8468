//! Reads sockets and contexts, and writes addresses into them, in the way that the verifier accepts.

use core::ptr::{addr_of, addr_of_mut};

use aya_ebpf::{bindings::bpf_sock, programs::SockAddrContext};
use codegate_ebpf::Address;

/// The address family of IPv4, as in every context.
pub(crate) const AF_INET: u32 = 2;
/// `IPPROTO_TCP`
pub(crate) const TCP: u32 = 6;
/// `IPPROTO_UDP`
pub(crate) const UDP: u32 = 17;

/// Reads a field behind a raw pointer, exactly once and in its own width.
macro_rules! field {
    ($pointer:expr, $($path:tt)+) => {
        // SAFETY: the pointer comes from the kernel and the verifier bounds the access; volatile keeps
        // the compiler from merging, splitting or repeating the load, which the verifier would refuse.
        unsafe { core::ptr::addr_of!((*$pointer).$($path)+).read_volatile() }
    };
}
pub(crate) use field;

/// Writes a field behind a pointer into a map's entry, exactly once.
macro_rules! set {
    ($pointer:expr, $field:ident, $value:expr) => {{
        let value = $value;
        // SAFETY: an entry stays valid as long as the program runs, and the verifier bounds the access.
        unsafe { core::ptr::addr_of_mut!((*$pointer).$field).write_volatile(value) }
    }};
}
pub(crate) use set;

/// Where a `connect()` or `sendmsg()` of an IPv4 socket goes.
#[inline(always)]
pub(crate) fn destination4(ctx: &SockAddrContext) -> Address {
    let (ip, port) = (
        field!(ctx.sock_addr, user_ip4),
        field!(ctx.sock_addr, user_port),
    );
    Address::v4(ip, port as u16)
}

/// Where a `connect()` or `sendmsg()` of an IPv6 socket goes.
#[inline(always)]
pub(crate) fn destination6(ctx: &SockAddrContext) -> Address {
    let ip = [
        field!(ctx.sock_addr, user_ip6[0]),
        field!(ctx.sock_addr, user_ip6[1]),
        field!(ctx.sock_addr, user_ip6[2]),
        field!(ctx.sock_addr, user_ip6[3]),
    ];
    Address::v6(ip, field!(ctx.sock_addr, user_port) as u16)
}

/// Rewrites the address of an IPv4 socket's call.
#[inline(always)]
pub(crate) fn write4(ctx: &SockAddrContext, to: &Address) {
    // SAFETY: the fields are ours to write in the hooks that call this; each store has the width that
    // the kernel asks for.
    unsafe {
        addr_of_mut!((*ctx.sock_addr).user_ip4).write_volatile(to.ip[3]);
        addr_of_mut!((*ctx.sock_addr).user_port).write_volatile(u32::from(to.port));
    }
}

/// Rewrites the address of an IPv6 socket's call.
#[inline(always)]
pub(crate) fn write6(ctx: &SockAddrContext, to: &Address) {
    // SAFETY: as in `write4`.
    unsafe {
        addr_of_mut!((*ctx.sock_addr).user_ip6[0]).write_volatile(to.ip[0]);
        addr_of_mut!((*ctx.sock_addr).user_ip6[1]).write_volatile(to.ip[1]);
        addr_of_mut!((*ctx.sock_addr).user_ip6[2]).write_volatile(to.ip[2]);
        addr_of_mut!((*ctx.sock_addr).user_ip6[3]).write_volatile(to.ip[3]);
        addr_of_mut!((*ctx.sock_addr).user_port).write_volatile(u32::from(to.port));
    }
}

/// The socket of a `sock_addr` context.
#[inline(always)]
pub(crate) fn of(ctx: &SockAddrContext) -> *const bpf_sock {
    // SAFETY: as in `field`; the union has but one member.
    unsafe { addr_of!((*ctx.sock_addr).__bindgen_anon_1.sk).read_volatile() }
}
