//! Text in which there is nothing to find: sources that are installed on this machine.
//!
//! The locked crates are the same everywhere, so what is found in them is held by the baseline; the
//! rest differs from machine to machine and is only shown. Some of it has real keys, made for tests:
//! `genuine.toml` names them, with reasons.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context as _, Result};
use codegate::inspect::secrets::Scanner;
use serde::Deserialize;

use crate::scan;

/// The most that is read of one corpus, in bytes.
const CORPUS: u64 = 400 << 20;
/// The largest file that is read, in bytes.
const FILE: u64 = 2 << 20;
/// How much of a file tells whether it is text, in bytes.
const HEAD: usize = 8 << 10;

/// A body of text.
pub(crate) struct Corpus {
    pub(crate) name: &'static str,
    /// Whether it is the same on every machine.
    pub(crate) pinned: bool,
    /// Folders, each with the name that its files' paths begin with.
    folders: Vec<(String, PathBuf)>,
}

/// What was found in one corpus.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    /// Findings that `genuine.toml` knows.
    pub(crate) genuine: usize,
    /// The others, by rule.
    pub(crate) wrong: BTreeMap<String, Vec<String>>,
}

impl Outcome {
    pub(crate) fn alerts(&self) -> usize {
        self.wrong.values().map(Vec::len).sum()
    }

    /// False alarms per MB (10⁶ bytes).
    pub(crate) fn rate(&self) -> f64 {
        let rate = self.alerts() as f64 * 1e6 / (self.bytes.max(1) as f64);
        (rate * 1000.0).round() / 1000.0
    }

    fn merge(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.genuine += other.genuine;
        for (rule, places) in other.wrong {
            self.wrong.entry(rule).or_default().extend(places);
        }
    }
}

/// A secret that is where it is on purpose.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Genuine {
    /// What the path begins with; a crate's version is left out.
    path: String,
    /// The rules that may find something there.
    rules: Vec<String>,
    /// Why it is real, for the reader.
    #[serde(rename = "because")]
    _because: String,
}

#[derive(Deserialize)]
struct GenuineFile {
    genuine: Vec<Genuine>,
}

/// Scans all corpora that this machine has.
pub(crate) fn measure(scanner: &Scanner) -> Result<Vec<(Corpus, Outcome)>> {
    let genuine: GenuineFile = toml::from_str(include_str!("../genuine.toml"))?;
    let mut outcomes = Vec::new();
    for corpus in corpora()? {
        let files = corpus.files();
        let outcome = scan_files(scanner, &files, &genuine.genuine);
        outcomes.push((corpus, outcome));
    }
    Ok(outcomes)
}

fn scan_files(scanner: &Scanner, files: &[(String, PathBuf)], genuine: &[Genuine]) -> Outcome {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut outcome = Outcome::default();
        while let Some((name, path)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            // A file that went away meanwhile says nothing about the rules.
            if let Ok(text) = fs::read(path) {
                scan_file(scanner, name, &text, genuine, &mut outcome);
            }
        }
        outcome
    };
    let mut all = Outcome::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for outcome in workers.into_iter().filter_map(|worker| worker.join().ok()) {
            all.merge(outcome);
        }
    });
    all.wrong.values_mut().for_each(|places| places.sort());
    all
}

fn scan_file(
    scanner: &Scanner,
    name: &str,
    text: &[u8],
    genuine: &[Genuine],
    outcome: &mut Outcome,
) {
    if memchr::memchr(0, text.get(..text.len().min(HEAD)).unwrap_or_default()).is_some() {
        return;
    }
    outcome.files += 1;
    outcome.bytes += text.len() as u64;
    for found in scan::text(scanner, text) {
        let known =
            |entry: &&Genuine| name.starts_with(&entry.path) && entry.rules.contains(&found.rule);
        if genuine.iter().any(|entry| known(&entry)) {
            outcome.genuine += 1;
            continue;
        }
        let line = memchr::memchr_iter(b'\n', text.get(..found.range.start).unwrap_or_default())
            .count()
            + 1;
        let place = format!("{name}:{line}: {}", around(text, &found.range));
        outcome.wrong.entry(found.rule).or_default().push(place);
    }
}

/// What was found, between brackets, and a little of its line.
fn around(text: &[u8], range: &std::ops::Range<usize>) -> String {
    let cut = |range| String::from_utf8_lossy(text.get(range).unwrap_or_default()).into_owned();
    let from = range.start.saturating_sub(48);
    let until = text.len().min(range.end + 24);
    let (before, after) = (cut(from..range.start), cut(range.end..until));
    let before = before.rsplit('\n').next().unwrap_or_default();
    let after = after.split('\n').next().unwrap_or_default();
    let found: String = cut(range.clone()).chars().take(96).collect();
    format!("{before}[{}]{after}", found.replace('\n', "\\n"))
}

