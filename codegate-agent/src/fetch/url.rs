//! Addresses of files: HTTPS, or plain HTTP to this machine itself.

use std::{fmt, net::IpAddr, str::FromStr};

use http::Uri;
use serde::{Serialize, Serializer};

/// An address that may be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url(Uri);

/// Why an address may not be fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// It is no address at all.
    #[error("{0:?} is no URL")]
    Syntax(String),
    /// It could be changed on its way.
    #[error("{0:?} is not https:// (http:// is taken for this machine's own addresses only)")]
    Plain(String),
    /// Passwords do not belong in addresses.
    #[error("the URL has a user name in it")]
    User,
}

impl Url {
    /// OSV's public bucket.
    pub fn osv() -> Self {
        Self(Uri::from_static(
            "https://osv-vulnerabilities.storage.googleapis.com/",
        ))
    }

    /// The host, without the brackets of an address of IPv6.
    pub(super) fn host(&self) -> &str {
        let host = self.0.host().unwrap_or_default();
        host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The host as it stands there, with the brackets of an address of IPv6.
    pub(super) fn authority_host(&self) -> &str {
        self.0.host().unwrap_or_default()
    }

    pub(super) fn port(&self) -> u16 {
        let usual = if self.is_tls() { 443 } else { 80 };
        self.0.port_u16().unwrap_or(usual)
    }

    pub(super) fn is_tls(&self) -> bool {
        self.0.scheme_str() == Some("https")
    }

    pub(super) fn authority(&self) -> &str {
        self.0
            .authority()
            .map_or("", |authority| authority.as_str())
    }

    pub(super) fn path_and_query(&self) -> &str {
        self.0.path_and_query().map_or("/", |path| path.as_str())
    }

    /// The address of a file below this one, which may end in a slash or not.
    ///
    /// # Errors
    /// If the path makes it none.
    pub fn join(&self, path: &str) -> Result<Self, BadUrl> {
        format!("{}/{path}", self.to_string().trim_end_matches('/')).parse()
    }

    /// The address of a file beside this one.
    ///
    /// # Errors
    /// If the name makes it none.
    pub fn beside(&self, name: &str) -> Result<Self, BadUrl> {
        let text = self.to_string();
        let folder = text.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{folder}/{name}").parse()
    }

    /// Where a redirect leads; it never leads from HTTPS to HTTP.
    pub(super) fn redirect(&self, location: &str) -> Result<Self, BadUrl> {
        let to: Self = match location.strip_prefix('/') {
            Some(rest) if !rest.starts_with('/') => {
                let scheme = self.0.scheme_str().unwrap_or("https");
                format!("{scheme}://{}{location}", self.authority()).parse()?
            }
            _ => location.parse()?,
        };
        match self.is_tls() && !to.is_tls() {
            true => Err(BadUrl::Plain(location.to_owned())),
            false => Ok(to),
        }
    }
}

impl FromStr for Url {
    type Err = BadUrl;

    fn from_str(text: &str) -> Result<Self, BadUrl> {
        let uri: Uri = text.parse().map_err(|_| BadUrl::Syntax(text.to_owned()))?;
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if authority.contains('@') {
            return Err(BadUrl::User);
        }
        let url = Self(uri);
        match url.0.scheme_str() {
            Some("https") if !url.host().is_empty() => Ok(url),
            Some("http") if is_here(url.host()) => Ok(url),
            Some("http") => Err(BadUrl::Plain(text.to_owned())),
            _ => Err(BadUrl::Syntax(text.to_owned())),
        }
    }
}

fn is_here(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

impl Serialize for Url {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_fetched() {
        for good in [
            "https://a.test/b",
            "https://a.test:8443",
            "http://127.0.0.1:80/x",
            "http://[::1]/x",
        ] {
            assert_eq!(good.parse::<Url>().map(|_| ()), Ok(()), "{good}");
        }
        for bad in [
            "http://a.test",
            "ftp://a.test",
            "a.test/b",
            "/x",
            "",
            "https://u:p@a.test/",
            "https://",
        ] {
            assert!(bad.parse::<Url>().is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_are_put_together() {
        let base: Url = "https://a.test/b/".parse().unwrap();
        assert_eq!(
            base.join("c/d").unwrap().to_string(),
            "https://a.test/b/c/d"
        );
        let file = base.join("x.json").unwrap();
        assert_eq!(file.beside("y").unwrap().to_string(), "https://a.test/b/y");
        let to = |location| file.redirect(location).map(|url| url.to_string());
        assert_eq!(to("/z"), Ok("https://a.test/z".into()));
        assert_eq!(to("https://b.test/z"), Ok("https://b.test/z".into()));
        assert!(to("http://127.0.0.1/z").is_err());
        assert!(to("//b.test/z").is_err());
    }
}
