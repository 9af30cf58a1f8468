//! All the names there are: `<ECOSYSTEM>.txt`, one a line, perhaps compressed (`.txt.gz`).

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use flate2::read::MultiGzDecoder;

use super::{Feeder, files_of};
use crate::inspect::packages::{
    Ecosystem,
    index::{IndexError, writer::Writer},
};

pub(super) fn feed(feeder: &mut Feeder<'_, '_>, dir: &Path) -> Result<(), IndexError> {
    let files = files_of(dir, ecosystem, "<ECOSYSTEM>.txt")?;
    let total = files.len() as u64;
    for (done, (ecosystem, path)) in (0..).zip(files) {
        feeder.step("names", done, total);
        let mut hashes = hashes(feeder.writer, ecosystem, &path)?;
        if hashes.is_empty() {
            return Err(IndexError::data(&path, "there are no names in it"));
        }
        hashes.sort_unstable();
        feeder.writer.names(ecosystem, hashes.into_iter())?;
    }
    feeder.step("names", total, total);
    Ok(())
}

fn hashes(writer: &Writer<'_>, ecosystem: Ecosystem, path: &Path) -> Result<Vec<u64>, IndexError> {
    let file = File::open(path).map_err(IndexError::at(path))?;
    let compressed = path.extension().is_some_and(|extension| extension == "gz");
    let bytes: Box<dyn Read> = match compressed {
        true => Box::new(MultiGzDecoder::new(file)),
        false => Box::new(file),
    };
    let mut hashes = Vec::new();
    for line in BufReader::with_capacity(1 << 16, bytes).lines() {
        let line = line.map_err(IndexError::at(path))?;
        hashes.extend(writer.hash_of(ecosystem, &line));
    }
    Ok(hashes)
}

fn ecosystem(file: &str) -> Option<Ecosystem> {
    let name = file.strip_suffix(".gz").unwrap_or(file);
    Ecosystem::from_any(name.strip_suffix(".txt")?)
}
