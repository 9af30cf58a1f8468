//! Real clients against real leaves: all accept a guarded host, all refuse any other, and for the
//! reason we meant.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    sign::{CertifiedKey, SingleCertAndKey},
};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::Command,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::{Ca, Leaves};

/// What OpenSSL, and so curl, Python and Node, call a broken constraint.
const OUTSIDE: &str = "permitted subtree violation";
const EXCLUDED: &str = "excluded subtree violation";

struct Trust {
    _dir: tempfile::TempDir,
    pem: PathBuf,
    leaves: Leaves,
}

fn trust(hosts: &[&str]) -> Trust {
    let dir = tempfile::tempdir().unwrap();
    let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    let ca = Arc::new(Ca::open_or_create(&dir.path().join("ca"), &hosts).unwrap());
    let pem = dir.path().join("root.pem");
    std::fs::write(&pem, ca.pem()).unwrap();
    Trust {
        _dir: dir,
        pem,
        leaves: Leaves::new(ca).unwrap(),
    }
}

/// A server that answers every request with `ok`.
async fn serve(leaf: Arc<CertifiedKey>) -> SocketAddr {
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from((*leaf).clone())));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(answer(acceptor.clone(), stream));
        }
    });
    address
}

async fn answer(acceptor: TlsAcceptor, stream: TcpStream) {
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return; // the client refused us: it tells the test why
    };
    let mut request = [0; 4096];
    if stream.read(&mut request).await.is_ok_and(|n| n > 0) {
        let ok = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
        drop(stream.write_all(ok).await);
    }
    drop(stream.shutdown().await);
}

/// Whether the client was content, and all it said.
struct Verdict {
    ok: bool,
    said: String,
}

async fn run(mut command: Command) -> Verdict {
    let name = command
        .as_std()
        .get_program()
        .to_string_lossy()
        .into_owned();
    let output = command
        .stdin(std::process::Stdio::null())
        .output()
        .await
        .unwrap_or_else(|e| panic!("{name} is needed (`cargo xtask setup` installs it): {e}"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).to_lowercase();
    Verdict {
        ok: output.status.success(),
        said,
    }
}

async fn curl(ca: &Path, host: &str, at: SocketAddr) -> Verdict {
    let mut curl = Command::new("curl");
    curl.args([
        "-sS",
        "-q",
        "--noproxy",
        "*",
        "--max-time",
        "10",
        "--cacert",
    ])
    .arg(ca);
    curl.arg("--resolve")
        .arg(format!("{host}:{}:{}", at.port(), at.ip()));
    curl.arg(format!("https://{host}:{}/", at.port()));
    run(curl).await
}

async fn openssl(ca: &Path, host: &str, at: SocketAddr) -> Verdict {
    let mut openssl = Command::new("openssl");
    openssl.args([
        "s_client",
        "-brief",
        "-x509_strict",
        "-verify_return_error",
        "-connect",
    ]);
    openssl
        .arg(at.to_string())
        .args(["-no-CApath", "-no-CAstore", "-CAfile"])
        .arg(ca);
    match host.parse::<std::net::IpAddr>() {
        Ok(_) => openssl.args(["-verify_ip", host]),
        Err(_) => openssl.args(["-servername", host, "-verify_hostname", host]),
    };
    run(openssl).await
}

async fn gnutls(ca: &Path, host: &str, at: SocketAddr) -> Verdict {
    let mut gnutls = Command::new("gnutls-cli");
    gnutls
        .arg("--x509cafile")
        .arg(ca)
        .arg("--port")
        .arg(at.port().to_string());
    gnutls.args(["--verify-hostname", host]);
    if host.parse::<std::net::IpAddr>().is_err() {
        gnutls.args(["--sni-hostname", host]);
    }
    gnutls.arg(at.ip().to_string());
    run(gnutls).await
}

async fn python(ca: &Path, host: &str, at: SocketAddr) -> Verdict {
    const SCRIPT: &str = "\
import socket, ssl, sys
ca, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
context = ssl.create_default_context(cafile=ca)
context.verify_flags |= ssl.VERIFY_X509_STRICT
raw = socket.create_connection(('127.0.0.1', port), 10)
with context.wrap_socket(raw, server_hostname=host) as tls:
    tls.sendall(b'GET / HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n')
    assert tls.recv(100).startswith(b'HTTP/1.1 200')
";
    let mut python = Command::new("python3");
    python
        .args(["-I", "-c", SCRIPT])
        .arg(ca)
        .args([host, &at.port().to_string()]);
    run(python).await
}

async fn node(ca: &Path, host: &str, at: SocketAddr) -> Verdict {
    const SCRIPT: &str = "\
const [host, port] = process.argv.slice(1);
const lookup = (_, options, done) =>
  options.all ? done(null, [{address: '127.0.0.1', family: 4}]) : done(null, '127.0.0.1', 4);
require('https').get({host, port, lookup, path: '/'}, (answer) => process.exit(answer.statusCode === 200 ? 0 : 3))
  .on('error', (error) => { console.error(error.message); process.exit(1); });
";
    let mut node = Command::new("node");
    node.env("NODE_EXTRA_CA_CERTS", ca)
        .env_remove("NODE_OPTIONS");
    node.args(["-e", SCRIPT, host, &at.port().to_string()]);
    run(node).await
}

async fn rustls(ca: &Path, host: &str, at: SocketAddr) -> Verdict {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(ca).unwrap())
        .unwrap();
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let stream = TcpStream::connect(at).await.unwrap();
    match TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
    {
        Ok(_) => Verdict {
            ok: true,
            said: String::new(),
        },
        Err(error) => Verdict {
            ok: false,
            said: error.to_string().to_lowercase(),
        },
    }
}

