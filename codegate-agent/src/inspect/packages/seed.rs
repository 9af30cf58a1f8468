//! What is compiled in: the well-known incidents and the names that are mistyped most, so that a
//! first start without any data already guards.

use foldhash::HashMap;

use super::{Affected, Ecosystem, Feed, Package, Record, Status};

const INCIDENTS: &str = include_str!("seed/incidents.tsv");
const POPULAR: &str = include_str!("seed/popular.tsv");

/// The compiled-in records and names.
#[derive(Debug, Default)]
pub(super) struct Seed {
    records: HashMap<Package, Vec<Record>>,
}

impl Seed {
    /// Lines that cannot be read are left out; a test proves that there are none.
    pub(super) fn new() -> Self {
        let mut seed = Self::default();
        for (package, record) in lines(INCIDENTS).filter_map(incident) {
            seed.records.entry(package).or_default().push(record);
        }
        seed
    }

    /// What is known about a package.
    pub(super) fn records(&self, package: &Package) -> &[Record] {
        let whole = self.records.get(package);
        let within = || {
            let inner = |name| Package::new(package.ecosystem, name);
            let mut shorter = package.candidates().skip(1).filter_map(inner);
            shorter.find_map(|package| self.records.get(&package))
        };
        whole.or_else(within).map_or(&[], Vec::as_slice)
    }

    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.records.values().map(Vec::len).sum()
    }
}

/// The names of an ecosystem that are typed most, the order being of no meaning.
pub(super) fn popular(ecosystem: Ecosystem) -> impl Iterator<Item = &'static str> {
    let of = move |line: &'static str| {
        let (name, names) = line.split_once('\t')?;
        (Ecosystem::from_osv(name) == Some(ecosystem)).then(|| names.split(' '))
    };
    lines(POPULAR).filter_map(of).flatten()
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    let told = |line: &&str| !line.starts_with('#') && !line.is_empty();
    text.lines().filter(told)
}

fn incident(line: &str) -> Option<(Package, Record)> {
    let mut fields = line.split('\t');
    let ecosystem = Ecosystem::from_osv(fields.next()?)?;
    let package = Package::new(ecosystem, fields.next()?)?;
    let affected = match fields.next()? {
        "*" => Affected::whole(),
        versions => Affected {
            versions: versions.split(' ').map(str::to_owned).collect(),
            ranges: Vec::new(),
        },
    };
    let status: Status = serde_json::from_value(fields.next()?.into()).ok()?;
    let date = fields.next()?.to_owned();
    let record = Record {
        id: format!("CG-{}-{}", date, package.name()),
        status,
        feed: Feed::Seed,
        sources: vec!["codegate".into()],
        summary: fields.next()?.to_owned(),
        published: Some(date),
        modified: None,
        affected,
    };
    fields.next().is_none().then_some((package, record))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read() {
        for line in lines(INCIDENTS) {
            let (_, record) = incident(line).unwrap_or_else(|| panic!("{line}"));
            let date = record.published.unwrap();
            assert!(date.parse::<jiff::civil::Date>().is_ok(), "{line}");
        }
        assert_eq!(Seed::new().len(), lines(INCIDENTS).count());
    }

    #[test]
    fn every_ecosystem_has_names_and_each_is_one() {
        for ecosystem in Ecosystem::ALL {
            let names: Vec<_> = popular(ecosystem).collect();
            assert!(names.len() >= 30, "{ecosystem}");
            for name in names {
                assert!(Package::new(ecosystem, name).is_some(), "{name}");
            }
        }
    }

    #[test]
    fn a_package_in_a_module_is_of_the_module() {
        let seed = Seed::new();
        let inner = Package::new(Ecosystem::Go, "github.com/boltdb-go/bolt/cmd/x").unwrap();
        assert_eq!(seed.records(&inner)[0].status, Status::Malicious);
        let other = Package::new(Ecosystem::Go, "github.com/boltdb-go/other").unwrap();
        assert!(seed.records(&other).is_empty());
    }
}
