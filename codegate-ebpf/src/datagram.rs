//! UDP to guarded endpoints: looked at as it leaves, or refused, so that clients that speak HTTP/3 fall back to TCP.

use aya_ebpf::{EbpfContext as _, programs::SockAddrContext};
use aya_log_ebpf::debug;
use codegate_ebpf::{Address, Counter, flags};

use crate::{
    Verdict,
    endpoint::guarded,
    heart,
    maps::count,
    screen,
    socket::{UDP, field},
};

/// A datagram, or the `connect()` of a datagram socket, that is meant for `to`.
#[inline(always)]
pub(crate) fn send(ctx: &SockAddrContext, to: Address) -> Verdict {
    if field!(ctx.sock_addr, protocol) != UDP {
        return Verdict::Allow;
    }
    match guarded(ctx, &to, flags::REFUSE_UDP) {
        Ok(()) if screen::note(ctx, to) => Verdict::Allow,
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
