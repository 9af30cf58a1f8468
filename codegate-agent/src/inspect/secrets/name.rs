//! Whether a name is that of a secret, or of something about one.
//!
//! `api_key` names a secret; `api_key_id`, `max_tokens`, `prompt_cache_key` and `tokenizer` don't.
//!
//! Knows: names. Must not know: values.

use super::words::{Words, runs};

/// The longest name that is looked at, in bytes.
pub(super) const LONGEST: usize = 64;

/// What names something *about* a secret, wherever it stands in the name.
static ABOUT: Words<120> = Words::of([
    "action",
    "algorithm",
    "alias",
    "arn",
    "attempt",
    "attempts",
    "authenticity",
    "begin",
    "bucket",
    "budget",
    "cache",
    "callback",
    "cancellation",
    "changed",
    "checksum",
    "class",
    "column",
    "completion",
    "confirmation",
    "context",
    "continuation",
    "contract",
    "correlation",
    "cost",
    "count",
    "counter",
    "created",
    "csrf",
    "dedup",
    "deduplication",
    "digest",
    "dir",
    "enabled",
    "endpoint",
    "env",
    "error",
    "estimate",
    "etag",
    "exists",
    "expiration",
    "expire",
    "expired",
    "expires",
    "expiry",
    "field",
    "fields",
    "file",
    "filename",
    "fingerprint",
    "foreign",
    "format",
    "function",
    "gecos",
    "gid",
    "handler",
    "hash",
    "hashed",
    "header",
    "help",
    "hint",
    "icon",
    "id",
    "idempotency",
    "ids",
    "index",
    "input",
    "instrumentation",
    "invalid",
    "label",
    "len",
    "length",
    "level",
    "limit",
    "limits",
    "lock",
    "manager",
    "max",
    "message",
    "method",
    "mgr",
    "min",
    "missing",
    "next",
    "page",
    "pagination",
    "parameter",
    "partition",
    "path",
    "pattern",
    "placeholder",
    "policy",
    "prefix",
    "primary",
    "prompt",
    "provider",
    "public",
    "publishable",
    "published",
    "ref",
    "regex",
    "request",
    "required",
    "rotation",
    "rules",
    "schema",
    "sha",
    "shell",
    "sock",
    "sort",
    "stages",
    "sync",
    "trace",
    "ttl",
    "type",
    "uid",
    "uri",
    "url",
    "usage",
    "version",
    "xsrf",
]);

/// What does so at the end of a name: in `user_name_password` it says nothing.
static ABOUT_AT_END: Words<6> = Words::of(["address", "mint", "name", "names", "symbol", "title"]);

/// What `key` must follow to be a secret.
static KEYS: Words<28> = Words::of([
    "access",
    "account",
    "admin",
    "api",
    "apikey",
    "app",
    "application",
    "auth",
    "authentication",
    "authorization",
    "client",
    "consumer",
    "crypt",
    "customer",
    "encryption",
    "hmac",
    "jwt",
    "license",
    "master",
    "private",
    "root",
    "secret",
    "security",
    "server",
    "service",
    "session",
    "shared",
    "signing",
]);

/// What `key` must not follow at the end of a name: these are keys of tables, maps and keyboards, or
/// known to everybody.
static NO_KEYS: Words<68> = Words::of([
    "accept",
    "alt",
    "arrow",
    "attr",
    "attribute",
    "blob",
    "char",
    "cmp",
    "compare",
    "composite",
    "config",
    "content",
    "data",
    "dict",
    "doc",
    "document",
    "down",
    "edge",
    "enter",
    "entity",
    "escape",
    "event",
    "feature",
    "flag",
    "gpg",
    "graph",
    "group",
    "header",
    "host",
    "hot",
    "image",
    "issue",
    "item",
    "json",
    "known",
    "lookup",
    "map",
    "meta",
    "metric",
    "modifier",
    "node",
    "object",
    "option",
    "order",
    "pgp",
    "press",
    "project",
    "prop",
    "property",
    "pub",
    "query",
    "range",
    "record",
    "registry",
    "routing",
    "row",
    "s",
    "setting",
    "shard",
    "shortcut",
    "site",
    "socket",
    "state",
    "storage",
    "trusted",
    "unique",
    "vapid",
    "websocket",
]);

/// What `token` must not follow: it tells calls, pages or changes apart, or is a word of a text.
static NO_TOKENS: Words<12> = Words::of([
    "bos", "change", "cls", "cursor", "eos", "mask", "pad", "poll", "resume", "sep", "starting",
    "unk",
]);

/// What makes a word a secret's name wherever it stands in the word, and at its end.
static WITHIN: Words<10> = Words::of([
    "passw",
    "pasw",
    "psword",
    "pssw",
    "pswr",
    "passphrase",
    "passcode",
    "secret",
    "credential",
    "apikey",
]);
static ENDS: Words<12> = Words::of([
    "pass",
    "passe",
    "kennwort",
    "pwd",
    "pswd",
    "creds",
    "token",
    "accesskey",
    "authkey",
    "privatekey",
    "licensekey",
    "psk",
]);

/// What is mixed into hashes, and makes a name a secret's at its end.
static SALTS: Words<4> = Words::of(["salt", "pepper", "nonce", "seed"]);
static HASH: Words<1> = Words::of(["hash"]);

/// Whether a whole name (`DB_PASSWORD`, `apiKey`, `x-auth-token`) is that of a secret. It is asked of every
/// name that rings a bell, and takes no memory.
pub(super) fn is_credential(name: &[u8]) -> bool {
    let mut words = runs(name).peekable();
    let (mut before, mut found) = (None, false);
    while let Some(word) = words.next() {
        let last = words.peek().is_none();
        let is_salted = HASH.have(word) && words.peek().is_some_and(|next| SALTS.have(next));
        if ABOUT.have(word) && !is_salted || last && ABOUT_AT_END.have(word) {
            return false;
        }
        found = found || names_secret(word, before, last);
        before = Some(word);
    }
    found
}

