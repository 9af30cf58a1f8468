//! The catalogue in service, which a newer one takes the place of while the agent runs.
//!
//! Knows: the index's folder. Must not know: who asks. When it must choose, it favours what is known
//! over nothing: an index that cannot be used leaves the one before it in service, or what is
//! compiled in.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::SystemTime,
};

use jiff::Timestamp;

use super::{
    Catalogue, Lists,
    index::{self, Index, Manifest},
};

/// Records come every few hours; an index that has not seen one for so many days is stale.
const STALE_DAYS: i64 = 14;

/// A catalogue that follows its folder.
#[derive(Debug)]
pub struct Live {
    dir: PathBuf,
    lists: Lists,
    current: RwLock<Current>,
}

#[derive(Debug)]
struct Current {
    catalogue: Arc<Catalogue>,
    /// What the manifest's file looked like when it was read.
    stamp: Option<Stamp>,
    /// Why the newest index is not the one in service.
    unusable: Option<String>,
}

type Stamp = (u64, Option<SystemTime>);

impl Live {
    /// Opens the index of a folder; without one that can be used, what is compiled in is all there
    /// is, and [`Live::problems`] says so.
    pub fn open(dir: &Path, lists: Lists) -> Self {
        let live = Self::compiled_in(dir, lists);
        live.refresh();
        live
    }

    fn compiled_in(dir: &Path, lists: Lists) -> Self {
        let catalogue = Catalogue::new(None).with_lists(lists.clone());
        let current = Current {
            catalogue: Arc::new(catalogue),
            stamp: None,
            unusable: None,
        };
        Self {
            dir: dir.to_owned(),
            lists,
            current: RwLock::new(current),
        }
    }

    /// What is known now. Whoever holds it keeps it, whatever comes after it.
    pub fn current(&self) -> Arc<Catalogue> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.catalogue.clone()
    }

    /// Takes a new index into service if there is one; says whether it did. This reads the whole
    /// file: it may take a second.
    pub fn refresh(&self) -> bool {
        let stamp = stamp(&self.dir);
        let known = self
            .current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .stamp;
        if stamp == known {
            return false;
        }
        // Opened before the lock is taken: nobody waits for it.
        let opened = Catalogue::open(&self.dir).inspect(Catalogue::warm);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        current.stamp = stamp;
        match opened {
            Ok(catalogue) => {
                current.catalogue = Arc::new(catalogue.with_lists(self.lists.clone()));
                current.unusable = None;
                true
            }
            Err(error) => {
                tracing::error!(%error, "the index of packages cannot be used");
                current.unusable = Some(format!("the index of packages cannot be used: {error}"));
                false
            }
        }
    }

    /// The number of the index in service, if there is one.
    pub fn generation(&self) -> Option<u64> {
        self.current()
            .index()
            .map(|index| index.manifest().generation)
    }

    /// What keeps the catalogue from guarding as it should, for people.
    pub fn problems(&self) -> Vec<String> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let manifest = current.catalogue.index().map(Index::manifest);
        let mut problems = Vec::from_iter(current.unusable.clone());
        problems.extend(index_problems(manifest));
        problems
    }
}

/// What keeps an index from guarding as it should, for people.
pub fn index_problems(manifest: Option<&Manifest>) -> Vec<String> {
    let Some(manifest) = manifest else {
        let none = "there is no index of packages: only the few that are compiled in are known; \
                    run `codegate packages update`";
        return vec![none.into()];
    };
    let days = |time: Timestamp| Timestamp::now().duration_since(time).as_hours() / 24;
    match manifest.newest.map(days) {
        Some(days) if days > STALE_DAYS => vec![format!(
            "the index of packages is stale: its newest record is {days} days old; run `codegate \
             packages update`"
        )],
        Some(_) => Vec::new(),
        None => vec!["the index has no records of OSV: run `codegate packages update`".into()],
    }
}

/// What tells one manifest from the next: each is a file of its own that is moved into place.
fn stamp(dir: &Path) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(index::manifest_path(dir)).ok()?;
    Some((metadata.ino(), metadata.modified().ok()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;
    use crate::inspect::packages::{Verdict, index::Sources};

    fn update(dir: &Path, lists: &Path, record: &str) {
        fs::create_dir_all(lists).unwrap();
        fs::write(lists.join("npm.jsonl"), record).unwrap();
        let sources = Sources {
            lists: Some(lists.to_owned()),
            ..Sources::default()
        };
        index::update(dir, &sources, &mut |_| ()).unwrap();
    }

    #[test]
    fn a_new_index_is_taken_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (dir, lists) = (folder.path().join("index"), folder.path().join("lists"));
        let live = Live::open(&dir, Lists::default());
        assert!(live.problems()[0].contains("no index"));
        let purl = "pkg:npm/only-in-the-lists".parse().unwrap();
        let verdict = |live: &Live| live.current().check(&purl).verdict;
        assert_ne!(verdict(&live), Verdict::Malicious);
        let before = live.current();
        update(
            &dir,
            &lists,
            r#"{"name":"only-in-the-lists","status":"malicious"}"#,
        );
        assert!(live.refresh() && !live.refresh());
        assert_eq!(verdict(&live), Verdict::Malicious);
        assert_ne!(
            before.check(&purl).verdict,
            Verdict::Malicious,
            "kept as it was"
        );
        fs::write(index::manifest_path(&dir), "{").unwrap();
        assert!(!live.refresh());
        assert!(live.problems()[0].contains("cannot be used"));
        assert_eq!(verdict(&live), Verdict::Malicious);
    }
}
