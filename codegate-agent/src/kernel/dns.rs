//! Reads a DNS answer that somebody sent (RFC 1035): its question's name, and all addresses in it.
//!
//! The bytes are hostile. Every read is checked, names cannot be followed in circles, and what is
//! damaged ends the reading: what stood before it counts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The name that was asked for, in lower case, without the root's dot.
    pub name: String,
    /// Each address with its time to live in seconds, as it was told.
    pub addresses: Vec<(IpAddr, u32)>,
}

const HEADER: usize = 12;
/// Types of records (RFC 1035, RFC 3596, RFC 9460).
const A: u16 = 1;
const AAAA: u16 = 28;
const SVCB: u16 = 64;
const HTTPS: u16 = 65;
/// Keys of a service's parameters (RFC 9460, section 14.3.2).
const IPV4_HINT: u16 = 4;
const IPV6_HINT: u16 = 6;
/// Names of more labels do not exist: they have 255 octets.
const LABELS: usize = 128;

/// Reads an answer; `None` if it is none, or not to one question for a host's name.
pub fn read(message: &[u8]) -> Option<Answer> {
    let (header, body) = message.split_at_checked(HEADER)?;
    let &[_, _, first, second, 0, 1, high, low, ..] = header else {
        return None;
    };
    if first & 0xf8 != 0x80 || second & 0x0f != 0 {
        return None;
    }
    let mut rest = Bytes(body);
    let name = rest.name()?;
    rest.take(4)?;
    let mut addresses = Vec::new();
    for _ in 0..u16::from_be_bytes([high, low]) {
        if rest.record(&mut addresses).is_none() {
            break;
        }
    }
    Some(Answer { name, addresses })
}

/// What has not been read yet.
struct Bytes<'message>(&'message [u8]);

impl<'message> Bytes<'message> {
    fn take(&mut self, length: usize) -> Option<&'message [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn octet(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn word(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn long(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    /// A host's name that is written out, as a question's is: nothing stands before it.
    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        for _ in 0..LABELS {
            let length = self.octet()?;
            if length == 0 {
                return Some(name);
            }
            if length > 63 {
                return None;
            }
            let label = self.take(length.into())?;
            if !label.iter().copied().all(is_of_a_host) {
                return None;
            }
            if !name.is_empty() {
                name.push('.');
            }
            name.extend(
                label
                    .iter()
                    .map(|octet| char::from(octet.to_ascii_lowercase())),
            );
        }
        None
    }

    /// Goes behind a name that may end in a pointer.
    fn pass_name(&mut self) -> Option<()> {
        for _ in 0..LABELS {
            match self.octet()? {
                0 => return Some(()),
                length @ 1..=63 => self.take(length.into())?,
                0xc0.. => return self.take(1).map(drop),
                _ => return None,
            };
        }
        None
    }

    fn record(&mut self, addresses: &mut Vec<(IpAddr, u32)>) -> Option<()> {
        self.pass_name()?;
        let (kind, class, ttl, length) = (self.word()?, self.word()?, self.long()?, self.word()?);
        let mut data = Bytes(self.take(length.into())?);
        if class != 1 {
            return Some(());
        }
        match kind {
            A => addresses.push((data.v4_alone()?, ttl)),
            AAAA => addresses.push((data.v6_alone()?, ttl)),
            SVCB | HTTPS => data
                .hints(|ip| addresses.push((ip, ttl)))
                .unwrap_or_default(),
            _ => {}
        }
        Some(())
    }

    fn v4_alone(&mut self) -> Option<IpAddr> {
        let octets: [u8; 4] = self.0.try_into().ok()?;
        Some(Ipv4Addr::from(octets).into())
    }

    fn v6_alone(&mut self) -> Option<IpAddr> {
        let octets: [u8; 16] = self.0.try_into().ok()?;
        Some(Ipv6Addr::from(octets).into())
    }

    /// Addresses that a service binding hints at.
    fn hints(&mut self, mut found: impl FnMut(IpAddr)) -> Option<()> {
        let _priority = self.word()?;
        self.pass_name()?;
        while !self.0.is_empty() {
            let (key, length) = (self.word()?, self.word()?);
            let value = self.take(length.into())?;
            match key {
                IPV4_HINT => value
                    .as_chunks::<4>()
                    .0
                    .iter()
                    .for_each(|ip| found((*ip).into())),
                IPV6_HINT => value
                    .as_chunks::<16>()
                    .0
                    .iter()
                    .for_each(|ip| found((*ip).into())),
                _ => {}
            }
        }
        Some(())
    }
}

