//! UDP: what a look at a name adds to a QUIC connection, and what the hooks add to datagrams that are not ours.

use std::{
    net::{SocketAddr, ToSocketAddrs, UdpSocket},
    sync::Arc,
    time::Instant,
};

use lab::{Lab, Reply};
use quinn::{ClientConfig, Endpoint, crypto::rustls::QuicClientConfig};

use super::{client, raw, service};

/// A host at the guarded one's addresses.
const BESIDE: &str = "beside.lab.test";
/// Connections of a round, after those that warm up.
const CONNECTIONS: usize = 200;
/// Datagrams of a round, after those that warm up.
const DATAGRAMS: usize = 5000;
const WARM_UP: usize = 20;

pub(crate) fn start(lab: &Lab) {
    let page = |_: &lab::Arrived| Reply::new(200, "text/plain", "a page");
    lab.site(BESIDE).beside(service::HOST).serve(page);
    // Nobody asks what arrived: the connections are what is measured.
    drop(lab.http3());
}

/// Microseconds from the first packet of a connection until it stands, from a socket of its own.
pub(crate) fn handshakes() -> Vec<f64> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    runtime.block_on(async {
        let mut tls = client::trusting();
        tls.alpn_protocols = vec![b"h3".to_vec()];
        let crypto = Arc::new(QuicClientConfig::try_from(tls).unwrap());
        let mut samples = Vec::with_capacity(WARM_UP + CONNECTIONS);
        for _ in 0..WARM_UP + CONNECTIONS {
            let mut endpoint = Endpoint::client(([0, 0, 0, 0], 0).into()).unwrap();
            endpoint.set_default_client_config(ClientConfig::new(crypto.clone()));
            let started = Instant::now();
            let connecting = endpoint.connect(v4(BESIDE), BESIDE).unwrap();
            let connection = connecting.await.unwrap();
            samples.push(started.elapsed().as_secs_f64() * 1e6);
            connection.close(0_u8.into(), b"");
            endpoint.wait_idle().await;
        }
        samples.split_off(WARM_UP)
    })
}

/// Microseconds that it takes to send a datagram to a port of guarded hosts at another's address.
pub(crate) fn datagrams() -> Vec<f64> {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let to = SocketAddr::new(v4(raw::HOST).ip(), 443);
    let samples = (0..WARM_UP + DATAGRAMS).map(|_| {
        let started = Instant::now();
        socket.send_to(&[0x41; 1200], to).unwrap();
        started.elapsed().as_secs_f64() * 1e6
    });
    samples.skip(WARM_UP).collect()
}

fn v4(host: &str) -> SocketAddr {
    let mut addresses = (host, 443).to_socket_addrs().unwrap();
    addresses.find(SocketAddr::is_ipv4).unwrap()
}
