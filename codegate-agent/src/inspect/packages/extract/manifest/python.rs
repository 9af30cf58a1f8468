//! Python's older manifests: requirements, `setup.py`, `setup.cfg`, and Conda's.

use super::quoted;
use crate::inspect::packages::{
    Ecosystem,
    extract::{
        Context, Sink, imports,
        markdown::lines,
        pattern::{group, patterns},
        shell, spec,
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

/// `setup.cfg` and `tox.ini`: lines below `install_requires`, `deps` and their kin.
pub(super) fn sections(sink: &mut Sink, text: &str, base: usize) {
    let (mut section, mut listing) = ("", Listing::Other);
    for (start, line) in lines(text) {
        let at = base + start;
        if let Some(found) = TABLE.first(line) {
            section = found.get(1).map_or("", |name| name.as_str());
            listing = Listing::Other;
        } else if line.starts_with([' ', '\t']) {
            listing.read(sink, line, at);
        } else if let Some((key, value)) = line.split_once('=') {
            listing = Listing::of(section, key.trim());
            listing.read(sink, value, at + key.len() + 1);
        }
    }
}

/// What the lines below a key are.
enum Listing {
    Requirements,
    Commands,
    Other,
}

impl Listing {
    fn of(section: &str, key: &str) -> Self {
        match key {
            _ if section == "options.extras_require" => Self::Requirements,
            "install_requires" | "setup_requires" | "tests_require" | "deps" => Self::Requirements,
            "commands" | "commands_pre" | "commands_post" | "install_command" => Self::Commands,
            _ => Self::Other,
        }
    }

    fn read(&self, sink: &mut Sink, line: &str, at: usize) {
        match self {
            Self::Requirements => requirement(sink, line, at),
            Self::Commands => shell::read(sink, line, at, Context::Install),
            Self::Other => {}
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
            let word = word.trim_start_matches([' ', '"', '\'']);
            let at = start + line.len() - word.len();
            requirement(
                sink,
                word.trim_end().trim_end_matches(['"', '\'']),
                base + at,
            );
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

/// What a script says of itself (PEP 723): TOML in its comments.
pub(in super::super) fn script(sink: &mut Sink, text: &str, base: usize) {
    let Some(at) = text.find("# /// script") else {
        return;
    };
    let from = text.get(at..).and_then(|rest| rest.find('\n'));
    let Some(from) = from.map(|end| at + end + 1) else {
        return;
    };
    let rest = text.get(from..).unwrap_or_default();
    let body = rest
        .split_inclusive('\n')
        .take_while(|line| line.trim_end() != "# ///");
    let body: String = body.map(|line| line.replacen('#', " ", 1)).collect();
    super::toml::read(sink, super::Kind::PyProject, &body, base + from);
}
