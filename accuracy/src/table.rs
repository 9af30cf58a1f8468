//! Numbers as a person reads them.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{
    benign::{Corpus, Outcome},
    generated::Tally,
    labelled::Labelled,
    lookalikes::Flagged,
    rules::{Class, Rule},
    scan::{Count, percent},
};

/// Rules that miss more than this, in percent, are named.
const GOOD: f64 = 99.0;

/// The tables of what was generated.
pub(crate) fn generated(
    rules: &[Rule],
    tally: &Tally,
    lookalikes: &BTreeMap<&'static str, Flagged>,
) -> String {
    let mut out = format!("{} rules\n\n", rules.len());
    let families = tally
        .families
        .iter()
        .map(|((name, class), count)| (name.as_str(), *class, *count));
    write_shares(&mut out, "family", families);
    let carriers = tally
        .carriers
        .iter()
        .map(|((name, class), count)| (*name, *class, *count));
    write_shares(&mut out, "carrier", carriers);
    write_rules(&mut out, tally);
    write_lookalikes(&mut out, lookalikes);
    out
}

fn write_shares<'a>(
    out: &mut String,
    title: &str,
    rows: impl Iterator<Item = (&'a str, Class, Count)>,
) {
    let mut totals: BTreeMap<Class, Count> = BTreeMap::new();
    heading(out, title);
    for (name, class, count) in rows {
        row(out, name, class, count);
        totals.entry(class).or_default().add(count);
    }
    for (class, count) in totals {
        row(out, "all", class, count);
    }
    out.push('\n');
}

/// Writing to a string does not fail.
fn heading(out: &mut String, title: &str) {
    out.push_str(&format!(
        "{title:<16} {:<10} {:>7} {:>7} {:>7} {:>10} {:>9}\n",
        "class", "secrets", "recall", "exact", "precision", "own rule"
    ));
}

fn row(out: &mut String, name: &str, class: Class, count: Count) {
    out.push_str(&format!(
        "{name:<16} {:<10} {:>7} {:>7.1} {:>7.1} {:>10.1} {:>9.1}\n",
        class.name(),
        count.there,
        count.recall(),
        count.exactness(),
        count.precision(),
        count.owned()
    ));
}

fn write_rules(out: &mut String, tally: &Tally) {
    let poor = |count: &Count| count.recall() < GOOD || count.exactness() < GOOD;
    let poor: Vec<_> = tally
        .rules
        .iter()
        .filter(|(_, count)| poor(count))
        .collect();
    if !poor.is_empty() {
        out.push_str(&format!(
            "{:<32} {:>7} {:>7} {:>7}\n",
            "rules below 99 %", "secrets", "recall", "exact"
        ));
    }
    for (id, count) in poor {
        let (recall, exact) = (count.recall(), count.exactness());
        out.push_str(&format!(
            "{id:<32} {:>7} {recall:>7.1} {exact:>7.1}\n",
            count.there
        ));
    }
    if !tally.by_example.is_empty() {
        out.push_str(&format!(
            "\nonly by their examples: {}\n",
            tally.by_example.join(", ")
        ));
    }
    out.push('\n');
}

fn write_lookalikes(out: &mut String, kinds: &BTreeMap<&'static str, Flagged>) {
    write_kinds(out, kinds.iter());
}

fn write_kinds<'a, K: AsRef<str> + 'a>(
    out: &mut String,
    kinds: impl Iterator<Item = (&'a K, &'a Flagged)>,
) {
    out.push_str(&format!(
        "{:<18} {:>7} {:>9}\n",
        "look-alike", "there", "flagged %"
    ));
    let (mut there, mut flagged) = (0, 0);
    for (name, kind) in kinds {
        let share = percent(kind.flagged, kind.there);
        let name = name.as_ref();
        out.push_str(&format!("{name:<18} {:>7} {share:>9.1}\n", kind.there));
        there += kind.there;
        flagged += kind.flagged;
    }
    out.push_str(&format!(
        "{:<18} {there:>7} {:>9.1}\n",
        "all",
        percent(flagged, there)
    ));
}

