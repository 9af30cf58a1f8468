//! UDP: refused to guarded endpoints, so that clients that speak HTTP/3 fall back to TCP.

use aya_ebpf::{EbpfContext as _, programs::SockAddrContext};
use aya_log_ebpf::debug;
use codegate_ebpf::{Address, Counter, flags};

use crate::{
    Verdict,
    endpoint::guarded,
    heart,
    maps::count,
    socket::{UDP, field},
};

/// A datagram, or the `connect()` of a datagram socket, that is meant for `to`.
#[inline(always)]
pub(crate) fn send(ctx: &SockAddrContext, to: Address) -> Verdict {
    if field!(ctx.sock_addr, protocol) != UDP {
        return Verdict::Allow;
    }
    match guarded(ctx, &to, flags::REFUSE_UDP) {
        Ok(()) => {
            count(Counter::UdpRefused);
            debug!(
                ctx,
                "refused UDP of pid {} to port {}",
                ctx.tgid(),
                u16::from_be(to.port)
            );
            Verdict::Refuse
        }
        Err(reason) => {
            count(reason);
            heart::verdict(reason)
        }
    }
}
