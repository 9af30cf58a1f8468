//! OSV's bucket in a folder: `ecosystems.txt`, `<ECOSYSTEM>/all.zip`, `modified_id.csv`.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use zip::ZipArchive;

use super::Feeder;
use crate::inspect::packages::{
    Ecosystem,
    index::{
        IndexError,
        feed::osv::record::Osv,
        tables::{NameKey, name_hash},
    },
};

mod record;

/// A record larger than this is none, in bytes. The largest real ones list thousands of versions.
const LARGEST: u64 = 16 << 20;
/// More bad records than one in so many, and the archive is not what it should be.
const BAD_SHARE: u64 = 100;

pub(super) fn feed(feeder: &mut Feeder<'_, '_>, dir: &Path) -> Result<(), IndexError> {
    let mut seen = HashSet::new();
    for (ecosystem, path) in archives(dir)? {
        archive(feeder, ecosystem, &path, &mut seen)?;
    }
    compare(feeder, &dir.join("modified_id.csv"), &seen)
}

/// Takes in single records, `<ECOSYSTEM>/<ID>.json`; returns their identifiers.
pub(super) fn changes(
    feeder: &mut Feeder<'_, '_>,
    dir: &Path,
) -> Result<HashSet<String>, IndexError> {
    let mut ids = HashSet::new();
    for ecosystem in Ecosystem::ALL {
        let folder = dir.join(ecosystem.osv_name());
        let Ok(entries) = fs::read_dir(&folder) else {
            continue; // nothing of it has changed
        };
        for entry in entries {
            let path = entry.map_err(IndexError::at(&folder))?.path();
            let text = fs::read(&path).map_err(IndexError::at(&path))?;
            one(feeder, &text)?.map_err(|error| IndexError::data(&path, error))?;
            let name = path.file_stem().unwrap_or_default();
            ids.insert(name.to_string_lossy().into_owned());
            feeder.step("changes", ids.len() as u64, ids.len() as u64);
        }
    }
    Ok(ids)
}

/// The archives of the ecosystems that we know. One that is listed must be there.
fn archives(dir: &Path) -> Result<Vec<(Ecosystem, PathBuf)>, IndexError> {
    let list = dir.join("ecosystems.txt");
    let path = |ecosystem: Ecosystem| dir.join(ecosystem.osv_name()).join("all.zip");
    let archives: Vec<_> = match fs::read_to_string(&list) {
        Ok(text) => {
            let known = |e: &Ecosystem| text.lines().any(|line| line.trim() == e.osv_name());
            Ecosystem::ALL.into_iter().filter(known).collect()
        }
        Err(_) => {
            let there = |e: &Ecosystem| path(*e).exists();
            Ecosystem::ALL.into_iter().filter(there).collect()
        }
    };
    if archives.is_empty() {
        let why = "it is not laid out like OSV's bucket (`ecosystems.txt`, `npm/all.zip`, …)";
        return Err(IndexError::data(dir, why));
    }
    Ok(archives.into_iter().map(|e| (e, path(e))).collect())
}

fn archive(
    feeder: &mut Feeder<'_, '_>,
    ecosystem: Ecosystem,
    path: &Path,
    seen: &mut HashSet<u64>,
) -> Result<(), IndexError> {
    let file = File::open(path).map_err(IndexError::at(path))?;
    let mut zip =
        ZipArchive::new(BufReader::new(file)).map_err(|error| IndexError::data(path, error))?;
    let total = zip.len();
    let mut bad = 0;
    let mut text = Vec::new();
    for i in 0..total {
        feeder.step(ecosystem.osv_name(), i as u64, total as u64);
        let entry = zip
            .by_index(i)
            .map_err(|error| IndexError::data(path, error))?;
        if !entry.is_file() {
            continue;
        }
        let name = entry
            .name()
            .map_err(|error| IndexError::data(path, error))?;
        let name = name.trim_end_matches(".json").to_owned();
        text.clear();
        entry
            .take(LARGEST + 1)
            .read_to_end(&mut text)
            .map_err(IndexError::at(path))?;
        if text.len() as u64 > LARGEST {
            return Err(IndexError::data(
                path,
                format!("{name} is too large for a record"),
            ));
        }
        seen.insert(name_hash(
            NameKey::default(),
            &format!("{ecosystem}/{name}"),
        ));
        if let Err(error) = one(feeder, &text)? {
            bad += 1;
            complain(feeder, format!("{}: {name}: {error}", path.display()));
        }
    }
    feeder.step(ecosystem.osv_name(), total as u64, total as u64);
    if bad * BAD_SHARE > total as u64 {
        let why = format!("{bad} of its {total} records cannot be read");
        return Err(IndexError::data(path, why));
    }
    Ok(())
}

/// Takes one record in; the inner error is that of a record that cannot be read.
fn one(
    feeder: &mut Feeder<'_, '_>,
    text: &[u8],
) -> Result<Result<(), serde_json::Error>, IndexError> {
    let osv: Osv = match serde_json::from_slice(text) {
        Ok(osv) => osv,
        Err(error) => return Ok(Err(error)),
    };
    let modified = osv.modified.as_deref().and_then(|time| time.parse().ok());
    feeder.report.newest = feeder.report.newest.max(modified);
    if osv.withdrawn.is_some() {
        feeder.report.withdrawn += 1;
        return Ok(Ok(()));
    }
    let records = osv.records();
    feeder.report.other += u64::from(records.is_empty());
    for (package, record) in records {
        feeder.writer.record(&package, record)?;
    }
    Ok(Ok(()))
}

/// Notes the first few complaints; of many, the first tell it all.
fn complain(feeder: &mut Feeder<'_, '_>, what: String) {
    const ENOUGH: usize = 20;
    if feeder.report.warnings.len() < ENOUGH {
        feeder.report.warnings.push(what);
    }
}

/// Holds the archives against the list of all records: are they as new as it, and whole?
fn compare(
    feeder: &mut Feeder<'_, '_>,
    path: &Path,
    seen: &HashSet<u64>,
) -> Result<(), IndexError> {
    let Ok(file) = File::open(path) else {
        let what = format!(
            "{} is missing: the archives cannot be held against it",
            path.display()
        );
        complain(feeder, what);
        return Ok(());
    };
    let mut missing = 0_u64;
    for line in BufReader::new(file).lines() {
        let line = line.map_err(IndexError::at(path))?;
        let Some((time, id)) = line.split_once(',') else {
            continue;
        };
        let ours = id.split('/').next().and_then(Ecosystem::from_osv).is_some();
        if ours {
            let time: Option<Timestamp> = time.parse().ok();
            feeder.report.newest = feeder.report.newest.max(time);
            missing += u64::from(!seen.contains(&name_hash(NameKey::default(), id)));
        }
    }
    if missing > 0 {
        let what = format!(
            "{missing} records of {} are not in the archives",
            path.display()
        );
        complain(feeder, what);
    }
    Ok(())
}
