#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use proptest::prelude::*;
use tokio::io::ReadBuf;

use super::*;

const CONNECT: &str = "CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n\
     Proxy-Authorization: Basic dTpw\r\n\r\n";

/// Gives its pieces one by one, and then ends.
struct Pieces(Vec<Vec<u8>>);

impl Pieces {
    /// The bytes, cut at these places.
    fn cut(bytes: &[u8], cuts: &[usize]) -> Self {
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
        at.extend([0, bytes.len()]);
        at.sort_unstable();
        at.dedup();
        let pieces = at.windows(2).map(|ends| bytes[ends[0]..ends[1]].to_vec());
        Self(pieces.rev().collect())
    }
}

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(mut piece) = self.0.pop() {
            let rest = piece.split_off(piece.len().min(buf.remaining()));
            buf.put_slice(&piece);
            if !rest.is_empty() {
                self.0.push(rest);
            }
        }
        Poll::Ready(Ok(()))
    }
}

fn now<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn request(bytes: &[u8], cuts: &[usize]) -> Result<(Bytes, Bytes), HeadError> {
    let mut pieces = Pieces::cut(bytes, cuts);
    let (head, mut rest) = now(read_request(&mut pieces))?;
    // What was not read stands in the stream.
    for piece in pieces.0.iter().rev() {
        rest = [&rest, piece.as_slice()].concat().into();
    }
    Ok((head, rest))
}

fn answer(bytes: &[u8], cuts: &[usize]) -> Result<Answer, HeadError> {
    now(read_answer(&mut Pieces::cut(bytes, cuts)))
}

#[test]
fn a_connect_is_told_by_its_first_bytes() {
    for (first, expected) in [
        ("CONNECT a", Kind::Connect),
        ("\r\n\r\nCONNECT a", Kind::Connect),
        ("CONNECT ", Kind::Connect),
        ("CONNECT", Kind::Cut),
        ("C", Kind::Cut),
        ("\r\n", Kind::Cut),
        ("", Kind::Cut),
        ("connect a", Kind::Other),
        ("CONNECTION", Kind::Other),
        ("GET http://a/ HTTP/1.1", Kind::Other),
        ("\u{5}\u{1}\u{0}", Kind::Other),
    ] {
        assert_eq!(kind(first.as_bytes()), expected, "{first:?}");
    }
}

#[test]
fn the_target_is_read_where_there_is_one() {
    for (head, expected) in [
        (CONNECT, Some("api.openai.com:443")),
        ("\r\nCONNECT a.test:1 HTTP/1.0\n\n", Some("a.test:1")),
        ("CONNECT [::1]:8443 HTTP/1.1\r\n\r\n", Some("[::1]:8443")),
        ("CONNECT  a.test:443 HTTP/1.1\r\n\r\n", None),
        ("CONNECT a.test:443\tHTTP/1.1\r\n\r\n", None),
        ("CONNECT a.test:443 HTTP/2\r\n\r\n", None),
        ("CONNECT a.test HTTP/1.1\r\n\r\n", None),
        ("CONNECT https://a.test:443 HTTP/1.1\r\n\r\n", None),
        ("CONNECT a.test:443\r\n\r\n", None),
        ("GET a.test:443 HTTP/1.1\r\n\r\n", None),
    ] {
        let target = target(head.as_bytes()).map(|target| target.to_string());
        assert_eq!(target.as_deref(), expected, "{head:?}");
    }
    assert_eq!(target(b"CONNECT \xff:443 HTTP/1.1\r\n\r\n"), None);
}

#[test]
fn a_head_that_never_ends_is_refused_at_the_limit() {
    let long = [CONNECT.as_bytes()[..40].to_vec(), vec![b'a'; 2 * LIMIT]].concat();
    assert!(matches!(request(&long, &[7]), Err(HeadError::TooLarge)));
    let empty = vec![b'\n'; 2 * LIMIT];
    assert!(matches!(request(&empty, &[]), Err(HeadError::TooLarge)));
    let hints = "HTTP/1.1 100 Continue\r\n\r\n".repeat(LIMIT / 20);
    assert!(matches!(
        answer(hints.as_bytes(), &[]),
        Err(HeadError::TooLarge)
    ));
}

#[test]
fn a_head_that_is_cut_off_is_an_error() {
    for length in 0..CONNECT.len() {
        let cut = request(&CONNECT.as_bytes()[..length], &[]);
        assert!(matches!(cut, Err(HeadError::Closed(n)) if n == length));
    }
}

#[test]
fn answers_are_told_by_their_status() {
    let status = |text: &str| {
        answer(text.as_bytes(), &[])
            .map(|answer| answer.status)
            .ok()
    };
    assert_eq!(
        status("HTTP/1.1 200 Connection established\r\n\r\n"),
        Some(200)
    );
    assert_eq!(status("HTTP/1.0 200\n\n"), Some(200));
    assert_eq!(
        status("HTTP/1.1 407 Who are you\r\nA: b\r\n\r\n"),
        Some(407)
    );
    for bad in [
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 2000\r\n\r\n",
        "HTTP/1.1 20\r\n\r\n",
        "HTTP/1.1 999 x\r\n\r\n",
        "HTTP/1.1  200\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "\u{16}\u{3}\u{1}\n\n",
    ] {
        assert!(
            matches!(answer(bad.as_bytes(), &[]), Err(HeadError::NotHttp)),
            "{bad:?}"
        );
    }
}

proptest! {
    #[test]
    fn a_head_ends_where_it_ends_however_it_is_cut(
        cuts in prop::collection::vec(0_usize..400, 0..12),
        rest in prop::collection::vec(any::<u8>(), 0..64),
        empty in "(\r\n){0,3}",
        feed in "\r?\n",
    ) {
        let head = empty + &CONNECT.replace("\r\n", &feed);
        let all = [head.as_bytes(), &rest].concat();
        let (read, after) = request(&all, &cuts).unwrap();
        prop_assert_eq!(&read[..], head.as_bytes());
        prop_assert_eq!(&after[..], &rest[..]);
    }

    #[test]
    fn an_answer_is_read_however_it_is_cut(
        cuts in prop::collection::vec(0_usize..200, 0..12),
        interim in 0_usize..3,
        code in 200_u16..600,
    ) {
        let head = "HTTP/1.1 103 Hints\r\nlink: x\r\n\r\n".repeat(interim)
            + &format!("HTTP/1.1 {code} Whatever\r\nvia: p\r\n\r\n");
        let read = answer(head.as_bytes(), &cuts).unwrap();
        prop_assert_eq!(read.status, code);
        prop_assert_eq!(&read.head[..], head.as_bytes());
    }

    #[test]
    fn hostile_bytes_are_read_to_an_end(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b'\r'), Just(b' ')], 0..300),
        cuts in prop::collection::vec(0_usize..300, 0..6),
    ) {
        let whole = request(&bytes, &[]).ok();
        prop_assert_eq!(&whole, &request(&bytes, &cuts).ok());
        if let Some((head, rest)) = whole {
            prop_assert_eq!(head.len() + rest.len(), bytes.len());
            target(&head);
        }
        kind(&bytes);
        answer(&bytes, &cuts).ok();
    }
}
