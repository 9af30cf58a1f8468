//! Which names and addresses the kernel sends to the agent: the guarded hosts, and the HTTP proxies by
//! which clients reach them.

use std::collections::BTreeMap;

use crate::config::Config;

/// All of them, each with its ports. A proxy may be a guarded host besides, or stand below a wildcard, and
/// must not hide it: the most specific name decides alone.
pub(super) fn hosts(config: &Config) -> Vec<(String, Vec<u16>)> {
    let patterns = config.endpoints.patterns();
    let mut hosts: BTreeMap<String, Vec<u16>> = patterns
        .map(|(host, ports)| (host.to_string(), ports))
        .collect();
    for proxy in &config.capture.proxies {
        let name = proxy.host.to_string();
        let above = || match proxy.name() {
            Some(name) => config.endpoints.ports_of(name),
            None => Vec::new(),
        };
        let ports = hosts.entry(name).or_insert_with(above);
        if !ports.contains(&proxy.port) {
            ports.push(proxy.port);
        }
    }
    hosts.into_iter().collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    fn ports(proxies: &[&str], name: &str) -> Vec<u16> {
        let mut config = Config::default();
        config.capture.proxies = proxies.iter().map(|text| text.parse().unwrap()).collect();
        let found = hosts(&config).into_iter().find(|(host, _)| host == name);
        found.unwrap().1
    }

    #[test]
    fn proxies_are_told_to_the_kernel_beside_the_guarded_hosts() {
        let proxies = ["proxy.corp:3128", "[::1]:8080", "proxy.corp:8080"];
        assert_eq!(ports(&proxies, "proxy.corp"), [3128, 8080]);
        assert_eq!(ports(&proxies, "::1"), [8080]);
        assert_eq!(ports(&proxies, "api.openai.com"), [443]);
    }

    #[test]
    fn a_proxy_hides_no_guarded_host() {
        let proxies = ["api.openai.com:3128", "proxy.openai.azure.com:3128"];
        assert_eq!(ports(&proxies, "api.openai.com"), [443, 3128]);
        assert_eq!(ports(&proxies, "proxy.openai.azure.com"), [443, 3128]);
    }
}
