//! A SYN, and the packets that answer it (RFC 9293, section 3.5; RFC 792; RFC 4443, section 3.1).

use std::net::{IpAddr, SocketAddr};

use etherparse::{
    Icmpv4Type, Icmpv6Type, IpHeaders, NetHeaders, PacketBuilder, PacketBuilderStep, PacketHeaders,
    TcpHeader, TransportHeader, icmpv4, icmpv6,
};

/// For how many hops answers are good: they have none to go.
const HOPS: u8 = 64;
/// How much behind the IP header an ICMP message quotes: TCP's ports and its sequence number.
const QUOTED: usize = 8;

/// A client's first packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syn {
    ip: IpHeaders,
    tcp: TcpHeader,
    /// Where it comes from.
    pub from: SocketAddr,
    /// Where it goes to.
    pub to: SocketAddr,
}

/// What the network says of a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// `ECONNREFUSED`
    Refused,
    /// `ENETUNREACH`
    NetUnreachable,
    /// `EHOSTUNREACH`
    HostUnreachable,
}

impl Syn {
    /// Reads a packet, from its IP header on; `None` if it is no SYN, or brings data.
    pub fn read(packet: &[u8]) -> Option<Self> {
        let headers = PacketHeaders::from_ip_slice(packet).ok()?;
        let (source, destination, ip) = match headers.net? {
            NetHeaders::Ipv4(ip, rest) => (
                IpAddr::from(ip.source),
                IpAddr::from(ip.destination),
                IpHeaders::Ipv4(ip, rest),
            ),
            NetHeaders::Ipv6(ip, rest) => (
                IpAddr::from(ip.source),
                IpAddr::from(ip.destination),
                IpHeaders::Ipv6(ip, rest),
            ),
            NetHeaders::Arp(_) => return None,
        };
        let TransportHeader::Tcp(tcp) = headers.transport? else {
            return None;
        };
        let is_syn = tcp.syn && !tcp.ack && !tcp.rst && headers.payload.slice().is_empty();
        is_syn.then(|| Self {
            from: SocketAddr::new(source, tcp.source_port),
            to: SocketAddr::new(destination, tcp.destination_port),
            ip,
            tcp,
        })
    }

    /// Its sequence number.
    pub fn sequence(&self) -> u32 {
        self.tcp.sequence_number
    }

    /// The packet itself. A packet that has not left the machine has no checksums yet.
    pub fn packet(&self) -> Option<Vec<u8>> {
        write(PacketBuilder::ip(self.ip.clone()).tcp_header(self.tcp.clone()))
    }

    /// What comes back from a destination that says so.
    pub fn answer(&self, answer: Answer) -> Option<Vec<u8>> {
        match answer {
            Answer::Refused => self.reset(),
            Answer::NetUnreachable => self.unreachable(
                icmpv4::DestUnreachableHeader::Network,
                icmpv6::DestUnreachableCode::NoRoute,
            ),
            Answer::HostUnreachable => self.unreachable(
                icmpv4::DestUnreachableHeader::Host,
                icmpv6::DestUnreachableCode::Address,
            ),
        }
    }

    fn reset(&self) -> Option<Vec<u8>> {
        let mut tcp = TcpHeader::new(self.to.port(), self.from.port(), 0, 0);
        tcp.rst = true;
        tcp.ack = true;
        tcp.acknowledgment_number = self.sequence().wrapping_add(1);
        write(self.back()?.tcp_header(tcp))
    }

    fn unreachable(
        &self,
        v4: icmpv4::DestUnreachableHeader,
        v6: icmpv6::DestUnreachableCode,
    ) -> Option<Vec<u8>> {
        let quoted = self.packet()?;
        let quoted = quoted.get(..self.ip.header_len() + QUOTED)?;
        let mut packet = Vec::new();
        let written = match self.ip {
            IpHeaders::Ipv4(..) => {
                let message = Icmpv4Type::DestinationUnreachable(v4);
                let packet_of = self.back()?.icmpv4(message);
                packet_of.write_to_vec(&mut packet, quoted)
            }
            IpHeaders::Ipv6(..) => {
                let message = Icmpv6Type::DestinationUnreachable(v6);
                let packet_of = self.back()?.icmpv6(message);
                packet_of.write_to_vec(&mut packet, quoted)
            }
        };
        written.ok().map(|()| packet)
    }

    /// From where it goes to where it comes from.
    fn back(&self) -> Option<PacketBuilderStep<IpHeaders>> {
        match (self.to.ip(), self.from.ip()) {
            (IpAddr::V4(to), IpAddr::V4(from)) => {
                Some(PacketBuilder::ipv4(to.octets(), from.octets(), HOPS))
            }
            (IpAddr::V6(to), IpAddr::V6(from)) => {
                Some(PacketBuilder::ipv6(to.octets(), from.octets(), HOPS))
            }
            _ => None,
        }
    }
}

