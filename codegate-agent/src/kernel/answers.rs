//! The ring buffer in which the programs hand over DNS answers for guarded names.

use std::io;

use aya::maps::{MapData, RingBuf};
use codegate_ebpf::name::Heard;

use super::{
    dns::{self, Answer},
    ring::Ring,
};

/// Reads for as long as it lives.
pub(super) struct Answers(Ring);

/// An answer, and whether the programs could not learn all of it themselves.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overheard {
    pub(super) answer: Answer,
    pub(super) odd: bool,
}

impl Answers {
    /// Must be called on a tokio runtime.
    pub(super) fn new(buffer: RingBuf<MapData>) -> io::Result<Self> {
        Ring::new(buffer).map(Self)
    }

    /// Waits until there is something, and hands over all that there is. What cannot be read is
    /// passed over: a DNS server wrote it.
    pub(super) async fn read(&mut self, mut each: impl FnMut(Overheard)) -> io::Result<()> {
        self.0
            .read(|item| {
                if let Some(overheard) = parse(item) {
                    each(overheard);
                }
            })
            .await
    }
}

fn parse(item: &[u8]) -> Option<Overheard> {
    let (head, message) = item.split_at_checked(size_of::<Heard>())?;
    let (length, odd) = head.split_at_checked(size_of::<u32>())?;
    let length = u32::from_ne_bytes(length.try_into().ok()?);
    let odd = u32::from_ne_bytes(odd.try_into().ok()?);
    let message = message.get(..usize::try_from(length).ok()?)?;
    Some(Overheard {
        answer: dns::read(message)?,
        odd: odd != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_another_length_is_passed_over() {
        let message = [
            0, 0, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, b'a', 0, 0, 1, 0, 1,
        ];
        let item = |length: u32, odd: u32| {
            [&length.to_ne_bytes()[..], &odd.to_ne_bytes(), &message].concat()
        };
        let overheard = parse(&item(19, 1));
        assert!(overheard.is_some_and(|heard| heard.odd && heard.answer.name == "a"));
        assert!(parse(&item(19, 0)).is_some_and(|heard| !heard.odd));
        assert_eq!(parse(&item(20, 0)), None);
        assert_eq!(parse(&item(u32::MAX, 0)), None);
        assert_eq!(parse(&[0; 7]), None);
    }
}
