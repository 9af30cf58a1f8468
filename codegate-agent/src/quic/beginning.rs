//! A connection's first packets, taken one after the other until the ClientHello is there.

use std::fmt;

use super::{
    crypto::{Crypto, Unreadable},
    packet::{Packet, Protection, packets},
};
use crate::hello::{self, Hello};

/// What has come of a connection's beginning. One that has said its hello may say another: after a Retry, or
/// where a client gives all its connections the same id.
#[derive(Default)]
pub struct Beginning {
    protection: Option<Protection>,
    crypto: Crypto,
}

/// What a datagram brought.
#[derive(Debug)]
pub enum Progress {
    /// The whole ClientHello, now.
    Hello(Hello),
    /// A part of one.
    More,
    /// No Initial packet of a client that begins: it goes on with what was begun, or is a fake.
    Nothing,
    /// It is protected as it should be, and in it is no ClientHello.
    Unreadable,
}

impl Beginning {
    /// Whether a part of a hello has come, and not all of it.
    pub fn has_begun(&self) -> bool {
        self.protection.is_some()
    }

    /// Takes a datagram.
    pub fn take(&mut self, datagram: &[u8]) -> Progress {
        let mut progress = Progress::Nothing;
        for packet in packets(datagram) {
            match self.frames(&packet) {
                Some(frames) if self.crypto.take(&frames).is_ok() => progress = Progress::More,
                Some(_) => return self.end(Progress::Unreadable),
                None => {}
            }
        }
        match (&progress, hello(self.crypto.bytes())) {
            (Progress::Nothing, _) | (_, Ok(None)) => progress,
            (_, Ok(Some(hello))) => self.end(Progress::Hello(hello)),
            (_, Err(Unreadable)) => self.end(Progress::Unreadable),
        }
    }

    /// What is in a packet. Its keys are those of the packets before it, or it begins anew.
    fn frames(&mut self, packet: &Packet<'_>) -> Option<Vec<u8>> {
        let known = self.protection.as_ref();
        if let Some(frames) = known.and_then(|protection| packet.open(protection)) {
            return Some(frames);
        }
        let fresh = packet.fresh_protection()?;
        let frames = packet.open(&fresh)?;
        *self = Self {
            protection: Some(fresh),
            crypto: Crypto::default(),
        };
        Some(frames)
    }

    fn end(&mut self, progress: Progress) -> Progress {
        *self = Self::default();
        progress
    }
}

/// The ClientHello at the beginning of a handshake, once it is whole (RFC 8446, section 4).
fn hello(handshake: &[u8]) -> Result<Option<Hello>, Unreadable> {
    const CLIENT_HELLO: u8 = 1;
    let Some([kind, high, middle, low]) = handshake.first_chunk() else {
        return Ok(None);
    };
    if *kind != CLIENT_HELLO {
        return Err(Unreadable);
    }
    let length = u32::from_be_bytes([0, *high, *middle, *low]);
    let whole = usize::try_from(length)
        .map_err(|_| Unreadable)?
        .saturating_add(4);
    if whole > Crypto::REACH {
        return Err(Unreadable);
    }
    match handshake.get(..whole) {
        None => Ok(None),
        Some(message) => hello::of_message(message).map(Some).ok_or(Unreadable),
    }
}

impl fmt::Debug for Beginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Beginning")
            .field("crypto", &self.crypto)
            .finish_non_exhaustive()
    }
}
