//! QUIC to addresses of guarded hosts: the programs hand over how connections begin, and wait for an answer.

use std::{io, net::SocketAddr};

use codegate_ebpf::{
    Original, maps, programs,
    quic::{self, Datagrams, Standing, Told, screens, state},
};

use super::{
    Hooks, KernelError, Redirected,
    hooks::{lock, of_map, or_absent},
    layout::{self, Plain},
    ring::Ring,
};

/// Where the programs hand them over.
pub struct Handshakes(Ring);

/// What a socket sends to one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sender(Datagrams);

/// How a connection begins, or goes on to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handshake<'a> {
    /// Who sent it.
    pub sender: Sender,
    /// One datagram, or several that were sent at once.
    pub octets: &'a [u8],
    /// How many octets each of several has but the last.
    pub segment: Option<usize>,
}

impl Hooks {
    /// From now on UDP to guarded addresses is looked at on these ports, and no longer refused: there must be
    /// somebody who reads the [handshakes](Hooks::handshakes). With `no_old`, connections of which no
    /// handshake was seen are refused.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn screen(&self, ports: &[u16], no_old: bool) -> Result<(), KernelError> {
        let how = if no_old { screens::NO_OLD } else { 0 };
        let mut screened = lock(&self.0.screened);
        for port in ports {
            let inserted = screened.insert(port.to_be(), how, 0);
            inserted.map_err(of_map(maps::SCREENED))?;
        }
        Ok(())
    }

    /// From now on UDP to guarded addresses is refused, as if nobody looked at it.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn screen_no_more(&self) -> Result<(), KernelError> {
        let mut screened = lock(&self.0.screened);
        let ports: Vec<u16> = screened.keys().filter_map(Result::ok).collect();
        for port in ports {
            or_absent(screened.remove(&port)).map_err(of_map(maps::SCREENED))?;
        }
        Ok(())
    }

    /// What the programs hand over of QUIC; there is one reader. `None` if there is one already, or this
    /// kernel does not take the program.
    ///
    /// Must be called on a tokio runtime.
    ///
    /// # Errors
    /// Where the runtime cannot wait for it.
    pub fn handshakes(&self) -> io::Result<Option<Handshakes>> {
        let told = self.has(programs::SCREEN);
        let buffer = told.then(|| lock(&self.0.handshakes).take()).flatten();
        buffer
            .map(|buffer| Ring::new(buffer).map(Handshakes))
            .transpose()
    }

    /// Who was the first to send, if that was seen.
    pub fn caller(&self, sender: Sender) -> Option<Redirected> {
        let standing = lock(&self.0.datagrams).get(&Plain(sender.0), 0);
        // One that is not there was pushed out: then nobody knows.
        let Plain(Standing { caller, .. }) = standing.ok()?;
        (caller != Original::NOBODY).then(|| self.redirected(&caller))
    }

    /// Answers what was asked with a [connection](connection)'s handshake: it may go on, or is refused. A socket that has
    /// begun another meanwhile, or has an open one, is not refused for this one: its handshake cannot end.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn answer(
        &self,
        sender: Sender,
        connection: u64,
        may_pass: bool,
    ) -> Result<(), KernelError> {
        let mut datagrams = lock(&self.0.datagrams);
        let Ok(Plain(standing)) = datagrams.get(&Plain(sender.0), 0) else {
            return Ok(()); // it was pushed out: the agent is asked again
        };
        let state = match may_pass {
            true => state::OPEN,
            false if standing.connection == connection => state::REFUSED,
            false => return Ok(()),
        };
        let answered = Plain(Standing {
            connection,
            state,
            ..standing
        });
        datagrams
            .insert(Plain(sender.0), answered, 0)
            .map_err(of_map(maps::DATAGRAMS))
    }
}

/// By what the programs tell the connections of a socket apart: the client's own id.
pub fn connection(id: &[u8]) -> u64 {
    let mut first = [0; 8];
    for (to, from) in first.iter_mut().zip(id) {
        *to = *from;
    }
    quic::connection(first, u8::try_from(id.len()).unwrap_or(u8::MAX))
}

impl Sender {
    /// Where it sends to.
    pub fn to(self) -> SocketAddr {
        layout::socket_addr(&self.0.to)
    }
}

impl<'a> Handshake<'a> {
    /// The datagrams, one by one.
    pub fn datagrams(&self) -> impl Iterator<Item = &'a [u8]> {
        let length = self.segment.unwrap_or(self.octets.len());
        self.octets.chunks(length.max(1))
    }
}

impl Handshakes {
    /// Waits until there is something, and hands over all that there is.
    ///
    /// # Errors
    /// Where the buffer cannot be waited for any more.
    pub async fn read(&mut self, mut each: impl FnMut(Handshake<'_>)) -> io::Result<()> {
        self.0
            .read(|item| {
                if let Some(handshake) = parse(item) {
                    each(handshake);
                }
            })
            .await
    }
}

fn parse(item: &[u8]) -> Option<Handshake<'_>> {
    let (head, octets) = item.split_at_checked(size_of::<Told>())?;
    let (socket, head) = head.split_first_chunk()?;
    let (ip, head) = head.split_first_chunk::<16>()?;
    let (port, head) = head.split_first_chunk()?;
    let (length, segment) = head.get(6..)?.split_first_chunk()?;
    let mut words = [0; 4];
    for (word, octets) in words.iter_mut().zip(ip.as_chunks().0) {
        *word = u32::from_ne_bytes(*octets);
    }
    let to = codegate_ebpf::Address::v6(words, u16::from_ne_bytes(*port));
    let count = |octets: [u8; 4]| usize::try_from(u32::from_ne_bytes(octets)).ok();
    let segment = count(segment.try_into().ok()?)?;
    Some(Handshake {
        sender: Sender(Datagrams::new(u64::from_ne_bytes(*socket), to)),
        octets: octets.get(..count(*length)?)?,
        segment: (segment != 0).then_some(segment),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    fn record(length: u32, segment: u32) -> Vec<u8> {
        let to = layout::address("192.0.2.1:443".parse().unwrap());
        let words: Vec<u8> = to.ip.into_iter().flat_map(u32::to_ne_bytes).collect();
        [
            &7_u64.to_ne_bytes()[..],
            &words,
            &to.port.to_ne_bytes(),
            &[0; 6],
            &length.to_ne_bytes(),
            &segment.to_ne_bytes(),
            b"octets and what lay there before",
        ]
        .concat()
    }

    #[test]
    fn a_record_is_read_in_its_own_order() {
        let item = record(6, 0);
        let handshake = parse(&item).unwrap();
        assert_eq!(
            (handshake.octets, handshake.segment),
            (&b"octets"[..], None)
        );
        assert_eq!(handshake.sender.to(), "192.0.2.1:443".parse().unwrap());
        assert_eq!(parse(&record(6, 1200)).unwrap().segment, Some(1200));
        assert_eq!(parse(&record(4_000, 0)), None, "longer than what is there");
        assert_eq!(parse(&item[..39]), None);
    }

    #[test]
    fn ids_are_told_apart_by_their_beginning() {
        assert_eq!(connection(b""), 1);
        assert_eq!(connection(&[1]), 1 << 56);
        assert_eq!(connection(b"12345678"), connection(b"123456789"));
        assert_ne!(connection(b"1234567"), connection(b"12345678"));
    }
}
