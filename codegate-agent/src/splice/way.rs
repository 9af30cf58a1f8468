//! One direction of a relay.
//!
//! A connection that says little costs two small copies, and nothing while it is silent. One that has
//! filled a buffer gets a pipe, through which the kernel moves pages by itself: splice(2).

use std::{io, net::Shutdown, os::fd::OwnedFd};

use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use tokio::{io::Interest, net::TcpStream};

/// The buffer for small talk, in bytes; it is there only while there is something in it.
const SMALL: usize = 16 * 1024;
/// What a pipe holds, in bytes, where the kernel allows it.
const LARGE: usize = 256 * 1024;

/// Relays until `from` ends, then ends `to`; gives the bytes.
pub(super) async fn one_way(from: &TcpStream, to: &TcpStream) -> io::Result<u64> {
    let mut total = 0;
    let mut pipe = None;
    loop {
        from.readable().await?;
        let moved = match &mut pipe {
            None => copy(from, to).await?,
            Some(pipe) => through(pipe, from, to).await?,
        };
        match moved {
            Some(0) => break,
            Some(count) => total += count as u64,
            None => {}
        }
        if moved == Some(SMALL) && pipe.is_none() {
            pipe = Pipe::new();
        }
    }
    socket2::SockRef::from(to).shutdown(Shutdown::Write)?;
    Ok(total)
}

/// Moves what is there, a small buffer full at most; `None` if nothing is, after all.
async fn copy(from: &TcpStream, to: &TcpStream) -> io::Result<Option<usize>> {
    let mut buffer = Vec::with_capacity(SMALL);
    let Some(count) = unless_blocked(from.try_read_buf(&mut buffer))? else {
        return Ok(None);
    };
    write(to, &buffer).await?;
    Ok(Some(count))
}

/// Writes all of it.
pub(super) async fn write(to: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        to.writable().await?;
        if let Some(count) = unless_blocked(to.try_write(bytes))? {
            bytes = bytes.get(count..).unwrap_or_default();
        }
    }
    Ok(())
}

/// A pipe, empty whenever it is not in use.
struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
}

impl Pipe {
    /// `None` where there can be no more descriptors: then bytes are copied.
    fn new() -> Option<Self> {
        let (read, write) = pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC)
            .inspect_err(|error| tracing::debug!(%error, "a connection is copied, not spliced"))
            .ok()?;
        // One of the usual size does as well.
        _ = fcntl_setpipe_size(&write, LARGE);
        Some(Self { read, write })
    }
}

/// Moves what is there, a pipe full at most; `None` if nothing is, after all.
async fn through(pipe: &Pipe, from: &TcpStream, to: &TcpStream) -> io::Result<Option<usize>> {
    let into = || moved(from, &pipe.write, LARGE);
    let Some(count) = unless_blocked(from.try_io(Interest::READABLE, into))? else {
        return Ok(None);
    };
    let mut left = count;
    while left > 0 {
        to.writable().await?;
        let out = || moved(&pipe.read, to, left);
        if let Some(count) = unless_blocked(to.try_io(Interest::WRITABLE, out))? {
            left = left.saturating_sub(count);
        }
    }
    Ok(Some(count))
}

fn moved(
    from: impl std::os::fd::AsFd,
    to: impl std::os::fd::AsFd,
    most: usize,
) -> io::Result<usize> {
    let flags = SpliceFlags::NONBLOCK | SpliceFlags::MOVE;
    splice(from, None, to, None, most, flags).map_err(io::Error::from)
}

/// A socket that was ready a moment ago may not be any more.
fn unless_blocked<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
