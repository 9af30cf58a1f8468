#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

use std::io::Write;

use http::{HeaderMap, HeaderValue, header::CONTENT_ENCODING};
use proptest::prelude::*;

use super::{Coding, CodingError, Decoder, codings, decode, encode};

const ALL: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];
const LIMIT: usize = 1 << 20;

fn headers(value: &str) -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_str(value).unwrap())])
}

#[test]
fn names_are_read_in_order_and_without_case() {
    let read = |value| codings(&headers(value)).unwrap();
    assert_eq!(read("GZIP, identity ,br"), [Coding::Gzip, Coding::Brotli]);
    assert_eq!(read("x-gzip"), [Coding::Gzip]);
    assert_eq!(read(""), []);
    assert!(matches!(codings(&headers("lzma")), Err(CodingError::Unknown(name)) if name == "lzma"));
    assert!(matches!(
        codings(&headers("br,br,br,br")),
        Err(CodingError::TooDeep)
    ));
}

#[test]
fn layers_come_off_in_the_reverse_order() {
    let wrapped = encode(b"hello", &[Coding::Gzip, Coding::Zstd]).unwrap();
    assert_eq!(
        decode(&wrapped, &[Coding::Gzip, Coding::Zstd], LIMIT).unwrap(),
        b"hello"
    );
    assert!(decode(&wrapped, &[Coding::Zstd, Coding::Gzip], LIMIT).is_err());
}

#[test]
fn a_bare_deflate_stream_is_read_too() {
    let mut w = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    w.write_all(b"bare bare bare").unwrap();
    let bare = w.finish().unwrap();
    assert_eq!(
        decode(&bare, &[Coding::Deflate], LIMIT).unwrap(),
        b"bare bare bare"
    );
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let zeros = vec![0; 8 * LIMIT];
    for coding in ALL {
        let bomb = encode(&zeros, &[coding]).unwrap();
        let error = decode(&bomb, &[coding], LIMIT).unwrap_err();
        assert!(
            matches!(error, CodingError::TooLarge(LIMIT)),
            "{coding:?}: {error}"
        );
        assert_eq!(
            decode(&bomb, &[coding], zeros.len()).unwrap().len(),
            zeros.len(),
            "{coding:?}"
        );
    }
}

#[test]
fn what_is_cut_short_is_damaged() {
    let text: Vec<u8> = (0..4000_u32)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    for coding in ALL {
        let whole = encode(&text, &[coding]).unwrap();
        for end in [1, 2, whole.len() / 2, whole.len() - 1] {
            let cut = decode(&whole[..end], &[coding], LIMIT);
            assert!(
                matches!(cut, Err(CodingError::Damaged(_))),
                "{coding:?} cut at {end}"
            );
        }
    }
}

/// A server that flushes after each event must not leave the event waiting in the decoder.
#[test]
fn each_flushed_piece_comes_out_at_once() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut brotli = brotli::CompressorWriter::new(Vec::new(), 4096, 3, 20);
    let mut zstd = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    let mut decoders = ALL.map(|coding| Decoder::new(coding, LIMIT));
    let mut sent = [0; 4];
    for n in 0..50 {
        let event = format!("data: {{\"n\":{n}}}\n\n");
        for w in [
            &mut gzip as &mut dyn Write,
            &mut zlib,
            &mut brotli,
            &mut zstd,
        ] {
            w.write_all(event.as_bytes()).unwrap();
            w.flush().unwrap();
        }
        let wire = [
            gzip.get_ref(),
            zlib.get_ref(),
            brotli.get_ref(),
            zstd.get_ref(),
        ];
        for (i, decoder) in decoders.iter_mut().enumerate() {
            let out = decoder.push(&wire[i][sent[i]..]).unwrap();
            sent[i] = wire[i].len();
            assert_eq!(out, event.as_bytes(), "{:?}", ALL[i]);
        }
    }
}

proptest! {
    #[test]
    fn decoding_undoes_encoding_over_every_split(
        body in proptest::collection::vec(0..4_u8, 0..3000),
        pieces in proptest::collection::vec(1..200_usize, 1..40),
    ) {
        for coding in ALL {
            let wire = encode(&body, &[coding]).unwrap();
            let (mut decoder, mut out, mut rest) = (Decoder::new(coding, LIMIT), Vec::new(), &wire[..]);
            for size in pieces.iter().cycle() {
                if rest.is_empty() { break; }
                let (piece, after) = rest.split_at((*size).min(rest.len()));
                out.extend(decoder.push(piece).unwrap());
                rest = after;
            }
            out.extend(decoder.finish().unwrap());
            prop_assert_eq!(&out, &body);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..500)) {
        for coding in ALL {
            let _outcome = decode(&body, &[coding], LIMIT);
        }
    }
}
