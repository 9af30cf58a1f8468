//! Building a generation, and putting it in service.

use std::{
    collections::HashSet,
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use redb::{Builder, backends::FileBackend};

use super::{
    Index, IndexError, feed,
    manifest::{self, Counts, Manifest},
    tables::NameKey,
    writer::Writer,
};
use crate::inspect::packages::{Ecosystem, Feed, Package};

/// Memory for pages while building, in bytes.
const CACHE: usize = 48 << 20;
/// Others may list and read.
const DIR_MODE: u32 = 0o755;

/// Where the data is. What is not named here is carried over from the index in service.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// A folder in the layout of OSV's bucket: `<ECOSYSTEM>/all.zip`, `modified_id.csv`.
    pub osv: Option<PathBuf>,
    /// A folder with those of OSV's records that have changed: `<ECOSYSTEM>/<ID>.json`. The others are
    /// carried over.
    pub osv_changes: Option<PathBuf>,
    /// A folder in the layout of RustSec's database: `crates/<NAME>/<ID>.md`.
    pub rustsec: Option<PathBuf>,
    /// A folder with the most downloaded names: `top_<ECOSYSTEM>_packages.json`.
    pub top: Option<PathBuf>,
    /// A folder with all names there are: `<ECOSYSTEM>.txt`, one a line, perhaps with `.gz`.
    pub names: Option<PathBuf>,
    /// A folder with records of one's own: `<ECOSYSTEM>.jsonl`.
    pub lists: Option<PathBuf>,
}

/// How far an update is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// What is being done.
    pub what: &'a str,
    /// So much of it is done…
    pub done: u64,
    /// …of so much.
    pub total: u64,
}

/// What an update did.
#[derive(Debug, Default)]
pub struct Report {
    /// Records that were withdrawn, and therefore left out.
    pub withdrawn: u64,
    /// Records about other things: other ecosystems, faults without malice.
    pub other: u64,
    /// Things that are wrong with the data, but not so much that it could not be used.
    pub warnings: Vec<String>,
    /// When the newest record of OSV was changed.
    pub newest: Option<Timestamp>,
}