impl Corpus {
    /// Its files, sorted, as many as fit.
    fn files(&self) -> Vec<(String, PathBuf)> {
        let mut files = Vec::new();
        let mut left = CORPUS;
        for (name, folder) in &self.folders {
            walk(name, folder, &mut left, &mut files);
        }
        files
    }
}

fn walk(name: &str, folder: &Path, left: &mut u64, files: &mut Vec<(String, PathBuf)>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let Ok(about) = path.symlink_metadata() else {
            continue;
        };
        let inner = format!(
            "{name}/{}",
            path.file_name().unwrap_or_default().to_string_lossy()
        );
        if about.is_dir() {
            walk(&inner, &path, left, files);
        } else if about.is_file() && about.len() <= FILE.min(*left) && !is_binary(&path) {
            *left -= about.len();
            files.push((inner, path));
        }
    }
}

/// Whether a name says that there is no text, so that it takes no room.
fn is_binary(path: &Path) -> bool {
    const BINARY: [&str; 16] = [
        "a", "bin", "exe", "gif", "gz", "jpg", "lib", "o", "png", "pyc", "rlib", "so", "wasm",
        "whl", "woff2", "zip",
    ];
    path.extension()
        .is_some_and(|extension| BINARY.iter().any(|binary| extension == *binary))
}

fn corpora() -> Result<Vec<Corpus>> {
    let home = env::home_dir().unwrap_or_default();
    let locked = locked_crates()?;
    let (pinned, others): (Vec<_>, Vec<_>) = registry(&home).into_iter().partition(|(_, path)| {
        locked
            .iter()
            .any(|name| path.file_name().is_some_and(|n| *n == **name))
    });
    let corpora = [
        ("locked crates", true, pinned),
        ("other crates", false, others),
        (
            "Rust library",
            false,
            below(&[home.join(".rustup/toolchains")], "lib/rustlib/src"),
        ),
        ("Python", false, python(&home)),
        (
            "Node",
            false,
            below(
                &["/usr/lib".into(), "/usr/local/lib".into()],
                "node_modules",
            ),
        ),
    ];
    let corpora = corpora.into_iter().map(|(name, pinned, folders)| Corpus {
        name,
        pinned,
        folders,
    });
    Ok(corpora
        .filter(|corpus| !corpus.folders.is_empty())
        .collect())
}

/// `name-version` of each package in the lock file.
fn locked_crates() -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        version: String,
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let lock: Lock = toml::from_str(&text)?;
    Ok(lock
        .package
        .iter()
        .map(|p| format!("{}-{}", p.name, p.version))
        .collect())
}

/// Crates that cargo has unpacked, by their names without versions.
fn registry(home: &Path) -> Vec<(String, PathBuf)> {
    let cargo = env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    let mut crates = Vec::new();
    for path in children(&cargo.join("registry/src"))
        .iter()
        .flat_map(|source| children(source))
    {
        let full = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        crates.push((without_version(&full).to_owned(), path));
    }
    crates.sort();
    crates
}

/// `rustls-webpki` of `rustls-webpki-0.103.4`.
fn without_version(full: &str) -> &str {
    let version = full
        .match_indices('-')
        .find(|(at, _)| full.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit));
    version.map_or(full, |(at, _)| full.get(..at).unwrap_or(full))
}

fn python(home: &Path) -> Vec<(String, PathBuf)> {
    // One version of several is enough: they repeat each other.
    let mut folders = below(&[home.join(".pyenv/versions")], "lib");
    folders.drain(..folders.len().saturating_sub(1));
    let is_python = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with("python3"))
    };
    let system = children(Path::new("/usr/lib"))
        .into_iter()
        .filter(is_python);
    folders.extend(system.map(|path| ("lib/python".to_owned(), path)));
    folders
}

/// A folder itself, or that of each of its children, under a name.
fn below(tops: &[PathBuf], name: &str) -> Vec<(String, PathBuf)> {
    let inner = |top: &PathBuf| {
        let direct = top.join(name);
        if direct.is_dir() {
            vec![direct]
        } else {
            children(top).iter().map(|child| child.join(name)).collect()
        }
    };
    let folders = tops.iter().flat_map(inner).filter(|path| path.is_dir());
    folders.map(|path| (name.to_owned(), path)).collect()
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.is_dir());
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_known_by_its_name() {
        assert_eq!(without_version("rustls-webpki-0.103.4"), "rustls-webpki");
        assert_eq!(without_version("base64-0.22.1"), "base64");
        assert_eq!(without_version("x25519-dalek-2.0.0-rc.3"), "x25519-dalek");
    }

    #[test]
    fn alarms_are_counted_per_megabyte() {
        let outcome = Outcome {
            bytes: 4_000_000,
            wrong: [("r".to_owned(), vec![String::new()])].into(),
            ..Outcome::default()
        };
        assert_eq!(outcome.rate(), 0.25);
    }
}
