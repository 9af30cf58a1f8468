//! Through a company's proxy to the real service: a tunnel that the agent asks for itself (`CONNECT`, RFC
//! 9110, section 9.3.6).
//!
//! The password is in no message and in no log. What a proxy says is shown, made harmless.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::Path,
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::lookup_host,
    time::timeout,
};

use crate::{
    config::Upstream,
    proxy::{self, Answer, Authority, Credentials, CredentialsError, Except, HeadError},
};

/// How long the resolver may take to find the proxy.
const LOOKUP: Duration = Duration::from_secs(10);

/// Why the proxy gives no tunnel.
#[derive(Debug, thiserror::Error)]
pub enum ThroughError {
    /// It wants to know who asks, or does not believe it.
    #[error("the proxy {proxy} wants other credentials ({said}): see [upstream] proxy_user")]
    Credentials {
        /// The proxy.
        proxy: Authority,
        /// Its status line.
        said: String,
    },
    /// It does not want to, or cannot.
    #[error("the proxy {proxy} gives no tunnel to {to}: {said}")]
    Refused {
        /// The proxy.
        proxy: Authority,
        /// The service.
        to: Authority,
        /// Its status line.
        said: String,
    },
    /// It said nothing in time.
    #[error("the proxy {proxy} did not answer within {limit:?}")]
    Silent {
        /// The proxy.
        proxy: Authority,
        /// The limit.
        limit: Duration,
    },
    /// It is no proxy, or broke off.
    #[error("the proxy {proxy}: {source}")]
    Answer {
        /// The proxy.
        proxy: Authority,
        /// What is wrong with its answer.
        source: HeadError,
    },
    /// It speaks before the service was asked anything.
    #[error("the proxy {proxy} speaks where the service should")]
    Forward {
        /// The proxy.
        proxy: Authority,
    },
    /// It cannot be reached.
    #[error("the proxy {proxy} cannot be reached: {source}")]
    Dial {
        /// The proxy.
        proxy: Authority,
        /// What the network, or the resolver, said.
        source: io::Error,
    },
}

/// The way through a company's proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Through {
    /// The proxy.
    pub proxy: Authority,
    credentials: Option<Credentials>,
    except: Vec<Except>,
}

/// Why there is no such way, though one was chosen.
#[derive(Debug, thiserror::Error)]
pub enum BadThrough {
    /// Credentials are a name and a password.
    #[error("[upstream] proxy_user and proxy_password_file go together, and with a proxy")]
    Half,
    /// The password cannot be had.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
}

impl Through {
    /// The way that was chosen; `None` is the direct one.
    ///
    /// # Errors
    /// See [`BadThrough`].
    pub fn of(chosen: &Upstream) -> Result<Option<Self>, BadThrough> {
        Self::check(chosen)?;
        let Some(proxy) = &chosen.proxy else {
            return Ok(None);
        };
        let credentials = chosen
            .proxy_user
            .as_deref()
            .zip(chosen.proxy_password_file.as_deref());
        let load = |(user, file): (&str, &Path)| Credentials::load(user, file);
        Ok(Some(Self {
            proxy: proxy.0.clone(),
            credentials: credentials.map(load).transpose()?,
            except: chosen.no_proxy.clone(),
        }))
    }

    /// Whether what was chosen fits together, as far as that can be told without the right to read the password.
    ///
    /// # Errors
    /// [`BadThrough::Half`].
    pub fn check(chosen: &Upstream) -> Result<(), BadThrough> {
        let user = chosen.proxy_user.is_some();
        let is_whole = user == chosen.proxy_password_file.is_some();
        let is_used = !user || chosen.proxy.is_some();
        (is_whole && is_used).then_some(()).ok_or(BadThrough::Half)
    }

    /// Whether it is the way to a service, by its name and, where that is known, its address. The machine
    /// itself is never reached so: a proxy's own machine is another one.
    #[must_use]
    pub fn is_for(&self, name: &str, address: Option<IpAddr>) -> bool {
        let address = address.map(|address| address.to_canonical());
        let here = name == "localhost" || address.is_some_and(|address| address.is_loopback());
        !here
            && !self
                .except
                .iter()
                .any(|except| except.is_for(name, address))
    }

