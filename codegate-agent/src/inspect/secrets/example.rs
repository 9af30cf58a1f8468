//! Examples that generate themselves, so that no token, real or real-looking, is in this repository.
//!
//! In a template, `«` and `»` mark what must be found, and `‹alnum 36›` stands for 36 characters of
//! an alphabet. The same template gives the same text each time for the same seed.
//!
//! Knows: templates. Must not know: what is found in a text. Users write templates too, so a wrong
//! one is an error like any other.

use std::ops::Range;

use base64::{
    Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD,
};

use super::check;

/// A field makes no more characters, or lines, than this.
const MOST: usize = 1 << 16;

/// A template, filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Example {
    pub(super) text: String,
    /// What must be found.
    pub(super) secrets: Vec<Range<usize>>,
}

/// Fills in a template, or says what is wrong with it.
pub(super) fn expand(template: &str, seed: u64) -> Result<Example, String> {
    let mut random = Random(seed ^ 0x9e37_79b9_7f4a_7c15);
    let mut example = Example {
        text: String::new(),
        secrets: Vec::new(),
    };
    let mut opened = None;
    let mut rest = template;
    while let Some(next) = rest.chars().next() {
        rest = rest.get(next.len_utf8()..).unwrap_or_default();
        match next {
            '«' => opened = Some(example.text.len()),
            '»' => {
                let start = opened.take().ok_or("a » without its «")?;
                example.secrets.push(start..example.text.len());
            }
            '‹' => {
                let (field, after) = rest.split_once('›').ok_or("a ‹ without its ›")?;
                let token = example.text.get(opened.unwrap_or(0)..).unwrap_or_default();
                let value = fill(field, token, &mut random)?;
                example.text.push_str(&value);
                rest = after;
            }
            other => example.text.push(other),
        }
    }
    match opened {
        Some(_) => Err("a « without its »".into()),
        None => Ok(example),
    }
}

/// The value of a field; `token` is what stands before it since the last «.
fn fill(field: &str, token: &str, random: &mut Random) -> Result<String, String> {
    let (class, argument) = field.split_once(' ').unwrap_or((field, ""));
    let count = || {
        let count = argument.parse().ok().filter(|count| *count <= MOST);
        count.ok_or_else(|| format!("‹{field}›: expected a number up to {MOST} in it"))
    };
    Ok(match class {
        "crc" => {
            let body = token.split_once('_').map_or(token, |(_, body)| body);
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
        "lines" => pem_lines(count()?, random),
        _ => random.text(
            alphabet(class).ok_or_else(|| format!("‹{field}›: there is no class `{class}`"))?,
            count()?,
        ),
    })
}

fn pem_lines(lines: usize, random: &mut Random) -> String {
    let base64 = alphabet("b64").unwrap_or_default();
    let line = |_| random.text(&base64, 64);
    (0..lines).map(line).collect::<Vec<_>>().join("\n")
}

fn alphabet(class: &str) -> Option<String> {
    let range = |from: char, to: char| (from..=to).collect::<String>();
    let (lower, upper, digit) = (range('a', 'z'), range('A', 'Z'), range('0', '9'));
    Some(match class {
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
        _ => return None,
    })
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
        let pick = |_| {
            let at = self.next() as usize % alphabet.len().max(1);
            char::from(alphabet.get(at).copied().unwrap_or_default())
        };
        (0..len).map(pick).collect()
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}
