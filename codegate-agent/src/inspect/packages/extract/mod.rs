//! The packages that a text names, and where.
//!
//! Knows: Markdown, shell, manifests, imports. Must not know: what is thought of a package. Pure: a
//! fence or a tool call is read once, when it is whole. Offsets are bytes into what was given.
//!
//! When it must choose, it favours silence: a word that may be a package is none, and neither is
//! what a standard library or the text's own folder provides.

mod fence;
mod imports;
mod manifest;
mod markdown;
mod pattern;
mod shell;
mod spec;
mod stdlib;
mod tools;

use std::{borrow::Cow, ops::Range};

use serde::Serialize;

use super::{Ecosystem, Package, Purl};
use fence::Reader;

/// A package that a text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The package, and its version where exactly one is meant.
    pub purl: Purl,
    /// How it is named.
    pub context: Context,
    /// Where, in bytes.
    pub range: Range<usize>,
}

/// How a text names a package: what happens next depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Context {
    /// In a command that installs it.
    Install,
    /// In a file that lists what is to be installed.
    Manifest,
    /// In code that imports it.
    Import,
    /// In an address that it is loaded from.
    Url,
    /// In a sentence.
    Prose,
}

impl Context {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Manifest => "manifest",
            Self::Import => "import",
            Self::Url => "url",
            Self::Prose => "prose",
        }
    }
}

/// The packages of a text that a model or a person wrote: Markdown, with fences and inline code.
pub fn markdown(text: &str) -> Vec<Mention> {
    let mut sink = Sink::default();
    markdown::read(&mut sink, text);
    sink.finish()
}

/// The packages that a command line installs, as a tool call gives it to a shell.
pub fn command(text: &str) -> Vec<Mention> {
    let mut sink = Sink::default();
    shell::read(&mut sink, text, 0, Context::Install);
    sink.finish()
}

/// The packages of a file, which its name says how to read; Markdown if it does not.
pub fn file(name: &str, bytes: &[u8]) -> Vec<Mention> {
    let text = same_length(bytes);
    let mut sink = Sink::default();
    match Reader::of_file(name) {
        Some(reader) => reader.read(&mut sink, &text, 0),
        None => markdown::read(&mut sink, &text),
    }
    sink.finish()
}

/// The bytes as text of the same length: what is no UTF-8 becomes blanks, so that no offset shifts.
fn same_length(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(std::iter::repeat_n(' ', chunk.invalid().len()));
    }
    Cow::Owned(out)
}

/// What was found so far.
#[derive(Debug, Default)]
struct Sink {
    found: Vec<Mention>,
}

impl Sink {
    fn add(
        &mut self,
        context: Context,
        ecosystem: Ecosystem,
        name: &str,
        version: Option<&str>,
        range: Range<usize>,
    ) {
        let usual = |c: char| c.is_alphanumeric() || "@/._-~:".contains(c);
        let begins = name.starts_with(|c: char| c.is_alphanumeric() || c == '@' || c == '_');
        let package = Package::new(ecosystem, name).filter(|_| begins && name.chars().all(usual));
        if let Some(package) = package {
            let version = version.map(str::to_owned);
            self.found.push(Mention {
                purl: Purl { package, version },
                context,
                range,
            });
        }
    }

    fn finish(mut self) -> Vec<Mention> {
        self.found.sort_by_key(|m| (m.range.start, m.context));
        self.found
            .dedup_by(|a, b| a.purl.package == b.purl.package && a.range.start == b.range.start);
        self.found
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests;
