//! An index from data that is made here, and from OSV's own.

mod crash;
mod real;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;
use crate::inspect::packages::{Hit, Purl, Status};

/// A folder laid out like OSV's bucket, with these records of npm.
fn bucket(dir: &Path, records: &[Value]) -> PathBuf {
    let bucket = dir.join("osv");
    fs::create_dir_all(bucket.join("npm")).unwrap();
    fs::write(bucket.join("ecosystems.txt"), "npm\nDebian\n").unwrap();
    let mut zip = ZipWriter::new(File::create(bucket.join("npm/all.zip")).unwrap());
    let mut list = String::new();
    for record in records {
        let id = record["id"].as_str().unwrap();
        let options = SimpleFileOptions::default();
        zip.start_file(format!("{id}.json"), options).unwrap();
        zip.write_all(record.to_string().as_bytes()).unwrap();
        list += &format!("2026-01-02T03:04:05Z,npm/{id}\n");
    }
    zip.finish().unwrap();
    fs::write(bucket.join("modified_id.csv"), list).unwrap();
    bucket
}

/// A malicious package of npm, all its versions.
fn whole(id: &str, name: &str) -> Value {
    json!({
        "id": id, "modified": "2026-01-01T00:00:00Z", "published": "2026-01-01T00:00:00Z",
        "summary": format!("Malicious code in {name} (npm)"),
        "affected": [{
            "package": {"ecosystem": "npm", "name": name},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}],
        }],
        "database_specific": {"malicious-packages-origins": [{"source": "ghsa-malware"}]},
    })
}

fn osv(dir: PathBuf) -> Sources {
    Sources {
        osv: Some(dir),
        ..Sources::default()
    }
}

fn build(dir: &Path, sources: &Sources) -> Report {
    update(dir, sources, &mut |_| {}).unwrap().1
}

fn open(dir: &Path) -> Index {
    Index::open(dir).unwrap().unwrap()
}

fn hits(index: &Index, purl: &str) -> Vec<Hit> {
    let purl: Purl = purl.parse().unwrap();
    let records = index.records(&purl.package).unwrap();
    let hit = |record: &Record| {
        let version = purl.version.as_deref();
        record.affected.hit(purl.package.ecosystem, version)
    };
    records.iter().map(hit).collect()
}

#[test]
fn what_is_fed_is_found_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let mut withdrawn = whole("MAL-2", "taken-back");
    withdrawn["withdrawn"] = json!("2026-01-03T00:00:00Z");
    let mut fault = whole("GHSA-1", "merely-faulty");
    let mut malware = whole("GHSA-2", "faulty-on-purpose");
    malware["database_specific"] = json!({"cwe_ids": ["CWE-506"]});
    fault["database_specific"] = json!({"cwe_ids": ["CWE-79"]});
    let bucket = bucket(
        dir.path(),
        &[whole("MAL-1", "@evil/pkg"), withdrawn, fault, malware],
    );
    let report = build(dir.path(), &osv(bucket));
    assert_eq!((report.withdrawn, report.other), (1, 1));
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    let index = open(dir.path());
    assert_eq!(hits(&index, "pkg:npm/%40evil/pkg@3.0.0"), [Hit::Whole]);
    assert_eq!(hits(&index, "pkg:npm/faulty-on-purpose"), [Hit::Whole]);
    for name in ["taken-back", "merely-faulty", "evil", "pkg", "@evil/pk"] {
        assert!(
            hits(&index, &format!("pkg:npm/{name}")).is_empty(),
            "{name}"
        );
    }
    assert!(hits(&index, "pkg:pypi/faulty-on-purpose").is_empty());
    let newest = index.manifest().newest.unwrap().to_string();
    assert_eq!(newest, "2026-01-02T03:04:05Z");
}

#[test]
fn a_second_update_keeps_what_it_does_not_replace() {
    let dir = tempfile::tempdir().unwrap();
    let bucket = bucket(dir.path(), &[whole("MAL-1", "evil")]);
    build(dir.path(), &osv(bucket.clone()));
    let (top, names, lists) = (
        dir.path().join("t"),
        dir.path().join("n"),
        dir.path().join("l"),
    );
    for folder in [&top, &names, &lists] {
        fs::create_dir(folder).unwrap();
    }
    fs::write(
        top.join("top_npm_packages.json"),
        r#"{"packages": ["react", "vue"]}"#,
    )
    .unwrap();
    fs::write(names.join("npm.txt"), "react\nvue\nleft-pad\n").unwrap();
    fs::write(
        lists.join("npm.jsonl"),
        "{\"name\": \"old\", \"status\": \"deprecated\", \"versions\": [\"1.0.0\"]}\n",
    )
    .unwrap();
    let sources = Sources {
        top: Some(top),
        names: Some(names),
        lists: Some(lists),
        ..Sources::default()
    };
    build(dir.path(), &sources);
    let before = open(dir.path());
    build(dir.path(), &osv(bucket));
    for index in [before, open(dir.path())] {
        assert_eq!(hits(&index, "pkg:npm/evil"), [Hit::Whole]);
        assert_eq!(hits(&index, "pkg:npm/old@1.0.0"), [Hit::Version]);
        assert_eq!(hits(&index, "pkg:npm/old@1.0.1"), [Hit::Elsewhere]);
        assert_eq!(index.top(Ecosystem::Npm).unwrap().len(), 2);
        let exists = |name| index.exists(&Package::new(Ecosystem::Npm, name).unwrap());
        assert_eq!(exists("left-pad").unwrap(), Some(true));
        assert_eq!(exists("right-pad").unwrap(), Some(false));
        let unlisted = Package::new(Ecosystem::Go, "x.org/y").unwrap();
        assert_eq!(index.exists(&unlisted).unwrap(), None);
    }
    assert_eq!(open(dir.path()).manifest().generation, 3);
}