fn write(packet: PacketBuilderStep<TcpHeader>) -> Option<Vec<u8>> {
    let mut written = Vec::with_capacity(packet.size(0));
    packet.write_to_vec(&mut written, &[]).ok()?;
    Some(written)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    const V4: (&str, &str) = ("127.0.0.1:40000", "127.0.0.1:61234");
    const V6: (&str, &str) = ("[fd00::7]:40000", "[::1]:61234");

    /// As the programs see it: TCP's checksum is not there yet.
    fn sent((from, to): (&str, &str), payload: &[u8], change: impl Fn(&mut TcpHeader)) -> Vec<u8> {
        let (from, to): (SocketAddr, SocketAddr) = (from.parse().unwrap(), to.parse().unwrap());
        let mut tcp = TcpHeader::new(from.port(), to.port(), 0xffff_ffff, 0xfaf0);
        tcp.syn = true;
        tcp.ece = true;
        // MSS, SACK permitted, timestamps, window scale (RFC 9293, 2018, 7323).
        let options = b"\x02\x04\xff\xd7\x04\x02\x08\x0a\x01\x02\x03\x04\0\0\0\0\x01\x03\x03\x07";
        tcp.set_options_raw(options).unwrap();
        change(&mut tcp);
        let packet = match (from.ip(), to.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                PacketBuilder::ipv4(from.octets(), to.octets(), 3)
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                PacketBuilder::ipv6(from.octets(), to.octets(), 3)
            }
            _ => unreachable!("of one family"),
        };
        let mut octets = Vec::new();
        let packet = packet.tcp_header(tcp.clone());
        packet.write_to_vec(&mut octets, payload).unwrap();
        let checksum = octets.len() - payload.len() - tcp.header_len() + 16;
        octets[checksum..checksum + 2].fill(0xee);
        octets
    }

    fn plain(addresses: (&str, &str)) -> Vec<u8> {
        sent(addresses, b"", |_| ())
    }

    /// The packet's headers; its checksums must be right.
    fn checked(packet: &[u8]) -> (IpHeaders, TransportHeader, Vec<u8>) {
        let headers = PacketHeaders::from_ip_slice(packet).unwrap();
        let payload = headers.payload.slice();
        let ip = match headers.net.unwrap() {
            NetHeaders::Ipv4(ip, rest) => {
                assert_eq!(ip.header_checksum, ip.calc_header_checksum());
                IpHeaders::Ipv4(ip, rest)
            }
            NetHeaders::Ipv6(ip, rest) => IpHeaders::Ipv6(ip, rest),
            NetHeaders::Arp(_) => unreachable!("it is of IP"),
        };
        let transport = headers.transport.unwrap();
        let mut again = transport.clone();
        match &ip {
            IpHeaders::Ipv4(ip, _) => again.update_checksum_ipv4(ip, payload).unwrap(),
            IpHeaders::Ipv6(ip, _) => again.update_checksum_ipv6(ip, payload).unwrap(),
        }
        assert_eq!(again, transport);
        (ip, transport, payload.to_vec())
    }

    #[test]
    fn it_goes_on_as_it_was_but_for_its_checksum() {
        for addresses in [V4, V6] {
            let octets = plain(addresses);
            let syn = Syn::read(&octets).unwrap();
            assert_eq!(syn.from, addresses.0.parse().unwrap());
            assert_eq!(syn.to, addresses.1.parse().unwrap());
            assert_eq!(syn.sequence(), 0xffff_ffff);
            let mut packet = syn.packet().unwrap();
            checked(&packet);
            let checksum = octets.len() - syn.tcp.header_len() + 16;
            packet[checksum..checksum + 2].fill(0xee);
            assert_eq!(packet, octets);
        }
    }

    #[test]
    fn a_refusal_is_a_reset_that_acknowledges_it() {
        for addresses in [V4, V6] {
            let syn = Syn::read(&plain(addresses)).unwrap();
            let (ip, transport, _) = checked(&syn.answer(Answer::Refused).unwrap());
            let TransportHeader::Tcp(tcp) = transport else {
                unreachable!("it is of TCP");
            };
            assert!(tcp.rst && tcp.ack && !tcp.syn);
            assert_eq!((tcp.sequence_number, tcp.acknowledgment_number), (0, 0));
            assert_eq!((tcp.source_port, tcp.destination_port), (61_234, 40_000));
            assert_eq!(ends(&ip), (syn.to.ip(), syn.from.ip()));
        }
    }

    #[test]
    fn what_is_unreachable_is_told_with_what_was_sent() {
        for (addresses, answer, kind, code) in [
            (V4, Answer::NetUnreachable, 3, 0),
            (V4, Answer::HostUnreachable, 3, 1),
            (V6, Answer::NetUnreachable, 1, 0),
            (V6, Answer::HostUnreachable, 1, 3),
        ] {
            let syn = Syn::read(&plain(addresses)).unwrap();
            let packet = syn.answer(answer).unwrap();
            let (ip, _, quoted) = checked(&packet);
            assert_eq!(packet[ip.header_len()..][..2], [kind, code]);
            assert_eq!(ends(&ip), (syn.to.ip(), syn.from.ip()));
            assert_eq!(quoted, syn.packet().unwrap()[..ip.header_len() + 8]);
        }
    }

    fn ends(ip: &IpHeaders) -> (IpAddr, IpAddr) {
        match ip {
            IpHeaders::Ipv4(ip, _) => (ip.source.into(), ip.destination.into()),
            IpHeaders::Ipv6(ip, _) => (ip.source.into(), ip.destination.into()),
        }
    }

    #[test]
    fn what_is_no_syn_is_not_read() {
        assert_eq!(Syn::read(b""), None);
        assert_eq!(Syn::read(&[0x45; 128]), None);
        for length in 0..plain(V6).len() {
            assert_eq!(Syn::read(&plain(V6)[..length]), None, "{length}");
        }
        assert_eq!(Syn::read(&sent(V4, b"early", |_| ())), None);
        assert_eq!(Syn::read(&sent(V4, b"", |tcp| tcp.ack = true)), None);
        assert_eq!(Syn::read(&sent(V4, b"", |tcp| tcp.syn = false)), None);
    }
}
