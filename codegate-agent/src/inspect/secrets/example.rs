//! Examples that generate themselves, so that no token, real or real-looking, is in this repository.
//!
//! In a template, `«` and `»` mark what must be found, and `‹alnum 36›` stands for 36 characters of
//! an alphabet. The same template gives the same text each time for the same seed.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a wrong template fails its test"
)]

use std::ops::Range;

use base64::{
    Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD,
};

use super::check;

/// A template, filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Example {
    pub(super) text: String,
    /// What must be found.
    pub(super) secrets: Vec<Range<usize>>,
}

/// Fills in a template.
pub(super) fn expand(template: &str, seed: u64) -> Example {
    let mut random = Random(seed ^ 0x9e37_79b9_7f4a_7c15);
    let mut example = Example {
        text: String::new(),
        secrets: Vec::new(),
    };
    let mut opened = 0;
    let mut rest = template;
    while let Some(next) = rest.chars().next() {
        rest = &rest[next.len_utf8()..];
        match next {
            '«' => opened = example.text.len(),
            '»' => example.secrets.push(opened..example.text.len()),
            '‹' => {
                let (field, after) = rest.split_once('›').expect("a closing ›");
                let value = fill(field, &example.text[opened..], &mut random);
                example.text.push_str(&value);
                rest = after;
            }
            other => example.text.push(other),
        }
    }
    example
}

/// The value of a field; `token` is what stands before it since the last «.
fn fill(field: &str, token: &str, random: &mut Random) -> String {
    let (class, argument) = field.split_once(' ').unwrap_or((field, ""));
    match class {
        "crc" => {
            let body = token.split_once('_').expect("a prefix").1;
            String::from_utf8_lossy(&check::base62(crc32fast::hash(body.as_bytes()))).into_owned()
        }
        "base64" => STANDARD.encode(argument),
        "base64url" => URL_SAFE_NO_PAD.encode(argument),
        "key64" => STANDARD.encode(random.bytes(64)),
        "base64pem" => {
            let body = pem_lines(6, random);
            STANDARD.encode(format!(
                "-----BEGIN {argument}-----\n{body}\n-----END {argument}-----\n"
            ))
        }
        "lines" => pem_lines(argument.parse().expect("a number"), random),
        _ => random.text(alphabet(class), argument.parse().expect("a number")),
    }
}

fn pem_lines(lines: usize, random: &mut Random) -> String {
    let line = |_| random.text(alphabet("b64"), 64);
    (0..lines).map(line).collect::<Vec<_>>().join("\n")
}

fn alphabet(class: &str) -> String {
    let range = |from: char, to: char| (from..=to).collect::<String>();
    let (lower, upper, digit) = (range('a', 'z'), range('A', 'Z'), range('0', '9'));
    match class {
        "alnum" => lower + &upper + &digit,
        "lower" => lower + &digit,
        "upper" => upper + &digit,
        "alpha" => lower + &upper,
        "hex" => digit + "abcdef",
        "HEX" => digit + "ABCDEF",
        "digit" => digit,
        "base32" => upper + "234567",
        "base32lower" => range('a', 'z') + "234567",
        "base58" => (lower + &upper + &digit).replace(['0', 'O', 'I', 'l'], ""),
        "b64" => lower + &upper + &digit + "+/",
        "b64url" => lower + &upper + &digit + "-_",
        "bech32" => "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L".into(),
        _ => panic!("no alphabet `{class}`"),
    }
}

/// A small generator (splitmix64): the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn text(&mut self, alphabet: impl AsRef<str>, len: usize) -> String {
        let alphabet = alphabet.as_ref().as_bytes();
        let pick = |_| char::from(alphabet[self.next() as usize % alphabet.len()]);
        (0..len).map(pick).collect()
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}
