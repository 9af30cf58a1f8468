//! OSV's bucket: whole, or what has changed since.
//!
//! `modified_id.csv` has a line for each record, the one changed last first: `TIME,ECOSYSTEM/ID`.
//! Few changes are fetched one by one (`ECOSYSTEM/ID.json`); many, and a first time, as archives
//! (`ECOSYSTEM/all.zip`).

use std::{fs, io, ops::ControlFlow, path::Path};

use http::StatusCode;
use jiff::Timestamp;
use tokio::{sync::mpsc, task::JoinSet};

use super::{Client, FetchError, Url};
use crate::inspect::packages::Ecosystem;

/// The list's name.
const LIST: &str = "modified_id.csv";
/// More changes than this are cheaper as archives.
const MOST_CHANGES: usize = 2_000;
/// Records that are fetched side by side.
const WORKERS: usize = 8;
/// The largest list, archive and record that are believed, in bytes.
const LARGEST_LIST: u64 = 256 << 20;
const LARGEST_ARCHIVE: u64 = 2 << 30;
const LARGEST_RECORD: u64 = 16 << 20;

/// What has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetched {
    /// Nothing has changed.
    Nothing,
    /// So many records that have changed, as `ECOSYSTEM/ID.json`.
    Changes(usize),
    /// Everything, in the bucket's own layout.
    Whole,
}

/// Called with what is fetched, how much has come, and how much there is.
pub type Report<'r> = dyn FnMut(&str, u64, u64) + Send + 'r;

/// Fetches what has changed since the newest known record into a folder, which is empty.
///
/// # Errors
/// If something cannot be had whole.
pub async fn fetch(
    client: &mut Client,
    base: &Url,
    dir: &Path,
    since: Option<Timestamp>,
    report: &mut Report<'_>,
) -> Result<Fetched, FetchError> {
    let changed = match since {
        Some(since) => changed(client, base, since).await?,
        None => None,
    };
    match changed {
        Some(ids) if ids.is_empty() => Ok(Fetched::Nothing),
        Some(ids) => changes(client, base, dir, ids, report).await,
        None => whole(client, base, dir, report).await,
    }
}

/// The records that changed after `since`, as `ECOSYSTEM/ID`; `None` if they are too many.
async fn changed(
    client: &mut Client,
    base: &Url,
    since: Timestamp,
) -> Result<Option<Vec<String>>, FetchError> {
    let url = base.join(LIST)?;
    let (mut ids, mut wrong) = (Vec::new(), None);
    let each = |line: &str| {
        let Some((time, id)) = line.trim().split_once(',') else {
            return ControlFlow::Continue(());
        };
        let time: Timestamp = match time.parse() {
            Ok(time) => time,
            Err(error) => {
                wrong = Some(format!("{time:?} is no time: {error}"));
                return ControlFlow::Break(());
            }
        };
        if time <= since || ids.len() > MOST_CHANGES {
            return ControlFlow::Break(());
        }
        ids.extend(is_ours(id).then(|| id.to_owned()));
        ControlFlow::Continue(())
    };
    client.lines(&url, LARGEST_LIST, each).await?;
    if let Some(why) = wrong {
        let url = url.to_string();
        return Err(FetchError::Data { url, why });
    }
    Ok((ids.len() <= MOST_CHANGES).then_some(ids))
}

/// Whether a record is of an ecosystem that we know, and safe to name a file by.
fn is_ours(id: &str) -> bool {
    let Some((ecosystem, id)) = id.split_once('/') else {
        return false;
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':');
    let known = Ecosystem::ALL
        .iter()
        .any(|known| known.osv_name() == ecosystem);
    known && !id.is_empty() && id.len() <= 128 && id.chars().all(plain)
}

async fn changes(
    client: &Client,
    base: &Url,
    dir: &Path,
    ids: Vec<String>,
    report: &mut Report<'_>,
) -> Result<Fetched, FetchError> {
    for ecosystem in Ecosystem::ALL {
        make(&dir.join(ecosystem.osv_name()))?;
    }
    let total = ids.len();
    let mut tasks = JoinSet::new();
    let (done, mut each) = mpsc::unbounded_channel();
    for worker in 0..WORKERS {
        let share: Vec<String> = ids.iter().skip(worker).step_by(WORKERS).cloned().collect();
        let (mut client, base, dir) = (client.another(), base.clone(), dir.to_owned());
        let done = done.clone();
        tasks.spawn(async move {
            for id in share {
                done.send(record(&mut client, &base, &dir, &id).await).ok(); // or it was given up
            }
        });
    }
    drop(done);
    let mut count = 0;
    // At the first that fails the others are dropped with their tasks.
    while let Some(result) = each.recv().await {
        result?;
        count += 1;
        report("changes", count, total as u64);
    }
    Ok(Fetched::Changes(total))
}

/// A record; one that is gone counts as withdrawn.
async fn record(client: &mut Client, base: &Url, dir: &Path, id: &str) -> Result<(), FetchError> {
    let path = dir.join(format!("{id}.json"));
    let url = base.join(&format!("{id}.json"))?;
    match client
        .file(&url, &path, LARGEST_RECORD, &mut |_, _| {})
        .await
    {
        Err(FetchError::Status { status, .. }) if status == StatusCode::NOT_FOUND => {
            let name = id.rsplit('/').next().unwrap_or(id);
            let gone = serde_json::json!({"id": name, "withdrawn": Timestamp::now()});
            fs::write(&path, gone.to_string()).map_err(FetchError::at(&path))
        }
        result => result.map(|_| ()),
    }
}

async fn whole(
    client: &mut Client,
    base: &Url,
    dir: &Path,
    report: &mut Report<'_>,
) -> Result<Fetched, FetchError> {
    // The list first: records that change meanwhile are then newer than what we say we have.
    let list = dir.join(LIST);
    client
        .file(
            &base.join(LIST)?,
            &list,
            LARGEST_LIST,
            &mut |done, total| {
                report("list", done, total.unwrap_or(done));
            },
        )
        .await?;
    let path = dir.join("ecosystems.txt");
    client
        .file(
            &base.join("ecosystems.txt")?,
            &path,
            LARGEST_RECORD,
            &mut |_, _| {},
        )
        .await?;
    let listed = fs::read_to_string(&path).map_err(FetchError::at(&path))?;
    for ecosystem in Ecosystem::ALL {
        let name = ecosystem.osv_name();
        if !listed.lines().any(|line| line.trim() == name) {
            continue;
        }
        make(&dir.join(name))?;
        let url = base.join(&format!("{name}/all.zip"))?;
        client
            .file(
                &url,
                &dir.join(name).join("all.zip"),
                LARGEST_ARCHIVE,
                &mut |done, total| {
                    report(name, done, total.unwrap_or(done));
                },
            )
            .await?;
    }
    Ok(Fetched::Whole)
}

fn make(dir: &Path) -> Result<(), FetchError> {
    match fs::create_dir(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(FetchError::at(dir)(error))
        }
        _ => Ok(()),
    }
}
