//! The shapes of values that are no secrets, whatever they are named: references, numbers, paths,
//! versions, ids.
//!
//! Knows: the value. Must not know: names, rules.

use super::words::natural_bytes;

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
    !sign.is_ascii_alphanumeric() && (name.iter().all(of) || is_numbered)
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
pub(super) fn is_member(value: &[u8]) -> bool {
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

/// A path, a URL, a mail address.
pub(super) fn is_place(value: &[u8]) -> bool {
    let slashes = value.iter().filter(|byte| **byte == b'/').count();
    let wordy = |tenths: usize| natural_bytes(value) * 10 >= value.len() * tenths;
    let begins = |mark: &[u8]| value.starts_with(mark);
    let rooted = begins(b"/") || begins(b"./") || begins(b"../") || begins(b"~/");
    let is_path = rooted && (wordy(3) || slashes >= 2 && value.len() < 24);
    let is_words_with_slashes = slashes > 0 && (wordy(6) || has_extension(value));
    contains(value, b"://") || is_path || is_words_with_slashes || is_drive(value) || is_mail(value)
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
    separators >= 2 && leading * 10 >= value.len() * 6
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
