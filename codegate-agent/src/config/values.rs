//! Values of the configuration that need more than their TOML type: each knows what is allowed and
//! says so, and `toml` adds where it stands (it knows only while a visitor runs, so the visitors
//! are where the checks are).

use std::{borrow::Cow, fmt, path::PathBuf, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Unexpected, Visitor},
};

use super::{
    Fail,
    host::HostPattern,
    pattern::{ImagePattern, PathPattern},
};
use crate::{
    fetch::{BadUrl, Url},
    inspect::packages::{Purl, index::fleet::PublicKey},
    proxy::{Authority, Except},
};

/// A path that does not depend on where the agent was started.
#[derive(Debug)]
pub(super) struct Absolute(pub(super) PathBuf);

impl<'de> Deserialize<'de> for Absolute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let check = |text: &str| text.starts_with('/').then(|| Self(text.into())).ok_or(None);
        deserializer.deserialize_str(Text("an absolute path", check))
    }
}

impl<'de> Deserialize<'de> for PathPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let check = |text: &str| Self::new(text).ok_or(None);
        deserializer.deserialize_str(Text("an absolute path, in which stars may stand", check))
    }
}

impl<'de> Deserialize<'de> for ImagePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let check = |text: &str| Self::new(text).ok_or(None);
        deserializer.deserialize_str(Text(
            "the name of an image, in which stars may stand",
            check,
        ))
    }
}

/// The cgroup to guard: an absolute path, or nothing where the mount's root is meant.
#[derive(Debug)]
pub(super) struct Cgroup(pub(super) Option<PathBuf>);

impl<'de> Deserialize<'de> for Cgroup {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let allowed = "\"auto\" or the absolute path of a cgroup2 directory";
        let check = |text: &str| match text {
            "" | "auto" => Ok(Self(None)),
            path if path.starts_with('/') => Ok(Self(Some(path.into()))),
            _ => Err(None),
        };
        deserializer.deserialize_str(Text(allowed, check))
    }
}

impl<'de> Deserialize<'de> for Fail {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let check = |text: &str| match text {
            "open" => Ok(Self::Open),
            "closed" => Ok(Self::Closed),
            _ => Err(None),
        };
        deserializer.deserialize_str(Text("\"open\" or \"closed\"", check))
    }
}

impl<'de> Deserialize<'de> for HostPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let check = |text: &str| text.parse().map_err(|e| Some(format!("{text:?} is {e}")));
        deserializer.deserialize_str(Text("a host name or `*.` and one", check))
    }
}

/// Where records are fetched from.
#[derive(Debug)]
pub(super) struct FeedUrl(pub(super) Url);

impl<'de> Deserialize<'de> for FeedUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let check = |text: &str| {
            text.parse()
                .map(Self)
                .map_err(|e: BadUrl| Some(e.to_string()))
        };
        deserializer.deserialize_str(Text("an https:// URL", check))
    }
}

/// Whose generations of the index are taken.
#[derive(Debug)]
pub(super) struct TrustedKey(pub(super) PublicKey);

impl<'de> Deserialize<'de> for TrustedKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let check = |text: &str| text.parse().map(Self).map_err(|_| None);
        let allowed = "a public key: `ed25519:` and 32 bytes in base64";
        deserializer.deserialize_str(Text(allowed, check))
    }
}

/// A package URL.
#[derive(Debug)]
pub(super) struct PackageUrl(pub(super) Purl);

impl<'de> Deserialize<'de> for PackageUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let check = |text: &str| {
            let purl: Result<Purl, _> = text.parse();
            purl.map(Self).map_err(|e| Some(format!("{text:?}: {e}")))
        };
        deserializer.deserialize_str(Text(
            "a package URL, as in \"pkg:npm/left-pad@1.3.0\"",
            check,
        ))
    }
}

/// Where a proxy is.
#[derive(Debug)]
pub(super) struct ProxyAddress(pub(super) Authority);

impl<'de> Deserialize<'de> for ProxyAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let check = |text: &str| text.parse().map(Self).map_err(|_| None);
        deserializer.deserialize_str(Text(PROXY, check))
    }
}

const PROXY: &str = "HOST:PORT, as in \"proxy.corp.example:3128\" or \"[::1]:8080\"";

/// The proxy by which upstreams are reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpProxy(pub Authority);

impl FromStr for HttpProxy {
    type Err = Option<String>;

