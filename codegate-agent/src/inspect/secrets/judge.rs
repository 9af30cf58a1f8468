//! Whether a value that is only named like a secret is one.
//!
//! Knows: the value, and how it stands there. Must not know: its name, or the text around it.
//!
//! It favours silence: prose, code and configuration name secrets far more often than they hold
//! one, and every one of those places would be a false alarm.

use serde::Deserialize;

use super::words::{common_pairs, natural_bytes};

/// How a value stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Site {
    /// Anywhere: the pattern says enough.
    Free,
    /// Between quotes.
    Quoted,
    /// The rest of a line that begins with the name, as in a `.env` file.
    Line,
    /// Unquoted, among other text or code.
    Bare,
}

/// What a value must be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Judge {
    /// Not a word, path, reference or stand-in: what stands beside `password`.
    Password,
    /// Random-looking: what stands beside names like `token`, that also name other things.
    Random,
}

impl Judge {
    pub(super) fn accepts(self, value: &[u8], site: Site) -> bool {
        let plausible = !is_reference(value)
            && !is_place(value)
            && !is_version(value)
            && !is_number(value)
            && (site != Site::Bare || !is_member(value));
        plausible
            && match self {
                Self::Password => is_password(value, site),
                Self::Random => is_random(value) && (site != Site::Bare || value.len() >= 12),
            }
    }
}

/// Shannon entropy, in bits per byte.
pub(super) fn entropy(text: &[u8]) -> f32 {
    let mut counts = [0u32; 256];
    for byte in text {
        counts[usize::from(*byte)] += 1;
    }
    let total = text.len() as f32;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| *count as f32 / total)
        .map(|share| -share * share.log2())
        .sum()
}

/// What people write where a secret would stand: `<your-token>`, `${TOKEN}`, `xxxx`, or one of our
/// own placeholders (so that scanning what was sealed changes nothing).
pub(super) fn is_stand_in(value: &[u8]) -> bool {
    const MARKS: [&[u8]; 14] = [
        b"example",
        b"placeholder",
        b"redacted",
        b"changeme",
        b"change_me",
        b"change-me",
        b"your_",
        b"your-",
        b"replace_",
        b"replace-",
        b"insert_",
        b"xxxx",
        b"....",
        b"****",
    ];
    let lower = value.to_ascii_lowercase();
    has_placeholder(value)
        || MARKS.iter().any(|mark| contains(&lower, mark))
        || is_template(value)
        || is_monotone(value)
}

