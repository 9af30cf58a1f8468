//! Options of sockets that the standard library does not know.

use std::os::fd::AsFd;

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
