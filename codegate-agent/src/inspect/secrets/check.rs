//! Structures and checksums: what takes the place of asking the issuer.
//!
//! Knows: published formats. Must not know: rules, texts around a token.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::Words;
use crate::inspect::Confidence;

/// A condition on the bytes of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Check {
    /// GitHub's and npm's: the last six characters are the CRC-32 of those between the prefix's
    /// underscore and them, in base 62. A wrong one makes the finding less sure, no more.
    Crc32,
    /// RFC 7519: the first part is a JSON object that names an algorithm.
    Jwt,
    /// RFC 7617: base64 of a user, a colon and a password.
    Basic,
    /// Base64 of a private key's first line.
    Pem,
    /// RFC 3986's `user:password`, being none that every example has for a host of its own machine.
    Userinfo,
    /// Discord: the first part is the base64 of a decimal id.
    Discord,
}

impl Check {
    /// `None` if this can't be the token, else how sure that is; `behind` is the text that follows.
    pub(super) fn grade(self, token: &[u8], behind: &[u8]) -> Option<Confidence> {
        let holds = match self {
            Self::Crc32 if has_crc32(token) => true,
            Self::Crc32 => return Some(Confidence::Medium),
            Self::Jwt => is_jwt(token),
            Self::Basic => is_basic(token),
            Self::Pem => is_wrapped_pem(token),
            Self::Userinfo => has_own_password(token, behind),
            Self::Discord => is_discord(token),
        };
        holds.then_some(Confidence::High)
    }
}

const ANY_PADDING: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, ANY_PADDING);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, ANY_PADDING);

/// Base64 of either alphabet, padded or not.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD
        .decode(text)
        .or_else(|_| URL_SAFE.decode(text))
        .ok()
}

fn first_part(token: &[u8]) -> Option<&[u8]> {
    token.split(|byte| *byte == b'.').next()
}

fn is_jwt(token: &[u8]) -> bool {
    let Some(header) = first_part(token).and_then(decode) else {
        return false;
    };
    header.starts_with(b"{") && header.ends_with(b"}") && contains(&header, b"\"alg\"")
}

fn is_basic(token: &[u8]) -> bool {
    let Some(pair) = decode(token) else {
        return false;
    };
    let colon = pair.iter().position(|byte| *byte == b':');
    let has_password = colon.is_some_and(|colon| colon + 1 < pair.len());
    has_password && pair.iter().all(|byte| *byte >= b' ' && *byte != 0x7f)
}

fn is_discord(token: &[u8]) -> bool {
    let id = first_part(token).and_then(decode).unwrap_or_default();
    id.len() >= 15 && id.iter().all(u8::is_ascii_digit)
}

fn is_wrapped_pem(token: &[u8]) -> bool {
    let whole = token.len() - token.len() % 4;
    let start = token
        .get(..whole.min(64))
        .and_then(decode)
        .unwrap_or_default();
    start.starts_with(b"-----BEGIN ") && contains(&start, b"PRIVATE KEY")
}

fn has_own_password(userinfo: &[u8], behind: &[u8]) -> bool {
    let Some(colon) = userinfo.iter().position(|byte| *byte == b':') else {
        return false;
    };
    let (user, password) = (&userinfo[..colon], &userinfo[colon + 1..]);
    let digits = password
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let is_port = digits < 6 && matches!(password.get(digits), None | Some(b'/' | b'?' | b','));
    let is_reference = [&b"$"[..], b"%s", b"{"]
        .iter()
        .any(|sign| password.starts_with(sign));
    let is_masked = password.iter().all(|byte| b"*xX.".contains(byte));
    let is_shown = password == user || SHOWN_PASSWORDS.have(password);
    !(is_masked || is_port || is_reference || is_shown && is_shown_host(behind))
}

static SHOWN_PASSWORDS: Words<9> = Words::of([
    "password",
    "passwd",
    "pass",
    "pwd",
    "pw",
    "mypassword",
    "mysecretpassword",
    "token",
    "x-oauth-basic",
]);

/// The hosts of examples, and of databases that nobody else can reach.
static SHOWN_HOSTS: Words<19> = Words::of([
    "localhost",
    "127.0.0.1",
    "0.0.0.0",
    "[::1]",
    "host",
    "host.com",
    "hostname",
    "hostname.com",
    "domain.com",
    "server.com",
    "proxy.com",
    "server",
    "proxy",
    "db",
    "database",
    "example.com",
    "example.org",
    "example.net",
    "github.com",
]);

fn is_shown_host(behind: &[u8]) -> bool {
    let host = behind.strip_prefix(b"@").unwrap_or(behind);
    let is_host = |byte: &&u8| {
        byte.is_ascii_alphanumeric()
            || b"-._[]".contains(byte)
            || host.starts_with(b"[") && **byte == b':'
    };
    let len = host.iter().take_while(is_host).count();
    SHOWN_HOSTS.have(host.get(..len).unwrap_or_default())
}

fn has_crc32(token: &[u8]) -> bool {
    let mut parts = token.splitn(2, |byte| *byte == b'_').skip(1);
    let body = parts.next().unwrap_or_default();
    let sum = body.split_last_chunk::<6>();
    sum.is_some_and(|(body, sum)| *sum == base62(crc32fast::hash(body)))
}

/// Six digits of base 62 (`0-9A-Za-z`), the most significant first.
pub(super) fn base62(mut number: u32) -> [u8; 6] {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    digits
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_that_github_shows_in_its_announcement() {
        let (prefix, rest) = ("ghp", "_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17");
        let token = format!("{prefix}{rest}");
        assert_eq!(
            Check::Crc32.grade(token.as_bytes(), b""),
            Some(Confidence::High)
        );
        assert_eq!(
            Check::Crc32.grade(token.replace('z', "y").as_bytes(), b""),
            Some(Confidence::Medium)
        );
        assert_eq!(Check::Crc32.grade(b"none", b""), Some(Confidence::Medium));
    }

    #[test]
    fn a_jwt_names_an_algorithm() {
        let jwt = |header: &str| format!("{}.e30.sig", URL_SAFE.encode(header).replace('=', ""));
        assert_eq!(
            Check::Jwt.grade(jwt(r#"{"alg":"HS256"}"#).as_bytes(), b""),
            Some(Confidence::High)
        );
        assert_eq!(
            Check::Jwt.grade(jwt(r#"{"typ":"JWT"}"#).as_bytes(), b""),
            None
        );
        assert_eq!(Check::Jwt.grade(b"eyJ\xff.a.b", b""), None);
    }

    #[test]
    fn basic_is_a_pair_of_printable_texts() {
        let basic = |pair: &[u8]| Check::Basic.grade(STANDARD.encode(pair).as_bytes(), b"");
        assert_eq!(basic("ann:pässword".as_bytes()), Some(Confidence::High));
        assert_eq!(basic(b"ann"), None);
        assert_eq!(basic(b"ann:"), None);
        assert_eq!(basic(b"\x00:\x01"), None);
    }
}
