//! `codegate packages update`: from the network, from folders, or from a fleet's owner.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use serde_json::json;
use tokio::runtime;

use super::table;
use crate::{
    cli::{
        args::{Cli, Feeds},
        exit::{Exit, Problem},
        output::{Printer, bytes, local},
        progress::Bar,
        say,
    },
    config::Config,
    fetch::{self, Client, Fetched, Url},
    inspect::packages::index::{
        self, Index, IndexError, Manifest, Report, Sources,
        fleet::{self, LARGEST_ENVELOPE, LARGEST_INDEX},
    },
};

pub(super) fn update(cli: &Cli, feeds: &Feeds, printer: &mut Printer) -> Result<Exit, Problem> {
    let config = cli.configuration()?;
    if let Some(from) = &feeds.from_generation {
        return from_owner(&config, from, printer);
    }
    let mut sources = Sources {
        osv: feeds.from.clone(),
        osv_changes: None,
        rustsec: feeds.rustsec.clone(),
        top: feeds.top.clone(),
        names: feeds.names.clone(),
        lists: feeds.lists.clone(),
    };
    let base = match &feeds.url {
        Some(url) => Some(url.parse().map_err(fetch::FetchError::Url)?),
        None if sources.is_empty() => Some(config.packages.url.clone()),
        None => None,
    };
    let Some(base) = base else {
        return build(&config.packages_dir(), &sources, "folders", printer);
    };
    let folder = Folder::new(&config.packages_dir())?;
    let how = match download(&config, &base, folder.path(), feeds.whole)? {
        // Other folders may have something new.
        Fetched::Nothing if !sources.is_empty() => "nothing",
        Fetched::Nothing => return nothing(&config, printer),
        Fetched::Changes(_) => {
            sources.osv_changes = Some(folder.path().to_owned());
            "changes"
        }
        Fetched::Whole => {
            sources.osv = Some(folder.path().to_owned());
            "whole"
        }
    };
    build(&config.packages_dir(), &sources, how, printer)
}

/// Fetches what the index in service does not have yet.
fn download(config: &Config, base: &Url, to: &Path, whole: bool) -> Result<Fetched, Problem> {
    let old = Index::open(&config.packages_dir()).ok().flatten();
    let since = old.and_then(|old| old.manifest().newest);
    let since = since.filter(|_| !whole);
    let mut client = Client::new(&config.upstream)?;
    let mut bar = Bar::new();
    let mut report = |what: &str, done, total| bar.show(what, done, total);
    let fetched = fetch::fetch(&mut client, base, to, since, &mut report);
    Ok(runtime()?.block_on(fetched)?)
}

fn runtime() -> Result<runtime::Runtime, Problem> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(Problem::Output)
}

fn nothing(config: &Config, printer: &mut Printer) -> Result<Exit, Problem> {
    let Some(index) = Index::open(&config.packages_dir())? else {
        return Ok(Exit::Fine);
    };
    let manifest = index.manifest();
    if printer.json() {
        printer.object(&object(manifest, &Report::default(), "nothing"))?;
    } else {
        let newest = manifest.newest.map_or("the beginning".to_owned(), local);
        say(&format!("nothing has changed since {newest}"));
    }
    Ok(Exit::Fine)
}

fn build(dir: &Path, sources: &Sources, how: &str, printer: &mut Printer) -> Result<Exit, Problem> {
    let mut bar = Bar::new();
    let done = index::update(dir, sources, &mut |step| {
        bar.show(step.what, step.done, step.total);
    });
    drop(bar);
    let (manifest, report) = done?;
    for warning in &report.warnings {
        say(&format!("warning: {warning}"));
    }
    done_with(&manifest, &report, how, printer)
}

fn done_with(
    manifest: &Manifest,
    report: &Report,
    how: &str,
    printer: &mut Printer,
) -> Result<Exit, Problem> {
    if printer.json() {
        printer.object(&object(manifest, report, how))?;
    } else {
        say(&format!(
            "index {} is in service ({}); {} withdrawn records left out",
            manifest.generation,
            bytes(manifest.bytes),
            report.withdrawn
        ));
        table(manifest, printer)?;
    }
    Ok(Exit::Fine)
}

fn object(manifest: &Manifest, report: &Report, how: &str) -> serde_json::Value {
    json!({
        "generation": manifest.generation,
        "published": manifest.published,
        "from": how,
        "bytes": manifest.bytes,
        "counts": manifest.counts,
        "skipped": {"withdrawn": report.withdrawn, "other": report.other},
        "warnings": report.warnings,
    })
}

/// Takes what a fleet's owner published: a file, or an address.
fn from_owner(config: &Config, from: &str, printer: &mut Printer) -> Result<Exit, Problem> {
    let keys = &config.packages.trusted_keys;
    if keys.is_empty() {
        let why = "no key is trusted: put the owner's public key into `[packages] trusted_keys`";
        return Err(Problem::Usage(why.into()));
    }
    let dir = config.packages_dir();
    let manifest = if from.contains("://") {
        let folder = Folder::new(&dir)?;
        let url: Url = from.parse().map_err(fetch::FetchError::Url)?;
        let mut client = Client::new(&config.upstream)?;
        let runtime = runtime()?;
        let path = folder.path().join(fleet::NAME);
        runtime.block_on(client.file(&url, &path, LARGEST_ENVELOPE, &mut |_, _| {}))?;
        let published = fleet::verify(&read(&path)?, keys)?;
        let file = folder.path().join("index");
        let mut bar = Bar::new();
        let beside = url
            .beside(&published.index.file)
            .map_err(fetch::FetchError::Url)?;
        let limit = LARGEST_INDEX.min(published.index.bytes);
        let total = published.index.bytes;
        let mut progress = |done, _| bar.show("index", done, total);
        runtime.block_on(client.file(&beside, &file, limit, &mut progress))?;
        fleet::install(&dir, &published, &file)?
    } else {
        let path = Path::new(from);
        let published = fleet::verify(&read(path)?, keys)?;
        let file = path.with_file_name(&published.index.file);
        fleet::install(&dir, &published, &file)?
    };
    done_with(&manifest, &Report::default(), "owner", printer)
}

fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    let failed = |source| Problem::Input {
        path: path.to_owned(),
        source,
    };
    let mut text = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(LARGEST_ENVELOPE)
        .read_to_end(&mut text)
        .map_err(failed)?;
    Ok(text)
}

/// A folder for what is fetched; one at a time, and gone when it is done.
struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    fn new(dir: &Path) -> Result<Self, Problem> {
        let path = dir.join("fetch");
        let failed = |source| {
            Problem::Packages(IndexError::File {
                path: path.clone(),
                source,
            })
        };
        fs::create_dir_all(dir).map_err(failed)?;
        let lock = File::create(dir.join("fetch.lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(IndexError::Busy(dir.to_owned()).into());
            }
            Err(fs::TryLockError::Error(source)) => return Err(failed(source)),
        }
        clear(&path)
            .and_then(|()| fs::create_dir(&path))
            .map_err(failed)?;
        Ok(Self { path, _lock: lock })
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = clear(&self.path) {
            say(&format!("{}: {error}", self.path.display()));
        }
    }
}

/// What an update that was killed may have left.
fn clear(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