    /// The addresses of the proxy.
    ///
    /// # Errors
    /// [`ThroughError::Dial`] if it has none.
    pub async fn addresses(&self) -> Result<Vec<SocketAddr>, ThroughError> {
        let host = self.proxy.host.to_string();
        let found = timeout(LOOKUP, lookup_host((host.as_str(), self.proxy.port))).await;
        let found = found.unwrap_or_else(|_elapsed| Err(io::ErrorKind::TimedOut.into()));
        let found: Vec<_> = found.map_err(|source| self.not_reached(source))?.collect();
        if found.is_empty() {
            return Err(self.not_reached(io::ErrorKind::NotFound.into()));
        }
        Ok(found)
    }

    /// For `map_err`: the proxy cannot be reached.
    pub fn not_reached(&self, source: io::Error) -> ThroughError {
        ThroughError::Dial {
            proxy: self.proxy.clone(),
            source,
        }
    }

    /// Has the proxy at the other end of `stream` open a tunnel `to` a service.
    ///
    /// # Errors
    /// See [`ThroughError`].
    pub async fn tunnel<S>(
        &self,
        stream: &mut S,
        to: &Authority,
        limit: Duration,
    ) -> Result<(), ThroughError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        tunnel(stream, &self.proxy, to, self.credentials.as_ref(), limit).await
    }
}

async fn tunnel<S>(
    stream: &mut S,
    proxy: &Authority,
    to: &Authority,
    credentials: Option<&Credentials>,
    limit: Duration,
) -> Result<(), ThroughError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let asking = async {
        let request = proxy::connect(to, credentials);
        stream.write_all(&request).await?;
        stream.flush().await?;
        proxy::read_answer(stream).await
    };
    let proxy = proxy.clone();
    let answer = match timeout(limit, asking).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(source)) => return Err(ThroughError::Answer { proxy, source }),
        Err(_elapsed) => return Err(ThroughError::Silent { proxy, limit }),
    };
    judge(&answer, proxy, to)
}

