//! Reaches a service as its client would have without us: where one family of addresses leads nowhere,
//! by the other. Where it was not [dialled ahead](super::ahead), the client's own attempt has succeeded already, at our
//! listener.
//!
//! Knows: addresses, time. Must not know: what is said on the connection.

use std::{future::Future, io, net::SocketAddr, pin::pin, time::Duration};

use tokio::{net::TcpStream, time::timeout};

/// What the first address has ahead of the others (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to `first`, or to one of the others where that fails or takes its time. They are asked for
/// only then.
///
/// # Errors
/// What the network said of the first.
pub(super) async fn reach<D>(
    first: SocketAddr,
    others: impl FnOnce() -> Vec<SocketAddr>,
    dial: impl Fn(SocketAddr) -> D,
) -> io::Result<TcpStream>
where
    D: Future<Output = io::Result<TcpStream>>,
{
    let mut attempt = pin!(dial(first));
    let failed = match timeout(HEAD_START, &mut attempt).await {
        Ok(Ok(stream)) => return Ok(stream),
        Ok(Err(error)) => Some(error),
        Err(_elapsed) => None,
    };
    let mut other = pin!(any(others(), dial));
    if let Some(error) = failed {
        return other.await.ok_or(error);
    }
    tokio::select! {
        done = &mut attempt => match done {
            Ok(stream) => Ok(stream),
            Err(error) => other.await.ok_or(error),
        },
        done = &mut other => match done {
            Some(stream) => Ok(stream),
            None => attempt.await,
        },
    }
}

/// The first of some addresses that answers.
async fn any<D>(addresses: Vec<SocketAddr>, dial: impl Fn(SocketAddr) -> D) -> Option<TcpStream>
where
    D: Future<Output = io::Result<TcpStream>>,
{
    for address in addresses {
        match dial(address).await {
            Ok(stream) => return Some(stream),
            Err(error) => tracing::debug!(%address, %error, "not there, either"),
        }
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use std::future::pending;

    use tokio::net::TcpListener;

    use super::*;

    const NOWHERE: &str = "[2001:db8::1]:443";

    fn at(address: &str) -> SocketAddr {
        address.parse().unwrap()
    }

    async fn there() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    fn refused() -> io::Error {
        io::Error::from_raw_os_error(libc::ECONNREFUSED)
    }

    #[tokio::test]
    async fn who_answers_is_not_passed_over() {
        let (_listener, address) = there().await;
        let others = || unreachable!("nobody asks");
        let stream = reach(address, others, TcpStream::connect).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
    }

    #[tokio::test]
    async fn where_the_first_fails_the_others_are_tried() {
        let (_listener, address) = there().await;
        let dial = |to: SocketAddr| async move {
            if to == address {
                return TcpStream::connect(to).await;
            }
            Err(refused())
        };
        let others = || vec![at("192.0.2.1:443"), address];
        let stream = reach(at(NOWHERE), others, dial).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
    }

    #[tokio::test]
    async fn where_the_first_says_nothing_the_others_are_tried() {
        let (_listener, address) = there().await;
        let dial = |to: SocketAddr| async move {
            if to == address {
                return TcpStream::connect(to).await;
            }
            pending().await
        };
        let stream = reach(at(NOWHERE), || vec![address], dial).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
    }

    #[tokio::test]
    async fn the_first_error_is_the_clients() {
        let dial = |to: SocketAddr| async move {
            Err(if to == at(NOWHERE) {
                io::Error::from_raw_os_error(libc::ENETUNREACH)
            } else {
                refused()
            })
        };
        let others = || vec![at("192.0.2.1:443")];
        let error = reach(at(NOWHERE), others, dial).await.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENETUNREACH));
    }
}
