//! Files that list what is to be installed, read line by line: a piece of one is enough.

mod java;
mod json;
mod python;
mod toml;
mod xml;

use std::ops::Range;

use super::{
    Context, Ecosystem, Sink,
    lock::{self, Lock},
    markdown::lines,
    pattern::{group, patterns},
    spec,
};
pub(super) use java::annotated;
pub(super) use python::script;
use python::{conda, requirement, sections, setup};
pub(super) use xml::paket;

patterns! {
    QUOTED = r#""([^"]+)"|'([^']+)'"#;
    GO = r"^\s*(?:require\s+)?([a-z0-9.-]+\.[a-z]+/\S+)\s+(v\S+)";
    GEM = r#"^\s*(?:gem|\w+\.add_(?:runtime_|development_)?dependency)\s*\(?\s*["']([\w.-]+)["'](?:\s*,\s*["']([^"']+)["'])?"#;
    GEM_NAME = r#"^\s*\w+\.name\s*=\s*["']([\w.-]+)["']"#;
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
    Deno,
    DotnetTools,
    Tox,
    Pixi,
    Catalog,
    Sbt,
    Ivy,
    Paket,
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
            "deno.json" | "deno.jsonc" | "import_map.json" => Self::Deno,
            "dotnet-tools.json" => Self::DotnetTools,
            "tox.ini" => Self::Tox,
            "pixi.toml" => Self::Pixi,
            "build.sbt" | "plugins.sbt" | "Dependencies.scala" => Self::Sbt,
            "ivy.xml" => Self::Ivy,
            "paket.dependencies" => Self::Paket,
            _ if name.ends_with(".versions.toml") => Self::Catalog,
            _ if name.contains("requirements") && name.ends_with(".in") => Self::Requirements,
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
            "toml" if has("[libraries]") => Self::Catalog,
            "yaml" | "yml" | "" if has("- pip:") => Self::Conda,
            "xml" | "" if has("<artifactId>") => Self::Pom,
            "xml" if has("<ivy-module") || has(" org=\"") => Self::Ivy,
            "sbt" | "scala" if has("libraryDependencies") => Self::Sbt,
            "groovy" | "kotlin" | "kts" | "java" if has("@Grab") => Self::Gradle,
            "fsharp" | "fs" | "f#" | "fsx" | "paket" => Self::Paket,
            "xml" | "csproj" | ""
                if has("<PackageReference") || has("<package id=") || has("<PackageVersion") =>
            {
                Self::CsProj
            }
            "ruby" | "rb" | "gemfile" | "" if is_gemfile(body) => Self::Gemfile,
            "groovy" | "gradle" | "kotlin" | "kts" if has("mplementation") => Self::Gradle,
            "" if has("implementation") => Self::Gradle,
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
        Kind::Package => json::package(sink, text, base),
        Kind::Composer => json::composer(sink, text, base),
        Kind::Deno => json::deno(sink, text, base),
        Kind::DotnetTools => json::tools(sink, text, base),
        Kind::Catalog => java::catalog(sink, text, base),
        Kind::Sbt => java::sbt(sink, text, base),
        Kind::Ivy => xml::ivy(sink, text, base),
        Kind::CsProj => xml::project(sink, text, base),
        Kind::Lock(kind) => lock::read(sink, kind, text, base),
        Kind::PyProject | Kind::Cargo | Kind::Pixi => toml::read(sink, kind, text, base),
        Kind::SetupPy => setup(sink, text, base),
        Kind::SetupCfg | Kind::Tox => sections(sink, text, base),
        Kind::Conda => conda(sink, text, base),
        Kind::Pom => xml::pom(sink, text, base),
        Kind::GoMod => {
            let mut left_out = false;
            for (start, text) in lines(text) {
                let opens = |name: &str| text.trim_start().starts_with(name) && text.contains('(');
                left_out |= opens("exclude") || opens("retract");
                if !left_out {
                    go_mod(sink, text, base + start);
                }
                left_out &= !text.contains(')');
            }
        }
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
        Kind::CsProj => xml::project(sink, text, base),
        Kind::Paket => xml::paket(sink, text, base),
        Kind::Gradle => java::gradle(sink, text, base),
        Kind::Package => json::pair(sink, Ecosystem::Npm, text, base),
        Kind::Composer => json::pair(sink, Ecosystem::Packagist, text, base),
        Kind::Cargo | Kind::PyProject | Kind::Pixi => toml::line(sink, kind, text, base),
        Kind::Lock(kind) => lock::line(sink, kind, text, base),
        Kind::SetupPy | Kind::SetupCfg | Kind::Conda | Kind::Pom | Kind::Tox => {}
        Kind::Deno | Kind::DotnetTools | Kind::Catalog | Kind::Sbt | Kind::Ivy => {}
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

/// The strings of a text, and where they stand in it.
fn quoted_in(text: &str) -> impl Iterator<Item = (&str, Range<usize>)> {
    let strings = QUOTED.all(text);
    strings.filter_map(|found| group(&found, 1, 0).or_else(|| group(&found, 2, 0)))
}

/// Python's packages by the strings of a text; what names something else stands before it.
fn quoted(sink: &mut Sink, text: &str, base: usize) {
    for (word, range) in quoted_in(text) {
        let before = text.get(..range.start - 1).unwrap_or_default().trim_end();
        let after = text.get(range.end + 1..).unwrap_or_default().trim_start();
        let other = before.ends_with('=') && before.contains("include-group");
        if !other && !after.starts_with(':') {
            let range = base + range.start..base + range.end;
            spec::add(sink, Context::Manifest, Ecosystem::PyPI, word, range);
        }
    }
}

/// What a script in Rust says of itself: TOML in its comments.
pub(super) fn rust_script(sink: &mut Sink, text: &str, base: usize) {
    if !text.contains("[dependencies]") {
        return;
    }
    let line = |line: &str| match line.trim_start().starts_with("//!") {
        true => line.replacen("//!", "   ", 1),
        false => line
            .bytes()
            .map(|b| if b == b'\n' { '\n' } else { ' ' })
            .collect(),
    };
    let body: String = text.split_inclusive('\n').map(line).collect();
    toml::read(sink, Kind::Cargo, &body, base);
}
