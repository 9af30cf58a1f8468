//! Files that list what is to be installed, read line by line: a piece of one is enough.

mod python;
mod xml;

use std::ops::Range;

use super::{
    Context, Ecosystem, Sink,
    lock::{self, Lock},
    markdown::lines,
    pattern::{group, patterns},
    spec,
};
use python::{conda, requirement, sections, setup};
use xml::{pom, project};

patterns! {
    PAIR = r#"^\s*"([^"]+)"\s*:\s*"([^"]*)""#;
    NESTED = r#""((?:@?[\w.-]+/)?[\w.-]+)"\s*:\s*"([^"]*)""#;
    NAME = r#"(?m)^\s*"name"\s*:\s*"([^"]+)""#;
    TABLE = r#"^\s*\[+\s*([^\]]+?)\s*\]+"#;
    KEY = r#"^\s*"?([\w.-]+)"?\s*=\s*(.*)$"#;
    QUOTED = r#"["']([^"']+)["']"#;
    INLINE_VERSION = r#"version\s*=\s*"([^"]+)""#;
    RENAMED = r#"package\s*=\s*"([^"]+)""#;
    GO = r"^\s*(?:require\s+)?([a-z0-9.-]+\.[a-z]+/\S+)\s+(v\S+)";
    GEM = r#"^\s*(?:gem|\w+\.add_(?:runtime_|development_)?dependency)\s*\(?\s*["']([\w.-]+)["'](?:\s*,\s*["']([^"']+)["'])?"#;
    MEMBERS = r"(?s)\bmembers\s*=\s*\[([^\]]*)\]";
    GEM_NAME = r#"^\s*\w+\.name\s*=\s*["']([\w.-]+)["']"#;
    GRADLE = r#"["']([\w.-]+:[\w.-]+(?::[\w.+-]+)?)["']"#;
}

/// The kinds of such files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::inspect::packages) enum Kind {
    Requirements,
    PyProject,
    SetupPy,
    SetupCfg,
    Conda,
    Package,
    Cargo,
    GoMod,
    Pom,
    Gradle,
    Gemfile,
    CsProj,
    Composer,
    Lock(Lock),
}

impl Kind {
    /// By the file's name.
    pub(super) fn of_file(name: &str) -> Option<Self> {
        if let Some(lock) = Lock::of_file(name) {
            return Some(Self::Lock(lock));
        }
        Some(match name {
            "package.json" => Self::Package,
            "pyproject.toml" | "Pipfile" => Self::PyProject,
            "setup.py" => Self::SetupPy,
            "setup.cfg" => Self::SetupCfg,
            "environment.yml" | "environment.yaml" => Self::Conda,
            "Cargo.toml" => Self::Cargo,
            "go.mod" => Self::GoMod,
            "pom.xml" => Self::Pom,
            "Gemfile" | "gems.rb" => Self::Gemfile,
            "composer.json" => Self::Composer,
            "packages.config" | "Directory.Packages.props" => Self::CsProj,
            _ if name.ends_with(".gemspec") => Self::Gemfile,
            _ if [".csproj", ".fsproj", ".vbproj"]
                .iter()
                .any(|end| name.ends_with(end)) =>
            {
                Self::CsProj
            }
            _ if name.ends_with(".gradle") || name.ends_with(".gradle.kts") => Self::Gradle,
            _ if name.contains("requirements") && name.ends_with(".txt") => Self::Requirements,
            _ if name.starts_with("constraints") && name.ends_with(".txt") => Self::Requirements,
            _ => return None,
        })
    }

    /// By a fence's language and what is in it.
    pub(super) fn of_body(language: &str, body: &str) -> Option<Self> {
        let has = |text: &str| body.contains(text);
        if let Some(lock) = Lock::of_body(language, body) {
            return Some(Self::Lock(lock));
        }
        Some(match language {
            "json" | "" if has("\"require\"") || has("\"require-dev\"") => Self::Composer,
            "json" | "jsonc" | "json5" | "" if has("ependencies\"") => Self::Package,
            "toml" | "" if has("[project") || has("[tool.") || has("[build-system]") => {
                Self::PyProject
            }
            "toml" if has("dependencies]") || has("dependencies.") => Self::Cargo,
            "xml" | "" if has("<artifactId>") => Self::Pom,
            "xml" | "csproj" | "" if has("<PackageReference") || has("<package id=") => {
                Self::CsProj
            }
            "ruby" | "rb" | "gemfile" | "" if is_gemfile(body) => Self::Gemfile,
            "groovy" | "gradle" | "kotlin" | "kts" | "" if has("implementation") => Self::Gradle,
            "go.mod" | "mod" | "gomod" => Self::GoMod,
            "go" | "" if body.trim_start().starts_with("module ") && has("require") => Self::GoMod,
            "requirements" | "requirements.txt" | "pip-requirements" | "pip" => Self::Requirements,
            "txt" | "text" | "plaintext" | "" if looks_required(body) => Self::Requirements,
            _ => return None,
        })
    }
}

