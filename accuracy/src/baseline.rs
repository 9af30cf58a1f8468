//! What was reached before, and what must be reached at least.
//!
//! The committed file holds rounded shares, by family, carrier and kind of look-alike: it changes
//! when accuracy does, not when a rule is added.

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::{
    benign::{Corpus, Outcome},
    generated::Tally,
    labelled::Labelled,
    lookalikes::Flagged,
    rules::Class,
    scan::{Count, percent},
};

/// Less than this, in percent points, is noise: a new rule moves a family's share a little.
const SLACK: f64 = 0.3;

/// As much for false alarms, per MB: a new version of a crate moves it a little.
const ALARMS: f64 = 0.02;

/// The numbers of the committed file, in percent.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Baseline {
    /// By `family/class`.
    pub(crate) families: BTreeMap<String, Shares>,
    /// By `carrier/class`.
    pub(crate) carriers: BTreeMap<String, Shares>,
    /// Flagged of each kind of look-alike.
    pub(crate) lookalikes: BTreeMap<String, f64>,
    /// False alarms per MB in the corpora that are the same everywhere; none if not measured.
    #[serde(default)]
    pub(crate) benign: BTreeMap<String, f64>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shares {
    pub(crate) recall: f64,
    pub(crate) exact: f64,
    pub(crate) precision: f64,
}

impl From<Count> for Shares {
    fn from(count: Count) -> Self {
        Self {
            recall: count.recall(),
            exact: count.exactness(),
            precision: count.precision(),
        }
    }
}

impl Baseline {
    pub(crate) fn of(tally: &Tally, lookalikes: &BTreeMap<&'static str, Flagged>) -> Self {
        let key = |name: &str, class: Class| format!("{name}/{}", class.name());
        let families = tally.families.iter();
        let carriers = tally.carriers.iter();
        Self {
            families: families
                .map(|((name, class), count)| (key(name, *class), (*count).into()))
                .collect(),
            carriers: carriers
                .map(|((name, class), count)| (key(name, *class), (*count).into()))
                .collect(),
            lookalikes: lookalikes
                .iter()
                .map(|(name, kind)| ((*name).to_owned(), percent(kind.flagged, kind.there)))
                .collect(),
            benign: BTreeMap::new(),
        }
    }

    /// Takes in what was found in the labelled texts.
    pub(crate) fn add_labelled(&mut self, labelled: &Labelled) {
        for (name, (itself, nested)) in &labelled.styles {
            let carriers = &mut self.carriers;
            carriers.insert(format!("labelled {name}/structured"), (*itself).into());
            carriers.insert(format!("labelled {name}/json"), (*nested).into());
        }
        for (name, kind) in &labelled.alikes {
            let share = percent(kind.flagged, kind.there);
            self.lookalikes.insert(format!("labelled {name}"), share);
        }
    }

    /// Takes in what was found in the corpora that do not depend on the machine.
    pub(crate) fn add_benign(&mut self, corpora: &[(Corpus, Outcome)]) {
        let pinned = corpora.iter().filter(|(corpus, _)| corpus.pinned);
        self.benign = pinned
            .map(|(corpus, outcome)| (corpus.name.to_owned(), outcome.rate()))
            .collect();
    }

    pub(crate) fn committed() -> Result<Self> {
        let text = fs::read_to_string(path()).with_context(|| path().display().to_string())?;
        toml::from_str(&text).with_context(|| path().display().to_string())
    }

    pub(crate) fn commit(&self) -> Result<()> {
        let text = format!(
            "# What the rules reach, in percent: written by `cargo xtask accuracy --accept`, held by\n\
             # `cargo xtask lint`. See docs/accuracy.md.\n\n{}",
            toml::to_string(self)?
        );
        fs::write(path(), text).with_context(|| path().display().to_string())
    }

    /// Where these numbers are worse than those.
    pub(crate) fn worse_than(&self, committed: &Self) -> Vec<String> {
        let mut worse = Vec::new();
        for (now, then) in [
            (&self.families, &committed.families),
            (&self.carriers, &committed.carriers),
        ] {
            for (name, then) in then {
                let Some(now) = now.get(name) else {
                    worse.push(format!("{name} is gone"));
                    continue;
                };
                let shares = [
                    ("recall", now.recall, then.recall),
                    ("exact bounds", now.exact, then.exact),
                    ("precision", now.precision, then.precision),
                ];
                let fell = shares.iter().filter(|(_, now, then)| now + SLACK < *then);
                worse.extend(
                    fell.map(|(what, now, then)| format!("{name}: {what} {now} %, was {then} %")),
                );
            }
        }
        for (name, now) in &self.lookalikes {
            let then = committed.lookalikes.get(name).copied().unwrap_or(0.0);
            if *now > then + SLACK {
                worse.push(format!(
                    "look-alikes, {name}: {now} % flagged, was {then} %"
                ));
            }
        }
        for (name, now) in &self.benign {
            let then = committed.benign.get(name).copied().unwrap_or(0.0);
            if *now > then + ALARMS {
                worse.push(format!("{name}: {now} false alarms per MB, was {then}"));
            }
        }
        worse
    }
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("baseline.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline(recall: f64, flagged: f64) -> Baseline {
        let shares = Shares {
            recall,
            exact: 99.0,
            precision: 100.0,
        };
        Baseline {
            families: [("ai/token".to_owned(), shares)].into(),
            carriers: BTreeMap::new(),
            lookalikes: [("uuid".to_owned(), flagged)].into(),
            benign: BTreeMap::new(),
        }
    }

    #[test]
    fn only_what_got_worse_is_told() {
        let then = baseline(99.0, 1.0);
        assert!(baseline(99.9, 0.0).worse_than(&then).is_empty());
        assert!(baseline(98.8, 1.2).worse_than(&then).is_empty());
        assert_eq!(baseline(98.0, 1.0).worse_than(&then).len(), 1);
        assert_eq!(baseline(99.0, 2.0).worse_than(&then).len(), 1);
        assert_eq!(Baseline::default().worse_than(&then), ["ai/token is gone"]);
    }
}