/// Whether a value says no more than its name, whatever stands between its words.
pub(super) fn repeats(name: &[u8], value: &[u8]) -> bool {
    let letters = |text: &[u8]| -> Vec<u8> {
        let kept = text.iter().filter(|byte| byte.is_ascii_alphanumeric());
        kept.map(u8::to_ascii_lowercase).collect()
    };
    let (name, value) = (letters(name), letters(value));
    value.len() >= 4 && memchr::memmem::find(&name, &value).is_some()
}

/// Whether a function of this name takes a secret: `setPassword`, `withToken`, and, if it is a
/// `method`, `password`.
pub(super) fn sets(name: &[u8], method: bool) -> bool {
    const VERBS: [&str; 8] = [
        "set", "with", "put", "add", "use", "update", "change", "define",
    ];
    let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let lower = String::from_utf8_lossy(last).to_ascii_lowercase();
    let verb = VERBS.iter().any(|verb| lower.starts_with(verb));
    let known = is_credential(last) && !lower.starts_with("get") && !lower.starts_with("is");
    let constructor = last.first().is_some_and(u8::is_ascii_uppercase);
    verb || (method || constructor) && known
}

/// Whether the rest of a name, behind a service's, is that of a key: `_API_KEY`, `Token`, or
/// nothing at all; `_project_id` and `_build` are not.
pub(super) fn goes_on_as_key(tail: &[u8]) -> bool {
    static NOUNS: Words<12> = Words::of([
        "key", "token", "secret", "pass", "pw", "auth", "cred", "pat", "sid", "dsn", "license",
        "api",
    ]);
    // A site's key is shown to every visitor.
    static SITE: Words<1> = Words::of(["site"]);
    let is_about = |word: &[u8]| SITE.have(word) || ABOUT.have(word);
    tail.is_empty() || NOUNS.stand_in(tail) && !runs(tail).any(is_about)
}

fn names_secret(word: &[u8], before: Option<&[u8]>, last: bool) -> bool {
    /// Words that hold one of [`ENDS`] and are none.
    static OTHERS: Words<9> = Words::of([
        "csrftoken",
        "xsrftoken",
        "tokens",
        "tokenizer",
        "tokenize",
        "keys",
        "keyboard",
        "bypass",
        "compass",
    ]);
    static KEY: Words<1> = Words::of(["key"]);
    static TOKEN: Words<1> = Words::of(["token"]);
    static SHORT: Words<17> = Words::of([
        "auth",
        "hmac",
        "pw",
        "senha",
        "clave",
        "contrasena",
        "contrase", // `contraseña`: what is not ASCII parts words
        "wachtwoord",
        "haslo",
        "heslo",
        "losenord",
        "salasana",
        "adgangskode",
        "geheim",
        "segredo",
        "llave",
        "chave",
    ]);
    static PAT: Words<1> = Words::of(["pat"]);
    static API: Words<1> = Words::of(["api"]); // `weather_api = "…"`
    if KEY.have(word) {
        let before = before.unwrap_or_default();
        return KEYS.have(before) || last && !before.is_empty() && !NO_KEYS.have(before);
    }
    if OTHERS.have(word) || TOKEN.have(word) && NO_TOKENS.have(before.unwrap_or_default()) {
        return false;
    }
    if SALTS.have(word) {
        return last;
    }
    let is_whole = last && (PAT.have(word) || before.is_some() && API.have(word));
    SHORT.have(word) || is_whole || WITHIN.stand_in(word) || ENDS.end(word)
}

#[cfg(test)]
mod tests {
    use super::{goes_on_as_key, is_credential};

    #[test]
    fn names_of_secrets() {
        for name in [
            "password",
            "DB_PASSWORD",
            "dbPassword",
            "PGPASSWORD",
            "api_key",
            "apiKey",
            "APIKEY",
            "X-Api-Key",
            "client_secret",
            "SECRET_KEY_BASE",
            "authToken",
            "access_token",
            "x-auth-token",
            "credentials",
            "spring.datasource.password",
            "MYSQL_ROOT_PASSWORD",
            "userpwd",
            "smtp_pass",
            "encryption_key",
            "GITHUB_TOKEN",
            "HASH_SALT",
            "token",
        ] {
            assert!(is_credential(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn a_name_goes_on_as_a_key() {
        for tail in [
            "",
            "_API_KEY",
            "Token",
            "-auth-token",
            "_client_secret",
            ".pat",
        ] {
            assert!(goes_on_as_key(tail.as_bytes()), "{tail}");
        }
        for tail in [
            "_project",
            "_key_id",
            "_api_version",
            "Url",
            "_token_url",
            "_build",
            "_site_key",
        ] {
            assert!(!goes_on_as_key(tail.as_bytes()), "{tail}");
        }
    }

    #[test]
    fn names_of_things_about_secrets() {
        for name in [
            "max_tokens",
            "prompt_cache_key",
            "api_key_id",
            "accessKeyId",
            "tokenizer",
            "password_hash",
            "secretName_ref",
            "nextPageToken",
            "token_type",
            "primary_key",
            "key",
            "public_key",
            "token_count",
            "passwordField",
            "keyboard",
            "idempotency_key",
            "completion_tokens",
            "password_file",
            "secretRef",
            "ChangeToken",
            "resume_token",
            "secretName",
            "tokenAddress",
            "deduplication_key",
            "pw_uid",
        ] {
            assert!(!is_credential(name.as_bytes()), "{name}");
        }
    }
}
