//! Packets that are sent as they are.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use socket2::{Domain, Protocol, Socket, Type};

/// What sends them, in one network namespace.
#[derive(Debug)]
pub struct Raw {
    v4: Socket,
    /// `None` where the namespace has no IPv6.
    v6: Option<Socket>,
}

impl Raw {
    /// In the network namespace of the calling thread.
    ///
    /// # Errors
    /// `EPERM` without `CAP_NET_RAW`.
    pub fn open() -> io::Result<Self> {
        Ok(Self {
            v4: socket(Domain::IPV4)?,
            v6: socket(Domain::IPV6).ok(),
        })
    }

    /// Sends a packet, from its IP header on.
    ///
    /// # Errors
    /// What the kernel says, as that there is no memory for it.
    pub fn send(&self, packet: &[u8], to: IpAddr) -> io::Result<()> {
        let socket = match to {
            IpAddr::V4(_) => Some(&self.v4),
            IpAddr::V6(_) => self.v6.as_ref(),
        };
        let socket = socket.ok_or(io::ErrorKind::Unsupported)?;
        // With a port, an IPv6 socket would take it for a protocol's number.
        socket
            .send_to(packet, &SocketAddr::new(to, 0).into())
            .map(|_all| ())
    }
}

/// One of `IPPROTO_RAW`: whoever sends writes the IP header (raw(7)), and nothing is ever received.
fn socket(domain: Domain) -> io::Result<Socket> {
    let raw = Some(Protocol::from(libc::IPPROTO_RAW));
    let socket = Socket::new(domain, Type::RAW, raw)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
