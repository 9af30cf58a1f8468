//! What no pattern can say: checksums, structures, and what people choose.
//!
//! Knows: published formats. Must not know: how the scanner checks them.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

use crate::check::base62;
use crate::random::{ALNUM, BASE64, BASE64URL, DIGIT, HEX, LOWER, Random};

/// Makes a token that a pattern describes into one that its issuer could have made; `None` if it
/// is not known how.
pub(crate) fn mend(check: &str, token: &str, random: &mut Random) -> Option<String> {
    match check {
        "crc32" => with_crc32(token),
        "jwt" => Some(with_header(token, random)),
        "basic" => Some(STANDARD.encode(format!("{}:{}", user(random), password(random)))),
        "key64" => Some(STANDARD.encode(random.bytes(64))),
        "pem" => Some(STANDARD.encode(private_key("RSA PRIVATE KEY", random))),
        "userinfo" => Some(token.to_owned()),
        "discord" => {
            let id = format!("1{}", random.text(DIGIT, 17));
            Some(with_part(token, 0, &URL_SAFE_NO_PAD.encode(id)))
        }
        _ => None,
    }
}

/// GitHub's and npm's: the last six characters are the CRC-32, in base 62, of what stands between
/// the prefix's underscore and them.
fn with_crc32(token: &str) -> Option<String> {
    let body = token.get(..token.len().checked_sub(6)?)?;
    let sum = base62(crc32fast::hash(body.split_once('_')?.1.as_bytes()));
    Some(format!("{body}{}", String::from_utf8_lossy(&sum)))
}

/// RFC 7519: what stands first, and second where it is JSON too, says something.
fn with_header(token: &str, random: &mut Random) -> String {
    let header = random.one(&[
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"alg":"RS256","kid":"7f3a","typ":"JWT"}"#,
        r#"{"typ":"JWT","alg":"ES256"}"#,
    ]);
    let with_header = with_part(token, 0, &URL_SAFE_NO_PAD.encode(header));
    if !token
        .split('.')
        .nth(1)
        .is_some_and(|part| part.starts_with("eyJ"))
    {
        return with_header;
    }
    let subject = random.text(DIGIT, 10);
    let claims = format!(r#"{{"sub":"{subject}","name":"Ann Ng","iat":1760000000}}"#);
    with_part(&with_header, 1, &URL_SAFE_NO_PAD.encode(claims))
}

/// A text of parts between dots, one of them replaced.
fn with_part(token: &str, at: usize, with: &str) -> String {
    let parts = token.split('.').enumerate();
    let parts = parts.map(|(n, part)| if n == at { with } else { part });
    parts.collect::<Vec<_>>().join(".")
}

/// RFC 7468: a private key's text.
pub(crate) fn private_key(label: &str, random: &mut Random) -> String {
    let body = private_key_body(random);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----")
}

/// Lines of 64 characters, and a last one that may be shorter.
pub(crate) fn private_key_body(random: &mut Random) -> String {
    let whole = random.between(1, 24);
    let mut lines: Vec<String> = (0..whole).map(|_| random.text(BASE64, 64)).collect();
    lines.push(format!("{}==", random.text(BASE64, 18)));
    lines.join("\n")
}

fn user(random: &mut Random) -> String {
    random
        .one(&["ann", "svc-ci", "deploy", "app", "root"])
        .to_owned()
}

/// What people and their programs choose for a password.
pub(crate) fn password(random: &mut Random) -> String {
    const WORDS: [&str; 12] = [
        "Winter", "dragon", "Sunny", "coffee", "Tiger", "maple", "Falcon", "river", "Bravo",
        "monkey", "Orange", "shadow",
    ];
    const SIGNS: &str = "!@%*+-_=?";
    let word = random.one(&WORDS);
    match random.below(6) {
        0 => format!("{word}{}{}", random.text(DIGIT, 4), random.text(SIGNS, 1)),
        1 => format!(
            "{word}{}{}{}",
            random.text(SIGNS, 1),
            random.text(DIGIT, 2),
            random.text(ALNUM, 3)
        ),
        2 => random.text(ALNUM, 16),
        3 => {
            let (head, sign) = (random.text(ALNUM, 8), random.text(SIGNS, 1));
            format!("{head}{sign}{}7", random.text(ALNUM, 6))
        }
        4 => format!("{}{}", random.text(LOWER, 7), random.text(DIGIT, 3)),
        _ => random.text(HEX, 24),
    }
}

