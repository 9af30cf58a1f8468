//! The services by HTTP/3: each of the lab's sites answers with its own name.

use std::{
    fmt,
    net::UdpSocket,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::Response;
use quinn::{
    Endpoint, EndpointConfig, Incoming, ServerConfig, TokioRuntime,
    crypto::rustls::QuicServerConfig,
};
use rustls::{
    crypto::aws_lc_rs,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::{front::Front, laboratory::Lab};

/// HTTP/3 on all hosts of the net.
#[derive(Debug, Clone, Default)]
pub struct Http3 {
    asked: Arc<Mutex<Vec<String>>>,
}

/// The certificate of whoever is asked for.
struct Certificates(Front);

impl Lab {
    /// Has all sites speak HTTP/3, too.
    ///
    /// # Panics
    /// Where they do already.
    #[must_use]
    pub fn http3(&self) -> Http3 {
        let http3 = Http3::default();
        let socket = self.datagrams(443);
        let certificates = Certificates(self.front().clone());
        self.spawn(http3.clone().serve(socket, certificates));
        http3
    }
}

impl Http3 {
    /// Whose requests arrived, in their order.
    ///
    /// # Panics
    /// After another panic.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    async fn serve(self, socket: UdpSocket, certificates: Certificates) {
        let runtime = Arc::new(TokioRuntime);
        let config = Some(certificates.config());
        let endpoint = Endpoint::new(EndpointConfig::default(), config, socket, runtime);
        let endpoint = endpoint.expect("a socket for tokio");
        while let Some(incoming) = endpoint.accept().await {
            let http3 = self.clone();
            // A client that goes away in the middle is what is tried here.
            tokio::spawn(async move { http3.connection(incoming).await.is_ok() });
        }
    }

    async fn connection(self, incoming: Incoming) -> anyhow::Result<()> {
        let connection = h3_quinn::Connection::new(incoming.await?);
        let mut connection = h3::server::Connection::new(connection).await?;
        while let Some(request) = connection.accept().await? {
            let (request, mut stream) = request.resolve_request().await?;
            let host = request.uri().host().unwrap_or_default().to_owned();
            self.asked.lock().unwrap().push(host.clone());
            stream.send_response(Response::new(())).await?;
            stream.send_data(Bytes::from(host)).await?;
            stream.finish().await?;
        }
        Ok(())
    }
}

impl Certificates {
    fn config(self) -> ServerConfig {
        let mut config =
            rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_protocol_versions(&[&rustls::version::TLS13])
                .expect("TLS 1.3")
                .with_no_client_auth()
                .with_cert_resolver(Arc::new(self));
        config.alpn_protocols = vec![b"h3".to_vec()];
        let crypto = QuicServerConfig::try_from(config).expect("a suite for Initial packets");
        ServerConfig::with_crypto(Arc::new(crypto))
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let site = self.0.site(hello.server_name()?)?;
        site.tls.cert_resolver.resolve(hello)
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}
