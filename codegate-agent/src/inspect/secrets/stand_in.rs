//! What stands where a secret would: templates, crossed-out values, our own placeholders.
//!
//! Knows: the value. Must not know: names, rules.

/// What people write where a secret would stand: `<your-token>`, `${TOKEN}`, `xxxx`, or one of our
/// own placeholders (so that scanning what was sealed changes nothing).
pub(super) fn is_stand_in(value: &[u8]) -> bool {
    const MARKS: [&[u8]; 34] = [
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
        b"insert-",
        b"sample",
        b"dummy",
        b"foobar",
        b"mysecret",
        b"my_secret",
        b"my-secret",
        b"my_pass",
        b"my-pass",
        b"mypass",
        b"my_api",
        b"my-api",
        b"yourpass",
        b"yoursecret",
        b"yourapi",
        b"yourtoken",
        b"not-a-real",
        b"not_a_real",
        b"some-secret",
        b"1234567890",
        b"xxxx",
        b"....",
        b"****",
    ];
    let lower = value.to_ascii_lowercase();
    let begins = |word: &[u8]| {
        let rest = lower.strip_prefix(word).unwrap_or_default();
        rest.first().is_some_and(|sign| b"-_".contains(sign))
    };
    [&b"fake"[..], b"mock", b"todo", b"fixme"]
        .iter()
        .any(|word| begins(word))
        || has_placeholder(value)
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

/// One byte again and again.
fn is_monotone(value: &[u8]) -> bool {
    let most = value
        .chunk_by(|a, b| a == b)
        .map(<[u8]>::len)
        .max()
        .unwrap_or(0);
    (most >= 8 && most * 4 >= value.len()) || most * 2 > value.len().max(3)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}