    fn from_str(text: &str) -> Result<Self, Option<String>> {
        let rest = text.strip_prefix("http://").ok_or(None)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains('@') {
            let why = "a user and a password stand in proxy_user and proxy_password_file";
            return Err(Some(why.to_owned()));
        }
        rest.parse().map(Self).map_err(|_| None)
    }
}

impl fmt::Display for HttpProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.0)
    }
}

impl Serialize for HttpProxy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HttpProxy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text("http://HOST:PORT", Self::from_str))
    }
}

/// Who the agent is to that proxy.
#[derive(Debug)]
pub(super) struct ProxyUser(pub(super) String);

impl<'de> Deserialize<'de> for ProxyUser {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let odd = |c: char| c == ':' || c.is_control();
        let check = |text: &str| match text.is_empty() || text.contains(odd) {
            true => Err(None),
            false => Ok(Self(text.to_owned())),
        };
        deserializer.deserialize_str(Text("a user's name, without colons", check))
    }
}

/// What is reached without it.
#[derive(Debug)]
pub(super) struct NoProxy(pub(super) Except);

impl<'de> Deserialize<'de> for NoProxy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let check = |text: &str| text.parse().map(Self).map_err(|_| None);
        let allowed = "a host, `.` and a domain, or a network as ADDRESS/BITS";
        deserializer.deserialize_str(Text(allowed, check))
    }
}

/// Writes values as they are written in a file.
pub(super) fn as_text<T: fmt::Display, S: Serializer>(
    values: &[T],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(T::to_string))
}

/// A TCP port.
#[derive(Debug)]
pub(super) struct Port(pub(super) u16);

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let check = |number| {
            u16::try_from(number)
                .ok()
                .filter(|port| *port != 0)
                .map(Self)
        };
        deserializer.deserialize_i64(Number("a port from 1 to 65535", check))
    }
}

/// The largest body, in bytes.
#[derive(Debug)]
pub(super) struct BodyBytes(pub(super) usize);

impl<'de> Deserialize<'de> for BodyBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let allowed = "a number of bytes from 1024 to 1073741824";
        let range = 1 << 10..=1 << 30;
        let check = |number| {
            usize::try_from(number)
                .ok()
                .filter(|n| range.contains(n))
                .map(Self)
        };
        deserializer.deserialize_i64(Number(allowed, check))
    }
}

/// A string: what is allowed, and a check that may give its own reason.
struct Text<F>(&'static str, F);

impl<T, F: Fn(&str) -> Result<T, Option<String>>> Visitor<'_> for Text<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.1)(text).map_err(|reason| match reason {
            Some(reason) => E::custom(format_args!("{reason}, expected {}", self.0)),
            None => E::invalid_value(Unexpected::Str(text), &self.0),
        })
    }
}

/// An integer: what is allowed, and a check.
struct Number<F>(&'static str, F);

impl<T, F: Fn(i64) -> Option<T>> Visitor<'_> for Number<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        (self.1)(number).ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self.0))
    }
}

/// What the types' own checks allow, for `config schema`.
macro_rules! schema {
    ($type:ty, $name:literal, $schema:tt) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

schema!(Absolute, "Path", {"type": "string", "pattern": "^/"});
schema!(PathPattern, "PathPattern", {"type": "string", "pattern": "^/"});
schema!(ImagePattern, "ImagePattern", {"type": "string", "minLength": 1});
schema!(Cgroup, "Cgroup", {"type": "string", "pattern": "^(/.*|auto)?$"});
schema!(Fail, "Fail", {"type": "string", "enum": ["open", "closed"]});
schema!(HostPattern, "Host", {"type": "string", "pattern": r"^(\*\.)?[A-Za-z0-9_.-]+$"});
schema!(PackageUrl, "PackageUrl", {"type": "string", "pattern": "^pkg:"});
schema!(FeedUrl, "FeedUrl", {"type": "string", "pattern": "^https?://"});
schema!(TrustedKey, "PublicKey", {"type": "string", "pattern": "^ed25519:"});
schema!(ProxyAddress, "ProxyAddress", {"type": "string", "pattern": "^[^/@]+:[0-9]+$"});
schema!(HttpProxy, "HttpProxy", {"type": "string", "pattern": "^http://[^@]+:[0-9]+/?$"});
schema!(ProxyUser, "ProxyUser", {"type": "string", "pattern": "^[^:]+$"});
schema!(NoProxy, "NoProxy", {"type": "string", "minLength": 1});
schema!(Port, "Port", {"type": "integer", "minimum": 1, "maximum": 65535});
schema!(BodyBytes, "Bytes", {"type": "integer", "minimum": 1024, "maximum": 1073741824});
