//! `getpeername()`: a redirected socket says that it is connected to where it meant to go.

use aya_ebpf::{EbpfContext as _, helpers::bpf_get_socket_cookie, programs::SockAddrContext};
use codegate_ebpf::{Address, Counter};

use crate::{
    maps::{ORIG, count},
    socket,
};

pub(crate) fn name4(ctx: &SockAddrContext) {
    if let Some(address) = original(ctx) {
        socket::write4(ctx, &address);
        count(Counter::PeerNamed);
    }
}

pub(crate) fn name6(ctx: &SockAddrContext) {
    if let Some(address) = original(ctx) {
        socket::write6(ctx, &address);
        count(Counter::PeerNamed);
    }
}

#[inline(always)]
fn original(ctx: &SockAddrContext) -> Option<Address> {
    // SAFETY: the context is the kernel's.
    let cookie = unsafe { bpf_get_socket_cookie(ctx.as_ptr()) };
    // SAFETY: the entry is this socket's, which lives as long as this call.
    unsafe { ORIG.get(cookie) }.map(|original| original.address)
}
