//! The client: one connection, one thing at a time; it prints what it measured in microseconds.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1::SendRequest};
use hyper_util::rt::TokioIo;
use lab::{Dialect, events, samples};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::net::TcpStream;

use super::{
    raw,
    service::{EVENTS, HOST, now, request},
    udp,
};

/// Requests of a round, after those that warm up.
const REQUESTS: usize = 300;
const WARM_UP: usize = 30;

pub(crate) fn run(what: &str) {
    let samples = match what {
        "bulk" => raw::bulk(),
        "linked" => raw::linked(),
        "first" => raw::first_answers(),
        "connect" => raw::connects(),
        "quic" => udp::handshakes(),
        "datagram" => udp::datagrams(),
        _ => conversation(what),
    };
    samples.iter().for_each(|sample| println!("{sample:.2}"));
}

fn conversation(what: &str) -> Vec<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let connection = connect().await;
        if what == "events" {
            stream(connection).await
        } else {
            requests(connection, what).await
        }
    })
}

type Connection = SendRequest<Full<Bytes>>;

async fn connect() -> Connection {
    let stream = TcpStream::connect((HOST, 443)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(trusting()));
    let tls = connector
        .connect(ServerName::try_from(HOST).unwrap(), stream)
        .await
        .unwrap();
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tls))
        .await
        .unwrap();
    tokio::spawn(connection);
    sender
}

/// TLS with the roots of the client's system.
pub(crate) fn trusting() -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_file_iter("/etc/ssl/certs/ca-certificates.crt").unwrap() {
        roots.add(root.unwrap()).unwrap();
    }
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

async fn ask(connection: &mut Connection, what: &str, body: Bytes) -> http::Response<Incoming> {
    connection.ready().await.unwrap();
    let request = Request::post("/v1/chat/completions")
        .header("host", HOST)
        .header("authorization", "Bearer sk-lab")
        .header("content-type", "application/json")
        .header("x-measure", what)
        .body(Full::new(body))
        .unwrap();
    let response = connection.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    response
}

async fn requests(mut connection: Connection, what: &str) -> Vec<f64> {
    let body = Bytes::from(request(what));
    let mut samples = Vec::with_capacity(REQUESTS);
    for n in 0..WARM_UP + REQUESTS {
        let started = Instant::now();
        let response = ask(&mut connection, what, body.clone()).await;
        let answer = response.into_body().collect().await.unwrap().to_bytes();
        let took = started.elapsed();
        let said = Dialect::Chat.said(std::str::from_utf8(&answer).unwrap(), false);
        assert_eq!(
            what == "secret",
            said.starts_with(&samples::github(1)),
            "{said}"
        );
        if n >= WARM_UP {
            samples.push(took.as_secs_f64() * 1e6);
        }
    }
    samples
}

async fn stream(mut connection: Connection) -> Vec<f64> {
    let response = ask(&mut connection, "events", request("events").into()).await;
    let mut body = response.into_body();
    let mut samples = Vec::with_capacity(EVENTS);
    let mut open = String::new();
    while let Some(frame) = body.frame().await {
        let read_at = now();
        let Ok(data) = frame.unwrap().into_data() else {
            continue;
        };
        open.push_str(std::str::from_utf8(&data).unwrap());
        let Some(end) = open.rfind("\n\n") else {
            continue;
        };
        let whole: String = open.drain(..end + 2).collect();
        for event in events(&whole) {
            let said = event["choices"][0]["delta"]["content"].as_str().unwrap();
            assert!(said.starts_with(&samples::github(1)), "{said}");
            samples.push((read_at - event["made_at"].as_i64().unwrap()) as f64 / 1e3);
        }
    }
    assert_eq!(samples.len(), EVENTS);
    samples
}