#[test]
fn rustsec_tells_the_unmaintained_from_the_faulty() {
    let dir = tempfile::tempdir().unwrap();
    let advisory = |name: &str, id: &str, more: &str, title: &str| {
        let folder = dir.path().join("db/crates").join(name);
        fs::create_dir_all(&folder).unwrap();
        let text = format!(
            "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{name}\"\ndate = \"2022-05-02\"\n\
             {more}\n[versions]\npatched = []\n```\n\n# {title}\n\nText.\n"
        );
        fs::write(folder.join(format!("{id}.md")), text).unwrap();
    };
    advisory(
        "old",
        "R-1",
        "informational = \"unmaintained\"",
        "`old` is unmaintained",
    );
    advisory("faulty", "R-2", "", "Overflow");
    advisory("evil_one", "R-3", "", "malicious crate `evil_one`");
    advisory("back", "R-4", "withdrawn = \"2022-06-01\"", "malicious?");
    let sources = Sources {
        rustsec: Some(dir.path().join("db")),
        ..Sources::default()
    };
    let report = build(dir.path(), &sources);
    assert_eq!((report.withdrawn, report.other), (1, 1));
    let index = open(dir.path());
    let status = |name| {
        let records = index.records(&Package::new(Ecosystem::Crates, name).unwrap());
        records.unwrap().first().map(|record| record.status)
    };
    assert_eq!(status("old"), Some(Status::Unmaintained));
    assert_eq!(status("evil-one"), Some(Status::Malicious));
    assert_eq!((status("faulty"), status("back")), (None, None));
}

#[test]
fn bad_data_leaves_the_old_index() {
    let dir = tempfile::tempdir().unwrap();
    let good = bucket(dir.path(), &[whole("MAL-1", "evil")]);
    build(dir.path(), &osv(good.clone()));
    let refused = |sources: &Sources| {
        assert!(update(dir.path(), sources, &mut |_| {}).is_err());
        assert_eq!(hits(&open(dir.path()), "pkg:npm/evil"), [Hit::Whole]);
        assert_eq!(open(dir.path()).manifest().generation, 1);
    };
    refused(&osv(dir.path().join("nowhere")));
    bucket(dir.path(), &[json!({"id": "MAL-1", "affected": 7})]);
    refused(&osv(good.clone()));
    let zip = good.join("npm/all.zip");
    let bytes = fs::read(&zip).unwrap();
    fs::write(&zip, &bytes[..bytes.len() - 30]).unwrap();
    refused(&osv(good.clone()));
    fs::remove_file(&zip).unwrap();
    refused(&osv(good));
}

#[test]
fn a_file_that_was_changed_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let bucket = bucket(dir.path(), &[whole("MAL-1", "evil")]);
    build(dir.path(), &osv(bucket.clone()));
    let path = dir.path().join(&open(dir.path()).manifest().file);
    let bytes = fs::read(&path).unwrap();
    for at in [0, bytes.len() / 3, bytes.len() / 2, bytes.len() - 1] {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        fs::write(&path, &changed).unwrap();
        let error = Index::open(dir.path()).unwrap_err();
        assert!(matches!(error, IndexError::Damaged { .. }), "{error}");
    }
    build(dir.path(), &osv(bucket));
    assert_eq!(open(dir.path()).manifest().generation, 2);
}

#[test]
fn only_one_update_is_at_work() {
    let dir = tempfile::tempdir().unwrap();
    let sources = osv(bucket(dir.path(), &[whole("MAL-1", "evil")]));
    let mut tried = false;
    update(dir.path(), &sources, &mut |_| {
        if !std::mem::replace(&mut tried, true) {
            let second = update(dir.path(), &sources, &mut |_| {});
            assert!(matches!(second, Err(IndexError::Busy(_))));
        }
    })
    .unwrap();
    assert!(tried);
}

/// `../shared/data`, seen from the repository.
pub(in crate::inspect::packages) fn shared(name: &str) -> PathBuf {
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let found = above.find_map(|dir| {
        let path = dir.join("shared/data").join(name);
        path.exists().then_some(path)
    });
    found.unwrap_or_else(|| panic!("shared/data/{name} is missing beside the repository"))
}
