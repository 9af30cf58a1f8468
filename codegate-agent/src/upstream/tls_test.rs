//! Every upstream that does not prove who it is gets refused, with a reason a user understands.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

use rcgen::{ExtendedKeyUsagePurpose, date_time_ymd};
use rustls::{HandshakeKind, ServerConfig};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::TlsAcceptor;

use super::{
    super::lab::{self, Authority, LONG, Own},
    *,
};

const HOST: &str = "api.openai.com";

fn connector(trusted: &Authority) -> Connector {
    let own = Own::new(&[HOST]);
    Connector::with_roots(roots::collect(Some(&own.ca), vec![trusted.der.clone()], &[]).unwrap())
        .unwrap()
}

/// A handshake with a server that says `hi` once it is done.
async fn connect(
    connector: &Connector,
    server: Arc<ServerConfig>,
    host: &str,
    offered: &[&[u8]],
) -> Result<Secured<DuplexStream>, UpstreamTls> {
    let (near, far) = duplex(64 * 1024);
    tokio::spawn(async move {
        if let Ok(mut stream) = TlsAcceptor::from(server).accept(far).await {
            drop(stream.write_all(b"hi").await);
            drop(stream.shutdown().await);
        }
    });
    let offered: Vec<Vec<u8>> = offered.iter().map(|p| p.to_vec()).collect();
    connector.connect(host, &offered, near, LONG).await
}

async fn untrusted(connector: &Connector, server: Arc<ServerConfig>, host: &str) -> String {
    match connect(connector, server, host, &[]).await {
        Err(error @ UpstreamTls::Untrusted { .. }) => error.to_string(),
        other => panic!("{:?}", other.map(|_| "accepted")),
    }
}

#[tokio::test]
async fn a_good_upstream_is_accepted_and_its_sessions_are_resumed() {
    let authority = Authority::new("Good");
    let (connector, server) = (connector(&authority), authority.server(HOST, &[]));
    for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let mut up = connect(&connector, Arc::clone(&server), HOST, &[])
            .await
            .unwrap();
        assert_eq!(up.stream.get_ref().1.handshake_kind(), Some(kind));
        let mut said = String::new();
        up.stream.read_to_string(&mut said).await.unwrap(); // and the tickets with it
        assert_eq!(said, "hi");
    }
}

#[tokio::test]
async fn its_own_handshake_is_known_to_whoever_reads_it_and_only_until_it_is_done() {
    let authority = Authority::new("Good");
    let connector = connector(&authority);
    let (near, mut far) = duplex(64 * 1024);
    let offered: [Vec<u8>; 0] = [];
    let mut shaking = Box::pin(connector.connect(HOST, &offered, near, LONG));
    let mut hello = vec![0; 16 * 1024];
    let read = tokio::select! {
        read = far.read(&mut hello) => read.unwrap(),
        done = &mut shaking => panic!("{:?}", done.map(|_| "accepted")),
    };
    assert!(connector.is_own(&hello[..read]));
    assert!(!connector.is_own(&[&hello[..20], &[0; 100][..]].concat()));
    drop(shaking);
    assert!(!connector.is_own(&hello[..read]));
}

#[tokio::test]
async fn a_session_is_resumed_also_when_another_protocol_is_offered() {
    let authority = Authority::new("Good");
    let connector = connector(&authority);
    let server = authority.server(HOST, &[alpn::H2, alpn::H1]);
    for (offer, kind) in [
        (alpn::H2, HandshakeKind::Full),
        (alpn::H1, HandshakeKind::Resumed),
    ] {
        let mut up = connect(&connector, Arc::clone(&server), HOST, &[offer])
            .await
            .unwrap();
        up.stream.read_to_end(&mut Vec::new()).await.unwrap();
        assert_eq!(up.stream.get_ref().1.handshake_kind(), Some(kind));
        assert_eq!(up.alpn, Some(offer));
    }
}

#[tokio::test]
async fn upstream_may_choose_a_post_quantum_key_or_a_classic_one_at_once() {
    let authority = Authority::new("Good");
    let connector = connector(&authority);
    let server = authority.server(HOST, &[]);
    for group in [kx_group::X25519MLKEM768, kx_group::X25519] {
        let provider = CryptoProvider {
            kx_groups: vec![group],
            ..default_provider()
        };
        let mut only = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&server.cert_resolver));
        only.send_tls13_tickets = 0;
        let up = connect(&connector, Arc::new(only), HOST, &[])
            .await
            .unwrap();
        let connection = up.stream.get_ref().1;
        let chosen = connection.negotiated_key_exchange_group().map(|g| g.name());
        assert_eq!(chosen, Some(group.name()));
        // Neither needed a second ClientHello.
        assert_eq!(connection.handshake_kind(), Some(HandshakeKind::Full));
    }
}

