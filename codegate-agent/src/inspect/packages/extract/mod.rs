//! The packages that a text names, and where.
//!
//! Knows: Markdown, shell, manifests, imports. Must not know: what is thought of a package. Pure: a
//! fence or a tool call is read once, when it is whole. Offsets are bytes into what was given.
//!
//! When it must choose, it favours silence: a word that may be a package is none, and neither is
//! what a standard library or the text's own folder provides.

mod fence;
mod files;
mod imports;
mod lock;
mod manifest;
mod markdown;
mod own;
mod pattern;
mod place;
mod shell;
mod shown;
mod spec;
mod stdlib;
mod tools;

use std::{borrow::Cow, mem, ops::Range};

use serde::Serialize;

use super::{Ecosystem, Package, Purl};
use fence::Reader;
pub use own::Own;

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
    markdown_with(text, &mut Own::default())
}

/// Likewise, with the user's own names as far as they are known; what the text says of them is added.
pub fn markdown_with(text: &str, own: &mut Own) -> Vec<Mention> {
    let mut sink = Sink::with(mem::take(own));
    sink.own.learn(text);
    markdown::read(&mut sink, text);
    let found = sink.finish();
    *own = mem::take(&mut sink.own);
    found
}

/// The packages that a command line installs, as a tool call gives it to a shell.
pub fn command(text: &str) -> Vec<Mention> {
    let mut sink = Sink::default();
    shell::read(&mut sink, text, 0, Context::Install);
    sink.finish()
}

/// The packages of a file, which its name says how to read; Markdown if it does not.
pub fn file(name: &str, bytes: &[u8]) -> Vec<Mention> {
    file_with(name, bytes, &mut Own::default())
}

/// Likewise, with the user's own names as far as they are known; what the file says of them is added.
pub fn file_with(name: &str, bytes: &[u8], own: &mut Own) -> Vec<Mention> {
    let text = same_length(bytes);
    let Some(reader) = Reader::of_file(name) else {
        return markdown_with(&text, own);
    };
    let mut sink = Sink::with(mem::take(own));
    sink.own.file(name);
    reader.read(&mut sink, &text, 0);
    let found = sink.finish();
    *own = mem::take(&mut sink.own);
    found
}

/// Whether a file of this name lists what is to be installed: a manifest, or a lock file.
pub fn is_manifest(name: &str) -> bool {
    matches!(Reader::of_file(name), Some(Reader::Manifest(_)))
}

/// The packages of a manifest or lock file that a tool shows, perhaps with numbers before its lines;
/// none if the text is something else.
pub fn shown(text: &str) -> Vec<Mention> {
    shown::read(text)
}

/// Whether [`shown`] may find something in a text; cheap.
pub fn may_list(text: &[u8]) -> bool {
    shown::may_list(text)
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
    /// The modules that were imported, and which of the found they led to.
    modules: Vec<(usize, String)>,
    own: Own,
}

impl Sink {
    fn with(own: Own) -> Self {
        Self {
            own,
            ..Self::default()
        }
    }

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

    /// Adds the import of a module that a package of this name brings.
    fn module(&mut self, ecosystem: Ecosystem, module: &str, name: &str, range: Range<usize>) {
        let before = self.found.len();
        self.add(Context::Import, ecosystem, name, None, range);
        if self.found.len() > before {
            self.modules.push((before, module.to_owned()));
        }
    }

    /// Leaves out what was found from here on, unless it is wanted.
    fn keep_from(&mut self, first: usize, wanted: impl Fn(&Mention) -> bool) {
        let mut at = first;
        let modules = mem::take(&mut self.modules);
        let mut modules = modules.into_iter().peekable();
        for place in first..self.found.len() {
            while let Some(module) = modules.next_if(|(of, _)| *of < place) {
                self.modules.push(module);
            }
            let module = modules.next_if(|(of, _)| *of == place);
            if self.found.get(place).is_some_and(&wanted) {
                self.found.swap(at, place);
                self.modules.extend(module.map(|(_, module)| (at, module)));
                at += 1;
            }
        }
        self.found.truncate(at);
    }

    /// What was found, in the order of the text, without the user's own.
    fn finish(&mut self) -> Vec<Mention> {
        let mut modules = mem::take(&mut self.modules).into_iter().peekable();
        let mut found = Vec::with_capacity(self.found.len());
        for (i, mention) in mem::take(&mut self.found).into_iter().enumerate() {
            let module = modules
                .next_if(|(of, _)| *of == i)
                .map(|(_, module)| module);
            if !self.own.covers(&mention, module.as_deref()) {
                found.push(mention);
            }
        }
        found.sort_by_key(|m| (m.range.start, m.context));
        found.dedup_by(|a, b| a.purl.package == b.purl.package && a.range.start == b.range.start);
        found
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests;
