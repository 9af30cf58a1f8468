//! Lock files: what is installed, each in one version.

use std::ops::Range;

use super::{
    Context, Ecosystem, Sink,
    markdown::lines,
    pattern::{Pattern, group, patterns},
};

patterns! {
    OPENS = r#"^\s*"([^"]+)"\s*:\s*\{"#;
    NPM = r#"^\s*"(?:node_modules/|[^"]*/node_modules/)((?:@[^"/]+/)?[^"/]+)"\s*:\s*\{"#;
    LINK = r#"^\s*"link"\s*:\s*true"#;
    VERSION = r#"^\s*"(?:version|resolved)"\s*:\s*"(?:==)?([^"]+)""#;
    NAME = r#"^\s*"name"\s*:\s*"([^"]+)""#;
    PROJECT = r#"^\s*"type"\s*:\s*"Project""#;
    YARN = r#"^"?((?:@[^@/"\s]+/)?[^@/"\s]+)@(?:npm:)?([^",]*)"#;
    YARN_VERSION = r#"^\s+"?version"?:?\s+"?([^"\s]+)"?"#;
    PNPM = r"^  '?/?((?:@[^@/'\s]+/)?[^@/'\s(]+)[@/]([0-9][^:'(_]*)[^:]*:";
    GEM = r"^    ([A-Za-z0-9_.-]+) \(([^)\s]+)\)";
    GO_SUM = r"^\s*([a-z0-9.-]+\.[a-z]+/\S+)\s+(v[^\s/]+)(?:/go\.mod)?\s+h1:";
    GRADLE = r"^([\w.-]+:[\w.-]+):([\w.+-]+)=";
}

/// The kinds of lock files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::inspect::packages) enum Lock {
    Npm,
    Yarn,
    Pnpm,
    Python,
    Pipfile,
    Cargo,
    Composer,
    Gemfile,
    GoSum,
    NuGet,
    Gradle,
}

impl Lock {
    /// By the file's name.
    pub(super) fn of_file(name: &str) -> Option<Self> {
        Some(match name {
            "package-lock.json" | "npm-shrinkwrap.json" => Self::Npm,
            "yarn.lock" => Self::Yarn,
            "pnpm-lock.yaml" => Self::Pnpm,
            "poetry.lock" | "uv.lock" | "pdm.lock" | "pylock.toml" => Self::Python,
            "Pipfile.lock" => Self::Pipfile,
            "Cargo.lock" => Self::Cargo,
            "composer.lock" => Self::Composer,
            "Gemfile.lock" | "gems.locked" => Self::Gemfile,
            "go.sum" => Self::GoSum,
            "packages.lock.json" => Self::NuGet,
            "gradle.lockfile" => Self::Gradle,
            _ => return None,
        })
    }

    /// By a fence's language and what is in it.
    pub(super) fn of_body(language: &str, body: &str) -> Option<Self> {
        let has = |text: &str| body.contains(text);
        Some(match language {
            "json" | "jsonc" | "" if has("\"node_modules/") => Self::Npm,
            "json" | "" if has("\"contentHash\"") && has("\"resolved\"") => Self::NuGet,
            "toml" | "" if has("[[package]]") && has("registry+") => Self::Cargo,
            "toml" | "" if has("[[package]]") => Self::Python,
            "yaml" | "yml" | "" if has("lockfileVersion:") => Self::Pnpm,
            "yaml" | "yml" | "yarn" | ""
                if has("yarn lockfile v1") || has("\n  resolution: \"") =>
            {
                Self::Yarn
            }
            "ruby" | "" if has("\n  specs:\n") => Self::Gemfile,
            "go" | "" if has(" h1:") => Self::GoSum,
            _ => return None,
        })
    }
}