/// Whether Ruby code lists gems, and is not a script that brings some.
pub(super) fn is_gemfile(body: &str) -> bool {
    let lists = |line: &str| GEM.is_in(line) || line.starts_with("source ");
    body.lines().any(lists) && !body.contains("bundler/inline")
}

/// Whether all lines are requirements, and one at least says a version.
fn looks_required(body: &str) -> bool {
    let lines = body
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-[],=<>~!;*\"' ".contains(c);
    let version = |line: &str| {
        ["==", ">=", "~=", "<="]
            .iter()
            .any(|mark| line.contains(mark))
    };
    let mut some = false;
    for line in lines {
        some |= version(line);
        if !line.chars().all(plain) || (line.contains(' ') && !version(line)) {
            return false;
        }
    }
    some
}

pub(super) fn read(sink: &mut Sink, kind: Kind, text: &str, base: usize) {
    match kind {
        Kind::Package => {
            own_json(sink, Ecosystem::Npm, text);
            json(sink, text, base, Ecosystem::Npm, |key| {
                key.ends_with("ependencies") || matches!(key, "overrides" | "resolutions")
            });
        }
        Kind::Composer => {
            own_json(sink, Ecosystem::Packagist, text);
            json(sink, text, base, Ecosystem::Packagist, |key| {
                key.starts_with("require")
            });
        }
        Kind::Lock(kind) => lock::read(sink, kind, text, base),
        Kind::PyProject | Kind::Cargo => {
            members(sink, text);
            toml(sink, kind, text, base);
        }
        Kind::SetupPy => setup(sink, text, base),
        Kind::SetupCfg => sections(sink, text, base),
        Kind::Conda => conda(sink, text, base),
        Kind::Pom => pom(sink, text, base),
        _ => {
            for (start, text) in lines(text) {
                line(sink, kind, text, base + start);
            }
        }
    }
}

/// One line of such a file, without what stands around it: what a diff adds.
pub(super) fn line(sink: &mut Sink, kind: Kind, text: &str, base: usize) {
    match kind {
        Kind::Requirements => requirement(sink, text, base),
        Kind::GoMod => go_mod(sink, text, base),
        Kind::Gemfile => gem(sink, text, base),
        Kind::CsProj => project(sink, text, base),
        Kind::Gradle => {
            for found in GRADLE.all(text) {
                if let Some((word, range)) = group(&found, 1, base) {
                    spec::add(sink, Context::Manifest, Ecosystem::Maven, word, range);
                }
            }
        }
        Kind::Package => pair(sink, Ecosystem::Npm, text, base),
        Kind::Composer => pair(sink, Ecosystem::Packagist, text, base),
        Kind::Cargo => key(sink, Ecosystem::Crates, text, base),
        Kind::PyProject => match KEY.is_in(text) {
            true => key(sink, Ecosystem::PyPI, text, base),
            false => quoted(sink, text, base),
        },
        Kind::Lock(kind) => lock::line(sink, kind, text, base),
        Kind::SetupPy | Kind::SetupCfg | Kind::Conda | Kind::Pom => {}
    }
}

fn each(
    sink: &mut Sink,
    pattern: &super::pattern::Pattern,
    ecosystem: Ecosystem,
    text: &str,
    base: usize,
) {
    for found in pattern.all(text) {
        let version = found
            .get(2)
            .and_then(|v| spec::exact(ecosystem, v.as_str()));
        if let Some((name, range)) = group(&found, 1, base) {
            sink.add(Context::Manifest, ecosystem, name, version, range);
        }
    }
}

