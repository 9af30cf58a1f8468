use super::*;
use crate::inspect::packages::{Affected, Catalogue, Lists};

fn record(status: Status, sources: &[&str], affected: Affected) -> Record {
    Record {
        id: "X-1".into(),
        status,
        feed: Feed::Osv,
        sources: sources.iter().map(|s| (*s).to_owned()).collect(),
        summary: "It is so".into(),
        published: None,
        modified: None,
        affected,
    }
}

fn versions(versions: &[&str]) -> Affected {
    Affected {
        versions: versions.iter().map(|v| (*v).to_owned()).collect(),
        ranges: Vec::new(),
    }
}

fn verdict(purl: &str, facts: Facts) -> (Verdict, bool) {
    let judgement = judge(&purl.parse().unwrap(), &facts);
    assert!(judgement.verdict == Verdict::Ok || !judgement.reasons.is_empty());
    (judgement.verdict, judgement.finding)
}

#[test]
fn a_whole_package_is_malicious_unless_everybody_uses_it() {
    let whole = |sources: &[&str], popular| Facts {
        records: vec![record(Status::Malicious, sources, Affected::whole())],
        popular,
        ..Facts::default()
    };
    let purl = "pkg:npm/x@1.0.0";
    assert_eq!(verdict(purl, whole(&["a"], false)).0, Verdict::Malicious);
    assert_eq!(verdict(purl, whole(&["a"], true)).0, Verdict::Suspicious);
    assert_eq!(
        verdict(purl, whole(&["a", "b"], true)).0,
        Verdict::Malicious
    );
    let mut two = whole(&["a"], true);
    two.records
        .push(record(Status::Malicious, &["b"], Affected::whole()));
    assert_eq!(verdict(purl, two).0, Verdict::Malicious);
}

#[test]
fn a_listed_version_says_nothing_of_the_others() {
    let facts = |popular| Facts {
        records: vec![record(Status::Malicious, &["a"], versions(&["5.6.1"]))],
        popular,
        exists: Some(true),
        ..Facts::default()
    };
    assert_eq!(
        verdict("pkg:npm/chalk@5.6.1", facts(true)).0,
        Verdict::Malicious
    );
    assert_eq!(
        verdict("pkg:npm/chalk@5.6.2", facts(true)),
        (Verdict::Ok, false)
    );
    assert_eq!(verdict("pkg:npm/chalk", facts(true)), (Verdict::Ok, false));
    assert_eq!(
        verdict("pkg:npm/chalk@5.6.2", facts(false)),
        (Verdict::Ok, false)
    );
    assert_eq!(
        verdict("pkg:npm/chalk@%5E5.0.0", facts(false)).0,
        Verdict::Suspicious
    );
}

#[test]
fn what_is_old_is_said_in_its_own_word() {
    for (status, expected) in [
        (Status::Deprecated, Verdict::Deprecated),
        (Status::Archived, Verdict::Archived),
        (Status::Unmaintained, Verdict::Archived),
        (Status::Yanked, Verdict::Yanked),
    ] {
        let facts = || Facts {
            records: vec![record(status, &["a"], Affected::whole())],
            popular: true,
            ..Facts::default()
        };
        assert_eq!(verdict("pkg:npm/x", facts()), (expected, true));
    }
    let yanked = || Facts {
        records: vec![record(Status::Yanked, &["a"], versions(&["1.0.0"]))],
        ..Facts::default()
    };
    assert_eq!(verdict("pkg:npm/x@1.0.0", yanked()).0, Verdict::Yanked);
    assert_eq!(verdict("pkg:npm/x", yanked()), (Verdict::Ok, false));
}

