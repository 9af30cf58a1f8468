//! The most downloaded names: `top_<ECOSYSTEM>_packages.json`, an object with `packages`, or an array.

use std::{fs, path::Path};

use serde::Deserialize;

use super::{Feeder, files_of};
use crate::inspect::packages::{Ecosystem, Package, index::IndexError};

#[derive(Deserialize)]
#[serde(untagged)]
enum Top {
    Object { packages: Vec<String> },
    Array(Vec<String>),
}

pub(super) fn feed(feeder: &mut Feeder<'_, '_>, dir: &Path) -> Result<(), IndexError> {
    let files = files_of(dir, ecosystem, "top_<ECOSYSTEM>_packages.json")?;
    let total = files.len() as u64;
    for (done, (ecosystem, path)) in (0..).zip(files) {
        feeder.step("top", done, total);
        let text = fs::read(&path).map_err(IndexError::at(&path))?;
        let top: Top = serde_json::from_slice(&text)
            .map_err(|error| IndexError::data(&path, format!("no list of names: {error}")))?;
        let (Top::Object { packages } | Top::Array(packages)) = top;
        for (rank, name) in (0..).zip(&packages) {
            if let Some(package) = Package::new(ecosystem, name) {
                feeder.writer.top(&package, rank)?;
            }
        }
    }
    feeder.step("top", total, total);
    Ok(())
}

fn ecosystem(file: &str) -> Option<Ecosystem> {
    let name = file.strip_suffix(".json")?;
    let name = name.strip_prefix("top_").unwrap_or(name);
    Ecosystem::from_any(name.strip_suffix("_packages").unwrap_or(name))
}
