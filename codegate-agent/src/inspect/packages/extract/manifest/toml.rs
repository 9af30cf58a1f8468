//! Manifests of TOML: Python's and Cargo's, whole or in pieces.

use std::ops::Range;

use super::{
    super::{
        Context, Ecosystem, Sink,
        markdown::lines,
        pattern::{group, patterns},
        spec,
    },
    Kind, quoted, quoted_in,
};

patterns! {
    TABLE = r#"^\s*\[+\s*([^\]]+?)\s*\]+"#;
    KEY = r#"^\s*["']?([\w.-]+)["']?\s*=\s*(.*)$"#;
    INLINE_VERSION = r#"version\s*=\s*["']([^"']+)["']"#;
    RENAMED = r#"package\s*=\s*"([^"]+)""#;
    MEMBERS = r"(?s)\bmembers\s*=\s*\[([^\]]*)\]";
}

pub(super) fn read(sink: &mut Sink, kind: Kind, text: &str, base: usize) {
    let ecosystem = match kind {
        Kind::Cargo => Ecosystem::Crates,
        _ => Ecosystem::PyPI,
    };
    members(sink, text);
    let mut tables = Tables {
        kind,
        ecosystem,
        table: String::new(),
        in_list: false,
        dependency: None,
    };
    for (start, line) in lines(text) {
        tables.line(sink, line, base + start);
    }
    tables.end(sink);
}

struct Tables {
    kind: Kind,
    ecosystem: Ecosystem,
    table: String,
    /// In a list of names that goes on.
    in_list: bool,
    /// A dependency with a table of its own.
    dependency: Option<Dependency>,
}

struct Dependency {
    name: String,
    range: Range<usize>,
    version: Option<String>,
}

impl Tables {
    fn line(&mut self, sink: &mut Sink, line: &str, at: usize) {
        if let Some(found) = TABLE.first(line).filter(|_| !self.in_list) {
            let name = found.get(1).map_or("", |name| name.as_str());
            let name = name.replace(['"', '\''], "");
            return self.begin(sink, name, line, at);
        }
        own(sink, self.ecosystem, &self.table, line);
        let found = KEY.first(line).filter(|_| !self.in_list);
        let key_name = found.as_ref().and_then(|found| found.get(1));
        let key_name = key_name.map_or("", |name| name.as_str());
        if let Some(dependency) = &mut self.dependency {
            if dependency.learn(key_name, line, at) {
                self.dependency = None;
            }
        } else if self.in_list || self.lists(key_name) {
            let code = without_comment(line);
            quoted(sink, code, at);
            self.in_list =
                !code.trim_end().ends_with([']', '}']) && !code.trim_end().ends_with("],");
        } else if self.table == "tool.uv.sources" {
            if line.contains("workspace") || line.contains("path") {
                sink.own.package(Ecosystem::PyPI, key_name);
            }
        } else if self.names() {
            key(sink, self.ecosystem, line, at);
        }
    }

    fn begin(&mut self, sink: &mut Sink, table: String, line: &str, at: usize) {
        self.end(sink);
        let parts = table.rsplit_once('.').filter(|_| self.kind == Kind::Cargo);
        if let Some((parent, name)) = parts
            && parent.ends_with("dependencies")
            && let Some(within) = line.rfind(name)
        {
            self.dependency = Some(Dependency {
                name: name.to_owned(),
                range: at + within..at + within + name.len(),
                version: None,
            });
        }
        self.table = table;
    }

    fn end(&mut self, sink: &mut Sink) {
        if let Some(Dependency {
            name,
            range,
            version,
        }) = self.dependency.take()
        {
            let version = version.as_deref();
            sink.add(Context::Manifest, self.ecosystem, &name, version, range);
        }
    }

    /// Whether a key's list names packages.
    fn lists(&self, key: &str) -> bool {
        if self.kind == Kind::Cargo || key.is_empty() {
            return false;
        }
        match self.table.as_str() {
            "" | "project" => key == "dependencies",
            "build-system" => key == "requires",
            "project.optional-dependencies" | "dependency-groups" | "tool.pdm.dev-dependencies" => {
                true
            }
            "tool.uv" | "tool.rye" => key.ends_with("-dependencies"),
            table => table.starts_with("tool.hatch.") && key.ends_with("dependencies"),
        }
    }

    /// Whether the table's keys are names of packages.
    fn names(&self) -> bool {
        let table = self.table.as_str();
        match self.kind {
            Kind::Cargo => table.ends_with("ependencies"),
            Kind::Pixi => table.ends_with("pypi-dependencies"),
            _ => {
                (table.ends_with("ependencies") && !table.starts_with("project"))
                    || matches!(table, "packages" | "dev-packages")
            }
        }
    }
}

