//! A record in OSV's schema (1.x), as much of it as we use.

use serde::Deserialize;
use serde_json::Value;

use crate::inspect::packages::{
    Affected, Ecosystem, Event, Feed, Package, Range, Record, Scheme, Status,
};

/// The longest summary that is kept, in bytes.
const LONGEST_SUMMARY: usize = 300;
/// "Embedded malicious code" in the Common Weakness Enumeration.
const MALICE: &str = "CWE-506";

#[derive(Deserialize)]
pub(super) struct Osv {
    id: String,
    pub(super) modified: Option<String>,
    published: Option<String>,
    pub(super) withdrawn: Option<String>,
    summary: Option<String>,
    affected: Option<Vec<OsvAffected>>,
    #[serde(default)]
    database_specific: Value,
}

#[derive(Deserialize)]
struct OsvAffected {
    package: Option<OsvPackage>,
    versions: Option<Vec<String>>,
    ranges: Option<Vec<OsvRange>>,
    #[serde(default)]
    database_specific: Value,
}

#[derive(Deserialize)]
struct OsvPackage {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct OsvRange {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    events: Vec<OsvEvent>,
}

#[derive(Deserialize)]
struct OsvEvent {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
}

impl Osv {
    /// What it says of packages that we know; nothing if it is about faults without malice.
    pub(super) fn records(self) -> Vec<(Package, Record)> {
        let all = self.affected.as_deref().unwrap_or_default();
        let record = |affected| self.record(affected);
        all.iter().filter_map(record).collect()
    }

    fn record(&self, affected: &OsvAffected) -> Option<(Package, Record)> {
        let status = self.status(affected)?;
        let package = affected.package.as_ref()?;
        let ecosystem = Ecosystem::from_osv(&package.ecosystem)?;
        let package = Package::new(ecosystem, &package.name)?;
        let versions = affected.affected();
        let record = Record {
            id: self.id.clone(),
            status,
            feed: Feed::Osv,
            sources: self.sources(),
            summary: shortened(self.summary.as_deref().unwrap_or_default()),
            published: self.published.clone(),
            modified: self.modified.clone(),
            affected: versions,
        };
        (!record.affected.is_nothing()).then_some((package, record))
    }

    fn status(&self, affected: &OsvAffected) -> Option<Status> {
        let weakness = |value: &Value| value.to_string().contains(MALICE);
        let informational = &affected.database_specific["informational"];
        let malicious = self.id.starts_with("MAL-")
            || weakness(&self.database_specific["cwe_ids"])
            || weakness(&affected.database_specific["cwes"])
            || (self.id.starts_with("RUSTSEC-") && self.speaks_of_malice());
        match informational.as_str() {
            _ if malicious => Some(Status::Malicious),
            Some("unmaintained") => Some(Status::Unmaintained),
            _ => None,
        }
    }

    fn speaks_of_malice(&self) -> bool {
        let summary = self.summary.as_deref().unwrap_or_default();
        summary.to_lowercase().contains("malicious")
    }

    /// Who found it: one finding that was passed on is one source, two findings are two.
    fn sources(&self) -> Vec<String> {
        let origins = self.database_specific["malicious-packages-origins"].as_array();
        let names = origins.into_iter().flatten();
        let names = names.filter_map(|origin| origin["source"].as_str());
        let mut sources: Vec<String> = names.map(str::to_owned).collect();
        if sources.is_empty() {
            let source = match self.id.split('-').next() {
                Some("MAL") => "ossf",
                Some("GHSA") => "ghsa-malware",
                Some("RUSTSEC") => "rustsec",
                _ => "osv",
            };
            sources.push(source.to_owned());
        }
        sources.sort();
        sources.dedup();
        sources
    }
}

impl OsvAffected {
    fn affected(&self) -> Affected {
        let ranges = self.ranges.as_deref().unwrap_or_default();
        Affected {
            versions: self.versions.clone().unwrap_or_default(),
            ranges: ranges.iter().filter_map(OsvRange::range).collect(),
        }
    }
}

impl OsvRange {
    fn range(&self) -> Option<Range> {
        let scheme = match self.kind.as_str() {
            "SEMVER" => Scheme::Semver,
            "ECOSYSTEM" => Scheme::Ecosystem,
            _ => return None, // commits say nothing about versions
        };
        let events: Vec<Event> = self.events.iter().filter_map(OsvEvent::event).collect();
        (!events.is_empty()).then_some(Range { scheme, events })
    }
}

impl OsvEvent {
    fn event(&self) -> Option<Event> {
        let introduced = self.introduced.clone().map(Event::Introduced);
        introduced
            .or_else(|| self.fixed.clone().map(Event::Fixed))
            .or_else(|| self.last_affected.clone().map(Event::LastAffected))
    }
}

fn shortened(text: &str) -> String {
    let mut end = text.len().min(LONGEST_SUMMARY);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}
