//! `/etc/resolv.conf`: resolv.conf(5). Only servers and whether to ask them by TCP matter: guarded names are
//! asked for as they are, and how long an answer may take is for us to say.

use std::net::{IpAddr, Ipv4Addr};

use super::hosts::address;

/// As many servers as the C library asks.
const MOST: usize = 3;

/// The servers that a process asks, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Servers {
    /// There is always one.
    pub(super) addresses: Vec<IpAddr>,
    /// Whether they are to be asked by TCP only.
    pub(super) tcp: bool,
}

impl Servers {
    /// What the file says; `None` if it says nothing that can be asked. A file without a server means one
    /// on the same host.
    pub fn read(text: &str) -> Option<Self> {
        let mut servers = Self {
            addresses: Vec::new(),
            tcp: false,
        };
        let mut has_sense = text.trim().is_empty();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            match (words.next(), words.next()) {
                (Some("nameserver"), Some(word)) => servers.add(address(word)),
                (Some("options"), first) => {
                    servers.tcp |= first.into_iter().chain(words).any(|word| word == "use-vc");
                }
                (Some("search" | "domain" | "sortlist"), _) => {}
                _ => continue,
            }
            has_sense = true;
        }
        if servers.addresses.is_empty() {
            servers.addresses.push(Ipv4Addr::LOCALHOST.into());
        }
        has_sense.then_some(servers)
    }

    fn add(&mut self, server: Option<IpAddr>) {
        if let Some(server) = server
            && self.addresses.len() < MOST
            && !self.addresses.contains(&server)
        {
            self.addresses.push(server);
        }
    }

    /// Whether the same addresses are other servers in another network namespace.
    #[must_use]
    pub fn are_local(&self) -> bool {
        self.addresses.iter().any(|address| match address {
            IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local() || v4.is_unspecified(),
            IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local() || v6.is_unspecified(),
        })
    }

    /// The same servers, asked by TCP.
    pub(super) fn by_tcp(&self) -> Self {
        Self {
            tcp: true,
            ..self.clone()
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, bool) {
        let servers = Servers::read(text).unwrap();
        let addresses = servers.addresses.iter().map(ToString::to_string);
        (addresses.collect(), servers.tcp)
    }

    fn own(addresses: &[&str], tcp: bool) -> (Vec<String>, bool) {
        (addresses.iter().map(ToString::to_string).collect(), tcp)
    }

    #[test]
    fn servers_are_read_as_the_c_library_reads_them() {
        let text = "; comment\nnameserver 192.0.2.53\nsearch a.test b.test\n\
                    nameserver 192.0.2.53\nnameserver 2001:db8::53 # here\n\
                    options ndots:5 use-vc timeout:1\n\
                    nameserver 192.0.2.54\nnameserver 192.0.2.55\n";
        let expected = ["192.0.2.53", "2001:db8::53", "192.0.2.54"];
        assert_eq!(read(text), own(&expected, true));
        assert_eq!(read(""), own(&["127.0.0.1"], false));
        assert_eq!(read("search a.test\n"), own(&["127.0.0.1"], false));
        assert_eq!(Servers::read("what\nis this"), None);
    }

    #[test]
    fn a_server_is_an_address_and_never_a_name_to_ask_for() {
        let text = "nameserver ns.evil.test\nnameserver 192.0.2.53\n";
        assert_eq!(read(text), own(&["192.0.2.53"], false));
    }

    #[test]
    fn servers_on_the_same_host_differ_between_namespaces() {
        let local = |address: &str| {
            Servers::read(&format!("nameserver {address}"))
                .unwrap()
                .are_local()
        };
        for address in [
            "127.0.0.11",
            "::1",
            "169.254.20.10",
            "0.0.0.0",
            "fe80::1%eth0",
        ] {
            assert!(local(address), "{address}");
        }
        assert!(!local("10.0.0.10"));
        assert!(!local("fd00::10"));
    }
}