/// `CG_<KIND>_<24 characters of Crockford base32>` anywhere in a value.
fn has_placeholder(value: &[u8]) -> bool {
    let is_kind = |kind: &[u8]| {
        (2..=12).contains(&kind.len())
            && kind
                .iter()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    let is_body = |body: &[u8]| {
        body.len() >= 24
            && body
                .iter()
                .take(24)
                .all(|byte| b"0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(byte))
    };
    memchr::memmem::find_iter(value, b"CG_").any(|at| {
        let rest = value.get(at + 3..).unwrap_or_default();
        let underscore = rest.iter().take(13).position(|byte| *byte == b'_');
        underscore
            .and_then(|underscore| rest.split_at_checked(underscore))
            .is_some_and(|(kind, body)| is_kind(kind) && is_body(body.get(1..).unwrap_or_default()))
    })
}

/// `${X}`, `{{x}}`, `<x>`, `%(x)s`, `{x}`, `#{x}`, `$(x)`, `[x]`.
fn is_template(value: &[u8]) -> bool {
    let opens = |mark: &[u8]| contains(value, mark);
    let wrapped =
        |open: u8, close: u8| value.first() == Some(&open) && value.last() == Some(&close);
    opens(b"${")
        || opens(b"{{")
        || opens(b"%(")
        || opens(b"#{")
        || opens(b"$(")
        || opens(b"<%")
        || value.starts_with(b"&#")
        || value.starts_with(b"&lt")
        || wrapped(b'<', b'>')
        || wrapped(b'{', b'}')
        || wrapped(b'[', b']')
        || wrapped(b'%', b'%')
}

/// One byte again and again.
fn is_monotone(value: &[u8]) -> bool {
    let most = value
        .chunk_by(|a, b| a == b)
        .map(<[u8]>::len)
        .max()
        .unwrap_or(0);
    (most >= 8 && most * 4 >= value.len()) || most * 2 > value.len().max(3)
}

/// A name with a sign before it, as languages write variables, references and symbols.
fn is_reference(value: &[u8]) -> bool {
    let [sign, name @ ..] = value else {
        return true;
    };
    let is_name_byte = |b: &u8| b.is_ascii_alphabetic() || b"_-.:>[]()!?".contains(b);
    !sign.is_ascii_alphanumeric() && name.iter().all(is_name_byte)
}

/// A number as languages write them: `0xC000_0072`, `16u32`, `-2147217308i32`. A plain row of digits
/// is left to others.
fn is_number(value: &[u8]) -> bool {
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

/// A path, a URL, a mail address.
fn is_place(value: &[u8]) -> bool {
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

/// `1.2.3`, `v20.11-rc1`, `2024-01-31T10:00`.
fn is_version(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"v").unwrap_or(value);
    let of = |byte: &u8| byte.is_ascii_digit() || b".-+:TZ ".contains(byte);
    let leading = value.iter().take_while(|byte| of(byte)).count();
    let dotted = value.get(..leading).unwrap_or_default();
    let separators = dotted.iter().filter(|byte| b".-:".contains(byte)).count();
    separators >= 2 && leading * 10 >= value.len() * 6
}

fn is_password(value: &[u8], site: Site) -> bool {
    let longest = if site == Site::Bare { 64 } else { 160 };
    let (letters, digits, symbols) = classes(value);
    if !(5..=longest).contains(&value.len()) || is_common_stem(value) {
        return false;
    }
    match (letters > 0, digits > 0, symbols > 0) {
        (false, true, _) => site != Site::Bare && value.len() >= 6 && !is_sequence(value),
        (true, true, false) => !is_quantity(value) && !is_identifier(value, site),
        (true, true, true) => !is_identifier(value, site),
        (true, false, true) => has_odd_symbols(value) || is_random(value),
        (true, false, false) => is_random(value),
        (false, false, _) => false,
    }
}

/// How many letters, digits, and anything else.
fn classes(value: &[u8]) -> (usize, usize, usize) {
    let letters = value
        .iter()
        .filter(|byte| byte.is_ascii_alphabetic())
        .count();
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    (letters, digits, value.len() - letters - digits)
}

/// A word that is written in examples, tests and types, with or without a number behind it.
fn is_common_stem(value: &[u8]) -> bool {
    const STEMS: [&str; 74] = [
        "abc",
        "admin",
        "api",
        "arg",
        "argon",
        "auth",
        "bar",
        "base",
        "baz",
        "bcrypt",
        "blake",
        "bytes",
        "char",
        "config",
        "data",
        "default",
        "demo",
        "dev",
        "environment",
        "f",
        "false",
        "field",
        "float",
        "foo",
        "guest",
        "hash",
        "http",
        "i",
        "input",
        "int",
        "key",
        "l",
        "letmein",
        "login",
        "md",
        "mypassword",
        "n",
        "name",
        "none",
        "null",
        "oauth",
        "param",
        "pass",
        "passwd",
        "password",
        "pbkdf",
        "prod",
        "pwd",
        "qwerty",
        "root",
        "s",
        "scram-sha",
        "scrypt",
        "secret",
        "sha",
        "stdin",
        "str",
        "string",
        "test",
        "testing",
        "testpass",
        "text",
        "token",
        "true",
        "u",
        "uint",
        "undefined",
        "user",
        "utf",
        "val",
        "value",
        "var",
        "varchar",
        "x",
    ];
    let end = value
        .iter()
        .rposition(|byte| !byte.is_ascii_digit())
        .map_or(0, |last| last + 1);
    let stem = value.get(..end).unwrap_or_default();
    let stem = stem.trim_of(b"_-");
    STEMS
        .iter()
        .any(|common| stem.eq_ignore_ascii_case(common.as_bytes()))
}

/// `100ms`, `3600s`, `1024kb`.
fn is_quantity(value: &[u8]) -> bool {
    let digits = value
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let unit = value.get(digits..).unwrap_or_default();
    digits > 0 && unit.len() <= 3 && unit.iter().all(u8::is_ascii_alphabetic)
}

/// Words that are joined, as things are named: `mysql-secret-v2`, `user.input_1`.
fn is_identifier(value: &[u8], site: Site) -> bool {
    let of = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.:/".contains(byte);
    let joined = value.iter().any(|byte| b"_-.:/".contains(byte));
    let least = if site == Site::Bare { 4 } else { 6 };
    let wordy = natural_bytes(value) * 10 >= value.len() * least;
    site != Site::Line && joined && wordy && value.iter().all(of)
}

/// Signs inside that no language, format or sentence puts between letters.
fn has_odd_symbols(value: &[u8]) -> bool {
    let inner = value.trim_of(b"!?*.,:;");
    let odd = inner
        .iter()
        .filter(|byte| b"!@#$%^&*~+".contains(byte))
        .count();
    let other = inner
        .iter()
        .any(|byte| b"(){}[]<>|\\/=:,;'\"` ".contains(byte));
    value.len() >= 8 && odd >= 2 && !other
}

/// Whether a value looks like the output of a random generator.
pub(super) fn is_random(value: &[u8]) -> bool {
    let (letters, digits, symbols) = classes(value);
    if value.len() < 10 || letters == 0 || symbols * 3 > value.len() || is_uuid(value) {
        return false;
    }
    let least = if value.len() >= 16 { 2.9 } else { 2.6 };
    let wordy = natural_bytes(value) * 10 >= value.len() * 4;
    let mixed = digits > 0 || reads_like_nothing(value);
    mixed && !wordy && entropy(value) >= least && !is_sequence(value)
}

/// Letters in both cases whose pairs are no more common than chance makes them.
fn reads_like_nothing(value: &[u8]) -> bool {
    let (common, pairs) = common_pairs(value);
    let both = value.iter().any(u8::is_ascii_lowercase) && value.iter().any(u8::is_ascii_uppercase);
    both && common * 10 <= pairs * 6
}

/// `0123456789abcdef`, `abcdefgh…`: most bytes follow from the one before.
fn is_sequence(value: &[u8]) -> bool {
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

/// Cuts the bytes of a set off both ends.
trait Trim {
    fn trim_of(&self, set: &[u8]) -> &[u8];
}

impl Trim for [u8] {
    fn trim_of(&self, set: &[u8]) -> &[u8] {
        let keeps = |byte: &u8| !set.contains(byte);
        let start = self.iter().position(keeps).unwrap_or(self.len());
        let end = self.iter().rposition(keeps).map_or(start, |last| last + 1);
        self.get(start..end).unwrap_or_default()
    }
}
