//! E-mail addresses: what people write of RFC 5321's, not all that it allows.

use std::ops::Range;

use memchr::memchr_iter;

/// RFC 5321's limits, in bytes.
const LOCAL: usize = 64;
const DOMAIN: usize = 255;

/// Domains that belong to nobody (RFC 2606 and 6761), and what others set aside.
const NOBODYS: [&str; 8] = [
    "example.com",
    "example.org",
    "example.net",
    "example.edu",
    "test.com",
    "domain.com",
    "email.com",
    "users.noreply.github.com",
];
/// Names behind a last dot that are no domains: files, reserved names, and what code says.
const NO_DOMAINS: [&str; 34] = [
    "bmp",
    "css",
    "example",
    "gif",
    "gz",
    "html",
    "ico",
    "invalid",
    "jpeg",
    "jpg",
    "js",
    "json",
    "jsx",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "lock",
    "mjs",
    "mp",
    "mp3",
    "mp4",
    "pdf",
    "php",
    "png",
    "scss",
    "service",
    "svg",
    "test",
    "ts",
    "tsx",
    "txt",
    "webp",
    "xml",
];
/// Local parts that are accounts of machines.
const MACHINES: [&str; 6] = ["git", "hg", "svn", "ssh", "noreply", "no-reply"];

/// All addresses, in order.
pub(super) fn find(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    memchr_iter(b'@', text).filter_map(|at| around(text, at))
}

fn around(text: &[u8], at: usize) -> Option<Range<usize>> {
    let before = text.get(at.saturating_sub(LOCAL + 1)..at)?;
    let local = before
        .iter()
        .rev()
        .take_while(|byte| is_local(**byte))
        .count();
    let start = at - local;
    let local = text.get(start..at)?;
    let left = start.checked_sub(1).and_then(|at| text.get(at)).copied();
    if local.len() > LOCAL || !is_plausible(local) || !may_precede(text, start, left) {
        return None;
    }
    let end = at + 1 + domain(text.get(at + 1..)?)?;
    let right = text.get(end).copied().unwrap_or(b' ');
    // `git@host.com:path` and `user@host.com/path` name places, not people.
    let place =
        matches!(right, b':' | b'/') && text.get(end + 1).is_some_and(|b| b.is_ascii_graphic());
    (!place && !matches!(right, b'@' | b'(' | b'_') && right < 0x80).then_some(start..end)
}

fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._%+-".contains(&byte)
}

fn is_plausible(local: &[u8]) -> bool {
    let ends = [local.first(), local.last()];
    let signs = ends
        .into_iter()
        .flatten()
        .any(|byte| matches!(byte, b'.' | b'%' | b'-'));
    let dots = local.windows(2).any(|pair| pair == b"..");
    let machine = MACHINES
        .iter()
        .any(|name| local.eq_ignore_ascii_case(name.as_bytes()));
    let letters = local.iter().any(u8::is_ascii_alphabetic);
    letters && !signs && !dots && !machine
}

/// Not the password of a URL, nor the rest of another word.
fn may_precede(text: &[u8], start: usize, left: Option<u8>) -> bool {
    match left {
        Some(b':') => text.get(..start).is_some_and(|before| {
            before.ends_with(b"mailto:")
                || !before
                    .get(before.len().saturating_sub(64)..)
                    .unwrap_or(before)
                    .windows(3)
                    .any(|w| w == b"://")
        }),
        Some(b'/' | b'@' | b'#' | b'$' | b'&' | b'\\' | b'~' | b'!') => false,
        Some(byte) => byte < 0x80,
        None => true,
    }
}

/// The length of the domain that a text begins with.
fn domain(text: &[u8]) -> Option<usize> {
    let run = text.iter().take(DOMAIN + 1);
    let run = run
        .take_while(|byte| byte.is_ascii_alphanumeric() || b".-".contains(byte))
        .count();
    let name = text.get(..run)?;
    let end = name.iter().rposition(u8::is_ascii_alphanumeric)? + 1;
    let name = std::str::from_utf8(name.get(..end)?)
        .ok()?
        .to_ascii_lowercase();
    let (rest, top) = name.rsplit_once('.')?;
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    let top_is_one =
        (2..=18).contains(&top.len()) && top.bytes().all(|byte| byte.is_ascii_lowercase());
    let nobodys = NOBODYS.iter().any(|known| {
        name.strip_suffix(known)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    let fits = name.len() <= DOMAIN && rest.split('.').all(label) && top_is_one;
    let letters = rest.bytes().any(|byte| byte.is_ascii_lowercase());
    (fits && letters && !nobodys && !NO_DOMAINS.contains(&top)).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        find(text.as_bytes()).map(|range| &text[range]).collect()
    }

    #[test]
    fn addresses_of_people() {
        for (text, address) in [
            (
                "write to jane.doe+x@mail.acme.co.uk.",
                "jane.doe+x@mail.acme.co.uk",
            ),
            ("<a_b@c-d.io>", "a_b@c-d.io"),
            ("\"email\": \"J@ACME.COM\"", "J@ACME.COM"),
            ("mailto:x@acme.de?subject=y", "x@acme.de"),
            ("email:x@acme.de", "x@acme.de"),
        ] {
            assert_eq!(found(text), [address], "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_one() {
        for text in [
            "git@github.com:a/b",
            "https://u:secret@host.acme.com/x",
            "icon@2x.png",
            "a@b",
            "x@1.2.3",
            "@scope/pkg@1.0.0",
            "jane@example.com",
            "x@sub.example.org",
            "user@localhost",
            "foo..bar@acme.com",
            "ssh://deploy@host.acme.com",
            "deploy@host.acme.com:/srv",
            "a@b@acme.com@x",
            "é@acme.com",
            "@decorator.name",
            "user@acme.local",
            "1@2.34",
            "root@10.0.0.1",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
