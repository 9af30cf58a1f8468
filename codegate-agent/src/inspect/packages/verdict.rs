//! What is to be thought of a package, and why.
//!
//! Pure: facts go in, a judgement comes out. When it must choose, it favours silence over a false
//! alarm, and an alarm that can be explained over one that cannot.

use std::{collections::BTreeSet, fmt};

use serde::Serialize;

use super::{Feed, Hit, Like, Purl, Record, Status, extract::Context};

/// So many sources must have found a much-used package malicious as a whole: single feeds have been
/// wrong about such.
const ENOUGH_SOURCES: usize = 2;

/// What is to be thought of a package, worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is known, and nothing speaks against it.
    Ok,
    /// Nothing is known of it; perhaps it does not exist.
    Unknown,
    /// Nobody looks after it any more.
    Archived,
    /// Its authors advise against it.
    Deprecated,
    /// Its authors took it back.
    Yanked,
    /// It is like another package, or somebody calls it malicious without proof enough.
    Suspicious,
    /// It does harm on purpose.
    Malicious,
}

/// What is to be done about a package that a text names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing.
    Ok,
    /// The user is told.
    Warn,
    /// It must not be installed, where the policy asks for that.
    Block,
}

/// A verdict with what led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in sentences for people; they may hold text from records.
    pub reasons: Vec<String>,
    /// Where that is from: `osv:MAL-2025-2544`, `top:npm`, `configuration`.
    pub sources: Vec<String>,
    /// Which rules led to it, as `docs/packages.md` names them.
    pub rules: Vec<&'static str>,
    /// Whether it is proven that nobody wants this package: it is listed, denied, or a full list of
    /// names does not have it.
    pub proven: bool,
    /// Whether it is worth a warning: all but what is fine, or what nobody can tell.
    pub finding: bool,
}

/// What is known about a package when it is judged.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// All its records, whichever versions they are about.
    pub(super) records: Vec<Record>,
    /// Whether it is among the most downloaded.
    pub(super) popular: bool,
    /// Whether it exists, if that can be told.
    pub(super) exists: Option<bool>,
    /// What it is like.
    pub(super) like: Option<Like>,
    /// Whether the administrator allows it whatever is known.
    pub(super) allowed: bool,
    /// Whether the administrator forbids it.
    pub(super) denied: bool,
}

/// Judges a package, or a version of it.
pub(super) fn judge(purl: &Purl, facts: &Facts) -> Judgement {
    let mut judgement = Judgement::fine();
    if facts.denied || facts.allowed {
        let (verdict, why) = match facts.denied {
            true => (Verdict::Malicious, "the configuration denies it"),
            false => (Verdict::Ok, "the configuration allows it"),
        };
        judgement.add(verdict, "configured", why, "configuration");
        return judgement;
    }
    for record in &facts.records {
        by_record(&mut judgement, purl, facts, record);
    }
    if judgement.verdict == Verdict::Ok && !facts.popular {
        by_name(&mut judgement, purl, facts);
    }
    judgement
}

fn by_record(judgement: &mut Judgement, purl: &Purl, facts: &Facts, record: &Record) {
    let hit = record
        .affected
        .hit(purl.package.ecosystem, purl.version.as_deref());
    let verdict = match (record.status, hit) {
        (_, Hit::Elsewhere) => Verdict::Ok,
        (Status::Malicious, Hit::Version) => Verdict::Malicious,
        (Status::Malicious, Hit::Whole) if facts.is_proven() => Verdict::Malicious,
        (Status::Malicious, Hit::Whole) => Verdict::Suspicious,
        // Of what everybody uses, the newest version was cleaned long ago.
        (Status::Malicious, Hit::Unversioned) if facts.popular => Verdict::Ok,
        (Status::Malicious, Hit::Unversioned) => Verdict::Suspicious,
        (_, Hit::Unversioned) => Verdict::Ok,
        (Status::Deprecated, _) => Verdict::Deprecated,
        (Status::Archived | Status::Unmaintained, _) => Verdict::Archived,
        (Status::Yanked, _) => Verdict::Yanked,
    };
    let rule = match hit {
        Hit::Whole => "listed-package",
        Hit::Version => "listed-version",
        Hit::Unversioned => "listed-some-versions",
        Hit::Elsewhere => "listed-other-versions",
    };
    let why = reason(record, hit, verdict);
    let source = [record.feed.as_str(), ":", &record.id].concat();
    judgement.add(verdict, rule, why, source);
}

fn reason(record: &Record, hit: Hit, verdict: Verdict) -> String {
    /// What comes before and after what the record says, in most cases.
    const AROUND: usize = 64;
    let mut reason = String::with_capacity(record.id.len() + record.summary.len() + AROUND);
    reason += &record.id;
    reason += ": ";
    write_scope(&mut reason, record, hit, verdict);
    if !record.summary.is_empty() {
        reason += ": ";
        reason += &record.summary;
    }
    if record.feed != Feed::Seed && !record.sources.is_empty() {
        reason += &format!(" (found by {})", record.sources.join(", "));
    }
    reason
}