async fn all(ca: &Path, host: &str, at: SocketAddr) -> [(&'static str, Verdict); 6] {
    [
        ("curl", curl(ca, host, at).await),
        ("openssl", openssl(ca, host, at).await),
        ("gnutls", gnutls(ca, host, at).await),
        ("python", python(ca, host, at).await),
        ("node", node(ca, host, at).await),
        ("rustls", rustls(ca, host, at).await),
    ]
}

async fn assert_accepted(trust: &Trust, host: &str) {
    let at = serve(trust.leaves.leaf(host).unwrap()).await;
    for (client, verdict) in all(&trust.pem, host, at).await {
        assert!(verdict.ok, "{client} refused {host}: {}", verdict.said);
    }
}

async fn assert_refused(trust: &Trust, host: &str, reason: &str) {
    let at = serve(trust.leaves.sign_unchecked(host).unwrap()).await;
    for (client, verdict) in all(&trust.pem, host, at).await {
        assert!(!verdict.ok, "{client} accepted {host}");
        let reason = match client {
            "rustls" => "nameconstraintviolation",
            "gnutls" => "violates the signer's constraints",
            _ => reason,
        };
        assert!(
            verdict.said.contains(reason),
            "{client} on {host}: {}",
            verdict.said
        );
    }
}

#[tokio::test]
async fn guarded_hosts_are_accepted() {
    let trust = trust(&["api.openai.com", "*.example.ai"]);
    assert_accepted(&trust, "api.openai.com").await;
    assert_accepted(&trust, "eu.api.example.ai").await;
}

#[tokio::test]
async fn a_host_longer_than_a_common_name_may_be_is_accepted() {
    let host = format!("{}.{}.example.ai", "a".repeat(60), "b".repeat(60));
    assert_accepted(&trust(&["*.example.ai"]), &host).await;
}

#[tokio::test]
async fn hosts_outside_the_constraints_are_refused() {
    let trust = trust(&["api.openai.com", "*.example.ai"]);
    for host in [
        "www.bank.example",
        "openai.com",
        "evil-api.openai.com",
        "notexample.ai",
    ] {
        assert_refused(&trust, host, OUTSIDE).await;
    }
}

#[tokio::test]
async fn addresses_are_refused_unless_they_are_named() {
    assert_refused(&trust(&["api.openai.com"]), "127.0.0.1", EXCLUDED).await;
    assert_refused(
        &trust(&["api.openai.com", "127.0.0.2"]),
        "127.0.0.1",
        OUTSIDE,
    )
    .await;
    assert_accepted(&trust(&["api.openai.com", "127.0.0.1"]), "127.0.0.1").await;
    let only_addresses = trust(&["127.0.0.1"]);
    assert_accepted(&only_addresses, "127.0.0.1").await;
    assert_refused(&only_addresses, "www.bank.example", EXCLUDED).await;
}

#[tokio::test]
async fn without_our_root_nobody_believes_us() {
    let (ours, other) = (trust(&["api.openai.com"]), trust(&["api.openai.com"]));
    let at = serve(ours.leaves.leaf("api.openai.com").unwrap()).await;
    for (client, verdict) in all(&other.pem, "api.openai.com", at).await {
        assert!(!verdict.ok, "{client} trusts a CA it was not given");
    }
}
