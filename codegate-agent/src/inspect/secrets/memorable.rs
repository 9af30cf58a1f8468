//! Passwords that people make so that they can remember them.
//!
//! Knows: words, and what things are called by. Must not know: where a value stands.

use super::words::{Words, is_natural, runs};

/// Words that nothing is called by, and a number, as people make passwords that they can remember:
/// `Meadow-Ginger-75`, `hamster_tundra_84`.
pub(super) fn is_memorable(value: &[u8], is_bare: bool) -> bool {
    let of = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_title = |run: &[u8]| run.first().is_some_and(u8::is_ascii_uppercase);
    let long = || runs(value).filter(|run| run.len() >= 4);
    let titles =
        long().filter(|run| is_title(run) && run.iter().skip(1).all(u8::is_ascii_lowercase));
    let (words, titles) = (long().count(), titles.count());
    let is_sure = !is_bare || titles >= 1 || digits >= 3 || words >= 3;
    let least = if titles >= 1 || words >= 3 { 1 } else { 2 };
    (least..=6).contains(&digits)
        && (1..=4).contains(&words)
        && value.iter().all(of)
        && is_sure
        && !runs(value).any(|run| THINGS.have(run))
}

/// Words with a number behind them, each with a capital, as no member of a type is called: `Safari.Nairobi1`.
pub(super) fn is_titled(value: &[u8]) -> bool {
    let is_word = |run: &[u8]| run.len() >= 4 && run.first().is_some_and(u8::is_ascii_uppercase);
    let digits = value.iter().rev().take_while(|byte| byte.is_ascii_digit());
    let stem = value
        .get(..value.len() - digits.count())
        .unwrap_or_default();
    let of = |byte: &u8| byte.is_ascii_alphabetic() || b".-_".contains(byte);
    stem.len() < value.len()
        && stem.first().is_some_and(u8::is_ascii_uppercase)
        && stem.iter().all(of)
        && runs(stem).filter(|run| is_word(run)).count() >= 2
        && is_memorable(value, true)
}

/// Words that end as no name of a thing does: `Grappa.Nonino!`, `Tigger!!`.
pub(super) fn is_exclaimed(value: &[u8]) -> bool {
    let marks = value.iter().rev().take_while(|byte| **byte == b'!').count();
    let stem = value.get(..value.len() - marks).unwrap_or_default();
    let of = |byte: &u8| byte.is_ascii_alphabetic() || b"._-&+#@".contains(byte);
    let words = || runs(stem).filter(|run| run.len() >= 3);
    let titles = words().filter(|run| run.first().is_some_and(u8::is_ascii_uppercase));
    (marks >= 2 && words().count() == 1 || marks >= 1 && (2..=5).contains(&words().count()))
        && titles.count() >= 1
        && stem.len() >= 6
        && stem.iter().all(of)
        && !runs(stem).any(|run| THINGS.have(run))
}

/// A word with a digit in a letter's stead, as people make passwords of words: `Reg3nboog`, `sm0kyLantern`.
pub(super) fn is_respelled(value: &[u8]) -> bool {
    let mut pieces = value.chunk_by(|a, b| a.is_ascii_alphabetic() == b.is_ascii_alphabetic());
    let mut before: &[u8] = &[];
    while let Some(piece) = pieces.next() {
        let letter = match piece {
            [digit] => letter_for(*digit),
            _ => None,
        };
        let behind = pieces.clone().next().unwrap_or_default();
        if letter.is_some_and(|letter| is_word_with(before, letter, behind)) {
            return true;
        }
        before = piece;
    }
    false
}

/// The letter that a digit looks like.
fn letter_for(digit: u8) -> Option<u8> {
    match digit {
        b'0' => Some(b'o'),
        b'1' => Some(b'i'),
        b'3' => Some(b'e'),
        b'4' => Some(b'a'),
        b'5' => Some(b's'),
        b'7' => Some(b't'),
        _ => None,
    }
}

/// Whether the letters on both sides make a word with a letter between them. Behind a word of its own, and where formats have
/// numbers, a digit is a number: `python3lib`, `sha3sum`.
fn is_word_with(before: &[u8], letter: u8, behind: &[u8]) -> bool {
    let before = runs(before).last().unwrap_or_default();
    let behind = runs(behind).next().unwrap_or_default();
    if before.is_empty() || behind.len() < 2 || before.len() + behind.len() < 4 {
        return false;
    }
    let is_numbered = is_natural(before) || NUMBERED.have(before) || THINGS.have(behind);
    !is_numbered && is_natural(&[before, &[letter], behind].concat())
}