/// What people choose where a service asks for letters in both cases, a digit and a sign.
pub(crate) fn strong_password(random: &mut Random) -> String {
    const WORDS: [&str; 8] = [
        "Harbor",
        "Meadow",
        "Lantern",
        "Orchid",
        "Pebble",
        "Saddle",
        "Tournesol",
        "Waldweg",
    ];
    const SIGNS: &str = "!@#*+~?^";
    let (one, other) = (random.one(&WORDS), random.one(&WORDS));
    let (sign, number) = (random.text(SIGNS, 1), random.text(DIGIT, 2));
    match random.below(3) {
        0 => format!("{one}{sign}{number}{other}"),
        1 => format!("{number}{one}{other}{sign}{}", random.text(DIGIT, 1)),
        _ => format!(
            "{}{sign}{}{number}",
            random.text(ALNUM, 6),
            random.text(LOWER, 4)
        ),
    }
}

/// What people choose when nothing makes them choose better, and what they are given.
pub(crate) fn chosen_password(random: &mut Random) -> String {
    const WORDS: [&str; 12] = [
        "sunshine",
        "hunter",
        "trustno",
        "welcome",
        "letme1n",
        "p4ssw0rd",
        "sw0rdfish",
        "charlie",
        "superman",
        "football",
        "qazwsx",
        "Liverpool",
    ];
    let word = random.one(&WORDS);
    match random.below(8) {
        0 => format!("{word}{}", random.text(DIGIT, 2)),
        1 => format!("{word}{}!", random.text(DIGIT, 4)),
        2 => random.text(LOWER, 10),
        3 => random.text(ALNUM, 8),
        4 => format!("{}{}", random.text(ALNUM, 6), random.text("!@#%^&*", 2)),
        5 => format!("{}-{}", random.text(ALNUM, 5), random.text(ALNUM, 5)),
        _ => password(random),
    }
}

/// What a generator gives out for a key of no particular form.
pub(crate) fn random_key(random: &mut Random) -> String {
    match random.below(6) {
        0 => random.text(HEX, 32),
        1 => random.text(HEX, 40),
        2 => random.text(HEX, 64),
        3 => random.text(ALNUM, 32),
        4 => random.text(BASE64URL, 42) + "x",
        _ => random.text(ALNUM, 24),
    }
}

/// A UUID of version 4 (RFC 9562, section 5.4), in lower case.
pub(crate) fn uuid(random: &mut Random) -> String {
    let mut part = |len| random.text(HEX, len);
    format!(
        "{}-{}-4{}-a{}-{}",
        part(8),
        part(4),
        part(3),
        part(3),
        part(12)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_that_github_shows_in_its_announcement() {
        let (prefix, rest) = ("ghp", "_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ");
        let spoilt = format!("{prefix}{rest}??????");
        let mended = format!("{prefix}{rest}0mLq17");
        assert_eq!(with_crc32(&spoilt), Some(mended));
    }

    #[test]
    fn only_the_parts_that_say_something_are_replaced() {
        assert_eq!(with_part("a.b.c", 1, "x"), "a.x.c");
        let mut random = Random::of(&["jwt"]);
        let jwt = mend("jwt", "eyJ0.eyJ1.sig", &mut random).unwrap_or_default();
        assert!(jwt.starts_with("eyJ") && jwt.ends_with(".sig"));
        assert!(
            mend("jwt", "eyJ0..iv.text.tag", &mut random)
                .is_some_and(|t| t.ends_with("..iv.text.tag"))
        );
        assert_eq!(mend("another", "x", &mut random), None);
    }
}
