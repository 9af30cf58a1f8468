//! When two rules want the same bytes.
//!
//! Knows: findings. Must not know: rules.

use std::{cmp::Reverse, collections::BTreeMap};

use crate::inspect::Finding;

/// Keeps, of findings that overlap, the surest, then the longest, then the first given; in order
/// of place.
pub(in crate::inspect) fn settle(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.retain(|finding| !finding.range.is_empty());
    findings.sort_by_key(|f| (Reverse(f.confidence), Reverse(f.range.len())));
    let mut kept: BTreeMap<usize, Finding> = BTreeMap::new();
    for finding in findings {
        // Those kept are apart, so the last one that begins before this one's end tells all.
        let last = kept.range(..finding.range.end).next_back();
        if last.is_none_or(|(_, last)| last.range.end <= finding.range.start) {
            kept.insert(finding.range.start, finding);
        }
    }
    kept.into_values().collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use std::ops::Range;

    use super::*;
    use crate::inspect::{Confidence, Kind};

    fn finding(range: Range<usize>, confidence: Confidence) -> Finding {
        Finding {
            range,
            kind: Kind::parse("AB").unwrap(),
            rule: "r".into(),
            confidence,
        }
    }

    fn kept(findings: Vec<Finding>) -> Vec<(usize, usize)> {
        settle(findings)
            .into_iter()
            .map(|finding| (finding.range.start, finding.range.end))
            .collect()
    }

    #[test]
    fn the_surer_wins_over_the_longer_and_the_longer_over_the_first() {
        let (low, high) = (Confidence::Medium, Confidence::High);
        assert_eq!(
            kept(vec![finding(0..9, low), finding(2..4, high)]),
            [(2, 4)]
        );
        assert_eq!(kept(vec![finding(0..3, low), finding(2..9, low)]), [(2, 9)]);
        assert_eq!(kept(vec![finding(0..3, low), finding(2..5, low)]), [(0, 3)]);
    }

    #[test]
    fn neighbours_stay_in_order_of_place() {
        let any = Confidence::High;
        let findings = vec![finding(6..9, any), finding(0..3, any), finding(3..6, any)];
        assert_eq!(kept(findings), [(0, 3), (3, 6), (6, 9)]);
    }
}
