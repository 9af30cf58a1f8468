//! ClientHellos of a real stack, in every shape the network can give them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

use std::sync::Arc;

use proptest::prelude::*;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tokio::io::{AsyncWriteExt, duplex};

use super::*;

const LONG: Duration = Duration::from_secs(5);

/// A ClientHello as rustls sends it.
fn client_hello(host: &str, alpn: &[&str]) -> Vec<u8> {
    let mut config = ClientConfig::builder()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|p| p.as_bytes().to_vec()).collect();
    let name = host.to_owned().try_into().unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut bytes = Vec::new();
    connection.write_tls(&mut bytes).unwrap();
    bytes
}

/// The same handshake message in records of at most `size` bytes.
fn in_records(hello: &[u8], size: usize) -> Vec<u8> {
    let message = &hello[5..];
    let mut bytes = Vec::new();
    for part in message.chunks(size) {
        bytes.extend([22, 3, 1]);
        bytes.extend(u16::try_from(part.len()).unwrap().to_be_bytes());
        bytes.extend(part);
    }
    bytes
}

/// Sends `bytes` in segments of `segment` bytes and reads the greeting.
async fn greet(bytes: &[u8], segment: usize) -> Result<Greeting, HelloError> {
    let (mut client, mut server) = duplex(segment.min(bytes.len()).max(1));
    let bytes = bytes.to_vec();
    let writer = tokio::spawn(async move {
        for part in bytes.chunks(segment) {
            if client.write_all(part).await.is_err() {
                return;
            }
        }
    });
    let greeting = read(&mut server, LONG).await;
    drop(server);
    writer.await.unwrap();
    greeting
}

async fn hello(bytes: &[u8], segment: usize) -> Hello {
    match greet(bytes, segment).await {
        Ok(Greeting::Tls(hello)) => hello,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn host_and_protocols_are_read() {
    let bytes = client_hello("API.OpenAI.com", &["h2", "http/1.1"]);
    let hello = hello(&bytes, usize::MAX).await;
    assert_eq!(hello.sni.as_deref(), Some("api.openai.com"));
    assert_eq!(hello.alpn, [b"h2".to_vec(), b"http/1.1".to_vec()]);
    assert_eq!(hello.raw, bytes);
}

#[tokio::test]
async fn a_client_may_name_neither_host_nor_protocol() {
    let hello = hello(&client_hello("127.0.0.1", &[]), usize::MAX).await;
    assert_eq!((hello.sni, hello.alpn), (None, vec![]));
}

#[tokio::test]
async fn segments_of_one_byte_and_tiny_records_are_put_together() {
    let plain = client_hello("api.anthropic.com", &["http/1.1"]);
    for bytes in [
        plain.clone(),
        in_records(&plain, 1),
        in_records(&plain, 200),
    ] {
        for segment in [1, 7, 1400] {
            let hello = hello(&bytes, segment).await;
            assert_eq!(hello.sni.as_deref(), Some("api.anthropic.com"));
            assert!(bytes.starts_with(&hello.raw));
        }
    }
}

#[tokio::test]
async fn what_is_not_tls_comes_back_untouched() {
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"SSH-2.0-x\r\n",
        &[0x16, 0x01],
        &[0x80, 46, 1],
    ] {
        match greet(bytes, usize::MAX).await {
            Ok(Greeting::NotTls(raw)) => assert_eq!(raw, bytes),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_hello_that_never_ends_is_cut_off() {
    // A handshake message of 16 MB, announced in records of the largest size.
    let mut bytes = Vec::new();
    for n in 0..8 {
        bytes.extend([22, 3, 1, 0x40, 0]);
        bytes.extend(if n == 0 {
            [1, 0xff, 0xff, 0xff]
        } else {
            [0; 4]
        });
        bytes.extend([0; 0x4000 - 4]);
    }
    let refused = greet(&bytes, 1000).await;
    let (Err(HelloError::Malformed(raw, _)) | Err(HelloError::TooLarge(raw))) = refused else {
        panic!("{refused:?}");
    };
    assert!(raw.len() <= LIMIT && bytes.starts_with(&raw));
}

#[tokio::test]
async fn a_hello_at_the_limit_is_cut_off_with_its_bytes() {
    // Announces just under the parser's own limit, in records so small that headers exceed ours.
    let mut message = vec![1, 0, 0xff, 0x00];
    message.resize(4 + 0xff00, 0);
    let mut header = vec![0; 5];
    header.extend(message);
    let bytes = in_records(&header, 64);
    match greet(&bytes, 1000).await {
        Err(HelloError::TooLarge(raw)) => assert_eq!(raw, bytes[..LIMIT]),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_broken_hello_is_malformed() {
    let mut bytes = client_hello("api.openai.com", &[]);
    bytes[5] = 2; // a ServerHello
    assert!(matches!(
        greet(&bytes, 100).await,
        Err(HelloError::Malformed(..))
    ));
}

#[tokio::test]
async fn an_early_end_and_silence_are_told_apart() {
    let bytes = client_hello("api.openai.com", &[]);
    let half = &bytes[..100];
    assert!(matches!(greet(half, 10).await, Err(HelloError::Closed(raw)) if raw == half));

    let (mut client, mut server) = duplex(1000);
    client.write_all(half).await.unwrap();
    let silent = read(&mut server, Duration::from_millis(20)).await;
    assert!(matches!(silent, Err(HelloError::Timeout(raw)) if raw == half));
}

#[tokio::test]
async fn replay_gives_the_first_bytes_once_then_the_stream() {
    let (mut client, server) = duplex(1000);
    client.write_all(b" and the rest").await.unwrap();
    drop(client);
    let mut replay = Replay::new(Bytes::from_static(b"first"), server);
    let mut two = [0; 2];
    replay.read_exact(&mut two).await.unwrap();
    let mut rest = String::new();
    replay.read_to_string(&mut rest).await.unwrap();
    assert_eq!((&two, rest.as_str()), (b"fi", "rst and the rest"));
    assert!(replay.into_parts().0.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_it_panic_or_lose_what_was_read(
        start in prop::sample::select(vec![vec![], vec![22, 3, 1], client_hello("a.ai", &["h2"])]),
        tail in prop::collection::vec(any::<u8>(), 0..300),
        flip in any::<(u16, u8)>(),
        segment in 1_usize..400,
    ) {
        let mut bytes = [start, tail].concat();
        let at = usize::from(flip.0).checked_rem(bytes.len());
        if let Some(byte) = at.and_then(|at| bytes.get_mut(at)) {
            *byte ^= flip.1;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let raw = match runtime.block_on(greet(&bytes, segment)) {
            Ok(Greeting::Tls(Hello { raw, .. }) | Greeting::NotTls(raw)) => raw,
            Err(HelloError::Malformed(raw, _) | HelloError::TooLarge(raw)) => raw,
            Err(HelloError::Closed(raw)) => raw,
            Err(other) => panic!("{other:?}"),
        };
        prop_assert!(bytes.starts_with(&raw));
    }
}
