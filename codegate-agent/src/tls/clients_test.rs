//! Clients against the terminator, real ones where their behaviour is the point.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests panic"
)]

use std::{path::Path, process::Stdio};

use rustls::{ClientConfig, HandshakeKind, RootCertStore};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    net::{TcpListener, TcpStream},
    process::Command,
    task::JoinHandle,
};
use tokio_rustls::TlsConnector;

use super::*;
use crate::{
    hello::{self, Greeting, Replay},
    upstream::{
        Connector, UpstreamTls,
        lab::{Authority, LONG, Own},
    },
};

const HOST: &str = "api.openai.com";
const OTHER: &str = "api.anthropic.com";

/// The guard's side on a loopback port: terminates `count` connections, each for the host it
/// names, says `ok` and hangs up.
struct Guard {
    own: Own,
    port: u16,
    results: JoinHandle<Vec<Result<(), ClientTls>>>,
}

impl Guard {
    async fn start(count: usize) -> Self {
        let own = Own::new(&[HOST, OTHER]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let leaves = crate::trust::Leaves::new(Arc::clone(&own.ca)).unwrap();
        let results = tokio::spawn(async move {
            let terminator = Terminator::new().unwrap();
            let mut results = Vec::new();
            for _ in 0..count {
                let (stream, _) = listener.accept().await.unwrap();
                results.push(terminate(&terminator, &leaves, stream).await);
            }
            results
        });
        Self { own, port, results }
    }

    async fn results(self) -> Vec<Result<(), ClientTls>> {
        tokio::time::timeout(2 * LONG, self.results)
            .await
            .expect("all clients came")
            .unwrap()
    }

    async fn result(self) -> Result<(), ClientTls> {
        self.results().await.pop().unwrap()
    }
}

async fn terminate(
    terminator: &Terminator,
    leaves: &crate::trust::Leaves,
    mut stream: TcpStream,
) -> Result<(), ClientTls> {
    let Ok(Greeting::Tls(hello)) = hello::read(&mut stream, LONG).await else {
        panic!("no ClientHello");
    };
    let leaf = leaves.leaf(&hello.sni.unwrap()).unwrap();
    let stream = Replay::new(hello.raw, stream);
    let mut stream = terminator
        .accept(stream, leaf, None, Duration::from_millis(500))
        .await?;
    drop(stream.write_all(b"ok\n").await);
    drop(stream.shutdown().await);
    drop(stream.read_to_end(&mut Vec::new()).await);
    Ok(())
}

async fn run(mut command: Command) -> String {
    let name = command
        .as_std()
        .get_program()
        .to_string_lossy()
        .into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap_or_else(|e| panic!("{name} is needed (`cargo xtask setup` installs it): {e}"));
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).to_lowercase()
}

fn curl(port: u16) -> Command {
    let mut curl = Command::new("curl");
    curl.args([
        "-sS",
        "-q",
        "--noproxy",
        "*",
        "--max-time",
        "10",
        "--resolve",
    ]);
    curl.arg(format!("{HOST}:{port}:127.0.0.1"))
        .arg(format!("https://{HOST}:{port}/"));
    curl
}

fn openssl(guard: &Guard, host: &str) -> Command {
    let mut openssl = Command::new("openssl");
    openssl
        .args(["s_client", "-ign_eof", "-connect"])
        .arg(format!("127.0.0.1:{}", guard.port));
    openssl
        .args(["-servername", host, "-verify_return_error", "-CAfile"])
        .arg(guard.own.pem());
    openssl
}