pub(super) fn read(sink: &mut Sink, kind: Lock, text: &str, base: usize) {
    match kind {
        Lock::Npm => npm(sink, text, base),
        Lock::Yarn => yarn(sink, text, base),
        Lock::Pnpm => each(sink, &PNPM, Ecosystem::Npm, text, base),
        Lock::Python | Lock::Cargo => toml(sink, kind, text, base),
        Lock::Pipfile => objects(sink, Ecosystem::PyPI, text, base),
        Lock::NuGet => objects(sink, Ecosystem::NuGet, text, base),
        Lock::Composer => composer(sink, text, base),
        Lock::Gemfile => gemfile(sink, text, base),
        Lock::GoSum => each(sink, &GO_SUM, Ecosystem::Go, text, base),
        Lock::Gradle => each(sink, &GRADLE, Ecosystem::Maven, text, base),
    }
}

/// One line of such a file, without what stands around it: what a diff adds. Where the version
/// stands in another line, a line says too little.
pub(super) fn line(sink: &mut Sink, kind: Lock, text: &str, base: usize) {
    match kind {
        Lock::Pnpm => each(sink, &PNPM, Ecosystem::Npm, text, base),
        Lock::Gemfile => each(sink, &GEM, Ecosystem::RubyGems, text, base),
        Lock::GoSum => each(sink, &GO_SUM, Ecosystem::Go, text, base),
        Lock::Gradle => each(sink, &GRADLE, Ecosystem::Maven, text, base),
        _ => {}
    }
}

/// Lines that hold a name and its version. A package that several lines name is named once.
fn each(sink: &mut Sink, pattern: &Pattern, ecosystem: Ecosystem, text: &str, base: usize) {
    let mut last = None;
    for (start, line) in lines(text) {
        let Some(found) = pattern.first(line) else {
            continue;
        };
        let version = found.get(2).map(|version| version.as_str());
        if let Some((name, range)) = group(&found, 1, base + start)
            && last.replace((name, version)) != Some((name, version))
        {
            sink.add(Context::Manifest, ecosystem, name, version, range);
        }
    }
}

/// npm's: a key for each folder, and its version in the lines after it. A link is a workspace.
fn npm(sink: &mut Sink, text: &str, base: usize) {
    let mut name: Option<(&str, Range<usize>)> = None;
    for (start, line) in lines(text) {
        if let Some(found) = NPM.first(line) {
            name = group(&found, 1, base + start);
        } else if OPENS.is_in(line) {
            name = None;
        } else if LINK.is_in(line) {
            if let Some((name, _)) = name.take() {
                sink.own.package(Ecosystem::Npm, name);
            }
        } else if line.trim_start().starts_with("\"version\"")
            && let Some(found) = VERSION.first(line)
            && let Some((name, range)) = name.take()
        {
            let version = found.get(1).map(|version| version.as_str());
            sink.add(Context::Manifest, Ecosystem::Npm, name, version, range);
        }
    }
}

/// Yarn's, old and new: the ranges that were asked for, then the version.
fn yarn(sink: &mut Sink, text: &str, base: usize) {
    let mut name: Option<(&str, Range<usize>)> = None;
    for (start, line) in lines(text) {
        if let Some(found) = YARN.first(line) {
            let asked = found.get(2).map_or("", |asked| asked.as_str());
            let own = ["workspace:", "link:", "portal:", "file:"];
            let own = own.iter().any(|kind| asked.starts_with(kind));
            name = group(&found, 1, base + start);
            if let Some((own, _)) = name.take_if(|_| own) {
                sink.own.package(Ecosystem::Npm, own);
            }
        } else if let Some(found) = YARN_VERSION.first(line)
            && let Some((name, range)) = name.take()
        {
            let version = found.get(1).map(|version| version.as_str());
            sink.add(Context::Manifest, Ecosystem::Npm, name, version, range);
        }
    }
}

