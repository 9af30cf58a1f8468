//! Ways of giving a value to a name, in some thirty languages and formats, and what stands there
//! that is no secret: `labelled.toml`.
//!
//! The rules' own examples say what each rule was made for. These texts were written from how
//! languages, tools and people write, whatever the rules know of it.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use codegate::inspect::secrets::Scanner;
use serde::Deserialize;

use crate::{
    carriers::{BODIES, Body, Style},
    forge,
    lookalikes::Flagged,
    marked::{Located, locate, mark},
    random::Random,
    scan::{self, Count},
};

/// How many passwords, and how many keys, each text is given.
const EACH: usize = 4;

/// The body in which every text is read once more: two layers of JSON.
const BODY: &str = "chat-2";

const PASSWORDS: [&str; 10] = [
    "password",
    "db_password",
    "passwd",
    "smtp_pass",
    "user_pwd",
    "admin_password",
    "passphrase",
    "mysql_root_password",
    "login_passwd",
    "keystore_password",
];
const KEYS: [&str; 12] = [
    "api_key",
    "secret_key",
    "auth_token",
    "client_secret",
    "access_token",
    "secret",
    "token",
    "acme_key",
    "jwt_secret",
    "encryption_key",
    "private_key",
    "bearer_token",
];

#[derive(Deserialize)]
struct File {
    style: Vec<Writing>,
    alike: Vec<Alike>,
}

/// Texts of one language or format.
#[derive(Deserialize)]
struct Writing {
    name: String,
    texts: Vec<String>,
    /// The value has letters, digits, `_` and `-` only.
    #[serde(default)]
    plain: bool,
    /// White space ends the value.
    #[serde(default)]
    word: bool,
}

/// Values of one kind that are no secrets.
#[derive(Deserialize)]
struct Alike {
    name: String,
    values: Vec<String>,
    /// They are code, so that they never stand between quotes.
    #[serde(default)]
    bare: bool,
}

/// What was counted.
#[derive(Debug, Default)]
pub(crate) struct Labelled {
    /// By style: in the text itself, and in two layers of JSON.
    pub(crate) styles: BTreeMap<String, (Count, Count)>,
    /// By kind of value.
    pub(crate) alikes: BTreeMap<String, Flagged>,
    /// What did not go well.
    pub(crate) failures: Vec<String>,
}

pub(crate) fn measure(scanner: &Scanner) -> Result<Labelled> {
    let file: File = toml::from_str(include_str!("../labelled.toml")).context("labelled.toml")?;
    let body = BODIES.iter().find(|body| body.name == BODY);
    let mut labelled = Labelled::default();
    for writing in &file.style {
        for text in &writing.texts {
            let mut random = Random::of(&[&writing.name, text]);
            for at in 0..2 * EACH {
                let marked = fill(text, &secret(writing, at, &mut random));
                labelled.count(scanner, body, &writing.name, &marked)?;
            }
        }
        for alike in &file.alike {
            labelled.count_alikes(scanner, writing, alike);
        }
    }
    Ok(labelled)
}

/// A name and a marked value.
fn secret(writing: &Writing, at: usize, random: &mut Random) -> (String, String) {
    let is_fit = |value: &String| {
        let of = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        !writing.plain || value.chars().all(of)
    };
    let (names, value): (&[&str], fn(&mut Random) -> String) = if at.is_multiple_of(2) {
        (&PASSWORDS, forge::chosen_password)
    } else {
        (&KEYS, forge::random_key)
    };
    let value = (0..99)
        .map(|_| value(random))
        .find(is_fit)
        .unwrap_or_default();
    (random.one(names).to_owned(), mark(&value))
}

/// A template with a name and a value.
fn fill(template: &str, (name, value): &(String, String)) -> String {
    let pascal = Style::Header.write(name).replace('-', "");
    template
        .replace("‹snake›", name)
        .replace("‹SHOUT›", &Style::Shouted.write(name))
        .replace("‹camel›", &Style::Camel.write(name))
        .replace("‹Pascal›", &pascal)
        .replace("‹kebab›", &Style::Kebab.write(name))
        .replace("‹value›", value)
}

impl Labelled {
    fn count(
        &mut self,
        scanner: &Scanner,
        body: Option<&Body>,
        style: &str,
        marked: &str,
    ) -> Result<()> {
        let located = locate(marked);
        let found = scan::text(scanner, located.text.as_bytes());
        let itself = Count::of(&located, &found, "");
        self.note(style, &located, &itself, &found);
        let wrapped = body.context("no such body")?;
        let located = locate(&(wrapped.write)(marked));
        let found = scan::body(scanner, wrapped, located.text.as_bytes())?;
        let nested = Count::of(&located, &found, "");
        let counts = self.styles.entry(style.to_owned()).or_default();
        counts.0.add(itself);
        counts.1.add(nested);
        Ok(())
    }

    fn note(&mut self, style: &str, located: &Located, count: &Count, found: &[scan::Found]) {
        if count.is_right() {
            return;
        }
        let cut = |f: &scan::Found| located.text.get(f.range.clone()).unwrap_or_default();
        let taken: Vec<_> = found.iter().map(|f| (&f.rule, cut(f))).collect();
        let text = &located.text;
        self.failures
            .push(format!("### labelled / {style}\n{text}\n    {taken:?}\n"));
    }

    /// A few of a kind in each text of a style.
    fn count_alikes(&mut self, scanner: &Scanner, writing: &Writing, alike: &Alike) {
        for text in &writing.texts {
            if alike.bare && text.contains("\"‹value›") | text.contains("'‹value›") {
                continue;
            }
            let mut random = Random::of(&[&alike.name, text]);
            for at in 0..EACH {
                let names: &[&str] = if at.is_multiple_of(2) {
                    &PASSWORDS
                } else {
                    &KEYS
                };
                let name = random.one(names).to_owned();
                let value = alike.values.get(random.below(alike.values.len()));
                let value = value.cloned().unwrap_or_default();
                if value.contains(' ') && (writing.plain || writing.word) {
                    continue;
                }
                let filled = fill(text, &(name, value));
                let found = scan::text(scanner, filled.as_bytes());
                let flagged = self.alikes.entry(alike.name.clone()).or_default();
                flagged.add(&filled, &found);
            }
        }
    }
}
