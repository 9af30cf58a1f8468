//! A ring buffer that the programs fill, read on the runtime.
#![allow(
    unsafe_code,
    reason = "tokio wants a promise that a descriptor stays what it is"
)]

use std::io;

use aya::maps::{MapData, RingBuf};
use tokio::io::{Interest, unix::AsyncFd};

/// Reads for as long as it lives.
pub(super) struct Ring(AsyncFd<RingBuf<MapData>>);

impl Ring {
    /// Must be called on a tokio runtime.
    pub(super) fn new(buffer: RingBuf<MapData>) -> io::Result<Self> {
        // SAFETY: the buffer owns its map, whose descriptor never changes and is closed with it.
        let readable = unsafe { AsyncFd::register_with_interest(buffer, Interest::READABLE) };
        readable.map(Self).map_err(Into::into)
    }

    /// Waits until there is something, and hands over all that there is.
    pub(super) async fn read(&mut self, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        let mut ready = self.0.readable_mut().await?;
        while let Some(item) = ready.get_inner_mut().next() {
            each(&item);
        }
        ready.clear_ready();
        Ok(())
    }
}
