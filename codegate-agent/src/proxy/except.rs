//! What a proxy is not for: hosts, all below a domain, networks, as `no_proxy` has them.

use std::{fmt, net::IpAddr, str::FromStr};

use super::Host;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Except {
    /// This host, by name or address.
    Host(Host),
    /// All below a domain: `.corp.example`, or `*.corp.example`.
    Below(String),
    /// A network: `10.0.0.0/8`.
    Network(IpAddr, u8),
}

/// Why a text is no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither a host, `.` and a domain, nor ADDRESS/BITS")]
pub struct BadExcept;

impl Except {
    /// Whether a service is meant, by its name (in lower case) or its address, where that is known.
    #[must_use]
    pub fn is_for(&self, name: &str, address: Option<IpAddr>) -> bool {
        let address = address.map(|address| address.to_canonical());
        match self {
            Self::Host(Host::Name(host)) => host == name,
            Self::Host(Host::Address(host)) => address == Some(*host),
            Self::Below(domain) => name
                .strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.ends_with('.') && rest.len() > 1),
            Self::Network(network, bits) => {
                address.is_some_and(|address| is_within(address, *network, *bits))
            }
        }
    }
}

fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let differ = match (address, network) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        _ => return false,
    };
    differ >= u32::from(bits)
}

impl FromStr for Except {
    type Err = BadExcept;

    fn from_str(text: &str) -> Result<Self, BadExcept> {
        if let Some((address, bits)) = text.split_once('/') {
            let address: IpAddr = address.parse().map_err(|_| BadExcept)?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.parse().ok().filter(|bits| *bits <= most);
            return Ok(Self::Network(address, bits.ok_or(BadExcept)?));
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Host(Host::Address(address)));
        }
        let domain = text.strip_prefix("*.").or_else(|| text.strip_prefix('.'));
        match (domain, domain.unwrap_or(text).parse()) {
            (Some(_), Ok(Host::Name(domain))) => Ok(Self::Below(domain)),
            (None, Ok(host)) => Ok(Self::Host(host)),
            _ => Err(BadExcept),
        }
    }
}

impl fmt::Display for Except {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => host.fmt(f),
            Self::Below(domain) => write!(f, ".{domain}"),
            Self::Network(address, bits) => write!(f, "{address}/{bits}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    fn is_for(entry: &str, name: &str, address: &str) -> bool {
        let entry: Except = entry.parse().unwrap();
        assert_eq!(entry.to_string().parse(), Ok(entry.clone()));
        entry.is_for(name, Some(address.parse().unwrap()))
    }

    #[test]
    fn hosts_domains_and_networks_are_excepted() {
        for (entry, name, address, expected) in [
            ("host", "host", "192.0.2.1", true),
            ("HOST.", "host", "192.0.2.1", true),
            ("host", "other", "192.0.2.1", false),
            (".corp.example", "a.corp.example", "192.0.2.1", true),
            ("*.corp.example", "a.b.corp.example", "192.0.2.1", true),
            (".corp.example", "corp.example", "192.0.2.1", false),
            (".corp.example", "badcorp.example", "192.0.2.1", false),
            ("192.0.2.1", "a", "192.0.2.1", true),
            ("192.0.2.1", "a", "::ffff:192.0.2.1", true),
            ("10.0.0.0/8", "a", "10.255.0.1", true),
            ("10.0.0.0/8", "a", "11.0.0.1", false),
            ("0.0.0.0/0", "a", "192.0.2.1", true),
            ("0.0.0.0/0", "a", "2001:db8::1", false),
            ("192.0.2.1/32", "a", "192.0.2.1", true),
            ("192.0.2.1/32", "a", "192.0.2.0", false),
            ("2001:db8::/32", "a", "2001:db8:1::1", true),
            ("2001:db8::/32", "a", "2001:db9::1", false),
            ("::1", "a", "::1", true),
        ] {
            assert_eq!(
                is_for(entry, name, address),
                expected,
                "{entry} {name} {address}"
            );
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "",
            ".",
            "*",
            "10.0.0.0/33",
            "10.0.0.0/",
            "a/8",
            ".10.0.0.1",
            "a:80",
            "a b",
        ] {
            assert_eq!(text.parse::<Except>(), Err(BadExcept), "{text}");
        }
    }
}