/// Builds a new generation from the sources and puts it in service. Killed at any moment, it leaves
/// the old one as it was.
///
/// # Errors
/// If the data is not what it should be, or something cannot be written: the old index stays.
pub fn update(
    dir: &Path,
    sources: &Sources,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(Manifest, Report), IndexError> {
    make_dir(dir)?;
    let _lock = lock(dir)?;
    let old = Index::open(dir).unwrap_or_else(|error| {
        tracing::warn!(%error, "the old index cannot be used; nothing is carried over from it");
        None
    });
    if let (Some(changes), None) = (&sources.osv_changes, &old) {
        let why = "there is no index that these changes could be laid over";
        return Err(IndexError::data(changes, why));
    }
    let generation = next_generation(dir);
    let name = file_name(generation);
    let path = dir.join(&name);
    let mut report = Report::default();
    let counts = build(&path, sources, old.as_ref(), &mut report, progress)?;
    let mut step = |what, done| {
        progress(Progress {
            what,
            done,
            total: 4,
        })
    };
    step("verify", 0);
    let file = File::open(&path).map_err(IndexError::at(&path))?;
    file.sync_all().map_err(IndexError::at(&path))?;
    step("verify", 1);
    let (bytes, sha256) = manifest::digest(&file).map_err(IndexError::at(&path))?;
    let manifest = Manifest {
        generation,
        file: name,
        bytes,
        sha256,
        built: Timestamp::now(),
        newest: report.newest,
        counts,
        published: old.as_ref().and_then(|old| old.manifest().published),
    };
    step("verify", 2);
    smoke(dir, &manifest)?;
    step("verify", 3);
    manifest.publish(dir)?;
    step("verify", 4);
    drop(old);
    clean(dir, &manifest.file);
    Ok((manifest, report))
}

/// Puts a whole file in service, if what must be found in it is.
pub(super) fn serve(dir: &Path, manifest: &Manifest) -> Result<(), IndexError> {
    smoke(dir, manifest)?;
    manifest.publish(dir)?;
    clean(dir, &manifest.file);
    Ok(())
}

/// The number of the next generation. A manifest that cannot be read must not set the count back.
pub(super) fn next_generation(dir: &Path) -> u64 {
    let before = Manifest::read(dir).ok().flatten().map(|m| m.generation);
    let before = before.max(newest_on_disk(dir));
    before.map_or(1, |before| before + 1)
}

pub(super) fn make_dir(dir: &Path) -> Result<(), IndexError> {
    DirBuilder::new()
        .recursive(true)
        .mode(DIR_MODE)
        .create(dir)
        .map_err(IndexError::at(dir))
}

/// One update at a time; the lock goes with the process, however it ends.
pub(super) fn lock(dir: &Path) -> Result<File, IndexError> {
    let path = dir.join("lock");
    let file = manifest::create(&path).map_err(IndexError::at(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(IndexError::Busy(dir.to_owned())),
        Err(fs::TryLockError::Error(error)) => Err(IndexError::at(&path)(error)),
    }
}

/// The key of the names' hashes: a new one, unless names are carried over.
fn names_key(sources: &Sources, old: Option<&Index>) -> Result<NameKey, IndexError> {
    if let Some(old) = old.filter(|_| sources.names.is_none()) {
        return Ok(old.names_key());
    }
    let mut key = NameKey::default();
    let failed = |_| IndexError::at(Path::new("randomness"))(io::Error::other("there is none"));
    aws_lc_rs::rand::fill(&mut key).map_err(failed)?;
    Ok(key)
}

fn build(
    path: &Path,
    sources: &Sources,
    old: Option<&Index>,
    report: &mut Report,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Counts, IndexError> {
    let file = manifest::create(path).map_err(IndexError::at(path))?;
    let database = Builder::new()
        .set_cache_size(CACHE)
        .create_with_backend(FileBackend::new(file)?)?;
    let transaction = database.begin_write()?;
    let mut writer = Writer::new(&transaction, names_key(sources, old)?)?;
    let mut feeder = feed::Feeder {
        writer: &mut writer,
        report,
        progress,
        changed: HashSet::new(),
    };
    feeder.feed(sources)?;
    if let Some(old) = old {
        feeder.carry_over(sources, old)?;
    }
    let counts = writer.finish();
    let mut step = |done| {
        progress(Progress {
            what: "write",
            done,
            total: 2,
        })
    };
    step(0);
    transaction.commit()?;
    step(1);
    database.close()?;
    step(2);
    Ok(counts)
}

/// Looks up in the new generation what must be there, and what must not.
fn smoke(dir: &Path, manifest: &Manifest) -> Result<(), IndexError> {
    let index = Index::open_generation(dir, manifest.clone())?;
    let damaged = |why| IndexError::Damaged {
        path: dir.join(&manifest.file),
        why,
    };
    let mut seen = 0;
    for row in index.all_records()? {
        let (package, records) = row?;
        seen += records.len() as u64;
        if index.records(&package)? != records {
            return Err(damaged("a record cannot be found in the new index"));
        }
    }
    let counted = manifest.counts.records.values().flat_map(|by| by.values());
    if seen != counted.sum::<u64>() {
        return Err(damaged("records are missing in the new index"));
    }
    for ecosystem in Ecosystem::ALL {
        let nobody = Package::new(ecosystem, "\u{fffd}/no-package-can-have-this-name");
        if nobody.is_some_and(|package| !index.records(&package).is_ok_and(|r| r.is_empty())) {
            return Err(damaged("the new index knows what nobody told it"));
        }
        let top = manifest.counts.top.get(ecosystem.osv_name()).copied();
        if index.top(ecosystem)?.len() as u64 != top.unwrap_or_default() {
            return Err(damaged("names are missing in the new index"));
        }
    }
    Ok(())
}

pub(super) fn file_name(generation: u64) -> String {
    format!("index-{generation}.redb")
}

fn generation_of(name: &str) -> Option<u64> {
    let number = name.strip_prefix("index-")?.strip_suffix(".redb")?;
    number.parse().ok()
}

fn newest_on_disk(dir: &Path) -> Option<u64> {
    let entries = fs::read_dir(dir).ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter_map(|name| generation_of(&name)).max()
}

/// Removes all generations but the one in service; who still reads one, keeps it till the end.
fn clean(dir: &Path, keep: &str) {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if generation_of(&name).is_some() && name != keep {
            match fs::remove_file(entry.path()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(%error, %name, "an old index cannot be removed");
                }
                _ => {}
            }
        }
    }
}

impl Sources {
    /// Whether a feed is named here, and replaces what the old index has of it.
    pub(super) fn replace(&self, feed: Feed) -> bool {
        match feed {
            Feed::Seed => true,
            Feed::Osv => self.osv.is_some(),
            Feed::RustSec => self.rustsec.is_some(),
            Feed::Lists => self.lists.is_some(),
        }
    }

    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        let all = [
            &self.osv,
            &self.osv_changes,
            &self.rustsec,
            &self.top,
            &self.names,
            &self.lists,
        ];
        all.into_iter().all(Option::is_none)
    }
}
