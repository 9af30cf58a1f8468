//! Finding and reading the configuration's files.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use super::{Config, DEFAULT_FILE, Processes, file::File, process::Rule};
use crate::inspect::secrets::RuleError;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// What cannot be read.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file says something that is not allowed.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The character in the line, counted from 1.
        column: usize,
        /// What is wrong, and what is allowed.
        message: String,
    },
}

pub(super) fn load(path: Option<&Path>) -> Result<Config, Error> {
    let main = path.unwrap_or(Path::new(DEFAULT_FILE));
    let mut config = Config::default();
    let mut rules = Vec::new();
    match read(main, &mut config, &mut rules) {
        Err(error) if path.is_none() && error.is_missing() => {}
        result => result?,
    }
    for file in drop_ins(main)? {
        read(&file, &mut config, &mut rules)?;
    }
    config.processes = Processes::new(rules);
    if config.local.guard {
        config.endpoints.add_local();
    }
    Ok(config)
}

fn read(path: &Path, config: &mut Config, rules: &mut Vec<Rule>) -> Result<(), Error> {
    let text = fs::read_to_string(path).map_err(|source| unreadable(path, source))?;
    let mut file: File = toml::from_str(&text).map_err(|error| invalid(path, &text, &error))?;
    for rule in std::mem::take(&mut file.rule) {
        let at = rule.span().start;
        let added = config
            .rules
            .add(&path.display().to_string(), rule.into_inner());
        added.map_err(|error| invalid_rule(path, &text, at, &error))?;
    }
    file.apply(config, rules);
    Ok(())
}

/// The `conf.d/*.toml` beside the main file, in the order of their names.
fn drop_ins(main: &Path) -> Result<Vec<PathBuf>, Error> {
    let dir = main.with_file_name("conf.d");
    let entries = match fs::read_dir(&dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|source| unreadable(&dir, source))?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|source| unreadable(&dir, source))?.path();
        if path.extension() == Some(OsStr::new("toml")) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn unreadable(path: &Path, source: io::Error) -> Error {
    Error::Read {
        path: path.to_owned(),
        source,
    }
}

fn invalid(path: &Path, text: &str, error: &toml::de::Error) -> Error {
    let offset = error.span().map_or(0, |span| span.start);
    let (line, column) = position(text, offset);
    Error::Invalid {
        path: path.to_owned(),
        line,
        column,
        message: error.message().replace('\n', ", "),
    }
}

/// A rule that is no rule, where it begins.
fn invalid_rule(path: &Path, text: &str, offset: usize, error: &RuleError) -> Error {
    let (line, column) = position(text, offset);
    let message = match error {
        RuleError::Rule { rule, reason, .. } => format!("rule `{rule}`: {reason}"),
        other => other.to_string(),
    };
    Error::Invalid {
        path: path.to_owned(),
        line,
        column,
        message: message.replace('\n', ", "),
    }
}

/// Line and column, from 1, of a byte offset.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    (line, column)
}

impl Error {
    fn is_missing(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests;
