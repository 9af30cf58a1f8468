//! The shapes of values that are no secrets, whatever they are named: references, numbers, paths,
//! versions, ids.
//!
//! Knows: the value. Must not know: names, rules.

use super::words::{natural_bytes, runs};

/// A name with a sign before it, as languages write variables, references and symbols.
pub(super) fn is_reference(value: &[u8]) -> bool {
    let [sign, name @ ..] = value else {
        return true;
    };
    let of = |byte: &u8| byte.is_ascii_alphabetic() || b"_-.:>[]()!?".contains(byte);
    let of_numbered = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let is_numbered = b"$&*@".contains(sign)
        && name.iter().all(of_numbered)
        && natural_bytes(name) * 10 >= name.len() * 4;
    let is_shouted =
        |byte: &u8| byte.is_ascii_uppercase() || of_numbered(byte) && !byte.is_ascii_lowercase();
    let is_variable = *sign == b'$' && name.contains(&b'_') && name.iter().all(is_shouted);
    !sign.is_ascii_alphanumeric() && (name.iter().all(of) || is_numbered || is_variable)
}

/// What is known to be something else: a hash that a database keeps of a password, the address of a contract, rules for
/// a form, keys and ids that are published.
pub(super) fn is_known_otherwise(value: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 8] = [
        b"SCRAM-SHA-",
        b"encrypted:", // dotenvx's
        b"phc_",
        b"required|",
        b"nullable|",
        b"pk_live_",
        b"pk_test_",
        b"pk.eyJ",
    ];
    // What ends with dots is shown in part.
    const ENDS: [&[u8]; 3] = [b".sig", b".apps.googleusercontent.com", b"..."];
    let is_hex = |digits: &[u8]| digits.len() == 40 && digits.iter().all(u8::is_ascii_hexdigit);
    let is_hash = value
        .strip_prefix(b"0x")
        .or(value.strip_prefix(b"*"))
        .is_some_and(is_hex);
    // Web servers' files of users: `ann:$apr1$…`.
    let colon = value.iter().position(|byte| *byte == b':');
    let behind = colon.and_then(|at| value.get(at + 1..));
    is_hash
        || is_crypt(value)
        || behind.is_some_and(is_crypt)
        || BEGINNINGS.iter().any(|begin| value.starts_with(begin))
        || ENDS.iter().any(|end| value.ends_with(end))
}

/// What is kept of a password to check it: `$2b$12$…`, `$argon2id$v=19$…` (crypt(5)), `{SSHA}…` (RFC 2307),
/// `pbkdf2_sha256$600000$…`, `scrypt:32768:8:1$…`.
fn is_crypt(value: &[u8]) -> bool {
    const METHODS: &[u8] =
        b"1 2 2a 2b 2x 2y 5 6 7 y gy md5 sha1 apr1 argon2i argon2d argon2id scrypt P S";
    const BEGINNINGS: [&[u8]; 8] = [
        b"{SSHA", b"{SHA", b"{SMD5}", b"{MD5}", b"{CRYPT}", b"pbkdf2", b"$pbkdf2", b"scrypt:",
    ];
    // Compose has each of them twice.
    let mut parts = value
        .split(|byte| *byte == b'$')
        .filter(|part| !part.is_empty());
    let is_known = |method: &[u8]| {
        METHODS
            .split(|byte| *byte == b' ')
            .any(|known| known == method)
    };
    let is_method = value.starts_with(b"$") && parts.next().is_some_and(is_known);
    // PostgreSQL's, of the password and the user's name.
    let is_md5 = |sum: &[u8]| sum.len() == 32 && sum.iter().all(u8::is_ascii_hexdigit);
    is_method && parts.next().is_some()
        || value.strip_prefix(b"md5").is_some_and(is_md5)
        || BEGINNINGS.iter().any(|begin| value.starts_with(begin))
}

/// A number as languages write them: `0xC000_0072`, `16u32`, `-2147217308i32`. A plain row of digits
/// is left to others.
pub(super) fn is_number(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"-").unwrap_or(value);
    let hex = value.strip_prefix(b"0x");
    let is_digit = |byte: &&u8| match hex {
        Some(_) => byte.is_ascii_hexdigit() || **byte == b'_',
        None => byte.is_ascii_digit() || **byte == b'_',
    };
    let digits = hex.unwrap_or(value);
    let count = digits.iter().take_while(is_digit).count();
    let suffix = match digits.get(count..).unwrap_or_default() {
        [] => hex.is_some(),
        [b'u' | b'i' | b'f', width @ ..] => width.iter().all(u8::is_ascii_digit),
        rest => rest.len() <= 3 && rest.iter().all(|byte| b"uUlL".contains(byte)),
    };
    count > 0 && count < 20 && suffix
}