impl Dependency {
    /// Learns a line of the table; whether the dependency is from elsewhere.
    fn learn(&mut self, key: &str, line: &str, at: usize) -> bool {
        let value = quoted_in(line).next();
        match (key, value) {
            ("package", Some((name, range))) => {
                self.name = name.to_owned();
                self.range = at + range.start..at + range.end;
            }
            ("version", Some((version, _))) if version.starts_with('=') => {
                let version = spec::exact(Ecosystem::Crates, version);
                self.version = version.map(str::to_owned);
            }
            ("path" | "git" | "registry", _) => return true,
            _ => {}
        }
        false
    }
}

/// What stands before a comment.
fn without_comment(line: &str) -> &str {
    let trimmed = line.trim_start();
    if trimmed.starts_with('#') {
        return "";
    }
    line.split(" #").next().unwrap_or(line)
}

/// The package's own name.
fn own(sink: &mut Sink, ecosystem: Ecosystem, table: &str, line: &str) {
    let Some((key, value)) = line.split_once('=') else {
        return;
    };
    let named = matches!(table, "package" | "lib" | "bin" | "project" | "tool.poetry");
    if named
        && key.trim() == "name"
        && let Some((name, _)) = quoted_in(value).next()
    {
        sink.own.package(ecosystem, name);
    }
}

/// The members of a workspace are named as their folders are.
fn members(sink: &mut Sink, text: &str) {
    for list in MEMBERS.all(text).filter_map(|found| found.get(1)) {
        let paths = quoted_in(list.as_str()).filter_map(|(path, _)| path.rsplit('/').next());
        for name in paths {
            sink.own.package(Ecosystem::Crates, name);
            sink.own.package(Ecosystem::PyPI, name);
        }
    }
}

/// `name = "1.0"` and `name = { version = "1.0", package = "real" }`.
fn key(sink: &mut Sink, ecosystem: Ecosystem, line: &str, base: usize) {
    let Some(found) = KEY.first(line) else { return };
    let value = found.get(2).map_or("", |value| value.as_str());
    let Some((name, range)) = group(&found, 1, base) else {
        return;
    };
    let name = name
        .strip_suffix(".workspace")
        .or(name.strip_suffix(".version"))
        .unwrap_or(name);
    let has = |key: &str| value.contains(&format!("{key} =")) || value.contains(&format!("{key}="));
    if has("path") {
        sink.own.package(ecosystem, name);
    }
    let elsewhere =
        has("path") || has("git") || (has("registry") && ecosystem == Ecosystem::Crates);
    if elsewhere || (ecosystem == Ecosystem::PyPI && name == "python") {
        return;
    }
    if !value.starts_with(['"', '\'', '{', '[']) && value.trim_end() != "true" {
        return;
    }
    let renamed = RENAMED.first(value);
    let real = renamed.as_ref().and_then(|found| group(found, 1, 0));
    let (real, range) = match real.zip(found.get(2)) {
        Some(((real, at), value)) => {
            let start = base + value.start();
            (real, start + at.start..start + at.end)
        }
        None => (name, range.start..range.start + name.len()),
    };
    let version = version(ecosystem, value);
    sink.add(Context::Manifest, ecosystem, real, version, range);
}

/// The version that a value names, if it is exactly one.
fn version(ecosystem: Ecosystem, value: &str) -> Option<&str> {
    let version = match value.starts_with(['{', '[']) {
        true => INLINE_VERSION.first(value)?.get(1)?.as_str(),
        false => quoted_in(value).next()?.0,
    };
    // Several, for several Pythons.
    if value.starts_with('[') {
        return None;
    }
    // Cargo takes `1.0` for anything compatible with it; only `=1.0` is one version.
    match ecosystem {
        Ecosystem::Crates if !version.starts_with('=') => None,
        _ => spec::exact(ecosystem, version),
    }
}

/// A line that a diff adds: it does not say in which table it is.
pub(super) fn line(sink: &mut Sink, kind: Kind, text: &str, base: usize) {
    let found = KEY.first(text);
    let name = found
        .as_ref()
        .and_then(|found| found.get(1))
        .map_or("", |key| key.as_str());
    let value = found
        .as_ref()
        .and_then(|found| found.get(2))
        .map_or("", |value| value.as_str());
    const FIELDS: [&str; 8] = [
        "name",
        "version",
        "edition",
        "rust-version",
        "resolver",
        "requires-python",
        "description",
        "target-version",
    ];
    let version = value.trim_start_matches(['"', '\'']);
    let requires = version.starts_with(|c: char| c.is_ascii_digit() || "^~<>=*".contains(c))
        || value.starts_with('{')
        || value.trim_end() == "true";
    match kind {
        _ if FIELDS.contains(&name) => {}
        Kind::Cargo if requires => key(sink, Ecosystem::Crates, text, base),
        Kind::Cargo => {}
        _ if found.is_none() => quoted(sink, without_comment(text), base),
        _ if requires && !value.starts_with('{') => key(sink, Ecosystem::PyPI, text, base),
        _ => {}
    }
}
