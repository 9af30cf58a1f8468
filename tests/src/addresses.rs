//! The lab's address plan: benchmark addresses (RFC 2544) for IPv4, unique local ones (RFC 4193)
//! for IPv6. Neither is routed anywhere.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::atomic::{AtomicU16, Ordering},
};

/// The host's end of the cable.
pub(crate) const HOST_V4: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 2);
/// The net's end of the cable; the DNS server answers there.
pub(crate) const NET_V4: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
/// The host's end of the cable.
pub(crate) const HOST_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xc0de, 0, 0, 0, 0, 0, 2);
/// The net's end of the cable.
pub(crate) const NET_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xc0de, 0, 0, 0, 0, 0, 1);

/// Hands out the services' addresses, one pair after the other.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    used: AtomicU16,
}

impl Pool {
    pub(crate) fn pair(&self) -> (IpAddr, IpAddr) {
        let n = self.used.fetch_add(1, Ordering::Relaxed) + 1;
        let [high, low] = n.to_be_bytes();
        let v4 = Ipv4Addr::new(198, 19, high, low);
        let v6 = Ipv6Addr::new(0xfd00, 0xc0de, 0, 0, 0, 0, 1, n);
        (v4.into(), v6.into())
    }
}
