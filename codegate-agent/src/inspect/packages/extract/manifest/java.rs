//! Manifests that name Maven's packages in code: Gradle's, sbt's, Groovy's and JBang's.

use super::super::{
    Context, Ecosystem, Sink,
    markdown::lines,
    pattern::{group, patterns},
    spec,
};

patterns! {
    COORDINATES = r#"["']([\w.-]+:[\w.-]+(?:[:@][^"'\s]*)?)["']"#;
    MAPPED = r#"group\s*[:=]\s*["']([\w.-]+)["']\s*,\s*(?:name|module)\s*[:=]\s*["']([\w.-]+)["'](?:\s*,\s*version\s*[:=]\s*["']([^"']+)["'])?"#;
    SCALA = r#""([\w.-]+)"\s*(%{1,3})\s*"([\w.-]+)"(?:\s*%\s*"([^"]+)")?"#;
    SCALA_VERSION = r#"scalaVersion\s*:=\s*"(\d+)(?:\.(\d+))?"#;
    DEPS = r"^\s*//\s?DEPS\s+(\S+)";
    REFERENCE = r#"version\.ref\s*=\s*["']([\w.-]+)["']"#;
    VERSION = r#"^\s*([\w.-]+)\s*=\s*["']([^"']+)["']"#;
    MODULE = r#"(?:module\s*=\s*)?["']([\w.-]+:[\w.-]+(?::[^"']+)?)["'](?:.*?\bversion\s*=\s*["']([^"']+)["'])?"#;
}

/// A line of Gradle's.
pub(super) fn gradle(sink: &mut Sink, text: &str, base: usize) {
    if text.trim_start().starts_with("//") {
        return annotated(sink, text, base);
    }
    for found in COORDINATES.all(text) {
        if let Some((word, range)) = group(&found, 1, base) {
            spec::add(sink, Context::Manifest, Ecosystem::Maven, word, range);
        }
    }
    mapped(sink, text, base, None);
}

/// `//DEPS group:artifact:version`.
pub(in super::super) fn annotated(sink: &mut Sink, text: &str, base: usize) {
    for (start, line) in lines(text) {
        if let Some(found) = DEPS.first(line)
            && let Some((word, range)) = group(&found, 1, base + start)
        {
            spec::add(sink, Context::Manifest, Ecosystem::Maven, word, range);
        }
    }
}

/// `group: 'a', name: 'b', version: '1.0'`.
fn mapped(sink: &mut Sink, text: &str, base: usize, version: Option<&str>) {
    for found in MAPPED.all(text) {
        let group_id = found.get(1).map_or("", |group| group.as_str());
        if let Some((artifact, range)) = group(&found, 2, base) {
            let version = found.get(3).map(|version| version.as_str()).or(version);
            let version = version.and_then(|v| spec::exact(Ecosystem::Maven, v));
            let name = format!("{group_id}:{artifact}");
            sink.add(Context::Manifest, Ecosystem::Maven, &name, version, range);
        }
    }
}

/// A catalog of versions: `libs.versions.toml`.
pub(super) fn catalog(sink: &mut Sink, text: &str, base: usize) {
    let (mut section, mut versions) = ("", Vec::new());
    for (start, line) in lines(text) {
        if let Some(name) = line.trim().strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if section == "versions"
            && let Some(found) = VERSION.first(line)
        {
            let text = |i| found.get(i).map_or("", |part| part.as_str());
            versions.push((text(1).to_owned(), text(2).to_owned()));
        } else if section == "libraries" {
            let reference = REFERENCE.first(line);
            let reference = reference.as_ref().and_then(|found| found.get(1));
            let known = reference.and_then(|name| {
                let known = versions.iter().find(|(known, _)| known == name.as_str());
                known.map(|(_, version)| version.as_str())
            });
            library(sink, line, base + start, known);
        }
    }
}

fn library(sink: &mut Sink, line: &str, base: usize, known: Option<&str>) {
    mapped(sink, line, base, known);
    let Some(found) = MODULE.first(line) else {
        return;
    };
    let Some((word, range)) = group(&found, 1, base) else {
        return;
    };
    let before = sink.found.len();
    spec::add(sink, Context::Manifest, Ecosystem::Maven, word, range);
    let version = found.get(2).map(|version| version.as_str()).or(known);
    let version = version.and_then(|v| spec::exact(Ecosystem::Maven, v));
    if let (Some(mention), Some(version)) = (sink.found.get_mut(before), version) {
        mention.purl.version = Some(version.to_owned());
    }
}

/// sbt's `"group" %% "artifact" % "version"`; with `%%`, Scala's own version belongs to the name.
pub(super) fn sbt(sink: &mut Sink, text: &str, base: usize) {
    let scala = SCALA_VERSION.first(text);
    let part = |i| {
        scala
            .as_ref()
            .and_then(|found| found.get(i))
            .map(|part| part.as_str())
    };
    let scala = match (part(1), part(2)) {
        (Some("3"), _) => "_3".to_owned(),
        (Some(major), Some(minor)) => format!("_{major}.{minor}"),
        _ => "_2.13".to_owned(),
    };
    for (start, line) in lines(text) {
        if line.trim_start().starts_with("//") {
            continue;
        }
        for found in SCALA.all(line) {
            let text = |i| found.get(i).map_or("", |part| part.as_str());
            let Some((artifact, range)) = group(&found, 3, base + start) else {
                continue;
            };
            let suffix = if text(2).len() > 1 {
                scala.as_str()
            } else {
                ""
            };
            let name = format!("{}:{artifact}{suffix}", text(1));
            let version = spec::exact(Ecosystem::Maven, text(4));
            sink.add(Context::Manifest, Ecosystem::Maven, &name, version, range);
        }
    }
}
