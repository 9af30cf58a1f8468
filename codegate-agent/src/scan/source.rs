//! What is to be scanned: files that were named, and those that are found in folders.
//!
//! Knows: paths and ignore rules. Must not know: what is in a file.
//!
//! Hidden files are scanned, since secrets live in them; of `.git` only what git packed is left out.

use std::{
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
};

use ignore::{DirEntry, Walk, WalkBuilder};

use super::{Options, Report};

/// Something to scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// Standard input.
    Stdin,
    /// A file that was named: scanned whatever it holds.
    Named(PathBuf),
    /// A file that was found: passed over if it is binary.
    Walked(PathBuf),
}

impl Source {
    /// Its name in reports.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Stdin => "-".to_owned(),
            Self::Named(path) | Self::Walked(path) => path.to_string_lossy().into_owned(),
        }
    }
}

/// Everything to scan, folder by folder, names in order; or why a part of it cannot be reached.
pub(super) struct Sources {
    paths: std::vec::IntoIter<PathBuf>,
    ignore: bool,
    folder: Option<Walk>,
}

impl Sources {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            paths: options.paths.clone().into_iter(),
            ignore: options.ignore,
            folder: None,
        }
    }

    /// Opens what was named.
    fn named(&mut self, path: PathBuf) -> Option<Result<Source, Report>> {
        if path.as_os_str() == "-" {
            return Some(Ok(Source::Stdin));
        }
        match path.metadata() {
            Ok(meta) if meta.is_dir() => {
                self.folder = Some(walk(&path, self.ignore));
                None
            }
            Ok(_) => Some(Ok(Source::Named(path))),
            Err(error) => Some(Err(unreachable(&path, &error))),
        }
    }

    /// The next file of the folder that is being walked.
    fn walked(&mut self) -> Option<Result<Source, Report>> {
        for entry in self.folder.as_mut()? {
            match entry {
                Ok(entry) if is_file(&entry) => {
                    return Some(Ok(Source::Walked(entry.into_path())));
                }
                Ok(_) => {}
                Err(error) => return Some(Err(broken(&error))),
            }
        }
        self.folder = None;
        None
    }
}

impl Iterator for Sources {
    type Item = Result<Source, Report>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(source) = self.walked() {
                return Some(source);
            }
            let path = self.paths.next()?;
            if let Some(source) = self.named(path) {
                return Some(source);
            }
        }
    }
}

fn walk(folder: &Path, ignore: bool) -> Walk {
    WalkBuilder::new(folder)
        .standard_filters(ignore)
        .hidden(false)
        .require_git(false)
        .skip_stdout(true)
        .sort_by_file_name(OsStr::cmp)
        .filter_entry(|entry| !is_packed(entry.path()))
        .build()
}

/// What git compressed: nothing in it can be read.
fn is_packed(path: &Path) -> bool {
    let within = |name: &str| path.components().any(|part| part.as_os_str() == name);
    path.file_name() == Some(OsStr::new("objects")) && within(".git")
}

/// Regular files: a pipe or a device would hang the scan.
fn is_file(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_file())
}

fn unreachable(path: &Path, error: &io::Error) -> Report {
    problem(path.to_string_lossy().into_owned(), error.to_string())
}

/// The walker's errors name the path themselves.
fn broken(error: &ignore::Error) -> Report {
    match error {
        ignore::Error::WithPath { path, err } => {
            problem(path.to_string_lossy().into_owned(), err.to_string())
        }
        ignore::Error::WithDepth { err, .. } => broken(err),
        error => problem(String::new(), error.to_string()),
    }
}

fn problem(path: String, problem: String) -> Report {
    Report {
        path,
        found: Vec::new(),
        problem: Some(problem),
    }
}
