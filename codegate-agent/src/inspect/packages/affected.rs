//! Which versions of a package a record is about, as OSV's schema says it.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::{Ecosystem, version};

/// The versions a record is about: those listed, and those within a range.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// One by one.
    #[serde(rename = "v", default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    /// From here to there.
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<Range>,
}

/// A range: the versions after one event and before the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// How its versions are compared.
    #[serde(rename = "s")]
    pub scheme: Scheme,
    /// In any order.
    #[serde(rename = "e")]
    pub events: Vec<Event>,
}

/// How the versions of a range are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scheme {
    /// By Semantic Versioning.
    #[serde(rename = "S")]
    Semver,
    /// As the ecosystem does.
    #[serde(rename = "E")]
    Ecosystem,
}

/// Where a range begins or ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It begins with this version; `0` is before all versions.
    #[serde(rename = "i")]
    Introduced(String),
    /// It ends before this version.
    #[serde(rename = "f")]
    Fixed(String),
    /// It ends after this version.
    #[serde(rename = "l")]
    LastAffected(String),
}

/// How a package that is asked for stands to a record of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// Every version is affected.
    Whole,
    /// The version that is asked for is affected.
    Version,
    /// Some versions are, and it is not known which one is asked for.
    Unversioned,
    /// Some versions are, another one is asked for.
    Elsewhere,
}

impl Affected {
    /// All versions.
    pub fn whole() -> Self {
        Self {
            versions: Vec::new(),
            ranges: vec![Range {
                scheme: Scheme::Ecosystem,
                events: vec![Event::Introduced("0".into())],
            }],
        }
    }

    /// Whether nothing is affected: a record that says so says nothing.
    pub fn is_nothing(&self) -> bool {
        self.versions.is_empty() && self.ranges.is_empty()
    }

    /// Whether every version there is or will be is affected.
    pub fn is_whole(&self) -> bool {
        self.ranges.iter().any(Range::is_whole)
    }

    /// How a version, or a package without one, stands to this. A text that is no version (`^1.2`,
    /// `latest`) counts as none.
    pub fn hit(&self, ecosystem: Ecosystem, version: Option<&str>) -> Hit {
        if self.is_whole() {
            return Hit::Whole;
        }
        match version {
            Some(version) if self.has(ecosystem, version) => Hit::Version,
            Some(text) if version::compare(ecosystem, text, text).is_some() => Hit::Elsewhere,
            _ => Hit::Unversioned,
        }
    }

    fn has(&self, ecosystem: Ecosystem, version: &str) -> bool {
        let same = |listed: &String| {
            listed == version
                || version::compare(ecosystem, listed, version) == Some(Ordering::Equal)
        };
        self.versions.iter().any(same) || self.ranges.iter().any(|r| r.has(ecosystem, version))
    }
}

impl Range {
    fn is_whole(&self) -> bool {
        let all = |event: &Event| matches!(event, Event::Introduced(version) if version == "0");
        let begins = |event: &Event| matches!(event, Event::Introduced(_));
        self.events.iter().any(all) && self.events.iter().all(begins)
    }

    fn compare(&self, ecosystem: Ecosystem, a: &str, b: &str) -> Option<Ordering> {
        match (a == "0", b == "0") {
            (true, true) => return Some(Ordering::Equal),
            (true, false) => return Some(Ordering::Less),
            (false, true) => return Some(Ordering::Greater),
            (false, false) => {}
        }
        match self.scheme {
            Scheme::Semver => version::semver(a, b),
            Scheme::Ecosystem => version::compare(ecosystem, a, b),
        }
    }

    /// The latest event that is not after the version decides. A range of which one event cannot be
    /// compared has nothing: a guess would be a false alarm or worse.
    fn has(&self, ecosystem: Ecosystem, version: &str) -> bool {
        let mut latest: Option<(&Event, bool)> = None;
        for event in &self.events {
            let Some(order) = self.compare(ecosystem, event.version(), version) else {
                return false;
            };
            let (applies, affected) = match event {
                Event::Introduced(_) => (order.is_le(), true),
                Event::Fixed(_) => (order.is_le(), false),
                Event::LastAffected(_) => (order.is_lt(), false),
            };
            let later = |before: &Event| {
                let order = self.compare(ecosystem, before.version(), event.version());
                order.is_some_and(Ordering::is_le)
            };
            if applies && latest.is_none_or(|(before, _)| later(before)) {
                latest = Some((event, affected));
            }
        }
        latest.is_some_and(|(_, affected)| affected)
    }
}

impl Event {
    /// The version it happens at.
    pub fn version(&self) -> &str {
        match self {
            Self::Introduced(version) | Self::Fixed(version) | Self::LastAffected(version) => {
                version
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(events: &[(char, &str)]) -> Affected {
        let event = |(kind, version): &(char, &str)| match kind {
            'i' => Event::Introduced((*version).into()),
            'f' => Event::Fixed((*version).into()),
            _ => Event::LastAffected((*version).into()),
        };
        Affected {
            versions: Vec::new(),
            ranges: vec![Range {
                scheme: Scheme::Semver,
                events: events.iter().map(event).collect(),
            }],
        }
    }

    fn hit(affected: &Affected, version: &str) -> Hit {
        affected.hit(Ecosystem::Npm, Some(version))
    }

    #[test]
    fn a_range_has_what_is_between_its_events() {
        let affected = range(&[
            ('f', "1.2.11"),
            ('i', "1.0.0"),
            ('i', "2.0.0"),
            ('l', "2.3.0"),
        ]);
        for inside in ["1.0.0", "1.2.10", "2.0.0", "2.3.0", "2.2.9-pre"] {
            assert_eq!(hit(&affected, inside), Hit::Version, "{inside}");
        }
        for outside in ["0.9.9", "1.0.0-rc", "1.2.11", "1.9.9", "2.3.1", "3.0.0"] {
            assert_eq!(hit(&affected, outside), Hit::Elsewhere, "{outside}");
        }
        assert_eq!(affected.hit(Ecosystem::Npm, None), Hit::Unversioned);
        assert_eq!(hit(&affected, "^1.0.0"), Hit::Unversioned);
    }

    #[test]
    fn a_range_without_end_has_all_only_from_zero() {
        let all = range(&[('i', "0")]);
        assert_eq!(all.hit(Ecosystem::Npm, None), Hit::Whole);
        assert_eq!(hit(&all, "latest"), Hit::Whole);
        let later = range(&[('i', "1.0.0")]);
        assert_eq!(hit(&later, "0.9.0"), Hit::Elsewhere);
        assert_eq!(hit(&later, "7.0.0"), Hit::Version);
        assert_eq!(
            hit(&range(&[('i', "0"), ('f', "1.0.0")]), "0.0.0-x"),
            Hit::Version
        );
    }

    #[test]
    fn a_listed_version_may_be_spelled_differently() {
        let affected = Affected {
            versions: vec!["1.0".into(), "weird".into()],
            ranges: Vec::new(),
        };
        assert_eq!(affected.hit(Ecosystem::PyPI, Some("1.0.0")), Hit::Version);
        assert_eq!(affected.hit(Ecosystem::PyPI, Some("weird")), Hit::Version);
        assert_eq!(affected.hit(Ecosystem::PyPI, Some("1.0.1")), Hit::Elsewhere);
    }
}
