//! Every rule's secrets, in every carrier.

use std::collections::BTreeMap;

use anyhow::Result;
use codegate::inspect::secrets::Scanner;

use crate::{
    carriers::{BODIES, SHOWN, SOURCES, Source, Style},
    marked::{CLOSE, Located, OPEN, locate},
    rules::{Class, Rule},
    samples::{Sample, Samples},
    scan::{self, Count},
};

/// The name of the carrier that an example is in by itself.
const ITSELF: &str = "itself";

/// What was counted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) families: BTreeMap<(String, Class), Count>,
    pub(crate) carriers: BTreeMap<(&'static str, Class), Count>,
    pub(crate) rules: BTreeMap<String, Count>,
    /// Rules whose pattern does not tell enough: only their examples were used.
    pub(crate) by_example: Vec<String>,
    pub(crate) failures: Vec<Failure>,
}

/// A case that did not go well.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) rule: String,
    pub(crate) carrier: &'static str,
    pub(crate) text: String,
    pub(crate) there: Vec<String>,
    pub(crate) found: Vec<String>,
}

/// Scans them all.
pub(crate) fn measure(scanner: &Scanner, rules: &[Rule]) -> Result<Tally> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let chunks = rules.chunks(rules.len().div_ceil(threads).max(1));
    let tallies: Vec<Result<Tally>> = std::thread::scope(|scope| {
        let workers: Vec<_> = chunks
            .map(|chunk| scope.spawn(move || measure_some(scanner, chunk)))
            .collect();
        workers
            .into_iter()
            .map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|_| anyhow::bail!("a worker panicked"))
            })
            .collect()
    });
    let mut all = Tally::default();
    for tally in tallies {
        all.merge(tally?);
    }
    Ok(all)
}

fn measure_some(scanner: &Scanner, rules: &[Rule]) -> Result<Tally> {
    let mut tally = Tally::default();
    for rule in rules {
        let samples = Samples::of(rule)?;
        if samples.values.is_empty() {
            tally.by_example.push(rule.id.clone());
        }
        let mut run = Run {
            scanner,
            rule,
            tally: &mut tally,
        };
        for (at, sample) in samples.values.iter().enumerate() {
            run.value(sample, at)?;
        }
        for (at, sample) in samples.texts.iter().enumerate() {
            run.text(sample, at)?;
        }
    }
    Ok(tally)
}

/// One rule on its way through the carriers.
struct Run<'a> {
    scanner: &'a Scanner,
    rule: &'a Rule,
    tally: &'a mut Tally,
}

impl Run<'_> {
    /// In every source as it is; in every way of showing it and every body, in one of the sources.
    fn value(&mut self, sample: &Sample, at: usize) -> Result<()> {
        for source in SOURCES.iter().filter(|source| fits(source, sample)) {
            let located = locate(&write(source, sample, at));
            self.scan(source.name, located);
        }
        let shown_sources: Vec<&Source> = SOURCES.iter().take(13).collect();
        let text = |turn: usize| {
            let source = shown_sources.get((at * 5 + turn) % shown_sources.len());
            source.map_or_else(String::new, |source| write(source, sample, at + turn))
        };
        self.carry(&text)
    }

    fn text(&mut self, sample: &Sample, _at: usize) -> Result<()> {
        let Sample::Text(marked) = sample else {
            return Ok(());
        };
        self.scan(ITSELF, locate(marked));
        self.carry(&|_| marked.clone())
    }

    /// Shows a text in every way, and sends it in every body.
    fn carry(&mut self, text: &dyn Fn(usize) -> String) -> Result<()> {
        for (turn, shown) in SHOWN.iter().enumerate() {
            self.scan(shown.name, locate(&(shown.write)(&text(turn))));
        }
        for (turn, body) in BODIES.iter().enumerate() {
            let located = locate(&(body.write)(&text(turn + SHOWN.len())));
            let found = scan::body(self.scanner, body, located.text.as_bytes())?;
            self.count(body.name, &located, &found);
        }
        Ok(())
    }

    fn scan(&mut self, carrier: &'static str, located: Located) {
        let found = scan::text(self.scanner, located.text.as_bytes());
        self.count(carrier, &located, &found);
    }

    fn count(&mut self, carrier: &'static str, located: &Located, found: &[scan::Found]) {
        let count = Count::of(located, found, &self.rule.id);
        let (class, family) = (self.rule.class(), self.rule.family.clone());
        self.tally
            .families
            .entry((family, class))
            .or_default()
            .add(count);
        self.tally
            .carriers
            .entry((carrier, class))
            .or_default()
            .add(count);
        self.tally
            .rules
            .entry(self.rule.id.clone())
            .or_default()
            .add(count);
        if !count.is_right() {
            self.tally
                .failures
                .push(self.failure(carrier, located, found));
        }
    }

    fn failure(&self, carrier: &'static str, located: &Located, found: &[scan::Found]) -> Failure {
        let cut = |range: &std::ops::Range<usize>| {
            let bytes = located
                .text
                .as_bytes()
                .get(range.clone())
                .unwrap_or_default();
            String::from_utf8_lossy(bytes).into_owned()
        };
        Failure {
            rule: self.rule.id.clone(),
            carrier,
            text: located.text.clone(),
            there: located.secrets.iter().map(cut).collect(),
            found: found
                .iter()
                .map(|f| format!("{}={}", f.rule, cut(&f.range)))
                .collect(),
        }
    }
}

/// Whether a value can stand in a source: a header and a query hold one word.
fn fits(source: &Source, sample: &Sample) -> bool {
    let Sample::Value { marked, .. } = sample else {
        return true;
    };
    let is_whole = marked.starts_with(OPEN) && marked.ends_with(CLOSE);
    let is_word = is_whole && !marked.contains(char::is_whitespace);
    match source.name {
        "http-header" => !marked.contains('\n'),
        "query" => is_word && !marked.contains("://"),
        _ => true,
    }
}

/// A value in a source, its name in the source's style, unless that spoils what the rule looks for.
fn write(source: &Source, sample: &Sample, way: usize) -> String {
    match sample {
        Sample::Text(marked) => marked.clone(),
        Sample::Value { name, kept, marked } => {
            let styled = source.style.write(name);
            let keeps = |name: &str| kept.as_deref().is_none_or(|kept| matches(kept, name));
            let name = if keeps(&styled) {
                styled
            } else {
                other_style(name, keeps)
            };
            (source.write)(&name, marked, way)
        }
    }
}

fn other_style(name: &str, keeps: impl Fn(&str) -> bool) -> String {
    let styles = [Style::Plain, Style::Kebab, Style::Camel].map(|style| style.write(name));
    styles
        .into_iter()
        .find(|name| keeps(name))
        .unwrap_or_else(|| name.to_owned())
}

fn matches(pattern: &str, name: &str) -> bool {
    regex::RegexBuilder::new(pattern)
        .case_insensitive(true)
        .build()
        .is_ok_and(|pattern| pattern.is_match(name))
}

impl Tally {
    fn merge(&mut self, other: Self) {
        other
            .families
            .into_iter()
            .for_each(|(key, count)| self.families.entry(key).or_default().add(count));
        other
            .carriers
            .into_iter()
            .for_each(|(key, count)| self.carriers.entry(key).or_default().add(count));
        other
            .rules
            .into_iter()
            .for_each(|(key, count)| self.rules.entry(key).or_default().add(count));
        self.by_example.extend(other.by_example);
        self.failures.extend(other.failures);
    }
}
