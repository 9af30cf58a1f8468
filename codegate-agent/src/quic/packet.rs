//! Initial packets: where they lie in a datagram, and what is in them once their protection is removed.

use rustls::{
    Side, SupportedCipherSuite,
    crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256,
    quic::{DirectionalKeys, Keys, Version},
};

/// The versions' numbers (RFC 9000, section 15; RFC 9369, section 3.1).
const V1: u32 = 1;
const V2: u32 = 0x6b33_43cf;

/// The longest connection id (RFC 9000, section 17.2).
const LONGEST: usize = 20;

/// A long header (RFC 9000, section 17.2), up to the ids.
#[derive(Debug, Clone, Copy)]
struct Header<'a> {
    first: u8,
    version: Version,
    /// The id that the client sends to. In its very first packet it is random, and the keys derive from it.
    to: &'a [u8],
    /// The id that the client has chosen for itself.
    from: &'a [u8],
}

/// An Initial packet as it came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet<'a> {
    header: Header<'a>,
    /// All of it.
    octets: &'a [u8],
    /// Where the packet's number begins, which is where protection does.
    number: usize,
}

/// What protects a client's Initial packets.
pub(super) struct Protection(DirectionalKeys);

/// The id that a client has chosen for itself, if a datagram begins with an Initial packet or any other that
/// says it.
pub fn client_id(datagram: &[u8]) -> Option<&[u8]> {
    header(&mut Reader(datagram)).map(|header| header.from)
}

/// The Initial packets in a datagram, up to the first that is another.
pub(super) fn packets(datagram: &[u8]) -> impl Iterator<Item = Packet<'_>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let (packet, behind) = split(rest)?;
        rest = behind;
        Some(packet)
    })
}

fn split(datagram: &[u8]) -> Option<(Packet<'_>, &[u8])> {
    let mut reader = Reader(datagram);
    let header = header(&mut reader)?;
    if !header.is_initial() {
        return None;
    }
    let token = reader.length()?;
    reader.take(token)?;
    let length = reader.length()?;
    let number = datagram.len().checked_sub(reader.0.len())?;
    reader.take(length)?;
    let (octets, behind) = datagram.split_at_checked(number.checked_add(length)?)?;
    let packet = Packet {
        header,
        octets,
        number,
    };
    Some((packet, behind))
}

fn header<'a>(reader: &mut Reader<'a>) -> Option<Header<'a>> {
    let first = reader.octet()?;
    if first & 0x80 == 0 {
        return None;
    }
    let version = match u32::from_be_bytes(reader.take(4)?.try_into().ok()?) {
        V1 => Version::V1,
        V2 => Version::V2,
        _ => return None,
    };
    Some(Header {
        first,
        version,
        to: reader.id()?,
        from: reader.id()?,
    })
}

impl Header<'_> {
    fn is_initial(&self) -> bool {
        let kind = self.first >> 4 & 3;
        match self.version {
            Version::V2 => kind == 1,
            _ => kind == 0,
        }
    }
}

impl Packet<'_> {
    /// The protection that this packet has if it is its client's very first, or the first after a Retry.
    pub(super) fn fresh_protection(&self) -> Option<Protection> {
        let SupportedCipherSuite::Tls13(suite) = TLS13_AES_128_GCM_SHA256 else {
            return None;
        };
        let Header { version, to, .. } = self.header;
        let keys = Keys::initial(version, suite, suite.quic?, to, Side::Server);
        Some(Protection(keys.remote))
    }

    /// The frames in it (RFC 9001, sections 5.3 and 5.4); `None` if it is not protected in this way.
    pub(super) fn open(&self, protection: &Protection) -> Option<Vec<u8>> {
        let DirectionalKeys { header, packet } = &protection.0;
        let mut octets = self.octets.to_vec();
        let (head, protected) = octets.split_at_mut_checked(self.number)?;
        let first = head.first_mut()?;
        // The sample is taken as if the number had four octets.
        let (number, behind) = protected.split_at_mut_checked(4)?;
        let sample = behind.get(..header.sample_len())?;
        header.decrypt_in_place(sample, first, number).ok()?;
        let length = usize::from(*first & 3) + 1;
        // No connection begins with so many packets that a number's upper part is left out.
        let number = number
            .iter()
            .take(length)
            .fold(0, |number, octet| number << 8 | u64::from(*octet));
        let (head, payload) = octets.split_at_mut_checked(self.number + length)?;
        let frames = packet.decrypt_in_place(number, head, payload).ok()?;
        Some(frames.to_vec())
    }
}

/// Reads octets from the front.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn octet(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// An integer of one, two, four or eight octets (RFC 9000, section 16).
    pub(super) fn integer(&mut self) -> Option<u64> {
        let first = self.octet()?;
        let more = (1_usize << (first >> 6)) - 1;
        let rest = self.take(more)?;
        let first = u64::from(first & 0x3f);
        Some(
            rest.iter()
                .fold(first, |sum, octet| sum << 8 | u64::from(*octet)),
        )
    }

    pub(super) fn length(&mut self) -> Option<usize> {
        usize::try_from(self.integer()?).ok()
    }

    fn id(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.octet()?);
        (length <= LONGEST).then(|| self.take(length))?
    }
}
