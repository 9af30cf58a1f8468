//! Records of one's own: `<ECOSYSTEM>.jsonl`, one object a line:
//! `{"name", "status", "versions"?, "id"?, "summary"?, "source"?, "published"?}`. Without `versions`,
//! all are meant.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use serde::Deserialize;

use super::{Feeder, files_of};
use crate::inspect::packages::{
    Affected, Ecosystem, Feed, Package, Record, Status, index::IndexError,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    status: Status,
    #[serde(default)]
    versions: Vec<String>,
    id: Option<String>,
    summary: Option<String>,
    source: Option<String>,
    published: Option<String>,
}

pub(super) fn feed(feeder: &mut Feeder<'_, '_>, dir: &Path) -> Result<(), IndexError> {
    let files = files_of(dir, ecosystem, "<ECOSYSTEM>.jsonl")?;
    let total = files.len() as u64;
    for (done, (ecosystem, path)) in (0..).zip(files) {
        feeder.step("lists", done, total);
        let file = File::open(&path).map_err(IndexError::at(&path))?;
        for (number, line) in (1..).zip(BufReader::new(file).lines()) {
            let line = line.map_err(IndexError::at(&path))?;
            if line.trim().is_empty() {
                continue;
            }
            let wrong = |error: &dyn ToString| {
                IndexError::data(&path, format!("line {number}: {}", error.to_string()))
            };
            let line: Line = serde_json::from_str(&line).map_err(|error| wrong(&error))?;
            let package = Package::new(ecosystem, &line.name);
            let package = package.ok_or_else(|| wrong(&"this is no name of a package"))?;
            let id = format!(
                "{}:{number}",
                path.file_name().unwrap_or_default().display()
            );
            feeder.writer.record(&package, line.record(id))?;
        }
    }
    feeder.step("lists", total, total);
    Ok(())
}

impl Line {
    fn record(self, id: String) -> Record {
        let affected = match self.versions.is_empty() {
            true => Affected::whole(),
            false => Affected {
                versions: self.versions,
                ranges: Vec::new(),
            },
        };
        Record {
            id: self.id.unwrap_or(id),
            status: self.status,
            feed: Feed::Lists,
            sources: vec![self.source.unwrap_or_else(|| "administrator".into())],
            summary: self.summary.unwrap_or_default(),
            published: self.published,
            modified: None,
            affected,
        }
    }
}

fn ecosystem(file: &str) -> Option<Ecosystem> {
    Ecosystem::from_any(file.strip_suffix(".jsonl")?)
}
