//! ClientHellos of a real stack, protected as clients protect them, in pieces and in any order.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

use std::sync::Arc;

use proptest::prelude::*;
use rustls::{
    ClientConfig, RootCertStore, Side, SupportedCipherSuite,
    crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256,
    quic::{ClientConnection, Keys, Version},
};

use super::{Beginning, Progress, client_id};

const VERSIONS: [(Version, u32); 2] = [(Version::V1, 1), (Version::V2, 0x6b33_43cf)];
const TO: &[u8] = b"\x83\x94\xc8\xf0\x3e\x51\x57\x08";
const FROM: &[u8] = b"client";

/// The handshake message that a client begins with.
fn client_hello(host: &str) -> Vec<u8> {
    let mut config = ClientConfig::builder()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h3".to_vec()];
    let name = host.to_owned().try_into().unwrap();
    let mut connection =
        ClientConnection::new(Arc::new(config), Version::V1, name, vec![1, 2, 0x40, 0]).unwrap();
    let mut message = Vec::new();
    connection.write_hs(&mut message);
    message
}

/// The frame of one piece (RFC 9000, section 19.6).
fn crypto(at: usize, piece: &[u8]) -> Vec<u8> {
    let number = |n: usize| (u16::try_from(n).unwrap() | 0x4000).to_be_bytes();
    [&[6][..], &number(at), &number(piece.len()), piece].concat()
}

/// An Initial packet, as a client sends it.
fn initial((version, number): (Version, u32), to: &[u8], sequence: u16, frames: &[u8]) -> Vec<u8> {
    let SupportedCipherSuite::Tls13(suite) = TLS13_AES_128_GCM_SHA256 else {
        panic!("a suite of TLS 1.3");
    };
    let keys = Keys::initial(version, suite, suite.quic.unwrap(), to, Side::Client).local;
    let kind = if number == 1 { 0xc1 } else { 0xd1 };
    let length = u16::try_from(2 + frames.len() + 16).unwrap() | 0x4000;
    let mut packet = vec![kind];
    packet.extend(number.to_be_bytes());
    for id in [to, FROM] {
        packet.push(id.len().try_into().unwrap());
        packet.extend(id);
    }
    packet.push(3);
    packet.extend(b"tok");
    packet.extend(length.to_be_bytes());
    let head = packet.len();
    packet.extend(sequence.to_be_bytes());
    let mut payload = frames.to_vec();
    let sealed = keys
        .packet
        .encrypt_in_place(sequence.into(), &packet, &mut payload);
    packet.extend(&payload);
    packet.extend(sealed.unwrap().as_ref());
    let sample = packet[head + 4..head + 20].to_vec();
    let (first, rest) = packet.split_at_mut(1);
    let number = &mut rest[head - 1..head + 1];
    let header = keys.header.encrypt_in_place(&sample, &mut first[0], number);
    header.unwrap();
    packet
}

fn host(progress: Progress) -> Option<String> {
    match progress {
        Progress::Hello(hello) => hello.sni,
        _ => None,
    }
}

