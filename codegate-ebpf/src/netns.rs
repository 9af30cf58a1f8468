//! Which network namespace a socket is in, told to those who cannot ask the kernel: the agent before
//! Linux 5.14, `sock_ops` programs before 5.15.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::{bpf_get_netns_cookie, bpf_get_socket_cookie};

use crate::maps::{NETNS, NETNS_IN_SOCK_OPS};

/// Writes down the namespace of a socket; `context` is that of a `sock` or `sock_addr` program.
#[inline(always)]
pub(crate) fn tell(context: *mut c_void) {
    // SAFETY: the context is the kernel's.
    let (socket, netns) = unsafe {
        (
            bpf_get_socket_cookie(context),
            bpf_get_netns_cookie(context),
        )
    };
    _ = NETNS.insert(socket, netns, 0);
}

/// The namespace of a socket, in a `sock_ops` program.
#[inline(always)]
pub(crate) fn ask(context: *mut c_void, socket: u64) -> Option<u64> {
    if NETNS_IN_SOCK_OPS.load() != 0 {
        // SAFETY: the context is the kernel's.
        return Some(unsafe { bpf_get_netns_cookie(context) });
    }
    // SAFETY: the value is copied at once; an entry that is reused meanwhile costs a stale record.
    let told = unsafe { NETNS.get(socket) }.copied();
    _ = NETNS.remove(socket);
    told
}
