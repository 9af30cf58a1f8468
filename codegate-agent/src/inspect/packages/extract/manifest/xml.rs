//! Manifests of XML: Maven's, and the project files of .NET.

use super::each;
use crate::inspect::packages::{
    Ecosystem,
    extract::{
        Context, Sink,
        pattern::{Pattern, group, patterns},
        spec,
    },
};

patterns! {
    ARTIFACT = r"(?s)<(?:dependency|plugin|parent)>(.*?)</(?:dependency|plugin|parent)>";
    GROUP_ID = r"<groupId>\s*([\w.-]+)\s*</groupId>";
    ARTIFACT_ID = r"<artifactId>\s*([\w.-]+)\s*</artifactId>";
    POM_VERSION = r"<version>\s*([\w.+-]+)\s*</version>";
    PACKAGE_REFERENCE = r#"<(?:PackageReference|PackageVersion|package)\s[^>]*?(?:Include|id)="([^"]+)"(?:[^>]*?[vV]ersion="([^"]+)")?"#;
    PROJECT = r#"<ProjectReference\s[^>]*?Include="[^"]*?([\w.-]+)\.\w+proj"|<(?:PackageId|AssemblyName|RootNamespace)>([\w.-]+)<"#;
}

pub(super) fn pom(sink: &mut Sink, text: &str, base: usize) {
    for found in ARTIFACT.all(text) {
        let Some((body, place)) = group(&found, 1, base) else {
            continue;
        };
        let text = |pattern: &Pattern| {
            let found = pattern.first(body)?;
            Some(found.get(1)?.as_str().to_owned())
        };
        let Some(artifact) = ARTIFACT_ID.first(body) else {
            continue;
        };
        let Some((artifact, range)) = group(&artifact, 1, place.start) else {
            continue;
        };
        if let Some(group) = text(&GROUP_ID) {
            let version = text(&POM_VERSION);
            let version = version
                .as_deref()
                .and_then(|v| spec::exact(Ecosystem::Maven, v));
            let name = format!("{group}:{artifact}");
            sink.add(Context::Manifest, Ecosystem::Maven, &name, version, range);
        }
    }
}

pub(super) fn project(sink: &mut Sink, text: &str, base: usize) {
    for found in PROJECT.all(text) {
        let name = found
            .get(1)
            .or(found.get(2))
            .map_or("", |name| name.as_str());
        sink.own.package(Ecosystem::NuGet, name);
    }
    each(sink, &PACKAGE_REFERENCE, Ecosystem::NuGet, text, base);
}
