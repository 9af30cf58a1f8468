//! The client's side of TLS: shows a leaf of ours, and tells a client that does not believe us
//! from a connection that broke.
//!
//! Knows: TLS. Must not know: how leaves are made, HTTP, who is guarded. It comes after upstream's
//! handshake, so that the client gets the protocol that upstream chose.
//!
//! Node sends no alert when it does not trust a certificate, it hangs up: that cannot be told from
//! any other end, and nothing must be learned from it.

pub mod alpn;
mod refuse;

#[cfg(test)]
mod clients_test;

use std::{io, sync::Arc, time::Duration};

use rustls::{
    AlertDescription, ServerConfig,
    crypto::aws_lc_rs::{Ticketer, default_provider},
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

pub use self::refuse::refuse;

/// Terminates clients' TLS; one for the process, since the keys of its session tickets are shared.
///
/// Tickets are stateless. rustls resumes a ticket only for the SNI it was made for, and chooses
/// the ALPN anew in each handshake, so a resumed client also gets what upstream chose this time.
pub struct Terminator {
    /// Cloned for each connection with its own leaf and ALPN: cheaper than a lookup by both.
    template: ServerConfig,
}

/// Why a client's handshake did not complete.
#[derive(Debug, thiserror::Error)]
pub enum ClientTls {
    /// The client said that it does not believe our certificate: the only sign of distrust that
    /// may be learned from.
    #[error("the client does not trust our certificate: {0:?}")]
    Untrusted(AlertDescription),
    /// The client ended the handshake with another alert.
    #[error("the client refused the handshake: {0:?}")]
    Refused(AlertDescription),
    /// The two of us could not agree, or the client broke the protocol.
    #[error("no TLS with the client: {0}")]
    Protocol(rustls::Error),
    /// The connection ended or broke: this says nothing about trust.
    #[error("the connection failed during the handshake: {0}")]
    Io(io::Error),
    /// The handshake took too long.
    #[error("no TLS handshake within {0:?}")]
    Timeout(Duration),
}

impl Terminator {
    /// Makes the ticket keys.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn new() -> Result<Self, rustls::Error> {
        let mut template = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(NoLeaf));
        template.session_storage = Arc::new(NoServerSessionStorage {});
        template.ticketer = Ticketer::new()?;
        Ok(Self { template })
    }

    /// Completes the handshake with `leaf`, speaking exactly the protocol `alpn` (none: no ALPN).
    ///
    /// `stream` begins with the ClientHello: a [`crate::hello::Replay`] where it was read already.
    ///
    /// # Errors
    /// See [`ClientTls`].
    pub async fn accept<S>(
        &self,
        stream: S,
        leaf: Arc<CertifiedKey>,
        alpn: Option<&[u8]>,
        limit: Duration,
    ) -> Result<TlsStream<S>, ClientTls>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let accepting = TlsAcceptor::from(self.config(leaf, alpn)).accept(stream);
        match tokio::time::timeout(limit, accepting).await {
            Ok(result) => result.map_err(ClientTls::new),
            Err(_elapsed) => Err(ClientTls::Timeout(limit)),
        }
    }

    fn config(&self, leaf: Arc<CertifiedKey>, alpn: Option<&[u8]>) -> Arc<ServerConfig> {
        let mut config = self.template.clone();
        config.cert_resolver = Arc::new(Leaf(leaf));
        config.alpn_protocols = alpn.into_iter().map(<[u8]>::to_vec).collect();
        Arc::new(config)
    }
}

impl ClientTls {
    fn new(error: io::Error) -> Self {
        match rustls_error(&error) {
            Some(rustls::Error::AlertReceived(alert)) if is_distrust(*alert) => {
                Self::Untrusted(*alert)
            }
            Some(rustls::Error::AlertReceived(alert)) => Self::Refused(*alert),
            Some(other) => Self::Protocol(other.clone()),
            None => Self::Io(error),
        }
    }
}

/// The alert by which a client said that it does not trust us, if that is what ended the stream.
///
/// Some clients finish the handshake first: then the alert is the error of the first read.
#[must_use]
pub fn distrust(error: &io::Error) -> Option<AlertDescription> {
    match rustls_error(error) {
        Some(rustls::Error::AlertReceived(alert)) if is_distrust(*alert) => Some(*alert),
        _ => None,
    }
}

/// The alerts that judge a certificate (RFC 8446, section 6.2).
fn is_distrust(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
    )
}

fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// The one leaf of a connection.
#[derive(Debug)]
struct Leaf(Arc<CertifiedKey>);

impl ResolvesServerCert for Leaf {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// What stands in the template, where no connection comes by.
#[derive(Debug)]
struct NoLeaf;

impl ResolvesServerCert for NoLeaf {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}
