//! TCP to the original destination, marked so that the kernel's hooks let it pass.
//!
//! Errors keep the system's number: the caller shows the client what the network showed us.

use std::{io, net::SocketAddr, time::Duration};

use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use tokio::net::{TcpSocket, TcpStream};

/// Models think for minutes without a byte, and the client's own keepalive ends at our socket.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_secs(60))
    .with_interval(Duration::from_secs(20));

/// Connects to `to` within `limit`.
///
/// `mark` is the socket mark (`SO_MARK`) by which the hooks know the agent's own traffic; `None`
/// where they know it otherwise.
///
/// # Errors
/// What `connect(2)` said; `ETIMEDOUT` if it said nothing in time.
pub async fn dial(to: SocketAddr, mark: Option<u32>, limit: Duration) -> io::Result<TcpStream> {
    connect(socket(to, mark)?, to, limit).await
}

/// A socket as [`connect`] needs it, in the network namespace of the calling thread.
///
/// # Errors
/// `EPERM` if there is a mark and the process may not set it (CAP_NET_ADMIN).
pub fn socket(to: SocketAddr, mark: Option<u32>) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    if let Some(mark) = mark {
        socket.set_mark(mark)?; // before connect(2): the hook runs inside it
    }
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(&KEEPALIVE)?;
    Ok(socket)
}

/// Connects a socket that [`socket`] made, perhaps in another network namespace.
///
/// # Errors
/// As [`dial`].
pub async fn connect(socket: Socket, to: SocketAddr, limit: Duration) -> io::Result<TcpStream> {
    let connecting = TcpSocket::from_std_stream(socket.into()).connect(to);
    match tokio::time::timeout(limit, connecting).await {
        Ok(result) => result,
        Err(_elapsed) => Err(io::Error::from_raw_os_error(libc::ETIMEDOUT)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(5);

    fn listener() -> (Socket, SocketAddr) {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&any.into()).unwrap();
        socket.listen(0).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        (socket, address)
    }

    #[tokio::test]
    async fn small_writes_are_sent_at_once() {
        let (_listener, to) = listener();
        let stream = dial(to, None, LONG).await.unwrap();
        assert!(stream.nodelay().unwrap());
        assert_eq!(stream.peer_addr().unwrap(), to);
    }

    #[tokio::test]
    async fn the_network_s_own_errors_come_through() {
        let (closed, to) = listener();
        drop(closed);
        let refused = dial(to, None, LONG).await.unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::ECONNREFUSED));

        let multicast = "224.0.0.1:443".parse().unwrap(); // no TCP goes there, on any machine
        let unreachable = dial(multicast, None, LONG).await.unwrap_err();
        assert_eq!(unreachable.raw_os_error(), Some(libc::ENETUNREACH));
    }

    #[tokio::test]
    async fn a_silent_address_times_out() {
        let (_listener, to) = listener();
        let mut queue = Vec::new(); // fills the backlog: from then on SYNs go unanswered
        let error = loop {
            match dial(to, None, Duration::from_millis(200)).await {
                Ok(stream) => queue.push(stream),
                Err(error) => break error,
            }
            assert!(queue.len() < 16, "the backlog never filled");
        };
        assert_eq!(error.raw_os_error(), Some(libc::ETIMEDOUT));
    }

    #[test]
    fn the_mark_is_set_or_the_lack_of_right_is_told() {
        let to = "127.0.0.1:1".parse().unwrap();
        match socket(to, Some(0x4347)) {
            Ok(socket) => assert_eq!(socket.mark().unwrap(), 0x4347),
            Err(error) => assert_eq!(error.raw_os_error(), Some(libc::EPERM)),
        }
    }
}
