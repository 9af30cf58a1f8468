//! Manifests of JSON: npm's, Composer's, Deno's, and .NET's tools.

use std::ops::Range;

use super::super::{
    Context, Ecosystem, Sink, fence,
    files::{Json, commands},
    pattern::patterns,
    place::{Placed, within},
    shell, spec,
};

patterns! {
    PAIR = r#"^\s*"([^"]+)"\s*:\s*"([^"]*)""#;
}

/// `package.json`, whole or in pieces.
pub(super) fn package(sink: &mut Sink, text: &str, base: usize) {
    let json = Json::parse(text, base);
    own(sink, Ecosystem::Npm, &json);
    npm(sink, &json);
}

fn npm(sink: &mut Sink, json: &Json) {
    for (key, value) in json.entries() {
        match key.text() {
            "overrides" | "resolutions" => overrides(sink, value),
            "scripts" => scripts(sink, value),
            "packageManager" => {
                if let Some(manager) = value.text() {
                    spec::word(sink, Context::Manifest, Ecosystem::Npm, manager);
                }
            }
            key if key.ends_with("ependencies") => {
                for (name, version) in value.entries() {
                    if let Some(version) = version.text() {
                        named(sink, Ecosystem::Npm, name, version);
                    }
                }
            }
            _ => npm(sink, value),
        }
    }
    // In pieces, and in code that holds one, it may be anywhere.
    for item in json.items() {
        npm(sink, item);
    }
}

fn scripts(sink: &mut Sink, json: &Json) {
    for script in json.entries().iter().filter_map(|(_, value)| value.text()) {
        script.read(sink, |sink, text| {
            shell::read(sink, text, 0, Context::Install)
        });
    }
}

/// What others' dependencies are replaced by: `"a>b"`, `"**/b"`, `"a/b"` and `"b@1"` are all of `b`.
fn overrides(sink: &mut Sink, json: &Json) {
    for (key, value) in json.entries() {
        let text = key.text();
        let name = text.rsplit('>').next().unwrap_or(text);
        let depth = usize::from(
            name.rsplit('/')
                .nth(1)
                .is_some_and(|before| before.starts_with('@')),
        );
        let start = name
            .rmatch_indices('/')
            .nth(depth)
            .map_or(0, |(at, _)| at + 1);
        let name = name.get(start..).unwrap_or_default();
        let end = name
            .get(1..)
            .and_then(|rest| rest.find('@'))
            .map_or(name.len(), |at| at + 1);
        let name = name.get(..end).unwrap_or_default();
        match value.text() {
            Some(version) if !version.text().starts_with('$') && name != "." => {
                named(
                    sink,
                    Ecosystem::Npm,
                    &key.slice(within(text, name)),
                    version,
                );
            }
            _ => overrides(sink, value),
        }
    }
}

/// `composer.json`.
pub(super) fn composer(sink: &mut Sink, text: &str, base: usize) {
    let json = Json::parse(text, base);
    own(sink, Ecosystem::Packagist, &json);
    for name in ["require", "require-dev"] {
        for (name, version) in json.get(name).map(Json::entries).unwrap_or_default() {
            if let Some(version) = version.text() {
                named(sink, Ecosystem::Packagist, name, version);
            }
        }
    }
    if let Some(json) = json.get("scripts") {
        scripts(sink, json);
    }
}

/// `deno.json`, and an import map: what comes from npm says so.
pub(super) fn deno(sink: &mut Sink, text: &str, base: usize) {
    let json = Json::parse(text, base);
    for (_, value) in json.get("imports").map(Json::entries).unwrap_or_default() {
        if let Some(value) = value
            .text()
            .filter(|value| value.text().starts_with("npm:"))
        {
            spec::word(sink, Context::Manifest, Ecosystem::Npm, value);
        }
    }
    fence::urls(sink, text, base);
    commands::of(sink, &json);
}

/// `dotnet-tools.json`.
pub(super) fn tools(sink: &mut Sink, text: &str, base: usize) {
    let json = Json::parse(text, base);
    for (name, tool) in json.get("tools").map(Json::entries).unwrap_or_default() {
        let version = tool.get("version").and_then(Json::text).map(Placed::text);
        sink.add(
            Context::Manifest,
            Ecosystem::NuGet,
            name.text(),
            version,
            name.range(),
        );
    }
}

/// The package's own name.
fn own(sink: &mut Sink, ecosystem: Ecosystem, json: &Json) {
    if let Some(name) = json.get("name").and_then(Json::text) {
        sink.own.package(ecosystem, name.text());
    }
}

/// A name with what it may be.
fn named(sink: &mut Sink, ecosystem: Ecosystem, name: &Placed, version: &Placed) {
    match version.text().starts_with("npm:") {
        true => spec::word(sink, Context::Manifest, ecosystem, version),
        false => listed(sink, ecosystem, name.text(), version.text(), name.range()),
    }
}

/// A path, a repository and a workspace are no versions.
fn listed(sink: &mut Sink, ecosystem: Ecosystem, name: &str, version: &str, range: Range<usize>) {
    const OWN: [&str; 6] = ["file:", "link:", "workspace:", "portal:", ".", "~/"];
    if OWN.iter().any(|start| version.starts_with(start)) {
        return sink.own.package(ecosystem, name);
    }
    let elsewhere = version.starts_with("git")
        || version.starts_with("http")
        || version.starts_with("npm:")
        || (version.contains('/') && ecosystem == Ecosystem::Npm);
    // PHP itself and its extensions are none of Composer's packages.
    let package = ecosystem != Ecosystem::Packagist || name.contains('/');
    if !elsewhere && package {
        let version = spec::exact(ecosystem, version);
        sink.add(Context::Manifest, ecosystem, name, version, range);
    }
}

/// A line of such a file.
pub(super) fn pair(sink: &mut Sink, ecosystem: Ecosystem, text: &str, base: usize) {
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
    let (Some(name), Some(version)) = (found.get(1), found.get(2)) else {
        return;
    };
    let looks = version
        .as_str()
        .starts_with(|c: char| c.is_ascii_digit() || "^~<>=*".contains(c))
        || version.as_str() == "latest"
        || version.as_str().starts_with("npm:");
    if looks && !FIELDS.contains(&name.as_str()) {
        let placed = |part: regex::Match<'_>| Placed::verbatim(part.as_str(), base + part.start());
        named(sink, ecosystem, &placed(name), &placed(version));
    }
}
