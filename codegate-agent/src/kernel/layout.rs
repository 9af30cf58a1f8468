//! Between the standard library's types and the contract's.
#![allow(
    unsafe_code,
    reason = "aya wants a promise that map values are plain bytes"
)]

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use aya::Pod;
use codegate_ebpf::{
    Address, Client, Endpoint, Failure, Heartbeat, Listener, NEVER, Original, Switch,
    image::{Class, Image, Layout, Policy, ProcessKey},
    name::{NameKey, NamePorts},
    quic::{Datagrams, Standing},
};
use rustix::time::ClockId;

/// A type of the contract as aya takes it: the trait and the types are both from elsewhere.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Plain<T>(pub(super) T);

// SAFETY: five integers and no padding (20 bytes, asserted there); any bytes are valid.
unsafe impl Pod for Plain<Address> {}
// SAFETY: integers, without padding (16 bytes).
unsafe impl Pod for Plain<Endpoint> {}
// SAFETY: integers, without padding (8 bytes).
unsafe impl Pod for Plain<Listener> {}
// SAFETY: integers, without padding (32 bytes).
unsafe impl Pod for Plain<Client> {}
// SAFETY: integers and bytes, without padding (88 bytes).
unsafe impl Pod for Plain<Original> {}
// SAFETY: integers, without padding (16 bytes).
unsafe impl Pod for Plain<Failure> {}
// SAFETY: an integer (8 bytes).
unsafe impl Pod for Plain<Heartbeat> {}
// SAFETY: integers, without padding (16 bytes).
unsafe impl Pod for Plain<Switch> {}
// SAFETY: integers, without padding (16 bytes).
unsafe impl Pod for Plain<NameKey> {}
// SAFETY: an array of integers (16 bytes).
unsafe impl Pod for Plain<NamePorts> {}
// SAFETY: integers, without padding (16 bytes).
unsafe impl Pod for Plain<ProcessKey> {}
// SAFETY: integers and bytes, without padding (asserted there).
unsafe impl Pod for Plain<Image> {}
// SAFETY: integers, without padding (104 bytes).
unsafe impl Pod for Plain<Layout> {}
// SAFETY: integers, without padding (24 bytes).
unsafe impl Pod for Plain<Class> {}
// SAFETY: integers, without padding (8 bytes).
unsafe impl Pod for Plain<Policy> {}

// SAFETY: integers, without padding (32 bytes).
unsafe impl Pod for Plain<Datagrams> {}
// SAFETY: integers and bytes, without padding (104 bytes).
unsafe impl Pod for Plain<Standing> {}

/// In the form of the maps: IPv4 as v4-mapped IPv6, all in network order.
pub(super) fn address(address: SocketAddr) -> Address {
    let octets = match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    };
    let (words, _) = octets.as_chunks::<4>();
    let mut ip = [0; 4];
    for (word, bytes) in ip.iter_mut().zip(words) {
        *word = u32::from_ne_bytes(*bytes);
    }
    Address::v6(ip, address.port().to_be())
}

/// Back again; v4-mapped comes out as IPv4, which is what reaches the wire.
pub(super) fn socket_addr(address: &Address) -> SocketAddr {
    let mut octets = [0; 16];
    let (chunks, _) = octets.as_chunks_mut::<4>();
    for (bytes, word) in chunks.iter_mut().zip(address.ip) {
        *bytes = word.to_ne_bytes();
    }
    SocketAddr::new(
        Ipv6Addr::from(octets).to_canonical(),
        u16::from_be(address.port),
    )
}

/// A name's ports, as many as there is room for.
pub(super) fn ports(ports: &[u16]) -> NamePorts {
    let mut entry = NamePorts::default();
    for (slot, port) in entry.ports.iter_mut().zip(ports) {
        *slot = port.to_be();
    }
    entry
}

/// When something that lives for `ttl` from now on expires, in the programs' clock.
pub(super) fn expiry(ttl: Option<Duration>) -> u64 {
    ttl.map_or(NEVER, |ttl| {
        let nanoseconds = u64::try_from(ttl.as_nanos()).unwrap_or(NEVER);
        // One below `NEVER`, which means something else.
        monotonic_ns().saturating_add(nanoseconds).min(NEVER - 1)
    })
}

/// How long it is until then; nothing if it is over.
pub(super) fn left(expires: u64) -> Duration {
    Duration::from_nanos(expires.saturating_sub(monotonic_ns()))
}

/// What `bpf_ktime_get_ns` reads.
pub(super) fn monotonic_ns() -> u64 {
    nanoseconds(ClockId::Monotonic)
}

/// What `bpf_ktime_get_boot_ns` reads: it goes on while the machine sleeps.
pub(super) fn boottime_ns() -> u64 {
    nanoseconds(ClockId::Boottime)
}

fn nanoseconds(clock: ClockId) -> u64 {
    let now = rustix::time::clock_gettime(clock);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let nanoseconds = u64::try_from(now.tv_nsec).unwrap_or_default();
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(nanoseconds)
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "tests panic")]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back() {
        for text in [
            "1.2.3.4:443",
            "[2001:db8::1]:8443",
            "[::1]:1",
            "0.0.0.0:0",
            "[fe80::1]:65535",
        ] {
            let original: SocketAddr = text.parse().expect("an address");
            assert_eq!(socket_addr(&address(original)), original);
        }
    }

    #[test]
    fn mapped_and_plain_ipv4_are_one_key() {
        let mapped = "[::ffff:1.2.3.4]:443".parse().expect("an address");
        let plain = "1.2.3.4:443".parse().expect("an address");
        assert_eq!(address(mapped), address(plain));
        assert_eq!(socket_addr(&address(mapped)), plain);
        assert!(address(plain).is_v4());
        assert_eq!(
            address(plain),
            Address::v4(u32::from_ne_bytes([1, 2, 3, 4]), 443_u16.to_be())
        );
    }

    #[test]
    fn only_no_ttl_is_never() {
        assert_eq!(expiry(None), NEVER);
        assert_eq!(expiry(Some(Duration::MAX)), NEVER - 1);
        assert!(expiry(Some(Duration::ZERO)) <= monotonic_ns());
        assert!(expiry(Some(Duration::from_secs(60))) > monotonic_ns());
    }
}
