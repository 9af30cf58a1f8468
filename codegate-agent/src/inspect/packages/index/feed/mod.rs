//! The feeds: where the records and names of a generation come from.

mod lists;
mod names;
mod osv;
mod rustsec;
mod top;

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use super::{
    Index, IndexError,
    update::{Progress, Report, Sources},
    writer::Writer,
};
use crate::inspect::packages::{Ecosystem, Feed, Package};

/// Feeds a generation.
pub(super) struct Feeder<'a, 't> {
    pub(super) writer: &'a mut Writer<'t>,
    pub(super) report: &'a mut Report,
    pub(super) progress: &'a mut dyn FnMut(Progress<'_>),
    /// OSV's records that have changed: what the old index says of them does not count any more.
    pub(super) changed: HashSet<String>,
}

impl Feeder<'_, '_> {
    /// Takes in all that the sources name.
    pub(super) fn feed(&mut self, sources: &Sources) -> Result<(), IndexError> {
        if let Some(dir) = &sources.osv {
            osv::feed(self, dir)?;
        }
        if let Some(dir) = &sources.osv_changes {
            self.changed = osv::changes(self, dir)?;
        }
        if let Some(dir) = &sources.rustsec {
            rustsec::feed(self, dir)?;
        }
        if let Some(dir) = &sources.lists {
            lists::feed(self, dir)?;
        }
        if let Some(dir) = &sources.top {
            top::feed(self, dir)?;
        }
        if let Some(dir) = &sources.names {
            names::feed(self, dir)?;
        }
        Ok(())
    }

    /// Takes from the old index what the sources do not replace.
    pub(super) fn carry_over(&mut self, sources: &Sources, old: &Index) -> Result<(), IndexError> {
        for row in old.all_records()? {
            let (package, records) = row?;
            for record in records {
                let changed = record.feed == Feed::Osv && self.changed.contains(&record.id);
                if !changed && !sources.replace(record.feed) {
                    self.writer.record(&package, record)?;
                }
            }
        }
        if sources.osv.is_none() {
            self.report.newest = self.report.newest.max(old.manifest().newest);
        }
        for ecosystem in Ecosystem::ALL {
            if sources.names.is_none() {
                self.writer.names(ecosystem, old.name_hashes(ecosystem)?)?;
            }
            let top = if sources.top.is_none() {
                old.top(ecosystem)?
            } else {
                Vec::new()
            };
            for (name, rank) in top {
                if let Some(package) = Package::new(ecosystem, &name) {
                    self.writer.top(&package, rank)?;
                }
            }
        }
        Ok(())
    }

    fn step(&mut self, what: &str, done: u64, total: u64) {
        (self.progress)(Progress { what, done, total });
    }
}

/// The files of a folder that an ecosystem's name can be read from, in order. None is an error: a
/// folder that was mistyped must not empty the index.
fn files_of(
    dir: &Path,
    ecosystem: impl Fn(&str) -> Option<Ecosystem>,
    wanted: &str,
) -> Result<Vec<(Ecosystem, PathBuf)>, IndexError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(IndexError::at(dir))? {
        let path = entry.map_err(IndexError::at(dir))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(ecosystem) = name.and_then(&ecosystem) {
            files.push((ecosystem, path));
        }
    }
    files.sort();
    if files.is_empty() {
        let why = format!("there is no {wanted} of an ecosystem in it");
        return Err(IndexError::data(dir, why));
    }
    Ok(files)
}
