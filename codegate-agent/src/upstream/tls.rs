//! TLS to the real service, verified in full for the host that the client named.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use rustls::{
    AlertDescription, CertificateError, ClientConfig, RootCertStore,
    crypto::{
        CryptoProvider,
        aws_lc_rs::{default_provider, kx_group},
    },
};
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{RootsError, own::Own, roots};
use crate::{tls::alpn, trust::Ca};

/// Makes verified TLS connections; sessions are resumed across all it made.
pub struct Connector {
    /// Cloned for each connection with its own ALPN: a dozen reference counts, and the clones
    /// share the verifier and the session store.
    template: ClientConfig,
    own: Own,
}

/// An upstream that proved who it is.
#[derive(Debug)]
pub struct Secured<S> {
    /// The connection.
    pub stream: TlsStream<S>,
    /// The protocol that upstream chose, [`alpn::H2`] or [`alpn::H1`]; `None` if it chose none.
    pub alpn: Option<&'static [u8]>,
}

/// Why there is no TLS with upstream.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamTls {
    /// It could not prove that it is the host.
    #[error("the certificate for {host} is not trusted: {}", in_words(.reason))]
    Untrusted {
        /// The host that was wanted.
        host: String,
        /// What is wrong with the certificate.
        reason: CertificateError,
    },
    /// Neither a host name nor an address.
    #[error("“{0}” is no name that a certificate could carry")]
    BadName(String),
    /// Upstream ended the handshake with an alert.
    #[error("upstream refused the handshake: {0:?}")]
    Refused(AlertDescription),
    /// The two of us could not agree, or upstream broke the protocol.
    #[error("no TLS with upstream: {0}")]
    Protocol(rustls::Error),
    /// The transport failed.
    #[error("the connection failed during the handshake: {0}")]
    Io(io::Error),
    /// The handshake took too long.
    #[error("no TLS handshake within {0:?}")]
    Timeout(Duration),
}

impl Connector {
    /// A connector that trusts the host's roots and those in `extra_roots`, but never `own`.
    ///
    /// # Errors
    /// If a configured root does not serve, or there is no root at all.
    pub fn new(own: &Ca, extra_roots: &[PathBuf]) -> Result<Self, RootsError> {
        Self::with_roots(roots::load(Some(own), extra_roots)?)
    }

    /// Likewise, for who has no access to our authority: none that bears its mark is trusted.
    ///
    /// # Errors
    /// As [`Connector::new`].
    pub fn without_ca(extra_roots: &[PathBuf]) -> Result<Self, RootsError> {
        Self::with_roots(roots::load(None, extra_roots)?)
    }

    pub(super) fn with_roots(roots: RootCertStore) -> Result<Self, RootsError> {
        let template = ClientConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            template,
            own: Own::default(),
        })
    }

    /// Shakes hands as `host` (a DNS name or an address), offering of the client's protocols
    /// those that we speak, in the client's order; no ALPN if it offered none.
    ///
    /// # Errors
    /// See [`UpstreamTls`].
    pub async fn connect<S>(
        &self,
        host: &str,
        offered: &[Vec<u8>],
        stream: S,
        limit: Duration,
    ) -> Result<Secured<S>, UpstreamTls>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| UpstreamTls::BadName(host.to_owned()))?;
        match timeout(limit, self.shake(name, offered, stream)).await {
            Ok(Ok(stream)) => Ok(Secured {
                alpn: chosen(&stream),
                stream,
            }),
            Ok(Err(error)) => Err(UpstreamTls::new(host, error)),
            Err(_elapsed) => Err(UpstreamTls::Timeout(limit)),
        }
    }

    /// Whether a connection that begins with these bytes is one that this connector is making, and that
    /// somebody has sent on.
    #[must_use]
    pub fn is_own(&self, hello: &[u8]) -> bool {
        self.own.is(hello)
    }

    /// The ClientHello is sent by itself, so that it is known before anybody can see it.
    async fn shake<S>(
        &self,
        name: ServerName<'static>,
        offered: &[Vec<u8>],
        stream: S,
    ) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (mut hello, mut taken) = (Vec::new(), Ok(0));
        let mut connecting =
            TlsConnector::from(self.config(offered)).connect_with(name, stream, |connection| {
                taken = connection.write_tls(&mut hello);
            });
        taken?;
        let _under_way = self.own.begin(&hello);
        if let Some(stream) = connecting.get_mut() {
            stream.write_all(&hello).await?;
            stream.flush().await?;
        }
        connecting.await
    }

    fn config(&self, offered: &[Vec<u8>]) -> Arc<ClientConfig> {
        let mut config = self.template.clone();
        config.alpn_protocols = offered
            .iter()
            .filter_map(|protocol| alpn::known(protocol))
            .map(<[u8]>::to_vec)
            .collect();
        Arc::new(config)
    }
}

impl UpstreamTls {
    /// The alert that tells the client best what happened, for [`crate::tls::refuse`].
    #[must_use]
    pub fn alert(&self) -> AlertDescription {
        match self {
            Self::Refused(alert) => *alert,
            Self::Untrusted { .. } => AlertDescription::BadCertificate,
            Self::BadName(_) => AlertDescription::UnrecognisedName,
            Self::Protocol(_) => AlertDescription::HandshakeFailure,
            Self::Io(_) | Self::Timeout(_) => AlertDescription::InternalError,
        }
    }

    fn new(host: &str, error: io::Error) -> Self {
        match error
            .get_ref()
            .and_then(|e| e.downcast_ref::<rustls::Error>())
        {
            Some(rustls::Error::InvalidCertificate(reason)) => Self::Untrusted {
                host: host.to_owned(),
                reason: reason.clone(),
            },
            Some(rustls::Error::AlertReceived(alert)) => Self::Refused(*alert),
            Some(other) => Self::Protocol(other.clone()),
            None => Self::Io(error),
        }
    }
}

/// The clients of today protect what they send against a quantum computer of tomorrow, and it must
/// not lose that by passing through us. An upstream that cannot do it finds a classic share too.
fn provider() -> CryptoProvider {
    let kx_groups = vec![
        kx_group::X25519MLKEM768,
        kx_group::X25519,
        kx_group::SECP256R1,
        kx_group::SECP384R1,
    ];
    CryptoProvider {
        kx_groups,
        ..default_provider()
    }
}

fn chosen<S>(stream: &TlsStream<S>) -> Option<&'static [u8]> {
    let (_, connection) = stream.get_ref();
    connection.alpn_protocol().and_then(alpn::known)
}

/// The common cases in words; the library's own words for the rest.
fn in_words(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => "no authority that this system knows signed it".into(),
        CertificateError::BadSignature => "its signature is wrong".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
#[path = "tls_test.rs"]
mod tests;
