use tokio::{
    io::{AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::*;

/// A client, a service, and the relay between them.
struct Line {
    client: TcpStream,
    service: TcpStream,
    relay: JoinHandle<io::Result<(u64, u64)>>,
}

impl Line {
    async fn new(first: &'static [u8]) -> Self {
        let (client, accepted) = pair().await;
        let (dialled, service) = pair().await;
        let replay = Replay::new(first.into(), accepted);
        Self {
            client,
            service,
            relay: tokio::spawn(relay(replay, dialled)),
        }
    }
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (ours, theirs) = tokio::join!(TcpStream::connect(address), listener.accept());
    (ours.unwrap(), theirs.unwrap().0)
}

/// Bytes that no mistake in order or number leaves as they are.
fn bytes(seed: u32, count: u32) -> Vec<u8> {
    (0..count)
        .map(|n| (n.wrapping_mul(2_654_435_761) ^ seed).to_le_bytes()[3])
        .collect()
}

async fn sent(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8], piece: usize) {
    for piece in bytes.chunks(piece) {
        stream.write_all(piece).await.unwrap();
    }
    stream.shutdown().await.unwrap();
}

async fn exchanged(count: u32, piece: usize) {
    let mut line = Line::new(b"").await;
    let (up, down) = (bytes(1, count), bytes(2, count));
    let (mut client_read, mut client_write) = line.client.split();
    let (mut service_read, mut service_write) = line.service.split();
    let (mut upwards, mut downwards) = (Vec::new(), Vec::new());
    let ((), (), upwards_count, downwards_count) = tokio::join!(
        sent(&mut client_write, &up, piece),
        sent(&mut service_write, &down, piece),
        service_read.read_to_end(&mut upwards),
        client_read.read_to_end(&mut downwards),
    );
    assert_eq!(upwards_count.unwrap(), up.len());
    assert_eq!(downwards_count.unwrap(), down.len());
    assert!(upwards == up && downwards == down);
    let moved = line.relay.await.unwrap().unwrap();
    assert_eq!(moved, (u64::from(count), u64::from(count)));
}

#[tokio::test]
async fn small_talk_is_exact_both_ways() {
    exchanged(3_000, 7).await;
}

#[tokio::test]
async fn bulk_is_exact_both_ways_at_once() {
    exchanged(20_000_000, 100_003).await;
}

#[tokio::test]
async fn what_was_read_goes_first() {
    let mut line = Line::new(b"hello ").await;
    sent(&mut line.client, b"there", 5).await;
    let mut heard = String::new();
    line.service.read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard, "hello there");
    line.service.shutdown().await.unwrap();
    assert_eq!(line.relay.await.unwrap().unwrap(), (11, 0));
}

#[tokio::test]
async fn half_a_close_is_half_a_close() {
    let mut line = Line::new(b"").await;
    sent(&mut line.client, &bytes(3, 100_000), 100_000).await;
    let mut heard = Vec::new();
    line.service.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard.len(), 100_000);
    // The service has heard everything, and only now answers.
    sent(&mut line.service, &bytes(4, 300_000), 300_000).await;
    let mut answer = Vec::new();
    line.client.read_to_end(&mut answer).await.unwrap();
    assert!(answer == bytes(4, 300_000));
    assert_eq!(line.relay.await.unwrap().unwrap(), (100_000, 300_000));
}

#[tokio::test]
async fn a_reset_is_a_reset_on_the_other_side() {
    let mut line = Line::new(b"").await;
    line.client.write_all(&bytes(5, 50_000)).await.unwrap();
    let mut heard = vec![0; 50_000];
    line.service.read_exact(&mut heard).await.unwrap();
    reset(&line.service);
    drop(line.service);
    let error = line.client.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert!(line.relay.await.unwrap().is_err());
}

#[tokio::test]
async fn a_peer_that_does_not_read_stops_the_other_from_writing() {
    let mut line = Line::new(b"").await;
    let much = bytes(6, 64_000_000);
    let writing = tokio::time::timeout(Duration::from_secs(1), line.client.write_all(&much));
    assert!(writing.await.is_err(), "64 MB went nowhere");
    drop(line.service);
    assert!(line.relay.await.unwrap().is_err());
}
