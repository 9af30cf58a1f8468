//! Python's older manifests: requirements, `setup.py`, `setup.cfg`, and Conda's.

use super::quoted;
use crate::inspect::packages::{
    Ecosystem,
    extract::{
        Context, Sink, imports,
        markdown::lines,
        pattern::{group, patterns},
        spec,
    },
};

patterns! {
    SETUP_NAME = r#"\bname\s*=\s*["']([\w.-]+)["']"#;
    REQUIRES = r"(?s)(?:install_requires|setup_requires|tests_require|extras_require)\s*=\s*(\[[^\]]*\]|\{[^}]*\})";
    TABLE = r#"^\s*\[+\s*([^\]]+?)\s*\]+"#;
}

/// `setup.py`: the strings of what is required.
pub(super) fn setup(sink: &mut Sink, text: &str, base: usize) {
    if let Some(name) = SETUP_NAME.first(text).and_then(|found| found.get(1)) {
        sink.own.package(Ecosystem::PyPI, name.as_str());
    }
    for found in REQUIRES.all(text) {
        if let Some((list, range)) = group(&found, 1, base) {
            quoted(sink, list, range.start);
        }
    }
    imports::python(sink, text, base);
}

/// `setup.cfg`: indented lines below `install_requires` and its kin.
pub(super) fn sections(sink: &mut Sink, text: &str, base: usize) {
    let (mut section, mut listing) = ("", false);
    for (start, line) in lines(text) {
        let indented = line.starts_with([' ', '\t']);
        if let Some(found) = TABLE.first(line) {
            section = found.get(1).map_or("", |name| name.as_str());
            listing = false;
        } else if indented && listing {
            requirement(sink, line, base + start);
        } else if let Some((key, _)) = line.split_once('=').filter(|_| !indented) {
            let key = key.trim();
            listing = matches!(key, "install_requires" | "setup_requires" | "tests_require")
                || section == "options.extras_require";
        }
    }
}

/// Conda's environment: what is below `pip:` is from there; Conda has channels of its own.
pub(super) fn conda(sink: &mut Sink, text: &str, base: usize) {
    let mut inside: Option<usize> = None;
    for (start, line) in lines(text) {
        let item = line.trim_start();
        let indent = line.len() - item.len();
        if item.trim_end() == "- pip:" {
            inside = Some(indent);
        } else if inside.is_some_and(|outer| indent <= outer && !item.is_empty()) {
            inside = None;
        } else if let Some(word) = item.strip_prefix("- ").filter(|_| inside.is_some()) {
            let at = start + line.len() - word.len();
            requirement(sink, word.trim_matches(['"', '\'']), base + at);
        }
    }
}

pub(super) fn requirement(sink: &mut Sink, text: &str, base: usize) {
    let line = text
        .split(" #")
        .next()
        .unwrap_or(text)
        .trim_end_matches(['\\', '\r', ' ']);
    let word = line.trim();
    if word.starts_with(['#', '-']) || word.is_empty() {
        return;
    }
    let word = word.split(" --hash").next().unwrap_or(word).trim();
    let start = base + line.len() - line.trim_start().len();
    spec::add(
        sink,
        Context::Manifest,
        Ecosystem::PyPI,
        word,
        start..start + word.len(),
    );
}