fn go_mod(sink: &mut Sink, text: &str, base: usize) {
    let code = text.split("//").next().unwrap_or(text);
    if let Some(module) = code.trim().strip_prefix("module ") {
        return sink
            .own
            .prefix(Ecosystem::Go, module.trim().trim_matches('"'));
    }
    // What is replaced by a folder is the user's own.
    if let Some((before, after)) = code.split_once("=>") {
        let path = before.trim().trim_start_matches("replace").trim();
        let path = path.split_whitespace().next().unwrap_or_default();
        match after.trim().starts_with('.') {
            true => sink.own.prefix(Ecosystem::Go, path),
            false => {
                let at = text.find("=>").map_or(0, |at| at + 2);
                let after = code.get(at..).unwrap_or_default();
                each(sink, &GO, Ecosystem::Go, after, base + at);
            }
        }
        return;
    }
    each(sink, &GO, Ecosystem::Go, code, base);
}

fn gem(sink: &mut Sink, text: &str, base: usize) {
    if let Some(found) = GEM_NAME.first(text) {
        let name = found.get(1).map_or("", |name| name.as_str());
        return sink.own.package(Ecosystem::RubyGems, name);
    }
    let elsewhere = ["path:", "git:", "github:", ":path", ":git", ":github"];
    if elsewhere.iter().any(|option| text.contains(option)) {
        return;
    }
    each(sink, &GEM, Ecosystem::RubyGems, text, base);
}

/// The package's own name in JSON.
fn own_json(sink: &mut Sink, ecosystem: Ecosystem, text: &str) {
    let whole: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let name = whole.as_ref().and_then(|object| object["name"].as_str());
    // A piece of a file is no JSON; its first name is its own.
    let first = || NAME.first(text)?.get(1).map(|name| name.as_str());
    sink.own
        .package(ecosystem, name.or_else(first).unwrap_or_default());
}

/// A name with what it may be: a path, a repository and a workspace are no versions.
fn listed(sink: &mut Sink, ecosystem: Ecosystem, name: &str, version: &str, range: Range<usize>) {
    let elsewhere = [
        "file:",
        "link:",
        "workspace:",
        "git",
        "http",
        "portal:",
        ".",
    ];
    if elsewhere.iter().any(|start| version.starts_with(start)) {
        let own = ["file:", "link:", "workspace:", "portal:", "."];
        if own.iter().any(|start| version.starts_with(start)) {
            sink.own.package(ecosystem, name);
        }
        return;
    }
    if let Some(real) = version.strip_prefix("npm:") {
        return spec::add(sink, Context::Manifest, ecosystem, real, range);
    }
    // PHP itself and its extensions are none of Composer's packages.
    if ecosystem != Ecosystem::Packagist || name.contains('/') {
        sink.add(
            Context::Manifest,
            ecosystem,
            name,
            spec::exact(ecosystem, version),
            range,
        );
    }
}

fn pair(sink: &mut Sink, ecosystem: Ecosystem, text: &str, base: usize) {
    const FIELDS: [&str; 9] = [
        "name",
        "version",
        "description",
        "main",
        "type",
        "license",
        "author",
        "node",
        "module",
    ];
    let Some(found) = PAIR.first(text) else {
        return;
    };
    let version = found.get(2).map_or("", |version| version.as_str());
    let looks = version.starts_with(|c: char| c.is_ascii_digit() || "^~<>=*".contains(c))
        || version == "latest";
    if let Some((name, range)) =
        group(&found, 1, base).filter(|(name, _)| looks && !FIELDS.contains(name))
    {
        listed(sink, ecosystem, name, version, range);
    }
}

fn json(sink: &mut Sink, text: &str, base: usize, ecosystem: Ecosystem, wanted: fn(&str) -> bool) {
    let mut at = 0;
    while let Some(open) = text.get(at..).and_then(|rest| rest.find('{')) {
        let open = at + open;
        at = open + 1;
        let before = text.get(..open).unwrap_or_default().trim_end();
        let key = before
            .strip_suffix(':')
            .map(|b| b.trim_end().trim_end_matches('"'));
        let key = key
            .and_then(|key| key.rsplit('"').next())
            .unwrap_or_default();
        if !wanted(key) {
            continue;
        }
        let rest = text.get(at..).unwrap_or_default();
        let body = rest.split('}').next().unwrap_or(rest);
        for found in NESTED.all(body) {
            let version = found.get(2).map_or("", |version| version.as_str());
            if let Some((name, range)) = group(&found, 1, base + at) {
                listed(sink, ecosystem, name, version, range);
            }
        }
        at += body.len();
    }
}