/// Pipenv's and NuGet's: an object for each package, with its version in it.
fn objects(sink: &mut Sink, ecosystem: Ecosystem, text: &str, base: usize) {
    let mut name: Option<(&str, Range<usize>)> = None;
    for (start, line) in lines(text) {
        if let Some(found) = OPENS.first(line) {
            name = group(&found, 1, base + start);
        } else if PROJECT.is_in(line) {
            if let Some((name, _)) = name.take() {
                sink.own.package(ecosystem, name);
            }
        } else if let Some(found) = VERSION.first(line)
            && let Some((name, range)) = name.take()
        {
            let version = found.get(1).map(|version| version.as_str());
            sink.add(Context::Manifest, ecosystem, name, version, range);
        }
    }
}

/// Composer's: `"name"`, then `"version"`.
fn composer(sink: &mut Sink, text: &str, base: usize) {
    let mut name: Option<(&str, Range<usize>)> = None;
    for (start, line) in lines(text) {
        if let Some(found) = NAME.first(line) {
            name = group(&found, 1, base + start).filter(|(name, _)| name.contains('/'));
        } else if let (Some(found), Some((name, range))) = (VERSION.first(line), name.take()) {
            let version = found.get(1).map(|version| version.as_str());
            sink.add(
                Context::Manifest,
                Ecosystem::Packagist,
                name,
                version,
                range,
            );
        }
    }
}

/// Bundler's: sections by where the gems are from; what is in a path is the user's own.
fn gemfile(sink: &mut Sink, text: &str, base: usize) {
    let mut section = "GEM";
    for (start, line) in lines(text) {
        if line.starts_with(|c: char| c.is_ascii_uppercase()) {
            section = line.trim_end();
            continue;
        }
        let Some(found) = GEM.first(line) else {
            continue;
        };
        let version = found.get(2).map(|version| version.as_str());
        match (group(&found, 1, base + start), section) {
            (Some((name, range)), "GEM") => {
                sink.add(Context::Manifest, Ecosystem::RubyGems, name, version, range);
            }
            (Some((name, _)), "PATH") => sink.own.package(Ecosystem::RubyGems, name),
            _ => {}
        }
    }
}

/// Those of Cargo, Poetry, uv and PDM: a table for each package.
fn toml(sink: &mut Sink, kind: Lock, text: &str, base: usize) {
    let ecosystem = match kind {
        Lock::Cargo => Ecosystem::Crates,
        _ => Ecosystem::PyPI,
    };
    for (at, _) in text.match_indices("[[package]]") {
        let rest = text.get(at..).unwrap_or_default();
        let inner = rest.get(2..).and_then(|rest| rest.find("\n["));
        let end = inner.map_or(rest.len(), |end| end + 2);
        let table = Table::read(kind, rest.get(..end).unwrap_or(rest), base + at);
        match table.name {
            Some((name, _)) if table.own => sink.own.package(ecosystem, name),
            Some((name, range)) if !table.elsewhere => {
                sink.add(Context::Manifest, ecosystem, name, table.version, range);
            }
            _ => {}
        }
    }
}

/// What a table of such a file says.
#[derive(Default)]
struct Table<'t> {
    name: Option<(&'t str, Range<usize>)>,
    version: Option<&'t str>,
    /// It is the user's own.
    own: bool,
    /// It is from a repository.
    elsewhere: bool,
}

impl<'t> Table<'t> {
    fn read(kind: Lock, text: &'t str, base: usize) -> Self {
        // In Cargo's, what has no source is a member of the workspace.
        let mut table = Self {
            own: kind == Lock::Cargo,
            ..Self::default()
        };
        for (start, line) in lines(text) {
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            let text = value.trim().trim_matches('"');
            match key.trim() {
                "name" => {
                    let from = base + start + line.len() - value.trim_start().len() + 1;
                    table.name = Some((text, from..from + text.len()));
                }
                "version" => table.version = Some(text),
                "source" if kind == Lock::Cargo => {
                    table.own = false;
                    table.elsewhere = !text.starts_with("registry+");
                }
                "source" => {
                    let own = ["editable", "virtual", "directory"];
                    table.own = own.iter().any(|kind| text.contains(kind));
                }
                _ => {}
            }
        }
        table
    }
}
