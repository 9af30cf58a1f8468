//! The guarded hosts: which name and port speaks which dialect.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::{
    builtin,
    host::{HostPattern, normalized, parents},
};

/// The family of dialects that a host speaks.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// OpenAI's chat completions and responses, and everybody who speaks them.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// Ollama's own dialect, and OpenAI's below `/v1`.
    Ollama,
    /// Anything else: bodies are scanned whole.
    Opaque,
}

/// Who named an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The table that CodeGate comes with.
    BuiltIn,
    /// The configuration.
    User,
}

/// One host (or one pattern of hosts) that is guarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its name or pattern.
    pub host: HostPattern,
    /// Its TCP ports, sorted; none means that the host is not guarded.
    pub ports: Vec<u16>,
    /// What it speaks.
    pub provider: Provider,
    /// Whether they speak TLS; if not, HTTP in clear.
    pub tls: bool,
    /// Who named it.
    pub origin: Origin,
}

/// All guarded hosts. The most specific pattern of a host decides alone: ports of a wider one are
/// not looked at, so that a narrower entry can also take a host out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    exact: BTreeMap<Box<str>, Vec<Endpoint>>,
    wildcard: BTreeMap<Box<str>, Vec<Endpoint>>,
}

impl Provider {
    /// Its name in the configuration and in sessions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Ollama => "ollama",
            Self::Opaque => "opaque",
        }
    }
}

impl Endpoints {
    /// The table that CodeGate comes with.
    pub fn built_in() -> Self {
        let mut endpoints = Self {
            exact: BTreeMap::new(),
            wildcard: BTreeMap::new(),
        };
        for (host, provider) in builtin::hosts() {
            endpoints.insert(host, &[443], (provider, true), Origin::BuiltIn);
        }
        endpoints
    }

    /// The endpoint of a host and TCP port: an exact name before a wildcard, a longer wildcard
    /// before a shorter one. Case and the root's dot do not matter.
    pub fn find(&self, host: &str, port: u16) -> Option<&Endpoint> {
        let endpoints = self.of(host)?;
        endpoints
            .iter()
            .find(|endpoint| endpoint.ports.contains(&port))
    }

    /// The TCP ports on which a host is guarded, sorted.
    pub fn ports_of(&self, host: &str) -> Vec<u16> {
        let endpoints = self.of(host).into_iter().flatten();
        let ports: BTreeSet<u16> = endpoints.flat_map(|e| e.ports.iter().copied()).collect();
        ports.into_iter().collect()
    }

    fn of(&self, host: &str) -> Option<&Vec<Endpoint>> {
        let host = normalized(host);
        let wide = || parents(&host).find_map(|parent| self.wildcard.get(parent));
        self.exact.get(host.as_ref()).or_else(wide)
    }

    /// Every name and pattern with its sorted ports; a host that was taken out has none.
    pub fn patterns(&self) -> impl Iterator<Item = (&HostPattern, Vec<u16>)> {
        let all = self.exact.values().chain(self.wildcard.values());
        all.filter_map(|endpoints| {
            let ports: BTreeSet<u16> = endpoints.iter().flat_map(|e| e.ports.clone()).collect();
            Some((&endpoints.first()?.host, ports.into_iter().collect()))
        })
    }

    /// Every TCP port on which some host is guarded, sorted.
    pub fn ports(&self) -> Vec<u16> {
        let ports: BTreeSet<u16> = self.iter().flat_map(|e| e.ports.iter().copied()).collect();
        ports.into_iter().collect()
    }

    /// The DNS names that the certificate authority may sign for (RFC 5280, section 4.2.1.10: each
    /// includes what is below it), sorted, without those that another includes.
    pub fn name_constraints(&self) -> Vec<&str> {
        let signed = |endpoint: &&Endpoint| endpoint.tls && !endpoint.ports.is_empty();
        let guarded = self.iter().filter(signed);
        let names: BTreeSet<&str> = guarded.map(|endpoint| endpoint.host.name()).collect();
        let included = |name: &str| parents(name).any(|parent| names.contains(parent));
        names
            .iter()
            .copied()
            .filter(|name| !included(name))
            .collect()
    }