#[test]
fn a_name_alone_is_a_suspicion_or_unknown() {
    let like = |weak| Like {
        name: "lodash".into(),
        rule: "slip",
        how: "is like it",
        weak,
    };
    let facts = |exists, like| Facts {
        exists,
        like,
        ..Facts::default()
    };
    let of = |facts| verdict("pkg:npm/x", facts);
    assert_eq!(of(facts(None, None)), (Verdict::Unknown, false));
    assert_eq!(of(facts(Some(false), None)), (Verdict::Unknown, true));
    assert_eq!(of(facts(Some(true), None)), (Verdict::Ok, false));
    assert_eq!(
        of(facts(Some(true), Some(like(false)))).0,
        Verdict::Suspicious
    );
    assert_eq!(of(facts(Some(true), Some(like(true)))).0, Verdict::Ok);
    assert_eq!(
        of(facts(Some(false), Some(like(true)))),
        (Verdict::Suspicious, true)
    );
}

#[test]
fn only_what_is_proven_is_blocked_and_only_where_it_is_fetched() {
    let listed = Facts {
        records: vec![record(Status::Malicious, &["a"], Affected::whole())],
        ..Facts::default()
    };
    let absent = Facts {
        exists: Some(false),
        ..Facts::default()
    };
    let like = Facts {
        like: Some(Like {
            name: "lodash".into(),
            rule: "slip",
            how: "is like it",
            weak: false,
        }),
        ..Facts::default()
    };
    let severities = |facts: &Facts| {
        let judgement = judge(&"pkg:npm/x".parse().unwrap(), facts);
        [Context::Install, Context::Import].map(|context| judgement.severity(context))
    };
    assert_eq!(severities(&listed), [Severity::Block, Severity::Warn]);
    assert_eq!(severities(&absent), [Severity::Block, Severity::Warn]);
    assert_eq!(severities(&like), [Severity::Warn, Severity::Warn]);
    let squat = Facts {
        exists: Some(false),
        ..like
    };
    assert_eq!(severities(&squat), [Severity::Block, Severity::Warn]);
    assert_eq!(severities(&Facts::default()), [Severity::Ok, Severity::Ok]);
    let judgement = judge(&"pkg:npm/x@1.0".parse().unwrap(), &squat);
    assert_eq!(judgement.rules, ["slip", "absent"]);
    let popular = Facts {
        popular: true,
        ..listed
    };
    assert_eq!(severities(&popular), [Severity::Warn, Severity::Warn]);
}

#[test]
fn the_administrator_has_the_last_word() {
    let lists = Lists {
        allow: vec!["pkg:npm/event-stream".parse().unwrap()],
        deny: vec!["pkg:npm/lodash@4.0.0".parse().unwrap()],
    };
    let catalogue = Catalogue::new(None).with_lists(lists);
    let verdict = |purl: &str| catalogue.check(&purl.parse().unwrap()).verdict;
    assert_eq!(verdict("pkg:npm/event-stream@3.3.6"), Verdict::Ok);
    assert_eq!(verdict("pkg:npm/lodash@4.0.0"), Verdict::Malicious);
    assert_eq!(verdict("pkg:npm/lodash@4.0.1"), Verdict::Ok);
}

#[test]
fn a_first_start_already_guards() {
    let catalogue = Catalogue::new(None);
    let verdict = |purl: &str| catalogue.check(&purl.parse().unwrap()).verdict;
    assert_eq!(verdict("pkg:npm/event-stream@3.3.6"), Verdict::Malicious);
    assert_eq!(verdict("pkg:npm/chalk@5.6.1"), Verdict::Malicious);
    assert_eq!(verdict("pkg:npm/chalk@5.6.0"), Verdict::Ok);
    assert_eq!(verdict("pkg:pypi/colourama"), Verdict::Malicious);
    assert_eq!(verdict("pkg:pypi/reqeusts"), Verdict::Suspicious);
    assert_eq!(verdict("pkg:pypi/requests"), Verdict::Ok);
    assert_eq!(verdict("pkg:npm/vscode"), Verdict::Deprecated);
    assert_eq!(verdict("pkg:cargo/atty@0.2.14"), Verdict::Archived);
    assert_eq!(
        verdict("pkg:golang/github.com/boltdb-go/bolt/x"),
        Verdict::Malicious
    );
    assert_eq!(verdict("pkg:npm/some-name-nobody-has"), Verdict::Unknown);
}