#[tokio::test]
async fn only_an_alert_about_the_certificate_is_distrust() {
    let guard = Guard::start(1).await;
    let said = run(curl(guard.port)).await;
    assert!(said.contains("curl: (60)"), "{said}");
    match guard.result().await {
        Err(ClientTls::Untrusted(AlertDescription::UnknownCA)) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn python_s_distrust_is_seen_too() {
    const SCRIPT: &str = "\
import socket, ssl, sys
raw = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10)
ssl.create_default_context().wrap_socket(raw, server_hostname='api.openai.com')
";
    let guard = Guard::start(1).await;
    let mut python = Command::new("python3");
    python
        .args(["-I", "-c", SCRIPT, &guard.port.to_string()])
        .env_remove("SSL_CERT_FILE");
    let said = run(python).await;
    assert!(said.contains("certificate_verify_failed"), "{said}");
    assert!(matches!(guard.result().await, Err(ClientTls::Untrusted(_))));
}

#[tokio::test]
async fn node_s_distrust_is_not_seen() {
    const SCRIPT: &str = "\
require('tls').connect({host: '127.0.0.1', port: process.argv[1], servername: 'api.openai.com'})
  .on('error', (error) => { console.log(error.code); process.exit(0); });
";
    let guard = Guard::start(1).await;
    let mut node = Command::new("node");
    node.args(["-e", SCRIPT, &guard.port.to_string()]);
    node.env_remove("NODE_EXTRA_CA_CERTS")
        .env_remove("NODE_OPTIONS");
    let said = run(node).await;
    assert!(said.contains("unable_to_get_issuer_cert_locally"), "{said}");
    match guard.result().await {
        Err(ClientTls::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_or_is_silent_is_not_distrust() {
    let hello = client_hello();

    let guard = Guard::start(1).await;
    let mut stream = TcpStream::connect(("127.0.0.1", guard.port)).await.unwrap();
    stream.write_all(&hello).await.unwrap();
    stream.read_exact(&mut [0; 100]).await.unwrap();
    socket2::SockRef::from(&stream)
        .set_linger(Some(Duration::ZERO))
        .unwrap(); // a reset
    drop(stream);
    assert!(matches!(guard.result().await, Err(ClientTls::Io(_))));

    let guard = Guard::start(1).await;
    let mut stream = TcpStream::connect(("127.0.0.1", guard.port)).await.unwrap();
    stream.write_all(&hello).await.unwrap();
    stream.shutdown().await.unwrap(); // an end
    assert!(matches!(guard.result().await, Err(ClientTls::Io(_))));

    let guard = Guard::start(1).await;
    let mut stream = TcpStream::connect(("127.0.0.1", guard.port)).await.unwrap();
    stream.write_all(&hello).await.unwrap(); // and silence
    assert!(matches!(guard.result().await, Err(ClientTls::Timeout(_))));
}

#[tokio::test]
async fn other_alerts_and_broken_tls_are_told_apart() {
    let alert = |code: u8| [21, 3, 3, 0, 2, 2, code];
    type Expected = fn(&ClientTls) -> bool;
    let cases: [(&[u8], Expected); 3] = [
        (&alert(48), |e| {
            matches!(e, ClientTls::Untrusted(AlertDescription::UnknownCA))
        }),
        (&alert(80), |e| {
            matches!(e, ClientTls::Refused(AlertDescription::InternalError))
        }),
        (b"GET / HTTP/1.1\r\n\r\n", |e| {
            matches!(e, ClientTls::Protocol(_))
        }),
    ];
    for (answer, expected) in cases {
        let guard = Guard::start(1).await;
        let mut stream = TcpStream::connect(("127.0.0.1", guard.port)).await.unwrap();
        stream.write_all(&client_hello()).await.unwrap();
        stream.read_exact(&mut [0; 100]).await.unwrap();
        stream.write_all(answer).await.unwrap();
        let error = guard.result().await.unwrap_err();
        assert!(expected(&error), "{error:?}");
    }
}

#[tokio::test]
async fn sessions_are_resumed_for_the_same_host_only() {
    for version in ["-tls1_2", "-tls1_3"] {
        let guard = Guard::start(3).await;
        let session = guard.own.file("session", "");
        let connect = |host: &'static str, option: &'static str| {
            let mut openssl = openssl(&guard, host);
            openssl.args([version, option]).arg(&session);
            run(openssl)
        };
        let first = connect(HOST, "-sess_out").await;
        assert!(first.contains("new, tlsv1"), "{version}: {first}");
        let again = connect(HOST, "-sess_in").await;
        assert!(again.contains("reused, tlsv1"), "{version}: {again}");
        let other = connect(OTHER, "-sess_in").await;
        assert!(other.contains("new, tlsv1"), "{version}: {other}");
        assert!(guard.results().await.iter().all(Result::is_ok));
    }
}

#[tokio::test]
async fn a_resumed_client_gets_the_protocol_upstream_chose_this_time() {
    let own = Own::new(&[HOST]);
    let (terminator, leaf) = (Terminator::new().unwrap(), own.leaves.leaf(HOST).unwrap());
    let client = client(own.pem(), &[alpn::H2, alpn::H1]);
    let rounds = [
        (Some(alpn::H2), HandshakeKind::Full),
        (Some(alpn::H1), HandshakeKind::Resumed),
        (None, HandshakeKind::Resumed),
    ];
    for (chosen, kind) in rounds {
        let (near, far) = duplex(64 * 1024);
        let connecting = client.connect(HOST.try_into().unwrap(), near);
        let accepting = terminator.accept(far, Arc::clone(&leaf), chosen, LONG);
        let (client, server) = tokio::join!(connecting, accepting);
        let (mut client, mut server) = (client.unwrap(), server.unwrap());
        server.shutdown().await.unwrap();
        client.read_to_end(&mut Vec::new()).await.unwrap(); // takes the tickets in
        assert_eq!(client.get_ref().1.alpn_protocol(), chosen);
        assert_eq!(client.get_ref().1.handshake_kind(), Some(kind));
    }
}

/// The whole way: ClientHello, upstream's handshake, then ours.
async fn pass(offered: &[&[u8]], spoken: &[&[u8]]) -> Result<[Option<Vec<u8>>; 2], UpstreamTls> {
    let (own, authority) = (Own::new(&[HOST]), Authority::new("Upstream"));
    let extra = own.file("upstream.pem", &authority.pem);
    let connector = Connector::new(&own.ca, &[extra]).unwrap();
    let (client_near, mut client_far) = duplex(64 * 1024);
    let (upstream_near, upstream_far) = duplex(64 * 1024);

    let client = client(own.pem(), offered);
    let client = tokio::spawn(client.connect(HOST.try_into().unwrap(), client_near));
    let upstream = TlsAcceptor::from(authority.server(HOST, spoken));
    let upstream = tokio::spawn(upstream.accept(upstream_far));

    let Ok(Greeting::Tls(hello)) = hello::read(&mut client_far, LONG).await else {
        panic!("no ClientHello");
    };
    let up = connector
        .connect(HOST, &hello.alpn, upstream_near, LONG)
        .await?;
    let stream = Replay::new(hello.raw, client_far);
    let leaf = own.leaves.leaf(HOST).unwrap();
    let down = Terminator::new()
        .unwrap()
        .accept(stream, leaf, up.alpn, LONG)
        .await
        .unwrap();

    let client = client.await.unwrap().unwrap();
    let Ok(upstream) = upstream.await.unwrap() else {
        panic!("upstream's handshake")
    };
    assert_eq!(upstream.get_ref().1.alpn_protocol(), up.alpn);
    assert_eq!(down.get_ref().1.alpn_protocol(), up.alpn);
    let chosen = client.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
    Ok([chosen, up.alpn.map(<[u8]>::to_vec)])
}

#[tokio::test]
async fn the_client_gets_what_upstream_chose() {
    type Protocols = &'static [&'static [u8]];
    let both: Protocols = &[alpn::H2, alpn::H1];
    let h1: Protocols = &[alpn::H1];
    let rows: [(Protocols, Protocols, Option<&[u8]>); 9] = [
        (both, both, Some(alpn::H2)),
        (both, h1, Some(alpn::H1)),
        (both, &[], None),
        (h1, both, Some(alpn::H1)),
        (h1, h1, Some(alpn::H1)),
        (h1, &[], None),
        (&[], both, None),
        (&[], h1, None),
        (&[], &[], None),
    ];
    for (offered, spoken, expected) in rows {
        let [client, upstream] = pass(offered, spoken).await.unwrap();
        assert_eq!(client.as_deref(), expected, "{offered:?} {spoken:?}");
        assert_eq!(upstream, client);
    }
}

#[tokio::test]
async fn protocols_that_we_do_not_speak_are_not_offered() {
    let offered: &[&[u8]] = &[b"h3", alpn::H1, b"spdy/3"];
    let [client, _] = pass(offered, &[b"h3", b"spdy/3", alpn::H1]).await.unwrap();
    assert_eq!(client.as_deref(), Some(alpn::H1));
}

#[tokio::test]
async fn no_common_protocol_is_upstream_s_refusal() {
    let refused = pass(&[alpn::H1], &[alpn::H2]).await.unwrap_err();
    assert_eq!(refused.alert(), AlertDescription::NoApplicationProtocol);
}

#[tokio::test]
async fn a_refused_client_shows_the_alert() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let said = tokio::spawn(run(curl(port)));
    let (mut stream, _) = listener.accept().await.unwrap();
    let Ok(Greeting::Tls(_)) = hello::read(&mut stream, LONG).await else {
        panic!("no ClientHello");
    };
    refuse(stream, AlertDescription::BadCertificate)
        .await
        .unwrap();
    let said = said.await.unwrap();
    assert!(said.contains("alert bad certificate"), "{said}");
}

#[tokio::test]
async fn an_alert_outruns_the_reset_when_the_client_goes_on_sending() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    client.write_all(&[0; 20_000]).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let refusing = tokio::spawn(refuse(stream, AlertDescription::AccessDenied));
    let mut alert = [0; 7];
    client.read_exact(&mut alert).await.unwrap();
    assert_eq!(alert, [21, 3, 3, 0, 2, 2, 49]);
    assert_eq!(
        client.read(&mut alert).await.unwrap(),
        0,
        "an end, no reset"
    );
    drop(client);
    refusing.await.unwrap().unwrap();
}

fn client(ca: &Path, offered: &[&[u8]]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(ca).unwrap())
        .unwrap();
    let mut config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = offered.iter().map(|p| p.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

fn client_hello() -> Vec<u8> {
    let config = ClientConfig::builder()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let name = HOST.try_into().unwrap();
    let mut connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut bytes = Vec::new();
    connection.write_tls(&mut bytes).unwrap();
    bytes
}