#[tokio::test]
async fn bad_certificates_are_refused_with_their_reason() {
    let good = Authority::new("Good");
    let connector = connector(&good);

    let unknown = Authority::new("Unknown").server(HOST, &[]);
    let said = untrusted(&connector, unknown, HOST).await;
    assert!(
        said.contains("no authority that this system knows"),
        "{said}"
    );

    let said = untrusted(&connector, lab::self_signed(HOST), HOST).await;
    assert!(
        said.contains("no authority that this system knows"),
        "{said}"
    );

    let said = untrusted(&connector, good.server("evil.example", &[]), HOST).await;
    assert!(
        said.contains("not valid for name \"api.openai.com\""),
        "{said}"
    );

    let mut expired = lab::params(HOST);
    expired.not_after = date_time_ymd(2020, 1, 1);
    let said = untrusted(&connector, good.server_with(expired, &[]), HOST).await;
    assert!(said.contains("expired"), "{said}");

    let mut early = lab::params(HOST);
    early.not_before = date_time_ymd(4000, 1, 1);
    let said = untrusted(&connector, good.server_with(early, &[]), HOST).await;
    assert!(said.contains("not valid yet"), "{said}");

    let mut purpose = lab::params(HOST);
    purpose.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let said = untrusted(&connector, good.server_with(purpose, &[]), HOST).await;
    assert!(said.to_lowercase().contains("extended"), "{said}");
}

#[tokio::test]
async fn our_own_ca_is_never_trusted_upstream() {
    let (own, good) = (Own::new(&[HOST]), Authority::new("Good"));
    let leaf = own.leaves.leaf(HOST).unwrap();
    let file = own.file("extra.pem", &own.ca.pem());
    let root = CertificateDer::from_pem_file(&file).unwrap();
    // Installed into the system store and configured: root, and intermediate as a root.
    let native = vec![good.der.clone(), root, leaf.cert.get(1).unwrap().clone()];
    let store = roots::collect(Some(&own.ca), native, &[file]).unwrap();
    assert_eq!(store.len(), 1);

    let mut server = ServerConfig::builder()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(
            (*leaf).clone(),
        )));
    server.alpn_protocols = vec![];
    let connector = Connector::with_roots(store).unwrap();
    let said = untrusted(&connector, Arc::new(server), HOST).await;
    assert!(
        said.contains("no authority that this system knows"),
        "{said}"
    );
}

#[test]
fn an_earlier_generation_of_ours_is_not_trusted_either() {
    let (own, earlier, good) = (Own::new(&[HOST]), Own::new(&[HOST]), Authority::new("Good"));
    let root = CertificateDer::from_pem_file(earlier.pem()).unwrap();
    assert_eq!(
        roots::collect(Some(&own.ca), vec![root, good.der], &[])
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn configured_roots_must_serve() {
    let (own, good) = (Own::new(&[HOST]), Authority::new("Good"));
    let extra = own.file("good.pem", &good.pem);
    assert_eq!(
        roots::collect(Some(&own.ca), vec![], &[extra])
            .unwrap()
            .len(),
        1
    );

    let missing = own.pem().with_file_name("missing.pem");
    let error = roots::collect(Some(&own.ca), vec![], &[missing]).unwrap_err();
    assert!(matches!(error, RootsError::Unreadable { .. }), "{error}");
    let empty = own.file("empty.pem", "nothing here");
    let error = roots::collect(Some(&own.ca), vec![], &[empty]).unwrap_err();
    assert!(matches!(error, RootsError::Unusable { .. }), "{error}");
    assert!(matches!(
        roots::collect(Some(&own.ca), vec![], &[]),
        Err(RootsError::None)
    ));
}

#[tokio::test]
async fn a_transport_that_fails_is_not_a_certificate_that_fails() {
    let connector = connector(&Authority::new("Good"));
    let (near, far) = duplex(1024);
    drop(far);
    let closed = connector.connect(HOST, &[], near, LONG).await.map(|_| ());
    assert!(matches!(closed, Err(UpstreamTls::Io(_))), "{closed:?}");

    let (near, _far) = duplex(64 * 1024);
    let silent = connector
        .connect(HOST, &[], near, Duration::from_millis(20))
        .await
        .map(|_| ());
    assert!(matches!(silent, Err(UpstreamTls::Timeout(_))), "{silent:?}");

    let (near, mut far) = duplex(64 * 1024);
    far.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        .await
        .unwrap();
    let plain = connector.connect(HOST, &[], near, LONG).await.map(|_| ());
    assert!(matches!(plain, Err(UpstreamTls::Protocol(_))), "{plain:?}");
}

#[tokio::test]
async fn upstream_s_alert_is_kept_for_the_client() {
    let good = Authority::new("Good");
    let connector = connector(&good);
    let server = good.server(HOST, &[alpn::H2]);
    let refused = connect(&connector, server, HOST, &[alpn::H1])
        .await
        .unwrap_err();
    assert_eq!(
        refused.alert(),
        AlertDescription::NoApplicationProtocol,
        "{refused}"
    );
}
