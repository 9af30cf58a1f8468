//! Which guarded names an address was learned for, and until when that holds.
//!
//! Knows no resolver and no kernel: time comes from outside, and what is to be forgotten goes there.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

/// How many names an address has at most: below a wildcard anybody can make names up.
const NAMES: usize = 32;

/// Addresses and their names. Several names may share an address, and only some of those that do
/// need be guarded.
#[derive(Debug, Default)]
pub(super) struct Addresses(HashMap<SocketAddr, Vec<Claim>>);

#[derive(Debug)]
struct Claim {
    host: Arc<str>,
    until: Instant,
}

impl Addresses {
    /// Notes that a host has an address, or has it still.
    pub(super) fn claim(&mut self, address: SocketAddr, host: &Arc<str>, until: Instant) {
        let claims = self.0.entry(canonical(address)).or_default();
        match claims.iter_mut().find(|claim| claim.host == *host) {
            Some(claim) => claim.until = until,
            None => {
                if claims.len() == NAMES {
                    claims.remove(0);
                }
                claims.push(Claim {
                    host: Arc::clone(host),
                    until,
                });
            }
        }
    }

    /// How many addresses there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets claims that have expired; the addresses that nobody claims any more are the answer.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<SocketAddr> {
        let mut unclaimed = Vec::new();
        self.0.retain(|address, claims| {
            claims.retain(|claim| claim.until > now);
            if claims.is_empty() {
                unclaimed.push(*address);
            }
            !claims.is_empty()
        });
        unclaimed
    }

    /// Whether nothing is claimed.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The addresses that a host claims.
    pub(super) fn of<'a>(&'a self, host: &'a str) -> impl Iterator<Item = SocketAddr> + 'a {
        let claimed = self.0.iter();
        let own =
            claimed.filter(move |(_, claims)| claims.iter().any(|claim| *claim.host == *host));
        own.map(|(address, _)| *address)
    }

    /// The hosts that claim an address, in the order in which they were learned.
    pub(super) fn hosts(&self, address: SocketAddr) -> impl DoubleEndedIterator<Item = &str> {
        self.0
            .get(&canonical(address))
            .into_iter()
            .flatten()
            .map(|claim| &*claim.host)
    }
}

/// IPv4 is IPv4, however it is written; scopes and flow labels are no part of an endpoint.
fn canonical(address: SocketAddr) -> SocketAddr {
    let ip: IpAddr = address.ip().to_canonical();
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn hosts(addresses: &Addresses, address: &str) -> Vec<String> {
        addresses.hosts(at(address)).map(str::to_owned).collect()
    }

    #[test]
    fn an_address_has_all_its_names_and_ports_are_told_apart() {
        let (mut addresses, later) = (Addresses::default(), Instant::now());
        addresses.claim(at("192.0.2.1:443"), &"a.test".into(), later);
        addresses.claim(at("[::ffff:192.0.2.1]:443"), &"b.test".into(), later);
        assert_eq!(hosts(&addresses, "192.0.2.1:443"), ["a.test", "b.test"]);
        assert!(hosts(&addresses, "192.0.2.1:80").is_empty());
    }

    #[test]
    fn a_host_has_all_its_addresses_and_no_others() {
        let (mut addresses, later) = (Addresses::default(), Instant::now());
        let claimed = [
            ("192.0.2.1:443", "a.test"),
            ("[2001:db8::1]:443", "a.test"),
            ("192.0.2.2:443", "b.test"),
        ];
        for (address, host) in claimed {
            addresses.claim(at(address), &host.into(), later);
        }
        let mut own: Vec<_> = addresses.of("a.test").collect();
        own.sort();
        assert_eq!(own, [at("192.0.2.1:443"), at("[2001:db8::1]:443")]);
    }

    #[test]
    fn a_claim_lasts_until_it_expires_and_can_be_renewed() {
        let (mut addresses, start) = (Addresses::default(), Instant::now());
        let (soon, late) = (
            start + Duration::from_secs(1),
            start + Duration::from_secs(9),
        );
        let host: Arc<str> = "a.test".into();
        addresses.claim(at("192.0.2.1:443"), &host, soon);
        addresses.claim(at("192.0.2.2:443"), &host, soon);
        addresses.claim(at("192.0.2.2:443"), &host, late);
        assert!(addresses.expire(start).is_empty());
        assert_eq!(addresses.expire(soon), [at("192.0.2.1:443")]);
        assert!(hosts(&addresses, "192.0.2.1:443").is_empty());
        assert_eq!(hosts(&addresses, "192.0.2.2:443"), ["a.test"]);
    }

    #[test]
    fn an_address_stays_while_any_name_claims_it() {
        let (mut addresses, start) = (Addresses::default(), Instant::now());
        addresses.claim(at("192.0.2.1:443"), &"a.test".into(), start);
        addresses.claim(
            at("192.0.2.1:443"),
            &"b.test".into(),
            start + Duration::from_secs(9),
        );
        assert!(addresses.expire(start).is_empty());
        assert_eq!(hosts(&addresses, "192.0.2.1:443"), ["b.test"]);
    }
}
