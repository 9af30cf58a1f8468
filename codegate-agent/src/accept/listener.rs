//! The loopback listeners that the kernel redirects to.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// Connections that may wait to be accepted: a build tool's burst, not a browser's trickle.
const BACKLOG: i32 = 4096;

/// The listeners of one network namespace.
#[derive(Debug)]
pub struct Bound {
    /// On 127.0.0.1.
    pub v4: TcpListener,
    /// On `::1`; `None` where the namespace has no IPv6.
    pub v6: Option<TcpListener>,
}

/// Binds both loopback addresses of the calling thread's network namespace, on ports that the
/// kernel chooses.
///
/// # Errors
/// Whatever the v4 socket reports; a missing IPv6 is no error.
pub fn bind() -> io::Result<Bound> {
    bind_at(0, None)
}

/// The same on one port, which is another one where it is taken. `mark` is the mark (`SO_MARK`) of the
/// listeners.
///
/// # Errors
/// As [`bind`]; or `EPERM` if the process may not set the mark.
pub fn bind_at(port: u16, mark: Option<u32>) -> io::Result<Bound> {
    let v4 = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), mark)?;
    let v6 = match listen(SocketAddr::from((Ipv6Addr::LOCALHOST, port)), mark) {
        Ok(v6) => Some(v6),
        Err(error) => {
            tracing::warn!(%error, "no IPv6 loopback: only IPv4 connections are guarded here");
            None
        }
    };
    Ok(Bound { v4, v6 })
}

fn listen(mut address: SocketAddr, mark: Option<u32>) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    if let Some(mark) = mark {
        socket.set_mark(mark)?;
    }
    if address.port() != 0 && socket.bind(&address.into()).is_ok() {
        socket.listen(BACKLOG)?;
        return TcpListener::from_std(socket.into());
    }
    address.set_port(0);
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

impl Bound {
    /// The v4 listener's port.
    ///
    /// # Errors
    /// Where the socket is gone.
    pub fn v4_port(&self) -> io::Result<u16> {
        self.v4.local_addr().map(|address| address.port())
    }

    /// The v6 listener's port, if there is one.
    ///
    /// # Errors
    /// Where the socket is gone.
    pub fn v6_port(&self) -> io::Result<Option<u16>> {
        self.v6
            .as_ref()
            .map(|v6| v6.local_addr().map(|address| address.port()))
            .transpose()
    }
}
