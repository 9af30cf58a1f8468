//! Options of sockets that the standard library does not know.
#![allow(
    unsafe_code,
    reason = "the namespace's cookie is read by getsockopt(2)"
)]

use std::{
    io,
    mem::size_of,
    os::fd::{AsFd, AsRawFd as _},
    ptr::from_mut,
};

use super::KernelError;

/// Marks a socket as the agent's own (`SO_MARK`), so that its connections are not redirected.
///
/// To be called before `connect()`. Needs `CAP_NET_ADMIN`.
///
/// # Errors
/// [`KernelError::Socket`].
pub fn mark(socket: &impl AsFd, mark: u32) -> Result<(), KernelError> {
    socket2::SockRef::from(socket)
        .set_mark(mark)
        .map_err(|source| KernelError::Socket {
            action: "mark a socket (SO_MARK)",
            source,
        })
}

/// The cookie of the network namespace that a socket belongs to (`SO_NETNS_COOKIE`, Linux 5.14).
///
/// # Errors
/// [`KernelError::Socket`].
pub fn netns_cookie_of(socket: &impl AsFd) -> Result<u64, KernelError> {
    let mut cookie = 0_u64;
    let mut length = size_of::<u64>() as libc::socklen_t;
    // SAFETY: the buffer and its length are ours, and the length is the buffer's.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_NETNS_COOKIE,
            from_mut(&mut cookie).cast(),
            &raw mut length,
        )
    };
    if result == 0 {
        Ok(cookie)
    } else {
        Err(unread(io::Error::last_os_error()))
    }
}

/// The cookie of the calling thread's network namespace.
///
/// # Errors
/// [`KernelError::Socket`].
pub fn netns_cookie() -> Result<u64, KernelError> {
    let socket =
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).map_err(unread)?;
    netns_cookie_of(&socket)
}

fn unread(source: io::Error) -> KernelError {
    KernelError::Socket {
        action: "read a network namespace's cookie (SO_NETNS_COOKIE)",
        source,
    }
}
