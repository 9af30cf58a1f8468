//! Scanning as the guard does, and comparing with what is known to be there.

use std::ops::Range;

use anyhow::{Context as _, Result};
use codegate::{inspect::secrets::Scanner, provider};

use crate::{carriers::Body, marked::Located};

/// Something that was found, in the bytes that were scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) range: Range<usize>,
    pub(crate) rule: String,
}

/// What is found in a text by itself.
pub(crate) fn text(scanner: &Scanner, text: &[u8]) -> Vec<Found> {
    let findings = scanner.scan(text).into_iter();
    findings
        .map(|finding| Found {
            range: finding.range,
            rule: finding.rule.to_string(),
        })
        .collect()
}

/// What is found in a request, with the places of the raw bytes.
pub(crate) fn body(scanner: &Scanner, body: &Body, raw: &[u8]) -> Result<Vec<Found>> {
    let route = provider::route(body.provider, "POST", body.path);
    let request = route
        .dialect
        .request(raw)
        .with_context(|| format!("the carrier {} writes no request", body.name))?;
    let read = &request.text;
    let findings = scanner.scan(read.bytes()).into_iter();
    let found = findings.filter_map(|finding| {
        let piece = read.locate(finding.range.clone())?;
        let range = read.raw_range(raw, piece, read.widen(finding.range.clone()));
        Some(Found {
            range,
            rule: finding.rule.to_string(),
        })
    });
    Ok(found.collect())
}

/// How what was found compares with what is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Secrets that are there.
    pub(crate) there: usize,
    /// Those of which something was found.
    pub(crate) hit: usize,
    /// Those that were found with exact bounds.
    pub(crate) exact: usize,
    /// Those that the rule found that they were made for.
    pub(crate) own: usize,
    /// Findings that are none of them.
    pub(crate) wrong: usize,
}

impl Count {
    pub(crate) fn of(located: &Located, found: &[Found], rule: &str) -> Self {
        let overlaps = |a: &Range<usize>, b: &Range<usize>| a.start < b.end && b.start < a.end;
        let mut count = Self::default();
        for secret in &located.secrets {
            let hits: Vec<&Found> = found
                .iter()
                .filter(|f| overlaps(&f.range, secret))
                .collect();
            count.there += 1;
            count.hit += usize::from(!hits.is_empty());
            count.exact += usize::from(hits.iter().any(|f| f.range == *secret));
            count.own += usize::from(hits.iter().any(|f| f.rule == rule));
        }
        let is_wrong = |f: &&Found| !located.secrets.iter().any(|s| overlaps(&f.range, s));
        count.wrong = found.iter().filter(is_wrong).count();
        count
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.there += other.there;
        self.hit += other.hit;
        self.exact += other.exact;
        self.own += other.own;
        self.wrong += other.wrong;
    }

    /// Whether nothing is missing, cut, or too much.
    pub(crate) fn is_right(&self) -> bool {
        self.exact == self.there && self.wrong == 0
    }

    /// Found of what is there, in percent.
    pub(crate) fn recall(&self) -> f64 {
        percent(self.hit, self.there)
    }

    /// Right of what was found, in percent.
    pub(crate) fn precision(&self) -> f64 {
        percent(self.hit, self.hit + self.wrong)
    }

    /// Exact of what was found, in percent.
    pub(crate) fn exactness(&self) -> f64 {
        percent(self.exact, self.hit)
    }

    /// Found by its own rule, of what was found, in percent.
    pub(crate) fn owned(&self) -> f64 {
        percent(self.own, self.hit)
    }
}

/// A share, in percent to one decimal; all of nothing is all.
pub(crate) fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        return 100.0;
    }
    // Cut, not rounded: only all is 100.
    (part as f64 * 1000.0 / whole as f64).floor() / 10.0
}

#[cfg(test)]
#[allow(
    clippy::single_range_in_vec_init,
    reason = "a secret's range, not what it counts"
)]
mod tests {
    use super::*;

    fn count(secrets: Vec<Range<usize>>, found: &[Range<usize>]) -> Count {
        let located = Located {
            text: String::new(),
            secrets,
        };
        let found: Vec<Found> = found
            .iter()
            .map(|range| Found {
                range: range.clone(),
                rule: "r".to_owned(),
            })
            .collect();
        Count::of(&located, &found, "r")
    }

    #[test]
    fn what_is_found_is_a_hit_exact_or_wrong() {
        let counted = count(vec![0..4, 10..14, 20..24], &[0..4, 9..14, 30..32]);
        assert_eq!((counted.there, counted.hit, counted.exact), (3, 2, 1));
        assert_eq!((counted.wrong, counted.own), (1, 2));
        assert!(!counted.is_right());
        assert!(count(vec![1..2], &[1..2]).is_right());
    }

    #[test]
    fn a_share_is_never_rounded_up() {
        assert_eq!(percent(999, 1000), 99.9);
        assert_eq!(percent(99_999, 100_000), 99.9);
        assert_eq!(percent(0, 0), 100.0);
    }
}
