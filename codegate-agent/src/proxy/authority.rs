//! A host and a port, as `CONNECT` and configurations write them.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

/// The longest name that DNS has (RFC 1035, section 2.3.4).
const LONGEST: usize = 253;

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Authority {
    /// The host.
    pub host: Host,
    /// The TCP port; never 0.
    pub port: u16,
}

/// A host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// Its name, in lower case and without the root's dot.
    Name(String),
    /// Its address.
    Address(IpAddr),
}

/// Why a text is no authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not HOST:PORT (an address of IPv6 stands in brackets)")]
pub struct BadAuthority;

impl Authority {
    /// Its name, if it has one.
    pub fn name(&self) -> Option<&str> {
        match &self.host {
            Host::Name(name) => Some(name),
            Host::Address(_) => None,
        }
    }
}

impl From<SocketAddr> for Authority {
    fn from(address: SocketAddr) -> Self {
        Self {
            host: Host::Address(address.ip().to_canonical()),
            port: address.port(),
        }
    }
}

impl FromStr for Authority {
    type Err = BadAuthority;

    fn from_str(text: &str) -> Result<Self, BadAuthority> {
        let (host, port) = text.rsplit_once(':').ok_or(BadAuthority)?;
        let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|&port: &u16| digits && port != 0);
        Ok(Self {
            host: host.parse()?,
            port: port.ok_or(BadAuthority)?,
        })
    }
}

impl FromStr for Host {
    type Err = BadAuthority;

    fn from_str(text: &str) -> Result<Self, BadAuthority> {
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or(BadAuthority)?;
            let address = inner.parse().map_err(|_| BadAuthority)?;
            return Ok(Self::Address(IpAddr::V6(address)));
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(IpAddr::V4(address)));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let is_name = name.len() <= LONGEST && name.split('.').all(is_label);
        is_name
            .then(|| Self::Name(name.to_ascii_lowercase()))
            .ok_or(BadAuthority)
    }
}

fn is_label(label: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=63).contains(&label.len()) && label.bytes().all(allowed)
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
            host => write!(f, "{host}:{}", self.port),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_read_and_written() {
        for (text, expected) in [
            ("proxy.corp:3128", "proxy.corp:3128"),
            ("API.OpenAI.com.:443", "api.openai.com:443"),
            ("localhost:8080", "localhost:8080"),
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("[::1]:3128", "[::1]:3128"),
            ("[2001:DB8:0:0::1]:65535", "[2001:db8::1]:65535"),
            ("under_score.corp:1", "under_score.corp:1"),
        ] {
            let authority: Authority = text.parse().unwrap();
            assert_eq!(authority.to_string(), expected);
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "",
            ":",
            ":443",
            "a.test",
            "a.test:",
            "a.test:0",
            "a.test:65536",
            "a.test:+443",
            "a.test: 443",
            "a..test:443",
            "::1:443",
            "[::1:443",
            "[::1]443",
            "[127.0.0.1]:443",
            "user@a.test:443",
            "user:word@a.test:443",
            "http://a.test:443",
            "a.test:443/",
            "a b:443",
            "bücher.test:443",
        ] {
            assert_eq!(text.parse::<Authority>(), Err(BadAuthority), "{text}");
        }
        let long = format!("{}:443", vec!["a".repeat(60); 5].join("."));
        assert_eq!(long.parse::<Authority>(), Err(BadAuthority));
    }
}
