//! The frames of Initial packets, and the bytes of the handshake that they carry in pieces (RFC 9000, sections 12.4
//! and 19).

use std::collections::BTreeMap;

use super::packet::Reader;

/// How many pieces may wait for what comes before them. Some clients cut a ClientHello into a dozen on purpose.
const PIECES: usize = 128;

/// A frame that says nothing, as all do here but those of the handshake, or that the client gives up.
const PADDING: u64 = 0;
const PING: u64 = 1;
const ACK: u64 = 2;
const ACK_ECN: u64 = 3;
const CRYPTO: u64 = 6;
const CLOSE: u64 = 0x1c;

/// It does not follow the standard, or is longer than anybody needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// The bytes of a handshake, from the first on as far as they have come.
#[derive(Debug, Default)]
pub(super) struct Crypto {
    whole: Vec<u8>,
    /// What lies further on, by where it begins.
    pieces: BTreeMap<usize, Vec<u8>>,
}

impl Crypto {
    /// How far it may reach. Real ClientHellos have 300 to 2,500 octets.
    pub(super) const REACH: usize = 16 * 1024;

    /// All up to the first that is missing.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.whole
    }

    /// Takes what the frames of a packet carry.
    pub(super) fn take(&mut self, frames: &[u8]) -> Result<(), Unreadable> {
        let mut reader = Reader(frames);
        while let Some(kind) = reader.integer() {
            match kind {
                PADDING | PING => {}
                ACK | ACK_ECN => pass_ack(&mut reader, kind == ACK_ECN).ok_or(Unreadable)?,
                CRYPTO => {
                    let (at, piece) = piece(&mut reader).ok_or(Unreadable)?;
                    self.add(at, piece)?;
                }
                CLOSE => return Ok(()),
                _ => return Err(Unreadable),
            }
        }
        Ok(())
    }

    fn add(&mut self, at: usize, piece: &[u8]) -> Result<(), Unreadable> {
        let end = at.checked_add(piece.len()).ok_or(Unreadable)?;
        if end > Self::REACH || self.pieces.len() >= PIECES {
            return Err(Unreadable);
        }
        let known = self.pieces.entry(at).or_default();
        if known.len() < piece.len() {
            *known = piece.to_vec();
        }
        self.join();
        Ok(())
    }

    /// Appends the pieces that there is no gap before any more.
    fn join(&mut self) {
        while let Some(first) = self.pieces.first_entry() {
            let Some(overlap) = self.whole.len().checked_sub(*first.key()) else {
                return;
            };
            let piece = first.remove();
            self.whole.extend(piece.get(overlap..).unwrap_or_default());
        }
    }
}

/// A piece of the handshake, and where it belongs (RFC 9000, section 19.6).
fn piece<'a>(reader: &mut Reader<'a>) -> Option<(usize, &'a [u8])> {
    let at = reader.length()?;
    let length = reader.length()?;
    Some((at, reader.take(length)?))
}

/// Goes behind an acknowledgement (RFC 9000, section 19.3).
fn pass_ack(reader: &mut Reader<'_>, has_counts: bool) -> Option<()> {
    let _largest = reader.integer()?;
    let _delay = reader.integer()?;
    let ranges = reader.integer()?;
    let _first = reader.integer()?;
    for _ in 0..ranges {
        let _gap = reader.integer()?;
        let _range = reader.integer()?;
    }
    for _ in 0..if has_counts { 3 } else { 0 } {
        reader.integer()?;
    }
    Some(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(at: u16, piece: &[u8]) -> Vec<u8> {
        let mut frame = vec![6];
        frame.extend((at | 0x4000).to_be_bytes());
        frame.extend((u16::try_from(piece.len()).unwrap() | 0x4000).to_be_bytes());
        frame.extend(piece);
        frame
    }

    #[test]
    fn what_says_nothing_is_passed_over() {
        let mut crypto = Crypto::default();
        let ack = [2, 0x40, 200, 0, 1, 3, 1, 2];
        let counted = [3, 9, 0, 0, 3, 1, 2, 3];
        let frames = [&[0, 1][..], &ack, &frame(0, b"hello"), &counted, &[0]].concat();
        assert_eq!(crypto.take(&frames), Ok(()));
        assert_eq!(crypto.bytes(), b"hello");
        crypto
            .take(&[&[0x1c][..], b"\xff what follows is not read"].concat())
            .unwrap();
    }

    #[test]
    fn what_is_not_to_be_is_unreadable() {
        for frames in [
            &[0x08, 1, 2][..],
            &[6, 0],
            &[6, 0, 5, 1],
            &[2, 1],
            &frame(16_000, &[0; 400]),
        ] {
            assert_eq!(Crypto::default().take(frames), Err(Unreadable));
        }
        // An acknowledgement with as many ranges as there can be ends with the packet.
        let endless = [&[2, 0, 0][..], &[0xff; 8], &[0; 64]].concat();
        assert_eq!(Crypto::default().take(&endless), Err(Unreadable));
    }

    #[test]
    fn pieces_that_wait_are_counted() {
        let mut crypto = Crypto::default();
        let taken = (1..).map_while(|n| crypto.take(&frame(n * 2, b"x")).ok());
        assert_eq!(taken.count(), PIECES);
    }

    proptest! {
        #[test]
        fn pieces_come_in_any_order_and_overlap(
            text in prop::collection::vec(any::<u8>(), 1..600),
            cuts in prop::collection::vec((0_usize..600, 1_usize..200), 0..20),
            seed in any::<u64>(),
        ) {
            let mut pieces: Vec<(usize, usize)> = cuts;
            pieces.extend((0..text.len()).step_by(50).map(|at| (at, 50)));
            let order = |n: usize| (n as u64).wrapping_mul(seed | 1);
            let mut order: Vec<usize> = {
                let mut all: Vec<usize> = (0..pieces.len()).collect();
                all.sort_by_key(|n| order(*n));
                all
            };
            let mut crypto = Crypto::default();
            for n in order.drain(..) {
                let (at, length) = pieces[n];
                if let Some(rest) = text.get(at..) {
                    let piece = &rest[..length.min(rest.len())];
                    crypto.take(&frame(u16::try_from(at).unwrap(), piece)).unwrap();
                }
            }
            prop_assert_eq!(crypto.bytes(), &text[..]);
            prop_assert!(crypto.pieces.is_empty());
        }

        #[test]
        fn any_bytes_are_read_or_not(frames in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut crypto = Crypto::default();
            _ = crypto.take(&frames);
            prop_assert!(crypto.bytes().len() <= frames.len());
        }
    }
}
