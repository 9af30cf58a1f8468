//! OSV's own records, from the folder that is shared beside the repository.

use super::*;

#[test]
fn every_record_is_found_and_the_withdrawn_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let sources = Sources {
        top: Some(shared("top")),
        ..osv(shared("osv"))
    };
    let report = build(dir.path(), &sources);
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    let index = open(dir.path());
    let mut checked = 0;
    for ecosystem in Ecosystem::ALL {
        let path = shared("osv").join(ecosystem.osv_name()).join("all.zip");
        let Ok(file) = File::open(path) else { continue };
        let mut zip = zip::ZipArchive::new(file).unwrap();
        for i in 0..zip.len() {
            let record: Value = serde_json::from_reader(zip.by_index(i).unwrap()).unwrap();
            checked += check(&index, ecosystem, &record);
        }
    }
    assert!(checked > 27_000, "{checked} records");
    assert_eq!(index.top(Ecosystem::PyPI).unwrap().len(), 15_000);
}

fn check(index: &Index, ecosystem: Ecosystem, record: &Value) -> u64 {
    let (id, affected) = (record["id"].as_str().unwrap(), &record["affected"][0]);
    let name = affected["package"]["name"].as_str().unwrap();
    let package = Package::new(ecosystem, name).unwrap();
    let found = index.records(&package).unwrap();
    let found = found.iter().find(|found| found.id == id);
    if !record["withdrawn"].is_null() {
        assert!(found.is_none(), "{id} is withdrawn");
        return 0;
    }
    let found = found.unwrap_or_else(|| panic!("{id} is not found as {name}"));
    for version in affected["versions"].as_array().into_iter().flatten() {
        let hit = found.affected.hit(ecosystem, version.as_str());
        assert!(matches!(hit, Hit::Version | Hit::Whole), "{id} {version}");
    }
    1
}
