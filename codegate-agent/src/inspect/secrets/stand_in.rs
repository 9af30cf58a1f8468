//! What stands where a secret would: templates, crossed-out values, our own placeholders.
//!
//! Knows: the value. Must not know: names, rules.

use super::words::Words;

/// What people write where a secret would stand: `<your-token>`, `${TOKEN}`, `xxxx`, or one of our
/// own placeholders (so that scanning what was sealed changes nothing).
pub(super) fn is_stand_in(value: &[u8]) -> bool {
    static MARKS: Words<34> = Words::of([
        "example",
        "placeholder",
        "redacted",
        "changeme",
        "change_me",
        "change-me",
        "your_",
        "your-",
        "replace_",
        "replace-",
        "insert_",
        "insert-",
        "sample",
        "dummy",
        "foobar",
        "mysecret",
        "my_secret",
        "my-secret",
        "my_pass",
        "my-pass",
        "mypass",
        "my_api",
        "my-api",
        "yourpass",
        "yoursecret",
        "yourapi",
        "yourtoken",
        "not-a-real",
        "not_a_real",
        "some-secret",
        "1234567890",
        "xxxx",
        "....",
        "****",
    ]);
    static BEGINNINGS: Words<4> = Words::of(["fake", "mock", "todo", "fixme"]);
    let begins = |sign: usize| BEGINNINGS.have(value.get(..sign).unwrap_or_default());
    let sign = value.iter().take(6).position(|byte| b"-_".contains(byte));
    sign.is_some_and(begins)
        || has_placeholder(value)
        || MARKS.stand_in(value)
        || is_template(value)
        || is_sealed(value)
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
    let framed = |mark: &[u8]| value.len() > 4 && value.starts_with(mark) && value.ends_with(mark);
    opens(b"${")
        || opens(b"{{")
        || is_formatted(value)
        || opens(b"#{")
        || opens(b"$(")
        || opens(b"<%")
        || value.starts_with(b"ENC(")
        || framed(b"@@")
        || framed(b"__")
        || value.starts_with(b"**") && value.len() < 40
        || value.starts_with(b"&#")
        || value.starts_with(b"&lt")
        || wrapped(b'<', b'>')
        || wrapped(b'{', b'}')
        || wrapped(b'[', b']')
        || wrapped(b'%', b'%')
}

/// What is encrypted already: by Ansible, sops, Spring, AWS KMS, or as a SealedSecret, which begins
/// with the length of a key that RSA encrypted.
fn is_sealed(value: &[u8]) -> bool {
    const MARKS: [&[u8]; 5] = [
        b"$ANSIBLE_VAULT",
        b"ENC[",
        b"{cipher}",
        b"AQECAH",
        b"AQICAH",
    ];
    let is_rsa = |value: &[u8]| {
        let starts = matches!(value, [b'A', b'g' | b'Q', b'A'..=b'D', ..]);
        starts
            && value.len() >= 250
            && value
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte))
    };
    MARKS.iter().any(|mark| value.starts_with(mark)) || is_rsa(value)
}

/// Python's `%(name)s`; a lone `%(` is a password's.
fn is_formatted(value: &[u8]) -> bool {
    memchr::memmem::find_iter(value, b"%(").any(|at| {
        let rest = value.get(at + 2..).unwrap_or_default();
        let name = rest.iter().take_while(|byte| is_word(**byte)).count();
        name > 0 && rest.get(name) == Some(&b')')
    })
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// One byte again and again, or up to eight of them: `deadbeefdeadbeef…`, `abc123abc123abc123`.
fn is_monotone(value: &[u8]) -> bool {
    let repeats = |unit: usize| {
        value.len() >= 3 * unit && value.get(unit..) == value.get(..value.len() - unit)
    };
    if value.len() >= 12 && (1..=8).any(repeats) {
        return true;
    }
    let most = value
        .chunk_by(|a, b| a == b)
        .map(<[u8]>::len)
        .max()
        .unwrap_or(0);
    (most >= 8 && most * 4 >= value.len()) || most * 2 > value.len().max(3)
}

/// `abcdef` or `fedcba` in a value that is long enough to be a key: chance makes six in a row
/// once in ten thousand. A part that is a number says nothing: people make up ids beside keys.
pub(super) fn has_row(value: &[u8]) -> bool {
    let row = |part: &[u8], step: u8| {
        part.chunk_by(|a, b| b.wrapping_sub(*a) == step)
            .any(|run| run.len() >= 6)
    };
    (20..=256).contains(&value.len())
        && value
            .split(|byte| !byte.is_ascii_alphanumeric())
            .filter(|part| !part.iter().all(u8::is_ascii_digit))
            .any(|part| row(part, 1) || row(part, u8::MAX))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

#[cfg(test)]
mod tests {
    use super::{has_row, is_stand_in};

    #[test]
    fn a_row_is_six_that_follow_from_each_other() {
        assert!(has_row(b"xk9_q2abcdefwpz7m3tr") && has_row(b"xk9_q2987654wpz7m3tr"));
        assert!(!has_row(b"xk9_q2abcdegwpz7m3tr") && !has_row(b"abcdef1234"));
        assert!(!has_row(b"xoxb-234567890123-q2abcdegwpz7m3tr"));
    }

    #[test]
    fn what_is_encrypted_or_repeats_stands_in() {
        let sealed = format!("AgB{}", "x9Kq2vLm".repeat(40));
        assert!(is_stand_in(sealed.as_bytes()) && is_stand_in(b"AQICAHhqTv0GbkiO1QSC"));
        assert!(is_stand_in(b"cafebabecafebabecafebabe") && is_stand_in(b"abc123abc123abc123"));
        assert!(!is_stand_in(b"AgBx9Kq2vLm") && !is_stand_in(b"abc123abc124abc125"));
    }
}