fn toml(sink: &mut Sink, kind: Kind, text: &str, base: usize) {
    let ecosystem = match kind {
        Kind::Cargo => Ecosystem::Crates,
        _ => Ecosystem::PyPI,
    };
    let (mut table, mut in_list) = (String::new(), false);
    for (start, line) in lines(text) {
        let at = base + start;
        if let Some(found) = TABLE.first(line).filter(|_| !in_list) {
            table = found
                .get(1)
                .map_or("", |name| name.as_str())
                .replace(['"', '\''], "");
            if let Some((parent, name)) = table.rsplit_once('.')
                && kind == Kind::Cargo
                && parent.ends_with("dependencies")
                && let Some(within) = line.find(name)
            {
                let range = at + within..at + within + name.len();
                sink.add(Context::Manifest, ecosystem, name, None, range);
            }
            continue;
        }
        let in_names =
            table.ends_with("ependencies") || matches!(table.as_str(), "packages" | "dev-packages");
        own_toml(sink, ecosystem, &table, line);
        let key_value = KEY.first(line).filter(|_| !in_list);
        let key_name = key_value
            .as_ref()
            .and_then(|found| found.get(1))
            .map_or("", |k| k.as_str());
        let listing = match (table.as_str(), key_name) {
            ("project", "dependencies") | ("build-system", "requires") => true,
            ("project.optional-dependencies" | "dependency-groups", name) => !name.is_empty(),
            _ => false,
        };
        if in_list || listing {
            quoted(sink, line, at);
            let code = line.split(" #").next().unwrap_or(line).trim_end();
            in_list = !code.ends_with(']') && !code.ends_with("],");
        } else if in_names && (kind == Kind::Cargo || !table.starts_with("project")) {
            key(sink, ecosystem, line, at);
        }
    }
}

/// The package's own name.
fn own_toml(sink: &mut Sink, ecosystem: Ecosystem, table: &str, line: &str) {
    let Some((key, value)) = line.split_once('=') else {
        return;
    };
    let named = matches!(table, "package" | "lib" | "bin" | "project" | "tool.poetry");
    if let Some(name) = QUOTED
        .first(value)
        .filter(|_| named && key.trim() == "name")
    {
        let name = name.get(1).map_or("", |name| name.as_str());
        sink.own.package(ecosystem, name);
    }
}

/// The members of a workspace are named as their folders are.
fn members(sink: &mut Sink, text: &str) {
    for list in MEMBERS.all(text).filter_map(|found| found.get(1)) {
        let paths = QUOTED.all(list.as_str());
        let paths = paths.filter_map(|found| found.get(1)?.as_str().rsplit('/').next());
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
    let path = value.contains("path =") || value.contains("path=");
    if path {
        sink.own.package(ecosystem, name);
    }
    let local = path || value.contains("git =") || value.contains("git=");
    if local || (ecosystem == Ecosystem::PyPI && name == "python") {
        return;
    }
    if !value.starts_with(['"', '\'', '{']) && value != "true" {
        return;
    }
    let version = INLINE_VERSION
        .first(value)
        .or_else(|| QUOTED.first(value).filter(|_| !value.starts_with('{')));
    let version = version
        .and_then(|found| found.get(1))
        .map_or("", |version| version.as_str());
    // Cargo takes `1.0` for anything compatible with it; only `=1.0` is one version.
    let version = match ecosystem {
        Ecosystem::Crates if !version.starts_with('=') => None,
        _ => spec::exact(ecosystem, version),
    };
    let renamed = RENAMED.first(value);
    let real = renamed
        .as_ref()
        .and_then(|found| found.get(1))
        .map_or(name, |name| name.as_str());
    sink.add(
        Context::Manifest,
        ecosystem,
        real,
        version,
        range.start..range.start + name.len(),
    );
}

fn quoted(sink: &mut Sink, line: &str, base: usize) {
    for found in QUOTED.all(line) {
        if let Some((word, range)) = group(&found, 1, base) {
            spec::add(sink, Context::Manifest, Ecosystem::PyPI, word, range);
        }
    }
}
