//! The numbers that some dialects give to the events of a stream: once an event has been added or has
//! overtaken another, those behind it get the numbers that follow.
//!
//! Knows: numbers in events. Must not know: why an event was added.

use std::ops::Range;

use super::{parked::Waiting, walk::number};
use crate::span::{Edit, splice};

/// What number comes next.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    next: Option<u64>,
    /// Whether the numbers that arrive are not the ones to be given any more.
    displaced: bool,
}

impl Numbers {
    /// An event goes on that did not arrive now.
    pub(super) fn displace(&mut self, happened: bool) {
        self.displaced |= happened;
    }

    /// The event goes on; says whether its number is the one that it should have.
    pub(super) fn agree(&mut self, event: &[u8], place: &Option<Range<usize>>) -> bool {
        let (own, wanted) = self.step(event, place);
        if own != wanted {
            // It does not go on like this.
            self.next = wanted;
        }
        own == wanted
    }

    /// The event as it goes on.
    pub(super) fn give(&mut self, waiting: Waiting) -> Vec<u8> {
        let Waiting {
            event,
            mut edits,
            number,
            ..
        } = waiting;
        let (own, wanted) = self.step(&event, &number);
        if let (Some(raw), Some(wanted)) = (number, wanted)
            && own != Some(wanted)
        {
            let with = wanted.to_string().into_bytes();
            edits.push(Edit { raw, with });
        }
        edits.sort_by_key(|edit| edit.raw.start);
        match edits.as_slice() {
            [] => event,
            edits => splice(&event, edits),
        }
    }

    /// The number that an event has, and the one that it should have.
    fn step(&mut self, event: &[u8], place: &Option<Range<usize>>) -> (Option<u64>, Option<u64>) {
        let digits = place.clone().and_then(|place| event.get(place));
        let Some(own) = digits.and_then(number) else {
            return (None, None);
        };
        let wanted = match self.next {
            Some(next) if self.displaced => next,
            _ => own,
        };
        self.next = wanted.checked_add(1);
        (Some(own), Some(wanted))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    fn event(number: u64) -> Waiting {
        let event = format!("n={number};").into_bytes();
        let number = Some(2..event.len() - 1);
        Waiting {
            event,
            number,
            ..Waiting::default()
        }
    }

    #[test]
    fn numbers_follow_each_other_once_something_was_added() {
        let mut numbers = Numbers::default();
        let give = |numbers: &mut Numbers, n| String::from_utf8(numbers.give(event(n))).unwrap();
        assert_eq!(give(&mut numbers, 3), "n=3;");
        assert_eq!(give(&mut numbers, 5), "n=5;", "a gap of the service's own");
        numbers.displace(true);
        assert_eq!(give(&mut numbers, 5), "n=6;");
        assert!(!numbers.agree(b"n=6;", &Some(2..3)));
        assert_eq!(give(&mut numbers, 6), "n=7;");
        assert!(numbers.agree(b"n=8;", &Some(2..3)));
        assert!(numbers.agree(b"no number", &None));
    }
}