/// The tables of the labelled texts.
pub(crate) fn labelled(labelled: &Labelled) -> String {
    let mut out = format!(
        "\n{:<16} {:>7} {:>7} {:>7} {:>9} {:>12} {:>12}\n",
        "labelled", "secrets", "recall", "exact", "precision", "JSON recall", "JSON exact"
    );
    let mut totals = (Count::default(), Count::default());
    for (name, (itself, nested)) in &labelled.styles {
        labelled_row(&mut out, name, itself, nested);
        totals.0.add(*itself);
        totals.1.add(*nested);
    }
    labelled_row(&mut out, "all", &totals.0, &totals.1);
    out.push('\n');
    write_kinds(&mut out, labelled.alikes.iter());
    out
}

fn labelled_row(out: &mut String, name: &str, itself: &Count, nested: &Count) {
    out.push_str(&format!(
        "{name:<16} {:>7} {:>7.1} {:>7.1} {:>9.1} {:>12.1} {:>12.1}\n",
        itself.there,
        itself.recall(),
        itself.exactness(),
        itself.precision(),
        nested.recall(),
        nested.exactness()
    ));
}

/// What did not go well in the labelled texts.
pub(crate) fn labelled_failures(labelled: &Labelled) -> String {
    let mut out = labelled.failures.concat();
    for (name, kind) in &labelled.alikes {
        for shown in &kind.shown {
            out.push_str(&format!("### labelled look-alike / {name}\n{shown}\n"));
        }
    }
    out
}

/// The table of the benign corpora.
pub(crate) fn benign(corpora: &[(Corpus, Outcome)]) -> String {
    let mut out = format!(
        "\n{:<16} {:>7} {:>8} {:>8} {:>8} {:>8}\n",
        "benign corpus", "files", "MB", "genuine", "false", "per MB"
    );
    for (corpus, outcome) in corpora {
        let megabytes = outcome.bytes as f64 / 1e6;
        out.push_str(&format!(
            "{:<16} {:>7} {megabytes:>8.1} {:>8} {:>8} {:>8.3}\n",
            corpus.name,
            outcome.files,
            outcome.genuine,
            outcome.alerts(),
            outcome.rate()
        ));
    }
    let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
    for (rule, places) in corpora.iter().flat_map(|(_, outcome)| &outcome.wrong) {
        *rules.entry(rule).or_default() += places.len();
    }
    let mut rules: Vec<_> = rules.into_iter().collect();
    rules.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let named: Vec<String> = rules
        .iter()
        .take(12)
        .map(|(rule, count)| format!("{rule} {count}"))
        .collect();
    out.push_str(&format!("false alarms by rule: {}\n", named.join(", ")));
    out
}

/// Every case that did not go well, one by one.
pub(crate) fn failures(
    tally: &Tally,
    lookalikes: &BTreeMap<&'static str, Flagged>,
    benign: &[(Corpus, Outcome)],
) -> String {
    let mut out = String::new();
    for failure in &tally.failures {
        let (rule, carrier) = (&failure.rule, failure.carrier);
        let (there, found) = (&failure.there, &failure.found);
        // Writing to a string does not fail.
        let _never = write!(
            out,
            "### {rule} / {carrier}\nthere {there:?}\nfound {found:?}\n{}\n",
            failure.text
        );
    }
    for (name, kind) in lookalikes {
        for shown in &kind.shown {
            out.push_str(&format!("### look-alike / {name}\n{shown}\n"));
        }
    }
    out.push_str(&benign_failures(benign));
    out
}

/// Where a false alarm stands.
pub(crate) fn benign_failures(benign: &[(Corpus, Outcome)]) -> String {
    let mut out = String::new();
    for (corpus, outcome) in benign {
        for (rule, places) in &outcome.wrong {
            let name = corpus.name;
            out.push_str(&format!(
                "### benign / {name} / {rule}\n{}\n",
                places.join("\n")
            ));
        }
    }
    out
}
