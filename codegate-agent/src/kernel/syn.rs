//! SYNs to the agent: the programs hold them and hand them over, until the agent lets them go.

use std::{io, net::SocketAddr};

use codegate_ebpf::{
    held::{Held, SYN},
    maps, programs,
};

use super::{
    Hooks, KernelError, Redirected,
    hooks::{lock, of_map},
    layout::{self, Plain},
    ring::Ring,
};

/// Where the programs hand them over.
pub struct Syns(Ring);

/// One that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldSyn<'a> {
    /// The client's socket, by its cookie.
    pub socket: u64,
    /// Cookie of its network namespace.
    pub netns: u64,
    /// The packet, from its IP header on.
    pub packet: &'a [u8],
}

impl Hooks {
    /// SYNs that the programs hold; there is one reader. `None` if there is one already, or this kernel does
    /// not take the program.
    ///
    /// Must be called on a tokio runtime.
    ///
    /// # Errors
    /// Where the runtime cannot wait for it.
    pub fn syns(&self) -> io::Result<Option<Syns>> {
        let told = self.has(programs::SCREEN);
        let buffer = told.then(|| lock(&self.0.syns).take()).flatten();
        buffer.map(|buffer| Ring::new(buffer).map(Syns)).transpose()
    }

    /// Holds, or no longer holds, the SYNs of connections to the agent's listeners in a network namespace: there must be
    /// somebody who reads [them](Hooks::syns), and lets them go. Where nobody listens it changes nothing.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn hold(&self, netns_cookie: u64, holds: bool) -> Result<(), KernelError> {
        let mut listeners = lock(&self.0.listeners);
        let Ok(Plain(mut listener)) = listeners.get(&netns_cookie, 0) else {
            return Ok(());
        };
        listener.holds = holds.into();
        listeners
            .insert(netns_cookie, Plain(listener), 0)
            .map_err(of_map(maps::LISTENERS))
    }

    /// From now on a socket's SYN with this sequence number passes.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn let_go(&self, socket: u64, sequence: u32) -> Result<(), KernelError> {
        lock(&self.0.let_go)
            .insert(socket, sequence.to_be(), 0)
            .map_err(of_map(maps::LET_GO))
    }

    /// Where a redirected socket was meant to go, if it is still there.
    pub fn destination(&self, socket: u64) -> Option<SocketAddr> {
        let Plain(original) = self.0.sockets.get(&socket, 0).ok()?;
        Some(layout::socket_addr(&original.address))
    }

    /// Who made it, besides.
    pub fn owner(&self, socket: u64) -> Option<Redirected> {
        let Plain(original) = self.0.sockets.get(&socket, 0).ok()?;
        Some(self.redirected(&original))
    }
}

impl Syns {
    /// Waits until there is something, and hands over all that there is.
    ///
    /// # Errors
    /// Where the buffer cannot be waited for any more.
    pub async fn read(&mut self, mut each: impl FnMut(HeldSyn<'_>)) -> io::Result<()> {
        self.0
            .read(|item| {
                if let Some(syn) = parse(item) {
                    each(syn);
                }
            })
            .await
    }
}

fn parse(item: &[u8]) -> Option<HeldSyn<'_>> {
    let (head, octets) = item.split_at_checked(size_of::<Held>())?;
    let (socket, head) = head.split_first_chunk()?;
    let (netns, head) = head.split_first_chunk()?;
    let length = u32::from_ne_bytes(*head.first_chunk()?);
    let octets = octets.get(..SYN)?;
    Some(HeldSyn {
        socket: u64::from_ne_bytes(*socket),
        netns: u64::from_ne_bytes(*netns),
        packet: octets.get(..usize::try_from(length).ok()?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_in_its_own_order() {
        let record = |length: u32| {
            let head = [&7_u64.to_ne_bytes()[..], &8_u64.to_ne_bytes()].concat();
            let tail = [&length.to_ne_bytes()[..], &[0; 4], &[9; SYN]].concat();
            [head, tail].concat()
        };
        let syn = HeldSyn {
            socket: 7,
            netns: 8,
            packet: &[9; 60],
        };
        assert_eq!(parse(&record(60)), Some(syn));
        assert_eq!(parse(&record(129)), None);
        assert_eq!(parse(&record(60)[..100]), None);
    }
}
