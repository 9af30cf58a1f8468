//! RustSec's advisories: `crates/<NAME>/<ID>.md`, whose first fence is TOML.
//!
//! What it says about faults is left out: the guard is about packages that should not be taken at
//! all.

use std::{fs, path::Path};

use serde::Deserialize;

use super::Feeder;
use crate::inspect::packages::{
    Affected, Ecosystem, Event, Feed, Package, Range, Record, Scheme, Status, index::IndexError,
};

/// Larger files are no advisories.
const LARGEST: u64 = 1 << 20;

#[derive(Deserialize)]
struct File {
    advisory: Advisory,
    #[serde(default)]
    versions: Versions,
}

#[derive(Deserialize)]
struct Advisory {
    id: String,
    package: String,
    date: Option<String>,
    informational: Option<String>,
    withdrawn: Option<String>,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
}

#[derive(Default, Deserialize)]
struct Versions {
    #[serde(default)]
    patched: Vec<String>,
}

pub(super) fn feed(feeder: &mut Feeder<'_, '_>, dir: &Path) -> Result<(), IndexError> {
    let crates = dir.join("crates");
    let mut folders = entries(&crates)?;
    folders.sort();
    let total = folders.len() as u64;
    let mut read = 0;
    for (done, folder) in (0..).zip(&folders) {
        feeder.step("rustsec", done, total);
        for path in entries(folder)? {
            if path.extension().is_some_and(|extension| extension == "md") {
                read += 1;
                one(feeder, &path)?;
            }
        }
    }
    feeder.step("rustsec", total, total);
    if read == 0 {
        return Err(IndexError::data(&crates, "there are no advisories in it"));
    }
    Ok(())
}

fn entries(dir: &Path) -> Result<Vec<std::path::PathBuf>, IndexError> {
    let entries = fs::read_dir(dir).map_err(IndexError::at(dir))?;
    let paths = entries.map(|entry| Ok(entry.map_err(IndexError::at(dir))?.path()));
    paths.collect()
}

fn one(feeder: &mut Feeder<'_, '_>, path: &Path) -> Result<(), IndexError> {
    let length = fs::metadata(path).map_err(IndexError::at(path))?.len();
    if length > LARGEST {
        return Err(IndexError::data(path, "it is too large for an advisory"));
    }
    let text = fs::read_to_string(path).map_err(IndexError::at(path))?;
    let Some((advisory, rest)) = fence(&text) else {
        return Err(IndexError::data(
            path,
            "it does not begin with a fence of TOML",
        ));
    };
    let file: File =
        toml::from_str(advisory).map_err(|error| IndexError::data(path, error.message()))?;
    if file.advisory.withdrawn.is_some() {
        feeder.report.withdrawn += 1;
        return Ok(());
    }
    let title = rest.lines().find_map(|line| line.strip_prefix("# "));
    let title = title.unwrap_or_default().trim();
    let package = Package::new(Ecosystem::Crates, &file.advisory.package);
    match (file.status(title), package) {
        (Some(status), Some(package)) => feeder.writer.record(&package, file.record(status, title)),
        _ => {
            feeder.report.other += 1;
            Ok(())
        }
    }
}

fn fence(text: &str) -> Option<(&str, &str)> {
    let (_, rest) = text.split_once("```toml\n")?;
    rest.split_once("\n```")
}

impl File {
    fn status(&self, title: &str) -> Option<Status> {
        let says = |text: &String| text.to_lowercase().contains("malicious");
        let Advisory {
            keywords,
            categories,
            informational,
            ..
        } = &self.advisory;
        if keywords.iter().chain(categories).any(says) || says(&title.to_owned()) {
            return Some(Status::Malicious);
        }
        (informational.as_deref() == Some("unmaintained")).then_some(Status::Unmaintained)
    }

    fn record(self, status: Status, title: &str) -> Record {
        Record {
            id: self.advisory.id,
            status,
            feed: Feed::RustSec,
            sources: vec!["rustsec".into()],
            summary: title.to_owned(),
            published: self.advisory.date,
            modified: None,
            affected: affected(&self.versions.patched),
        }
    }
}

/// All versions before the first good one, if there is one (`>= 1.2.3`).
fn affected(patched: &[String]) -> Affected {
    let fixed = patched
        .iter()
        .find_map(|patched| patched.strip_prefix(">="));
    let mut events = vec![Event::Introduced("0".into())];
    events.extend(fixed.map(|version| Event::Fixed(version.trim().to_owned())));
    Affected {
        versions: Vec::new(),
        ranges: vec![Range {
            scheme: Scheme::Semver,
            events,
        }],
    }
}
