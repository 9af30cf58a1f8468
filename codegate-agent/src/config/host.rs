//! Host names and the patterns that stand for several of them.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::Serialize;

/// A DNS name, or `*.` and a DNS name that stands for everything below it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct HostPattern {
    name: Box<str>,
    wildcard: bool,
}

/// Why a text is no host pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadHost {
    /// An address has no name that a TLS client could ask for.
    #[error("an IP address, not a host name")]
    Address,
    /// Some character or length that DNS names do not have.
    #[error("not a DNS name in ASCII, without scheme, port or path")]
    Name,
    /// The certificate authority would be good for all of a top-level domain.
    #[error("too wide: a wildcard needs two labels or more after `*.`")]
    TooWide,
}

impl HostPattern {
    /// The name; of a wildcard, what comes after `*.`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it stands for what is below its name (and not for the name itself).
    pub fn is_wildcard(&self) -> bool {
        self.wildcard
    }
}

impl FromStr for HostPattern {
    type Err = BadHost;

    fn from_str(text: &str) -> Result<Self, BadHost> {
        let (rest, wildcard) = match text.strip_prefix("*.") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let name = normalized(rest);
        if looks_like_address(&name) {
            return Err(BadHost::Address);
        }
        if name.len() > 253 || !name.split('.').all(is_label) {
            return Err(BadHost::Name);
        }
        if wildcard && !name.contains('.') {
            return Err(BadHost::TooWide);
        }
        Ok(Self {
            name: name.into(),
            wildcard,
        })
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = if self.wildcard { "*." } else { "" };
        write!(f, "{star}{}", self.name)
    }
}

impl From<HostPattern> for String {
    fn from(pattern: HostPattern) -> Self {
        pattern.to_string()
    }
}

/// A host name as it is compared: lower case, without the root's dot.
pub fn normalized(host: &str) -> Cow<'_, str> {
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    }
}

/// The names above a host, nearest first: `a.b.c` gives `b.c`, `c`.
pub(super) fn parents(host: &str) -> impl Iterator<Item = &str> {
    let above = |name: &str| name.find('.').map(|dot| dot + 1);
    std::iter::successors(above(host).and_then(|at| host.get(at..)), move |name| {
        above(name).and_then(|at| name.get(at..))
    })
}

/// Resolvers read a last label of digits as (part of) an IPv4 address.
fn looks_like_address(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let digits = !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit());
    digits
        || name
            .trim_matches(['[', ']'])
            .parse::<std::net::Ipv6Addr>()
            .is_ok()
}

fn is_label(label: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (1..=63).contains(&label.len())
        && label.bytes().all(allowed)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_in_lower_case_without_the_roots_dot() {
        let pattern: HostPattern = "API.OpenAI.com.".parse().unwrap();
        assert_eq!(pattern.to_string(), "api.openai.com");
        assert!(!pattern.is_wildcard());
        let pattern: HostPattern = "*.Example.ai".parse().unwrap();
        assert_eq!(
            (pattern.name(), pattern.is_wildcard()),
            ("example.ai", true)
        );
    }

    #[test]
    fn what_is_no_host_is_refused_with_its_reason() {
        let table = [
            ("127.0.0.1", BadHost::Address),
            ("*.0.0.1", BadHost::Address),
            ("::1", BadHost::Address),
            ("[2001:db8::1]", BadHost::Address),
            ("", BadHost::Name),
            (".", BadHost::Name),
            ("a..b", BadHost::Name),
            ("a.*.b", BadHost::Name),
            ("-a.b", BadHost::Name),
            ("api.openai.com:443", BadHost::Name),
            ("https://api.openai.com", BadHost::Name),
            ("bücher.example", BadHost::Name),
            ("*.com", BadHost::TooWide),
        ];
        for (text, expected) in table {
            assert_eq!(text.parse::<HostPattern>(), Err(expected), "{text}");
        }
        assert_eq!("a".repeat(64).parse::<HostPattern>(), Err(BadHost::Name));
        let long = vec!["a".repeat(60); 5].join(".");
        assert_eq!(long.parse::<HostPattern>(), Err(BadHost::Name));
    }

    #[test]
    fn parents_come_nearest_first() {
        assert_eq!(parents("a.b.c").collect::<Vec<_>>(), ["b.c", "c"]);
        assert_eq!(parents("a").count(), 0);
        assert_eq!(parents("a.").collect::<Vec<_>>(), [""]);
    }
}