#[test]
fn a_hello_in_one_packet_is_read_in_each_version() {
    let message = client_hello("api.example.test");
    for version in VERSIONS {
        let datagram = initial(version, TO, 0, &crypto(0, &message));
        assert_eq!(client_id(&datagram), Some(FROM));
        match Beginning::default().take(&datagram) {
            Progress::Hello(hello) => {
                assert_eq!(hello.sni.as_deref(), Some("api.example.test"));
                assert_eq!(hello.alpn, [b"h3"]);
                assert_eq!(&hello.raw[..], message);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_hello_in_two_datagrams_is_there_with_the_second() {
    let message = client_hello("api.example.test");
    let (first, second) = message.split_at(message.len() / 2);
    let first = initial(VERSIONS[0], TO, 0, &crypto(0, first));
    // The server has answered meanwhile, with an id of its own; the keys stay what they were.
    let parts = [crypto(message.len() / 2, second), vec![0; 40]].concat();
    let second = initial(VERSIONS[0], TO, 300, &parts);
    for (early, late) in [(&first, &second), (&second, &first)] {
        let mut beginning = Beginning::default();
        assert!(matches!(beginning.take(early), Progress::More));
        assert!(beginning.has_begun());
        assert!(host(beginning.take(late)).is_some());
        assert!(!beginning.has_begun());
    }
    let both = [first, second].concat();
    assert!(host(Beginning::default().take(&both)).is_some());
}

#[test]
fn a_retry_begins_anew_with_other_keys() {
    let (before, after) = (client_hello("before.test"), client_hello("after.test"));
    let mut beginning = Beginning::default();
    let half = initial(VERSIONS[0], TO, 0, &crypto(0, &before[..100]));
    assert!(matches!(beginning.take(&half), Progress::More));
    let again = initial(VERSIONS[1], b"retried!", 1, &crypto(0, &after));
    assert_eq!(host(beginning.take(&again)).as_deref(), Some("after.test"));
}

#[test]
fn what_goes_on_under_the_servers_id_tells_nothing_new() {
    let mut beginning = Beginning::default();
    let message = client_hello("api.example.test");
    beginning.take(&initial(VERSIONS[0], TO, 0, &crypto(0, &message)));
    let mut acknowledged = initial(VERSIONS[0], TO, 1, &[2, 0, 0, 0, 0, 0, 0, 0]);
    acknowledged[6..14].copy_from_slice(b"server's");
    assert!(matches!(beginning.take(&acknowledged), Progress::Nothing));
}

#[test]
fn what_is_no_hello_is_unreadable() {
    let server_hello = [2, 0, 0, 3, 1, 2, 3, 0, 0, 0];
    let endless = [1, 0xff, 0xff, 0xff, 3, 3, 0, 0];
    let broken = [1, 0, 0, 4, 3, 3, 0, 0];
    for message in [&server_hello[..], &endless, &broken] {
        let datagram = initial(VERSIONS[0], TO, 0, &crypto(0, message));
        let progress = Beginning::default().take(&datagram);
        assert!(matches!(progress, Progress::Unreadable), "{progress:?}");
    }
    let foreign = initial(VERSIONS[0], TO, 0, &[8, 1, 2, 3, 4, 5, 6, 7]);
    let progress = Beginning::default().take(&foreign);
    assert!(matches!(progress, Progress::Unreadable), "{progress:?}");
}

#[test]
fn what_was_changed_on_the_way_is_nothing() {
    let message = client_hello("api.example.test");
    let whole = initial(VERSIONS[0], TO, 0, &crypto(0, &message));
    for at in [1, 6, 40, whole.len() - 1] {
        let mut datagram = whole.clone();
        datagram[at] ^= 4;
        let progress = Beginning::default().take(&datagram);
        assert!(matches!(progress, Progress::Nothing), "{at}: {progress:?}");
    }
    for end in 0..whole.len() {
        let progress = Beginning::default().take(&whole[..end]);
        assert!(matches!(progress, Progress::Nothing), "{end}: {progress:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_hello_is_read_however_it_is_cut(
        cuts in prop::collection::vec(1_usize..400, 0..12),
        version in 0_usize..2,
        turn in any::<usize>(),
    ) {
        let message = client_hello("api.example.test");
        let mut places: Vec<usize> = cuts.into_iter().filter(|at| *at < message.len()).collect();
        places.extend([0, message.len()]);
        places.sort_unstable();
        places.dedup();
        let mut datagrams: Vec<Vec<u8>> = places
            .windows(2)
            .zip(0..)
            .map(|(ends, n)| {
                initial(VERSIONS[version], TO, n, &crypto(ends[0], &message[ends[0]..ends[1]]))
            })
            .collect();
        let turn = turn % datagrams.len();
        datagrams.rotate_left(turn);
        let last = datagrams.pop().unwrap();
        let mut beginning = Beginning::default();
        for datagram in &datagrams {
            prop_assert!(matches!(beginning.take(datagram), Progress::More));
        }
        let host = host(beginning.take(&last));
        prop_assert_eq!(host.as_deref(), Some("api.example.test"));
    }

    #[test]
    fn any_bytes_are_taken(
        head in prop::sample::select(vec![
            &b"\xc3\0\0\0\x01\x08ABCDEFGH\0\0"[..],
            b"\xd3\x6b\x33\x43\xcf\x14",
            b"\xc0\0\0\0\x01",
            b"",
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let datagram = [head, &rest].concat();
        client_id(&datagram);
        let progress = Beginning::default().take(&datagram);
        prop_assert!(matches!(progress, Progress::Nothing));
    }
}