/// A member of something: `self.password1`, `&self.token2`, `ed25519::PrivateKey`.
fn is_member(value: &[u8]) -> bool {
    let value = value
        .strip_prefix(b"&")
        .or(value.strip_prefix(b"*"))
        .unwrap_or(value);
    let mut parts = value
        .split(|byte| b".:".contains(byte))
        .filter(|part| !part.is_empty());
    let is_name = |part: &[u8]| {
        part.first()
            .is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_')
            && part
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    };
    let joined = value.iter().any(|byte| b".:".contains(byte));
    joined && parts.all(is_name) && natural_bytes(value) * 5 >= value.len()
}

/// A member, an element, a choice: `self.password1`, `keys[i2]`, `t?m:bf.m971`.
pub(super) fn is_code(value: &[u8]) -> bool {
    let has = |sign: u8| value.contains(&sign);
    let is_choice = has(b'?') && has(b':');
    let is_element = value.ends_with(b"]") && has(b'[') && !value.starts_with(b"[");
    let is_own = value.starts_with(b"self.") || value.starts_with(b"this.");
    is_choice || is_element || is_own || is_member(value)
}

/// `generateToken(user1)`, `uuid4().hex`, `Deno.env.get("T1")`.
pub(super) fn is_call(value: &[u8]) -> bool {
    let open = value.iter().position(|byte| *byte == b'(').unwrap_or(0);
    let name = value.get(..open).unwrap_or_default();
    let of = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.:$@".contains(byte);
    let quoted = value.ends_with(b"\")") || value.ends_with(b"')");
    !name.is_empty()
        && name.iter().all(of)
        && (contains(value, b"().")
            || quoted
            || value.ends_with(b")") && natural_bytes(name) * 2 >= name.len())
}

/// A constant's name: `SECRET_KEY_1`.
pub(super) fn is_constant(value: &[u8]) -> bool {
    let of = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let joined = value.contains(&b'_');
    let underscores = value.iter().filter(|byte| **byte == b'_').count();
    let least = if underscores >= 2 { 3 } else { 5 };
    joined && value.iter().all(of) && natural_bytes(value) * 10 >= value.len() * least
}

/// An identifier that names a secret itself, or begins as private ones do: `ChaCha20Key`,
/// `NID_aes_256_key`, `_pep_440_key`.
pub(super) fn is_symbol(value: &[u8]) -> bool {
    const NOUNS: [&[u8]; 7] = [
        b"key",
        b"token",
        b"secret",
        b"passw",
        b"credential",
        b"auth",
        b"nid_",
    ];
    let value = value.strip_prefix(b"&").unwrap_or(value);
    let of = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let lower = value.to_ascii_lowercase();
    let named = NOUNS.iter().any(|noun| contains(&lower, noun));
    value.iter().all(of)
        && value.len() < 40
        && (named || is_camel_type(value) || value.starts_with(b"_"))
}

/// `EcPrivateKeyRfc5915Der`: capitalised words, one after the other.
fn is_camel_type(value: &[u8]) -> bool {
    let words = runs(value).filter(|run| run.len() > 1).count();
    let natural = natural_bytes(value) * 2 >= value.len();
    let begins = value.first().is_some_and(u8::is_ascii_uppercase);
    begins && natural && words >= 2 && value.iter().all(u8::is_ascii_alphanumeric)
}

/// Escapes that no password is written with: `str\x00ing`.
pub(super) fn has_escapes(value: &[u8]) -> bool {
    value.windows(2).any(|pair| {
        matches!(
            pair,
            [b'\\', b'x' | b'u' | b'U' | b'n' | b'r' | b't' | b'0']
        )
    })
}

