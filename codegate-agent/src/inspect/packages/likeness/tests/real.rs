//! Real names, from the folder that is shared beside the repository: how many of those that are known
//! to be malicious are like another, and how many honest ones are taken for it.

use std::{collections::HashSet, fs::File};

use serde_json::Value;

use super::*;
use crate::inspect::packages::index::shared;

fn top(ecosystem: Ecosystem) -> Vec<String> {
    let name = ecosystem.osv_name().to_lowercase();
    let file = File::open(shared("top").join(format!("top_{name}_packages.json"))).unwrap();
    let list: Value = serde_json::from_reader(file).unwrap();
    let names = list["packages"].as_array().unwrap().iter();
    let mut seen = HashSet::new();
    let names = names.map(|name| name.as_str().unwrap().to_owned());
    names.filter(|name| seen.insert(name.clone())).collect()
}

fn malicious(ecosystem: Ecosystem) -> Vec<String> {
    let path = shared("osv").join(ecosystem.osv_name()).join("all.zip");
    let mut zip = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    let mut names = Vec::new();
    for i in 0..zip.len() {
        let record: Value = serde_json::from_reader(zip.by_index(i).unwrap()).unwrap();
        if record["withdrawn"].is_null() {
            let name = record["affected"][0]["package"]["name"].as_str();
            names.push(name.unwrap().to_owned());
        }
    }
    names
}

/// How many of the names are like another.
fn suspicious(likeness: &Likeness, names: &[String]) -> usize {
    let package = |name: &String| Package::new(likeness.ecosystem, name);
    let packages = names.iter().filter_map(package);
    packages
        .filter_map(|p| likeness.like(&p))
        .filter(|like| !like.weak)
        .count()
}

/// Of PyPI's malicious names, those that are no imitations are in the majority: what is found here is
/// nine tenths of those within two edits of a much-used name.
#[test]
fn imitations_among_malicious_names_are_found() {
    let all = top(Ecosystem::PyPI).into_iter().zip(0..).collect();
    let found = suspicious(
        &Likeness::new(Ecosystem::PyPI, all),
        &malicious(Ecosystem::PyPI),
    );
    assert!(found >= 650, "{found} names");
}

/// The rest of the most downloaded names, held against the first of them.
#[test]
fn honest_names_are_seldom_taken_for_an_imitation() {
    for (ecosystem, known, most) in [(Ecosystem::PyPI, 5_000, 60), (Ecosystem::Npm, 4_000, 15)] {
        let top = top(ecosystem);
        let (first, rest) = top.split_at(known);
        let likeness = Likeness::new(ecosystem, first.iter().cloned().zip(0..).collect());
        let wrong = suspicious(&likeness, rest);
        assert!(wrong <= most, "{wrong} of {} in {ecosystem}", rest.len());
    }
}
