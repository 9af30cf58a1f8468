//! `connect()`: decide, remember, redirect.

use core::ptr::from_ref;

use aya_ebpf::{
    EbpfContext as _,
    bindings::{SO_BINDTODEVICE, SOL_SOCKET},
    helpers::{
        bpf_get_current_pid_tgid, bpf_get_current_uid_gid,
        generated::{
            bpf_get_current_cgroup_id, bpf_get_current_comm, bpf_get_netns_cookie,
            bpf_get_socket_cookie, bpf_setsockopt,
        },
    },
    programs::SockAddrContext,
};
use aya_log_ebpf::{debug, warn};
use codegate_ebpf::{Address, Counter, Original, flags};

use crate::{
    Verdict, datagram,
    endpoint::guarded,
    failed, heart,
    maps::{LISTENERS, NETNS_IN_SOCK_OPS, ORIG, count},
    netns, process,
    socket::{self, TCP, field},
    wait,
};

/// `lo` has this number in every network namespace.
pub(crate) const LOOPBACK_DEVICE: u32 = 1;

/// Writes the address of one family into its context: the verifier lets a program write only its own.
type Rewrite = fn(&SockAddrContext, &Address);

/// A socket of either family wants to reach `to`.
#[inline(always)]
pub(crate) fn connect(ctx: &SockAddrContext, to: Address, rewrite: Rewrite) -> Verdict {
    if field!(ctx.sock_addr, protocol) != TCP {
        return datagram::send(ctx, to);
    }
    // SAFETY: the context is the kernel's.
    let cookie = unsafe { bpf_get_socket_cookie(ctx.as_ptr()) };
    match redirect(ctx, &to, cookie, rewrite) {
        Ok(()) => {
            count(Counter::Redirected);
            debug!(
                ctx,
                "redirected pid {} from port {}",
                ctx.tgid(),
                u16::from_be(to.port)
            );
        }
        Err(reason) => {
            // The socket may have been redirected before and connect anew, elsewhere: nothing of its
            // former life may be told of this connection.
            _ = ORIG.remove(cookie);
            if NETNS_IN_SOCK_OPS.load() == 0 {
                netns::tell(ctx.as_ptr());
            }
            count(reason);
            return heart::verdict(reason);
        }
    }
    Verdict::Allow
}

#[inline(always)]
fn redirect(
    ctx: &SockAddrContext,
    to: &Address,
    cookie: u64,
    rewrite: Rewrite,
) -> Result<(), Counter> {
    guarded(ctx, to, flags::REDIRECT_TCP)?;
    // SAFETY: the context is the kernel's.
    let netns = unsafe { bpf_get_netns_cookie(ctx.as_ptr()) };
    if failed::alike(netns, to) {
        return Err(Counter::FailedAlike);
    }
    let (listener, waits) = listener(ctx, netns, to).inspect_err(|_| {
        warn!(
            ctx,
            "no listener in namespace {} for pid {}",
            netns,
            ctx.tgid()
        );
    })?;
    let device = release_device(ctx)?;
    let original = Original {
        waits,
        ..record(netns, *to, device)
    };
    ORIG.insert(cookie, original, 0)
        .map_err(|_| Counter::NotStored)?;
    rewrite(ctx, &listener);
    Ok(())
}

/// The call, on paper.
#[inline(always)]
pub(crate) fn record(netns: u64, address: Address, device: u32) -> Original {
    let thread = bpf_get_current_pid_tgid();
    let process = process::identify((thread >> 32) as u32);
    let mut original = Original {
        netns,
        // SAFETY: the helper has no preconditions.
        cgroup: unsafe { bpf_get_current_cgroup_id() },
        address,
        tgid: (thread >> 32) as u32,
        tid: thread as u32,
        uid: bpf_get_current_uid_gid() as u32,
        device,
        comm: [0; 16],
        exec: process.exec,
        start: process.start,
        waits: 0,
    };
    let (name, length) = (original.comm.as_mut_ptr(), original.comm.len() as u32);
    // SAFETY: the buffer has the length that is given. If there is no name it is filled with zeros.
    _ = unsafe { bpf_get_current_comm(name.cast(), length) };
    original
}

/// The agent's address in a namespace, and until when the connection waits for it.
#[inline(always)]
fn listener(ctx: &SockAddrContext, netns: u64, to: &Address) -> Result<(Address, u64), Counter> {
    // SAFETY: see `guarded`.
    match unsafe { LISTENERS.get(netns) } {
        Some(listener) => wait::on_loopback(to, listener)
            .map(|address| (address, 0))
            .ok_or(Counter::NoListener),
        None => wait::for_listener(ctx, netns, to),
    }
}

/// Unbinds the socket from a device, from which loopback could not be reached, and says from which.
///
/// The kernel lets a process undo a binding only with `CAP_NET_RAW` in its namespace, and the hook
/// acts in the name of the process.
#[inline(always)]
fn release_device(ctx: &SockAddrContext) -> Result<u32, Counter> {
    let device = field!(socket::of(ctx), bound_dev_if);
    if device == 0 || device == LOOPBACK_DEVICE {
        return Ok(device);
    }
    let nothing = [0_u8; 4];
    // SAFETY: the option's value is a buffer of the length that is given.
    let refused = unsafe {
        bpf_setsockopt(
            ctx.as_ptr(),
            SOL_SOCKET as i32,
            SO_BINDTODEVICE as i32,
            from_ref(&nothing).cast_mut().cast(),
            nothing.len() as i32,
        )
    };
    if refused == 0 {
        Ok(device)
    } else {
        Err(Counter::BoundToDevice)
    }
}
