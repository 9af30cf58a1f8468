//! The names that our certificate authority may speak for, as X.509 name constraints (RFC 5280,
//! section 4.2.1.10) can say them.
//!
//! A constraint is a suffix of whole labels: it cannot say `api-*.example.com`, so a pattern widens
//! to what stands to the right of its last `*`.

use std::{collections::BTreeSet, net::IpAddr};

use rcgen::{CidrSubnet, GeneralSubtree, NameConstraints};

use super::TrustError;

/// A set of permitted DNS suffixes and addresses, without repetition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    domains: BTreeSet<String>,
    addresses: BTreeSet<IpAddr>,
}

impl Names {
    /// Reads host names, patterns with `*` and IP addresses, as the configuration has them.
    ///
    /// # Errors
    /// [`TrustError::BadName`] for what is no name, [`TrustError::TooWide`] for a pattern that
    /// would permit a top-level domain.
    pub fn parse<S: AsRef<str>>(patterns: &[S]) -> Result<Self, TrustError> {
        let mut names = Self::default();
        for pattern in patterns {
            names.insert(pattern.as_ref())?;
        }
        names.prune();
        Ok(names)
    }

    /// Whether every name of `other` may be spoken for.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.domains.iter().all(|d| self.covers_domain(d))
            && other.addresses.is_subset(&self.addresses)
    }

    /// Whether a certificate for `host` (lower-case, no trailing dot) would be inside.
    #[must_use]
    pub fn covers_host(&self, host: &str) -> bool {
        match host.parse::<IpAddr>() {
            Ok(address) => self.addresses.contains(&address),
            Err(_) => self.covers_domain(host),
        }
    }

    /// Whether nothing at all is permitted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.domains.is_empty() && self.addresses.is_empty()
    }

    /// The names, domains first, each sorted.
    pub fn iter(&self) -> impl Iterator<Item = String> + '_ {
        let addresses = self.addresses.iter().map(ToString::to_string);
        self.domains.iter().cloned().chain(addresses)
    }

    /// The certificate extension that permits these names and nothing else.
    ///
    /// A constraint binds only names of a kind it mentions. So a kind that has no permitted name
    /// is excluded as a whole, or a leaf for any IP address would pass.
    pub(super) fn constraints(&self) -> NameConstraints {
        let domains = self.domains.iter().cloned().map(GeneralSubtree::DnsName);
        let addresses = self.addresses.iter().map(|ip| single(*ip));
        NameConstraints {
            permitted_subtrees: domains.chain(addresses).collect(),
            excluded_subtrees: self.excluded(),
        }
    }

    /// Puts back a constraint read from a certificate.
    pub(super) fn restore(&mut self, domain: &str) {
        self.domains.insert(domain.to_owned());
    }

    /// Puts back an address constraint read from a certificate.
    pub(super) fn restore_address(&mut self, address: IpAddr) {
        self.addresses.insert(address);
    }

    fn insert(&mut self, pattern: &str) -> Result<(), TrustError> {
        if let Ok(address) = pattern.parse::<IpAddr>() {
            self.addresses.insert(address);
            return Ok(());
        }
        let domain = widen(pattern)?;
        if !is_domain(&domain) {
            return Err(TrustError::BadName(pattern.to_owned()));
        }
        self.domains.insert(domain);
        Ok(())
    }

    /// Drops what another name covers already, so that the certificate stays small.
    fn prune(&mut self) {
        let all = self.domains.clone();
        self.domains.retain(|domain| {
            let covered = all
                .iter()
                .any(|other| other != domain && is_below(domain, other));
            !covered
        });
    }

    fn covers_domain(&self, domain: &str) -> bool {
        self.domains
            .iter()
            .any(|permitted| is_below(domain, permitted))
    }

    fn excluded(&self) -> Vec<GeneralSubtree> {
        let mut excluded = Vec::new();
        if self.domains.is_empty() {
            excluded.push(GeneralSubtree::DnsName(String::new())); // the empty suffix is every name
        }
        if !self.addresses.iter().any(IpAddr::is_ipv4) {
            excluded.push(GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix(
                [0; 4], 0,
            )));
        }
        if !self.addresses.iter().any(IpAddr::is_ipv6) {
            excluded.push(GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(
                [0; 16], 0,
            )));
        }
        excluded
    }
}

fn single(ip: IpAddr) -> GeneralSubtree {
    let bits = if ip.is_ipv4() { 32 } else { 128 };
    GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(ip, bits))
}

/// What stands to the right of the last label with a `*`; the whole name if there is none.
fn widen(pattern: &str) -> Result<String, TrustError> {
    let name = pattern
        .strip_suffix('.')
        .unwrap_or(pattern)
        .to_ascii_lowercase();
    let Some((_, right)) = name.rsplit_once('*') else {
        return Ok(name);
    };
    let base = right.split_once('.').map_or("", |(_, base)| base);
    if base.split('.').count() < 2 {
        return Err(TrustError::TooWide(pattern.to_owned()));
    }
    Ok(base.to_owned())
}

fn is_below(domain: &str, permitted: &str) -> bool {
    domain
        .strip_suffix(permitted)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Letters, digits, `-` and `_` in labels of 1 to 63 bytes, 253 bytes at most in all.
fn is_domain(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (1..=63).contains(&label.len()) && label.bytes().all(legal)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    fn names(patterns: &[&str]) -> Vec<String> {
        Names::parse(patterns).unwrap().iter().collect()
    }

    #[test]
    fn patterns_widen_to_whole_labels() {
        assert_eq!(names(&["API.OpenAI.com."]), ["api.openai.com"]);
        assert_eq!(names(&["*.example.ai"]), ["example.ai"]);
        assert_eq!(names(&["*-aiplatform.googleapis.com"]), ["googleapis.com"]);
        assert_eq!(
            names(&["bedrock-runtime.*.amazonaws.com"]),
            ["amazonaws.com"]
        );
    }

    #[test]
    fn covered_names_are_dropped() {
        assert_eq!(
            names(&["a.x.ai", "*.x.ai", "ax.ai", "127.0.0.1"]),
            ["ax.ai", "x.ai", "127.0.0.1"]
        );
    }

    #[test]
    fn names_that_would_not_constrain_are_refused() {
        for wide in ["*", "*.com", "foo.*", "a.*.com"] {
            let refused = Names::parse(&[wide]);
            assert!(
                matches!(refused, Err(TrustError::TooWide(_))),
                "{wide}: {refused:?}"
            );
        }
        for bad in ["", ".", "a..b", "exa mple.com", "bücher.de", "a/b.com"] {
            let refused = Names::parse(&[bad]);
            assert!(
                matches!(refused, Err(TrustError::BadName(_))),
                "{bad}: {refused:?}"
            );
        }
    }

    #[test]
    fn coverage_follows_label_boundaries() {
        let have = Names::parse(&["openai.com", "10.0.0.1"]).unwrap();
        assert!(have.covers(&Names::parse(&["api.openai.com", "*.openai.com"]).unwrap()));
        assert!(!have.covers(&Names::parse(&["notopenai.com"]).unwrap()));
        assert!(!have.covers(&Names::parse(&["10.0.0.2"]).unwrap()));
        assert!(have.covers_host("api.openai.com") && have.covers_host("10.0.0.1"));
        assert!(!have.covers_host("com") && !have.covers_host("evil-openai.com"));
    }
}