/// Which versions a record is about, and what it says of them.
fn write_scope(reason: &mut String, record: &Record, hit: Hit, verdict: Verdict) {
    if matches!(hit, Hit::Unversioned | Hit::Elsewhere) {
        *reason += &record.some_versions();
    }
    let status = record.status.as_str();
    let parts = match (hit, verdict) {
        (Hit::Whole, Verdict::Suspicious) => [
            "all versions are listed as ",
            status,
            ", but it is much used and one source alone says so",
        ],
        (Hit::Whole, _) => ["all versions are ", status, ""],
        (Hit::Version, _) => ["this version is ", status, ""],
        (Hit::Unversioned, _) => [", and none is named", "", ""],
        (Hit::Elsewhere, _) => [", but not this one", "", ""],
    };
    parts.into_iter().for_each(|part| *reason += part);
}

impl Record {
    /// "versions 1.0, 1.1 and 3 more are malicious".
    fn some_versions(&self) -> String {
        const SHOWN: usize = 3;
        let versions = &self.affected.versions;
        let status = self.status;
        match versions.get(..SHOWN) {
            _ if versions.is_empty() => format!("some versions are {status}"),
            Some(first) if versions.len() > SHOWN => {
                let more = versions.len() - SHOWN;
                format!("versions {} and {more} more are {status}", first.join(", "))
            }
            _ => format!("versions {} are {status}", versions.join(", ")),
        }
    }
}

/// What the name alone says about a package without records against it.
fn by_name(judgement: &mut Judgement, purl: &Purl, facts: &Facts) {
    let ecosystem = purl.package.ecosystem;
    let known = !facts.records.is_empty() || facts.exists == Some(true);
    match &facts.like {
        Some(like) if !(known && like.weak) => {
            let why = format!("it may be taken for {}: it {}", like.name, like.how);
            let source = format!("top:{ecosystem}");
            judgement.add(Verdict::Suspicious, like.rule, why, source);
        }
        _ => {}
    }
    match facts.exists {
        Some(false) if facts.records.is_empty() => {
            let why = format!("there is no such package in {ecosystem}");
            judgement.add(
                Verdict::Unknown,
                "absent",
                why,
                format!("names:{ecosystem}"),
            );
            judgement.proven = true;
        }
        None if !known && judgement.verdict == Verdict::Ok => {
            let why = format!(
                "nothing is known of it, and no list of all names in {ecosystem} is loaded"
            );
            judgement.add(Verdict::Unknown, "unheard-of", why, "");
            judgement.finding = false;
        }
        _ => {}
    }
}

impl Facts {
    /// Whether what calls the whole package malicious is enough to believe it.
    fn is_proven(&self) -> bool {
        let whole =
            |record: &&Record| record.status == Status::Malicious && record.affected.is_whole();
        let records = self.records.iter().filter(whole);
        let sources: BTreeSet<&String> = records.flat_map(|record| &record.sources).collect();
        !self.popular || sources.len() >= ENOUGH_SOURCES
    }
}

impl Judgement {
    /// What is to be done about the package where it is named so.
    ///
    /// Only what is proven blocks, and only where it would be fetched: an import may be of a module
    /// of the user's own, a sentence may be a warning.
    pub fn severity(&self, context: Context) -> Severity {
        let fetched = matches!(context, Context::Install | Context::Manifest | Context::Url);
        match self.verdict {
            _ if !self.finding => Severity::Ok,
            Verdict::Malicious if fetched => Severity::Block,
            Verdict::Suspicious | Verdict::Unknown if fetched && self.proven => Severity::Block,
            _ => Severity::Warn,
        }
    }

    fn fine() -> Self {
        Self {
            verdict: Verdict::Ok,
            reasons: Vec::new(),
            sources: Vec::new(),
            rules: Vec::new(),
            proven: false,
            finding: false,
        }
    }

    /// Adds a reason; the worst verdict stays.
    fn add(
        &mut self,
        verdict: Verdict,
        rule: &'static str,
        why: impl Into<String>,
        source: impl Into<String>,
    ) {
        self.verdict = self.verdict.max(verdict);
        self.finding = self.verdict != Verdict::Ok;
        self.proven |= verdict == Verdict::Malicious;
        self.reasons.push(why.into());
        if !self.rules.contains(&rule) {
            self.rules.push(rule);
        }
        let source = source.into();
        if !source.is_empty() && !self.sources.contains(&source) {
            self.sources.push(source);
        }
    }
}

impl Verdict {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Archived => "archived",
            Self::Deprecated => "deprecated",
            Self::Yanked => "yanked",
            Self::Suspicious => "suspicious",
            Self::Malicious => "malicious",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests;