fn is_of_a_host(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_'
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    fn question(name: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        for label in name.split('.') {
            bytes.push(u8::try_from(label.len()).unwrap());
            bytes.extend(label.bytes());
        }
        bytes.extend([0, 0, A as u8, 0, 1]);
        bytes
    }

    /// A record whose owner is the question's name.
    fn record(kind: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(data.len()).unwrap();
        [
            &[0xc0, 12][..],
            &kind.to_be_bytes(),
            &[0, 1],
            &ttl.to_be_bytes(),
            &length.to_be_bytes(),
            data,
        ]
        .concat()
    }

    fn message(name: &str, records: &[Vec<u8>]) -> Vec<u8> {
        let count = u8::try_from(records.len()).unwrap();
        let header = [7, 7, 0x81, 0x80, 0, 1, 0, count, 0, 0, 0, 0];
        [&header[..], &question(name), &records.concat()].concat()
    }

    fn texts(answer: &Answer) -> Vec<String> {
        let text = |(ip, ttl): &(IpAddr, u32)| format!("{ip} {ttl}");
        answer.addresses.iter().map(text).collect()
    }

    #[test]
    fn addresses_of_all_kinds_are_found() {
        let service = [
            &[0, 1, 3, b'a', b'b', b'c', 0][..],
            &[0, 1, 0, 3, 2, b'h', b'2'],
            &[0, 4, 0, 8, 192, 0, 2, 3, 192, 0, 2, 4],
            &[
                0, 6, 0, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9,
            ],
        ]
        .concat();
        let records = [
            record(5, 60, &[1, b'x', 0xc0, 12]),
            record(A, 7, &[192, 0, 2, 1]),
            record(
                AAAA,
                8,
                &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            ),
            record(HTTPS, 9, &service),
        ];
        let answer = read(&message("API.Example.ai", &records)).unwrap();
        assert_eq!(answer.name, "api.example.ai");
        let expected = [
            "192.0.2.1 7",
            "2001:db8::1 8",
            "192.0.2.3 9",
            "192.0.2.4 9",
            "2001:db8::9 9",
        ];
        assert_eq!(texts(&answer), expected);
    }

    #[test]
    fn damage_ends_the_reading_and_what_stood_before_it_counts() {
        let whole = message(
            "a.test",
            &[record(A, 1, &[192, 0, 2, 1]), record(A, 1, &[192, 0, 2, 2])],
        );
        let cut = read(&whole[..whole.len() - 1]).unwrap();
        assert_eq!(texts(&cut), ["192.0.2.1 1"]);
        let odd = message(
            "a.test",
            &[record(A, 1, &[192, 0, 2]), record(A, 1, &[1; 4])],
        );
        assert!(read(&odd).unwrap().addresses.is_empty());
    }

    #[test]
    fn what_is_no_answer_for_a_host_is_none() {
        let good = message("a.test", &[]);
        assert!(read(&good).is_some());
        for (at, octet) in [
            (2, 0x01),
            (2, 0x91),
            (3, 0x83),
            (5, 0),
            (5, 2),
            (12, 0xc0),
            (13, b' '),
        ] {
            let mut bad = good.clone();
            bad[at] = octet;
            assert_eq!(read(&bad), None, "octet {at} is {octet:#x}");
        }
        assert_eq!(read(&good[..HEADER]), None);
    }

    /// Every beginning of a message, and every message with one octet changed to each of a few.
    #[test]
    fn nothing_that_is_sent_can_make_it_stumble() {
        let service = [0, 1, 0, 0, 4, 0, 4, 1, 2, 3, 4];
        let whole = message(
            "a.b.test",
            &[record(HTTPS, 1, &service), record(A, 1, &[1; 4])],
        );
        for end in 0..whole.len() {
            drop(read(&whole[..end]));
            for octet in [0, 1, 12, 63, 64, 0x80, 0xc0, 0xff] {
                let mut bent = whole.clone();
                bent[end] = octet;
                drop(read(&bent));
            }
        }
    }
}