/// A path, a URL, a mail address.
pub(super) fn is_place(value: &[u8]) -> bool {
    let slashes = value.iter().filter(|byte| **byte == b'/').count();
    let wordy = |tenths: usize| natural_bytes(value) * 10 >= value.len() * tenths;
    let begins = |mark: &[u8]| value.starts_with(mark);
    let rooted = begins(b"/") || begins(b"./") || begins(b"../") || begins(b"~/");
    let is_path = rooted && (wordy(3) || slashes >= 2 && value.len() < 24);
    let is_words_with_slashes = slashes > 0 && (wordy(6) || has_extension(value));
    let is_key = slashes >= 2 && is_short_path(value);
    let is_named =
        is_key || begins(b"i18n:") || begins(b"arn:") || begins(b"urn:") || begins(b"vault:");
    contains(value, b"://")
        || is_named
        || is_path
        || is_words_with_slashes
        || is_drive(value)
        || is_mail(value)
}

/// `kv/data/app1`: short parts in small letters.
fn is_short_path(value: &[u8]) -> bool {
    let of =
        |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(byte);
    let is_part = |part: &[u8]| (1..=12).contains(&part.len()) && part.iter().all(of);
    value.len() < 40 && natural_bytes(value) > 0 && value.split(|byte| *byte == b'/').all(is_part)
}

/// `.rs`, `.json`: a dot and two to four small letters at the end.
fn has_extension(value: &[u8]) -> bool {
    let letters = value
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_lowercase())
        .count();
    let dot = value
        .len()
        .checked_sub(letters + 1)
        .and_then(|at| value.get(at));
    (2..=4).contains(&letters) && dot == Some(&b'.')
}

fn is_drive(value: &[u8]) -> bool {
    matches!(value, [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic())
}

fn is_mail(value: &[u8]) -> bool {
    let mut parts = value.split(|byte| *byte == b'@');
    let (Some(user), Some(host), None) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let Some(dot) = host.iter().rposition(|byte| *byte == b'.') else {
        return false;
    };
    let (name, top) = (&host[..dot], &host[dot + 1..]);
    !user.is_empty() && name.len() > 1 && top.len() > 1 && top.iter().all(u8::is_ascii_lowercase)
}

/// `1.2.3`, `^7.0.2`, `v20.11-rc1`, `2024-01-31T10:00`.
pub(super) fn is_version(value: &[u8]) -> bool {
    let is_operator = |byte: &u8| b"^~<>=v".contains(byte);
    let start = value
        .iter()
        .take(3)
        .take_while(|byte| is_operator(byte))
        .count();
    let value = value.get(start..).unwrap_or_default();
    let of = |byte: &u8| byte.is_ascii_digit() || b".-+:TZ ".contains(byte);
    let leading = value.iter().take_while(|byte| of(byte)).count();
    let dotted = value.get(..leading).unwrap_or_default();
    let separators = dotted.iter().filter(|byte| b".-:".contains(byte)).count();
    let is_row = |part: &[u8]| {
        let letters = part
            .iter()
            .filter(|byte| byte.is_ascii_alphabetic())
            .count();
        letters == part.len() || letters <= 1
    };
    let named = value
        .split(|byte| b".-+".contains(byte))
        .all(|part| part.len() <= 8 && is_row(part));
    separators >= 2 && (leading * 10 >= value.len() * 6 || leading >= 5 && named)
}

/// `jjwt-jackson-0.11.2`: words, a dash and a version.
pub(super) fn is_artifact(value: &[u8]) -> bool {
    let dash = value.iter().rposition(|byte| *byte == b'-');
    let (name, version) = value
        .split_at_checked(dash.unwrap_or(0))
        .unwrap_or_default();
    let version = version.get(1..).unwrap_or_default();
    let is_part =
        |part: &[u8]| (1..=4).contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
    let mut parts = version.split(|byte| *byte == b'.');
    let dots = version.iter().filter(|byte| **byte == b'.').count();
    !name.is_empty() && dots >= 1 && natural_bytes(name) >= 4 && parts.all(is_part)
}

/// `0123456789abcdef`, `abcdefgh…`: most bytes follow from the one before.
pub(super) fn is_sequence(value: &[u8]) -> bool {
    let follows = |pair: &&[u8]| match pair {
        [a, b] => b.wrapping_sub(*a) <= 1,
        _ => false,
    };
    let steps = value.windows(2).filter(follows).count();
    steps * 2 >= value.len()
}

/// RFC 9562's text form.
pub(super) fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}