    /// All of them, exact names first.
    pub fn iter(&self) -> impl Iterator<Item = &Endpoint> {
        self.exact.values().chain(self.wildcard.values()).flatten()
    }

    /// Adds an endpoint of the user's: it replaces what the built-in table says of the host, and
    /// what was said before of the same host and port.
    pub(super) fn add(&mut self, host: HostPattern, ports: &[u16], provider: Provider, tls: bool) {
        self.insert(host, ports, (provider, tls), Origin::User);
    }

    /// Adds the services of the machine itself, unless the user has said something of it.
    pub(super) fn add_local(&mut self) {
        for (host, port, provider) in builtin::local() {
            let same = self.exact.get(host.name());
            if !same.is_some_and(|all| all.iter().any(|one| one.origin == Origin::User)) {
                self.insert(host, &[port], (provider, false), Origin::BuiltIn);
            }
        }
    }

    fn insert(
        &mut self,
        host: HostPattern,
        ports: &[u16],
        (provider, tls): (Provider, bool),
        origin: Origin,
    ) {
        let patterns = if host.is_wildcard() {
            &mut self.wildcard
        } else {
            &mut self.exact
        };
        let same = patterns.entry(host.name().into()).or_default();
        for earlier in same.iter_mut() {
            earlier.ports.retain(|port| !ports.contains(port));
        }
        same.retain(|earlier| earlier.origin == origin && !earlier.ports.is_empty());
        let ports: BTreeSet<u16> = ports.iter().copied().collect();
        same.push(Endpoint {
            host,
            ports: ports.into_iter().collect(),
            provider,
            tls,
            origin,
        });
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde gives it")]
fn is_true(flag: &bool) -> bool {
    *flag
}

/// As a list of `[[endpoint]]`, hosts with the same ports and provider together.
impl Serialize for Endpoints {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Group<'a> {
            hosts: Vec<&'a HostPattern>,
            ports: &'a [u16],
            provider: Provider,
            #[serde(skip_serializing_if = "is_true")]
            tls: bool,
        }
        let mut groups: BTreeMap<(Provider, bool, &[u16]), Vec<&HostPattern>> = BTreeMap::new();
        for endpoint in self.iter() {
            let group = groups
                .entry((endpoint.provider, endpoint.tls, &endpoint.ports))
                .or_default();
            group.push(&endpoint.host);
        }
        serializer.collect_seq(
            groups
                .into_iter()
                .map(|((provider, tls, ports), hosts)| Group {
                    hosts,
                    ports,
                    provider,
                    tls,
                }),
        )
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    fn with(user: &[(&str, &[u16], Provider)]) -> Endpoints {
        let mut endpoints = Endpoints::built_in();
        for (host, ports, provider) in user {
            endpoints.add(host.parse().unwrap(), ports, *provider, true);
        }
        endpoints
    }

    fn provider(endpoints: &Endpoints, host: &str, port: u16) -> Option<Provider> {
        endpoints.find(host, port).map(|endpoint| endpoint.provider)
    }

    fn ports(endpoints: &Endpoints, pattern: &str) -> Vec<u16> {
        let mut patterns = endpoints.patterns();
        let found = patterns.find(|(host, _)| host.to_string() == pattern);
        found.unwrap().1
    }

    #[test]
    fn the_built_in_table_knows_the_hosts_of_the_dialects() {
        let endpoints = Endpoints::built_in();
        let table = [
            ("api.openai.com", Some(Provider::OpenAi)),
            ("API.OpenAI.com.", Some(Provider::OpenAi)),
            ("api.anthropic.com", Some(Provider::Anthropic)),
            ("api.mistral.ai", Some(Provider::OpenAi)),
            ("corp.openai.azure.com", Some(Provider::OpenAi)),
            ("api.githubcopilot.com", Some(Provider::OpenAi)),
            ("ollama.com", Some(Provider::Ollama)),
            ("generativelanguage.googleapis.com", Some(Provider::Opaque)),
            ("openai.com", None),
            ("evil-api.openai.com", None),
            ("api.openai.com.evil.example", None),
            ("", None),
            (".", None),
        ];
        for (host, expected) in table {
            assert_eq!(provider(&endpoints, host, 443), expected, "{host}");
        }
        assert_eq!(provider(&endpoints, "api.openai.com", 80), None);
    }

    #[test]
    fn a_wildcard_takes_one_label_or_more_and_not_the_name_itself() {
        let endpoints = with(&[("*.example.ai", &[443], Provider::Opaque)]);
        for host in ["a.example.ai", "A.b.example.ai", "a.example.ai."] {
            assert!(endpoints.find(host, 443).is_some(), "{host}");
        }
        for host in ["example.ai", "badexample.ai", "a.example.ai.b", ".ai"] {
            assert!(endpoints.find(host, 443).is_none(), "{host}");
        }
    }

    #[test]
    fn the_most_specific_pattern_decides_alone() {
        let endpoints = with(&[
            ("*.example.ai", &[443], Provider::Opaque),
            ("*.eu.example.ai", &[443], Provider::Anthropic),
            ("api.eu.example.ai", &[8443], Provider::OpenAi),
            ("out.example.ai", &[], Provider::Opaque),
        ]);
        let table = [
            ("x.example.ai", 443, Some(Provider::Opaque)),
            ("x.eu.example.ai", 443, Some(Provider::Anthropic)),
            ("api.eu.example.ai", 8443, Some(Provider::OpenAi)),
            ("api.eu.example.ai", 443, None),
            ("out.example.ai", 443, None),
        ];
        for (host, port, expected) in table {
            assert_eq!(provider(&endpoints, host, port), expected, "{host}:{port}");
        }
    }

    #[test]
    fn the_user_overrides_by_host_and_adds_by_port() {
        let endpoints = with(&[
            ("api.openai.com", &[8443], Provider::Opaque),
            ("api.openai.com", &[9443, 8443], Provider::Anthropic),
            ("api.openai.com", &[7443], Provider::OpenAi),
        ]);
        let at = |port| provider(&endpoints, "api.openai.com", port);
        assert_eq!(at(443), None, "the built-in entry is gone");
        assert_eq!(at(8443), Some(Provider::Anthropic), "the later entry wins");
        assert_eq!(at(9443), Some(Provider::Anthropic));
        assert_eq!(at(7443), Some(Provider::OpenAi));
        assert_eq!(ports(&endpoints, "api.openai.com"), [7443, 8443, 9443]);
    }

    #[test]
    fn the_machine_s_own_services_are_added_unless_the_user_has_named_it() {
        let mut endpoints = with(&[]);
        assert_eq!(provider(&endpoints, "localhost", 11434), None);
        endpoints.add_local();
        assert_eq!(
            provider(&endpoints, "localhost", 11434),
            Some(Provider::Ollama)
        );
        assert_eq!(ports(&endpoints, "localhost"), [1234, 8000, 8080, 11434]);
        assert!(!endpoints.name_constraints().contains(&"localhost"));
        let mut named = Endpoints::built_in();
        let host: HostPattern = "localhost".parse().unwrap();
        named.add(host, &[9999], Provider::OpenAi, false);
        named.add_local();
        assert_eq!(ports(&named, "localhost"), [9999]);
    }

    #[test]
    fn what_is_resolved_and_what_the_ca_signs_for() {
        let endpoints = with(&[
            ("*.example.ai", &[443], Provider::Opaque),
            ("api.example.ai", &[443], Provider::Opaque),
            ("api.anthropic.com", &[], Provider::Opaque),
        ]);
        assert_eq!(ports(&endpoints, "*.example.ai"), [443]);
        assert!(ports(&endpoints, "api.anthropic.com").is_empty());
        let names = endpoints.name_constraints();
        assert!(names.contains(&"example.ai") && names.contains(&"api.openai.com"));
        assert!(!names.contains(&"api.example.ai"), "example.ai includes it");
        assert!(!names.contains(&"api.anthropic.com"), "it was taken out");
    }
}
