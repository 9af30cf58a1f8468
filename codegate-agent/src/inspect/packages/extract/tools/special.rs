//! Tools that are told their packages in ways of their own.

use super::{
    super::{Context, Ecosystem, Sink, place::Placed, spec},
    table::TOOLS,
};

/// Reads a command of such a tool; whether there is no more to it.
pub(super) fn read(sink: &mut Sink, name: &str, words: &[Placed], context: Context) -> bool {
    let verb = words.first().map_or("", Placed::text);
    match (name, verb) {
        ("npm" | "pnpm" | "yarn" | "bun", "create" | "init" | "innit") => {
            created(sink, words, context);
        }
        ("deno", "add" | "install" | "i" | "run" | "x" | "compile" | "cache") => {
            deno(sink, verb, words, context);
        }
        ("mvn" | "mvnw" | "mvnd", _) => maven(sink, words, context),
        ("jbang" | "cs" | "coursier", _) => {
            for word in words {
                spec::word(sink, context, Ecosystem::Maven, word);
            }
        }
        ("dotnet", "add") if is_project(words) => dotnet_project(sink, words, context),
        ("pixi", "add") => {
            let pypi = words.iter().any(|word| word.text() == "--pypi");
            let names = words
                .iter()
                .skip(1)
                .filter(|word| pypi && !word.text().starts_with('-'));
            for word in names {
                spec::word(sink, context, Ecosystem::PyPI, word);
            }
        }
        _ => return false,
    }
    true
}

/// `npm create vite@latest` runs the package `create-vite`.
fn created(sink: &mut Sink, words: &[Placed], context: Context) {
    let Some(what) = words
        .get(1)
        .filter(|what| !what.text().starts_with(['-', '.']))
    else {
        return;
    };
    let (text, range) = (what.text(), what.range());
    let end = text
        .get(1..)
        .and_then(|rest| rest.find('@'))
        .map_or(text.len(), |at| at + 1);
    let (name, version) = text.split_at(end);
    let range = match range.len() == text.len() {
        true => range.start..range.start + end,
        false => range,
    };
    let name = match name.split_once('/') {
        Some((scope, name)) if scope.starts_with('@') => format!("{scope}/create-{name}"),
        None if name.starts_with('@') => format!("{name}/create"),
        _ => format!("create-{name}"),
    };
    let version = spec::exact(Ecosystem::Npm, version.trim_start_matches('@'));
    sink.add(context, Ecosystem::Npm, &name, version, range);
}

/// What Deno gets from npm says so: `deno add npm:x`.
fn deno(sink: &mut Sink, verb: &str, words: &[Placed], context: Context) {
    let names = words
        .iter()
        .skip(1)
        .filter(|word| !word.text().starts_with('-'));
    let most = match verb {
        "run" | "x" | "compile" => 1,
        _ => usize::MAX,
    };
    for word in names
        .take(most)
        .filter(|word| word.text().starts_with("npm:"))
    {
        spec::word(sink, context, Ecosystem::Npm, word);
    }
}

/// `mvn dependency:get -Dartifact=group:artifact:version`, and the plugins that a goal is of.
fn maven(sink: &mut Sink, words: &[Placed], context: Context) {
    let value = |option: &str| {
        let word = words.iter().find(|word| word.text().starts_with(option))?;
        Some(word.slice(option.len()..word.text().len()))
    };
    for word in words {
        if word.text().matches(':').count() == 3 {
            spec::word(sink, context, Ecosystem::Maven, word);
        }
    }
    if let Some(artifact) = value("-Dartifact=") {
        return spec::word(sink, context, Ecosystem::Maven, &artifact);
    }
    let gets = words.iter().any(|word| word.text().ends_with(":get"));
    if let (true, Some(group), Some(artifact)) = (gets, value("-DgroupId="), value("-DartifactId="))
    {
        let version = value("-Dversion=");
        let version = version
            .as_ref()
            .and_then(|v| spec::exact(Ecosystem::Maven, v.text()));
        let name = format!("{}:{}", group.text(), artifact.text());
        sink.add(context, Ecosystem::Maven, &name, version, artifact.range());
    }
}

/// `dotnet add PROJECT package NAME`.
fn is_project(words: &[Placed]) -> bool {
    words.get(2).is_some_and(|word| word.text() == "package")
}

fn dotnet_project(sink: &mut Sink, words: &[Placed], context: Context) {
    let tool = TOOLS.iter().find(|tool| tool.names.contains(&"dotnet"));
    if let Some(tool) = tool {
        tool.packages(sink, &[], words.get(3..).unwrap_or_default(), context);
    }
}