fn judge(answer: &Answer, proxy: Authority, to: &Authority) -> Result<(), ThroughError> {
    let said = answer.status_line();
    match answer.status {
        200..=299 if answer.rest.is_empty() => Ok(()),
        200..=299 => Err(ThroughError::Forward { proxy }),
        // Some proxies say 401 where they do not believe what they have been told.
        401 | 407 => Err(ThroughError::Credentials { proxy, said }),
        _ => Err(ThroughError::Refused {
            proxy,
            to: to.clone(),
            said,
        }),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use tokio::io::{AsyncReadExt, duplex};

    use super::*;

    #[test]
    fn credentials_are_whole_or_none_and_belong_to_a_proxy() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("password");
        std::fs::write(&file, "correct-horse\n").unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap();
        let proxy = Some("http://proxy.corp:3128".parse().unwrap());
        let (user, file) = (Some("ada".to_owned()), Some(file));
        let of = |proxy: &Option<_>, proxy_user: &Option<_>, proxy_password_file: &Option<_>| {
            let chosen = Upstream {
                proxy: Option::clone(proxy),
                proxy_user: Option::clone(proxy_user),
                proxy_password_file: Option::clone(proxy_password_file),
                ..Upstream::default()
            };
            let (checked, made) = (Through::check(&chosen), Through::of(&chosen));
            assert_eq!(checked.is_ok(), made.is_ok());
            made
        };
        let whole = of(&proxy, &user, &file).unwrap().unwrap();
        assert!(!format!("{whole:?}").contains("correct"));
        assert!(of(&proxy, &None, &None).unwrap().is_some());
        assert!(of(&None, &None, &None).unwrap().is_none());
        for half in [
            of(&proxy, &user, &None),
            of(&proxy, &None, &file),
            of(&None, &user, &file),
        ] {
            assert!(matches!(half, Err(BadThrough::Half)));
        }
    }

    #[test]
    fn what_is_excepted_and_the_machine_itself_is_reached_direct() {
        let through = Through::of(&Upstream {
            proxy: Some("http://proxy.corp:3128".parse().unwrap()),
            no_proxy: vec![".corp".parse().unwrap(), "10.0.0.0/8".parse().unwrap()],
            ..Upstream::default()
        });
        let through = through.unwrap().unwrap();
        for (name, address, expected) in [
            ("api.openai.com", Some("192.0.2.1"), true),
            ("api.openai.com", None, true),
            ("api.openai.com", Some("10.1.2.3"), false),
            ("llm.corp", Some("192.0.2.1"), false),
            ("llm.corp", None, false),
            ("localhost", None, false),
            ("api.openai.com", Some("127.0.0.2"), false),
            ("api.openai.com", Some("::1"), false),
        ] {
            let address = address.map(|address| address.parse().unwrap());
            assert_eq!(
                through.is_for(name, address),
                expected,
                "{name} {address:?}"
            );
        }
    }

    const LIMIT: Duration = Duration::from_millis(200);

    /// What a proxy is asked, and what becomes of its answer; without one it hangs.
    async fn asked(answer: Option<&str>) -> (String, Result<(), ThroughError>) {
        let (mut near, mut far) = duplex(64 * 1024);
        let answer = answer.map(str::to_owned);
        let proxy = tokio::spawn(async move {
            let mut request = vec![0; 1024];
            let read = far.read(&mut request).await.unwrap();
            if let Some(answer) = answer {
                far.write_all(answer.as_bytes()).await.unwrap();
                return (String::from_utf8_lossy(&request[..read]).into_owned(), None);
            }
            (
                String::from_utf8_lossy(&request[..read]).into_owned(),
                Some(far),
            )
        });
        let credentials = Credentials::basic("ada", "correct-horse");
        let (at, to) = ("proxy.corp:3128", "api.openai.com:443");
        let opened = tunnel(
            &mut near,
            &at.parse().unwrap(),
            &to.parse().unwrap(),
            Some(&credentials),
            LIMIT,
        )
        .await;
        let (request, _open) = proxy.await.unwrap();
        (request, opened)
    }

    #[tokio::test]
    async fn a_tunnel_is_asked_for_with_credentials() {
        let (request, opened) = asked(Some("HTTP/1.1 200 OK\r\n\r\n")).await;
        opened.unwrap();
        assert_eq!(
            request,
            "CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n\
             Proxy-Authorization: Basic YWRhOmNvcnJlY3QtaG9yc2U=\r\n\r\n"
        );
    }

    #[tokio::test]
    async fn each_failure_says_what_is_wrong_and_never_the_password() {
        for (answer, expected) in [
            (
                Some("HTTP/1.1 407 Who are you\r\n\r\n"),
                "the proxy proxy.corp:3128 wants other credentials (407 Who are you): \
                 see [upstream] proxy_user",
            ),
            (
                Some("HTTP/1.0 503 No \x1b[31mway\r\nx: y\r\n\r\n"),
                "the proxy proxy.corp:3128 gives no tunnel to api.openai.com:443: 503 No [31mway",
            ),
            (
                Some("HTTP/1.1 200 OK\r\n\r\nhello"),
                "the proxy proxy.corp:3128 speaks where the service should",
            ),
            (
                Some("SSH-2.0-x\r\n\r\n"),
                "the proxy proxy.corp:3128: no answer of HTTP/1.x",
            ),
            (
                Some("HTTP/1.1 2"),
                "the proxy proxy.corp:3128: closed within a head, after 10 bytes",
            ),
            (
                None,
                "the proxy proxy.corp:3128 did not answer within 200ms",
            ),
        ] {
            let error = asked(answer).await.1.unwrap_err();
            assert_eq!(error.to_string(), expected);
            assert!(!format!("{error:?}").contains("correct-horse"));
        }
    }
}
