//! Whether a value that is only named like a secret is one.
//!
//! Knows: the value, and how it stands there. Must not know: its name, or the text around it.
//!
//! It favours silence: prose, code and configuration name secrets far more often than they hold
//! one, and every one of those places would be a false alarm.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    memorable::{is_exclaimed, is_memorable, is_respelled, is_titled},
    shape::{
        has_escapes, is_artifact, is_call, is_code, is_constant, is_known_otherwise, is_number,
        is_place, is_reference, is_sequence, is_symbol, is_uuid, is_version,
    },
    words::{Words, common_pairs, natural_bytes, runs},
};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Judge {
    /// Not a word, path, reference or stand-in: what stands beside `password`.
    Password,
    /// The same, where a sentence names it: letters, digits, and a sign or both cases.
    Chosen,
    /// Random-looking: what stands beside names like `token`, that also name other things.
    Random,
    /// The same, or a UUID: where the text says that it is a key.
    Key,
}

impl Judge {
    pub(super) fn accepts(self, value: &[u8], site: Site) -> bool {
        let plausible = !is_reference(value)
            && !is_call(value)
            && !is_place(value)
            && !is_version(value)
            && !is_number(value)
            && !is_known_otherwise(value)
            && (site == Site::Free || !is_constant(value))
            && (site != Site::Quoted || !has_escapes(value))
            && (site != Site::Bare || !is_symbol(value) || is_titled(value))
            && (!matches!(site, Site::Bare | Site::Line)
                || !is_code(value)
                || is_respelled(value)
                || is_titled(value));
        plausible
            && match self {
                Self::Password => is_password(value, site),
                Self::Chosen => is_password(value, site) && is_strong(value),
                Self::Random => {
                    (is_random(value) || is_long_number(value))
                        && (site != Site::Bare || value.len() >= 12)
                        && !is_asked(value)
                        && !is_artifact(value)
                }
                Self::Key => {
                    Self::Random.accepts(value, site) || is_uuid(value) && entropy(value) >= 2.9
                }
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

fn is_password(value: &[u8], site: Site) -> bool {
    let longest = if site == Site::Bare { 64 } else { 160 };
    let (letters, digits, symbols) = classes(value);
    if !(5..=longest).contains(&value.len()) || is_common_stem(value) {
        return false;
    }
    match (letters > 0, digits > 0, symbols > 0) {
        (false, true, _) => site != Site::Bare && value.len() >= 6 && !is_sequence(value),
        (true, true, false) => {
            let is_row = value.len() >= 16 && is_sequence(value);
            !is_quantity(value) && !is_identifier(value, site) && !is_row
        }
        (true, true, true) => !is_identifier(value, site),
        (true, false, true) => {
            has_odd_symbols(value)
                || is_random(value)
                || is_exclaimed(value)
                || site != Site::Bare && is_typed(value)
        }
        (true, false, false) => {
            is_random(value) || is_mumble(value, site) || site == Site::Line && is_chosen(value)
        }
        (false, false, _) => false,
    }
}

/// What services demand of a password that people choose.
fn is_strong(value: &[u8]) -> bool {
    let (letters, digits, symbols) = classes(value);
    letters > 0 && digits > 0 && (symbols > 0 && !is_symbolic(value) || has_both_cases(value))
}

fn has_both_cases(value: &[u8]) -> bool {
    value.iter().any(u8::is_ascii_lowercase) && value.iter().any(u8::is_ascii_uppercase)
}

/// Words and numbers that code and standards join: `utf-8`, `test_login_2`, `a.b3()`.
fn is_symbolic(value: &[u8]) -> bool {
    let of = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:()[]".contains(byte);
    value.iter().all(of)
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
    static STEMS: Words<78> = Words::of([
        "abc",
        "aes",
        "es",
        "hs",
        "rs",
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
    ]);
    let end = value
        .iter()
        .rposition(|byte| !byte.is_ascii_digit())
        .map_or(0, |last| last + 1);
    let stem = value.get(..end).unwrap_or_default();
    let stem = stem.trim_of(b"_-");
    STEMS.have(stem)
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
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    if has_both_cases(value) && digits >= 3 && runs(value).filter(|run| run.len() > 3).count() < 2 {
        return false; // one word, and what a rule for passwords demanded
    }
    let joined = value.iter().any(|byte| b"_-.:/".contains(byte));
    let least = if site == Site::Bare { 4 } else { 6 };
    let wordy = natural_bytes(value) * 10 >= value.len() * least;
    let may_be = site != Site::Line && joined && wordy && value.iter().all(of);
    may_be && !is_memorable(value, site == Site::Bare) && !is_respelled(value)
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
    let wordy = natural_bytes(value) * 10 >= value.len() * 6;
    value.len() >= 8 && odd >= 2 && !other && !wordy
}

/// Whether a value looks like the output of a random generator.
pub(super) fn is_random(value: &[u8]) -> bool {
    let (letters, digits, symbols) = classes(value);
    // Generators that draw from all signs are used for what is long.
    let few = if value.len() >= 40 {
        symbols * 2 <= value.len()
    } else {
        symbols * 3 <= value.len()
    };
    if value.len() < 10 || letters == 0 || !few || is_uuid(value) {
        return false;
    }
    let least = if value.len() >= 16 { 2.9 } else { 2.6 };
    // Between so many digits, four letters that could be a word are chance.
    let most = if groups_of_digits(value) >= 4 { 6 } else { 4 };
    let wordy = natural_bytes(value) * 10 >= value.len() * most;
    let mixed = digits > 0 || reads_like_nothing(value);
    mixed && !wordy && entropy(value) >= least && !is_sequence(value)
}

/// Digits as some services give them out for keys, longer than a time, a card or a telephone's
/// number.
fn is_long_number(value: &[u8]) -> bool {
    let digits = value.iter().all(u8::is_ascii_digit);
    digits && (16..=40).contains(&value.len()) && entropy(value) >= 2.5 && !is_sequence(value)
}

/// One `?` and no other sign that a generator of passwords draws from: no alphabet of keys has it
/// alone, while addresses, globs and letters that a decoder did not know do.
fn is_asked(value: &[u8]) -> bool {
    let signs = value.iter().filter(|byte| b"!@#$%^&*()?".contains(byte));
    value.contains(&b'?') && signs.count() == 1
}

/// How many rows of digits there are.
fn groups_of_digits(value: &[u8]) -> usize {
    value
        .chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit())
        .filter(|run| run.first().is_some_and(u8::is_ascii_digit))
        .count()
}

/// Letters in both cases whose pairs are no more common than chance makes them.
fn reads_like_nothing(value: &[u8]) -> bool {
    let (common, pairs) = common_pairs(value);
    has_both_cases(value) && common * 10 <= pairs * 6
}

/// Letters that nobody could read aloud: `wcfmcvkguw`, `uTcEBzNu`.
fn is_mumble(value: &[u8], site: Site) -> bool {
    let (common, pairs) = common_pairs(value);
    let rare = match site {
        Site::Bare => value.len() >= 8 && common * 2 <= pairs,
        _ => value.len() >= 7 && common * 3 <= pairs * 2,
    };
    (rare || site != Site::Bare && changes_case(value)) && !is_sequence(value)
}

/// A word that somebody chose, where a file of settings has a line for it: none that tells what should stand there,
/// and none that a service has until it is changed.
fn is_chosen(value: &[u8]) -> bool {
    static TELLS: Words<24> = Words::of([
        "airflow",
        "anything",
        "changeit",
        "clickhouse",
        "database",
        "development",
        "disabled",
        "elastic",
        "enabled",
        "generate",
        "homestead",
        "keycloak",
        "localhost",
        "minioadmin",
        "optional",
        "passw",
        "postgres",
        "production",
        "rabbitmq",
        "required",
        "secret",
        "something",
        "whatever",
        "wordpress",
    ]);
    let is_word = value.iter().skip(1).all(u8::is_ascii_lowercase);
    value.len() >= 8 && is_word && !TELLS.stand_in(value) && !is_sequence(value)
}

/// Letters of both cases, in no order that makes words.
fn changes_case(value: &[u8]) -> bool {
    let is_title = |run: &[u8]| run.iter().skip(1).all(u8::is_ascii_lowercase);
    let odd = runs(value).count() >= 4 || !runs(value).all(is_title);
    has_both_cases(value) && odd && value.len() >= 8 && natural_bytes(value) == 0
}

/// Letters that make no word, with a sign or two: `GSojqG!*`, `yDDWi-cmSQG`.
fn is_typed(value: &[u8]) -> bool {
    let is_sign = |byte: &u8| b"!@#$%^&*~+-_?=".contains(byte);
    let of = |byte: &u8| byte.is_ascii_alphabetic() || is_sign(byte);
    let signs = value.iter().filter(|byte| is_sign(byte)).count();
    value.iter().all(of) && signs <= 3 && changes_case(value)
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
