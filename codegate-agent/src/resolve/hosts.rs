//! `/etc/hosts`: hosts(5).

use std::net::IpAddr;

/// A name and one of its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// In lower case, without a final dot.
    pub name: String,
    /// The address.
    pub address: IpAddr,
}

/// All entries, in their order. What is no entry is passed over.
pub(super) fn read(text: &str) -> impl Iterator<Item = Entry> {
    text.lines().flat_map(|line| {
        let entry = line.split('#').next().unwrap_or_default();
        let mut words = entry.split_whitespace();
        let address = words.next().and_then(address);
        address
            .into_iter()
            .flat_map(move |address| words.clone().map(move |name| (name, address)))
            .map(|(name, address)| Entry {
                name: name.trim_end_matches('.').to_ascii_lowercase(),
                address,
            })
    })
}

/// An address; the interface behind a `%` is no part of it.
pub(super) fn address(word: &str) -> Option<IpAddr> {
    word.split('%').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_a_line_has_its_address() {
        let text = "# comment 192.0.2.9 no\n\
                    192.0.2.1\tAPI.openai.com. api # the API\n\
                    \r\n   2001:db8::1 six\r\n\
                    fe80::1%eth0 link\n\
                    192.0.2.300 bad\n\
                    192.0.2.7\n\
                    name 192.0.2.8\n";
        let found: Vec<_> = read(text)
            .map(|entry| format!("{} {}", entry.name, entry.address))
            .collect();
        let expected = [
            "api.openai.com 192.0.2.1",
            "api 192.0.2.1",
            "six 2001:db8::1",
            "link fe80::1",
        ];
        assert_eq!(found, expected);
    }
}