/// What has a number in the names of formats, protocols and programs: `base64url`, `sha3sum`, `log4j`.
static NUMBERED: Words<33> = Words::of([
    "aes", "base", "bs", "css", "db", "des", "ed", "es", "eth", "gtk", "html", "http", "id", "ip",
    "ipv", "log", "lua", "md", "mp", "neo", "oauth", "pkcs", "psr", "py", "qt", "rc", "s", "sha",
    "utf", "uuid", "v", "vue", "web",
]);

/// What the things of programs and networks are called by.
static THINGS: Words<135> = Words::of([
    "account",
    "admin",
    "aes",
    "api",
    "app",
    "application",
    "auth",
    "azure",
    "backend",
    "base",
    "basic",
    "block",
    "broker",
    "bucket",
    "build",
    "bytes",
    "cache",
    "case",
    "changed",
    "char",
    "class",
    "client",
    "cloud",
    "cluster",
    "code",
    "config",
    "confirm",
    "container",
    "content",
    "cred",
    "credential",
    "credentials",
    "data",
    "database",
    "date",
    "dev",
    "docker",
    "east",
    "email",
    "encrypted",
    "entry",
    "env",
    "error",
    "example",
    "fake",
    "field",
    "file",
    "form",
    "gateway",
    "group",
    "hash",
    "header",
    "host",
    "http",
    "https",
    "image",
    "index",
    "input",
    "instance",
    "internal",
    "invalid",
    "item",
    "job",
    "key",
    "label",
    "level",
    "line",
    "local",
    "localhost",
    "log",
    "login",
    "master",
    "message",
    "mock",
    "mode",
    "model",
    "name",
    "new",
    "node",
    "number",
    "object",
    "old",
    "option",
    "page",
    "param",
    "pass",
    "passwd",
    "password",
    "path",
    "phase",
    "plain",
    "pod",
    "policy",
    "port",
    "prod",
    "profile",
    "proxy",
    "public",
    "queue",
    "request",
    "response",
    "role",
    "root",
    "sample",
    "secret",
    "server",
    "service",
    "session",
    "sha",
    "shared",
    "size",
    "source",
    "ssh",
    "stage",
    "staging",
    "string",
    "system",
    "table",
    "task",
    "temp",
    "test",
    "testing",
    "text",
    "thread",
    "token",
    "type",
    "unit",
    "url",
    "user",
    "utf",
    "uuid",
    "value",
    "vault",
    "version",
    "wrong",
]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digit_in_a_letters_stead_is_no_number() {
        for password in [
            "Reg3nboog.Velvet",
            "K1ssa-Copper",
            "Lan7ern-Hollow",
            "somm4rR4cer._",
            "b4dger.Harbour84",
        ] {
            assert!(is_respelled(password.as_bytes()), "{password}");
        }
        for name in [
            "html5lib.parser",
            "python3lib",
            "log4j.appender",
            "sha3sum",
            "base64url",
            "test1env",
            "node0id",
            "x86_64",
            "utf8mb4",
            "e2etests",
            "user1name",
        ] {
            assert!(!is_respelled(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn capitals_and_signs_make_passwords_of_words() {
        for password in ["Safari.Nairobi1", "Gatito.Negro77", "MyKidsAreLoud2"] {
            assert!(is_titled(password.as_bytes()), "{password}");
        }
        for name in [
            "Config.Value1",
            "ChaCha20Poly1305",
            "user.Input1",
            "Rsa.Oaep",
        ] {
            assert!(!is_titled(name.as_bytes()), "{name}");
        }
        for password in ["Grappa.Nonino!", "Tigger!!", "Igel&Haufen!"] {
            assert!(is_exclaimed(password.as_bytes()), "{password}");
        }
        for text in ["Password.Required!", "required!", "Hello!", "not.allowed!"] {
            assert!(!is_exclaimed(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn words_and_a_number_are_a_password_and_names_of_things_are_none() {
        for password in [
            "Meadow-Ginger-75",
            "Raven_harbor76",
            "monsoon-turnip-419",
            "Kestrel.2021",
            "storm-marble-kettle-65",
            "castle-orchard-juniper-3",
        ] {
            assert!(is_memorable(password.as_bytes(), true), "{password}");
        }
        assert!(
            is_memorable(b"hamster_tundra_84", false) && !is_memorable(b"hamster_tundra_84", true)
        );
        for name in [
            "mysql-secret-v2",
            "db_password_12",
            "user.input_10",
            "Raven-Harbor",
            "utf-8",
            "a-b-12",
            "Staging-Cluster-12",
        ] {
            assert!(!is_memorable(name.as_bytes(), false), "{name}");
        }
    }
}
