//! Passwords that people make so that they can remember them.
//!
//! Knows: words, and what things are called by. Must not know: where a value stands.

use super::words::{Words, runs};

/// Words that nothing is called by, and a number, as people make passwords that they can remember:
/// `Meadow-Ginger-75`, `hamster_tundra_84`.
pub(super) fn is_memorable(value: &[u8], is_bare: bool) -> bool {
    let of = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_title = |run: &[u8]| run.first().is_some_and(u8::is_ascii_uppercase);
    let long = || runs(value).filter(|run| run.len() >= 4);
    let titles =
        long().filter(|run| is_title(run) && run.iter().skip(1).all(u8::is_ascii_lowercase));
    let titles = titles.count();
    let is_sure = !is_bare || titles >= 1 || digits >= 3;
    let least = if titles >= 1 { 1 } else { 2 };
    (least..=6).contains(&digits)
        && (1..=4).contains(&long().count())
        && value.iter().all(of)
        && is_sure
        && !runs(value).any(|run| THINGS.have(run))
}

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
    fn words_and_a_number_are_a_password_and_names_of_things_are_none() {
        for password in [
            "Meadow-Ginger-75",
            "Raven_harbor76",
            "monsoon-turnip-419",
            "Kestrel.2021",
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
