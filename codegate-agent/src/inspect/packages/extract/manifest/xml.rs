//! Manifests of XML: Maven's, Ivy's, and the project files of .NET.

use super::super::{
    Context, Ecosystem, Sink,
    pattern::{Pattern, group, patterns},
    spec,
};

patterns! {
    ARTIFACT = r"(?s)<(?:dependency|plugin|parent|extension)>(.*?)</(?:dependency|plugin|parent|extension)>";
    GROUP_ID = r"<groupId>\s*([\w.-]+)\s*</groupId>";
    ARTIFACT_ID = r"<artifactId>\s*([\w.-]+)\s*</artifactId>";
    POM_VERSION = r"<version>\s*([^<\s]+)\s*</version>";
    PROPERTY = r"<([\w.-]+)>\s*([\w.+-]+)\s*</([\w.-]+)>";
    UNSAID = r"(?s)<!--.*?-->|<exclusions>.*?</exclusions>";
    IVY = r#"<dependency\s[^>]*?org="([\w.-]+)"[^>]*?name="([\w.-]+)"(?:[^>]*?rev="([\w.+-]+)")?"#;
    REFERENCE = r#"<(?:GlobalPackageReference|PackageReference|PackageVersion|PackageDownload|package)\s([^>]*)>(?:\s*<Version>\s*([^<\s]+)\s*</Version>)?"#;
    NAMED = r#"\b(?:Include|Update|id)\s*=\s*["']([\w.-]+)["']"#;
    VERSIONED = r#"\b[vV]ersion\s*=\s*["']([^"']+)["']"#;
    PROJECT = r#"<ProjectReference\s[^>]*?Include="[^"]*?([\w.-]+)\.\w+proj"|<(?:PackageId|AssemblyName|RootNamespace)>([\w.-]+)<"#;
    PAKET = r"^\s*nuget\s+([\w.-]+)(?:\s+([\d][\w.+-]*))?";
    DIRECTIVE = r#"#(?:r\s+"nuget:\s*|:package\s+|addin\s+(?:"?)nuget:\?package=)([\w.-]+)(?:(?:\s*,\s*|@|&version=)([\w.+-]+))?"#;
}

/// The text with as many blanks for what is not meant: comments and exclusions.
fn said(text: &str) -> String {
    let mut out = text.to_owned();
    for found in UNSAID.all(text).filter_map(|found| found.get(0)) {
        out.replace_range(found.range(), &" ".repeat(found.len()));
    }
    out
}

pub(super) fn pom(sink: &mut Sink, text: &str, base: usize) {
    let text = said(text);
    for found in ARTIFACT.all(&text) {
        let Some((body, place)) = group(&found, 1, base) else {
            continue;
        };
        let part = |pattern: &Pattern| {
            let found = pattern.first(body)?;
            Some(found.get(1)?.as_str().to_owned())
        };
        let Some(artifact) = ARTIFACT_ID.first(body) else {
            continue;
        };
        let Some((artifact, range)) = group(&artifact, 1, place.start) else {
            continue;
        };
        if let Some(group) = part(&GROUP_ID) {
            let version = part(&POM_VERSION).map(|version| filled(&text, version));
            let version = version
                .as_deref()
                .and_then(|v| spec::exact(Ecosystem::Maven, v));
            let name = format!("{group}:{artifact}");
            sink.add(Context::Manifest, Ecosystem::Maven, &name, version, range);
        }
    }
}

/// A version, or the value of the property that stands for it.
fn filled(text: &str, version: String) -> String {
    let name = version
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    let Some(name) = name else { return version };
    let value = PROPERTY.all(text).find_map(|found| {
        let part = |i| found.get(i).map(|part| part.as_str());
        (part(1) == Some(name) && part(3) == Some(name)).then(|| part(2).map(str::to_owned))?
    });
    value.unwrap_or_default()
}

pub(super) fn ivy(sink: &mut Sink, text: &str, base: usize) {
    for found in IVY.all(&said(text)) {
        let organisation = found.get(1).map_or("", |part| part.as_str());
        if let Some((artifact, range)) = group(&found, 2, base) {
            let version = found.get(3).map(|version| version.as_str());
            let version = version.and_then(|v| spec::exact(Ecosystem::Maven, v));
            let name = format!("{organisation}:{artifact}");
            sink.add(Context::Manifest, Ecosystem::Maven, &name, version, range);
        }
    }
}

/// A project file of .NET, or a line of one.
pub(super) fn project(sink: &mut Sink, text: &str, base: usize) {
    let text = said(text);
    for found in PROJECT.all(&text) {
        let name = found
            .get(1)
            .or(found.get(2))
            .map_or("", |name| name.as_str());
        sink.own.package(Ecosystem::NuGet, name);
    }
    for found in REFERENCE.all(&text) {
        let Some((attributes, place)) = group(&found, 1, base) else {
            continue;
        };
        let version = VERSIONED.first(attributes);
        let version = version
            .as_ref()
            .and_then(|found| found.get(1))
            .or(found.get(2));
        let version = version.and_then(|v| spec::exact(Ecosystem::NuGet, v.as_str()));
        if let Some(name) = NAMED.first(attributes)
            && let Some((name, range)) = group(&name, 1, place.start)
        {
            sink.add(Context::Manifest, Ecosystem::NuGet, name, version, range);
        }
    }
}

/// A line of Paket's, and `#r "nuget: X, 1.0"` in a script.
pub(in super::super) fn paket(sink: &mut Sink, text: &str, base: usize) {
    for pattern in [&PAKET, &DIRECTIVE] {
        super::each(sink, pattern, Ecosystem::NuGet, text, base);
    }
}
