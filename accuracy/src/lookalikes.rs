//! What looks like a secret and is none.
//!
//! Each kind is a way of writing it, as it stands in what AI tools send. Where the value is what
//! matters, the name beside it is one that a careless rule would take.

mod kinds;
mod protected;

use std::collections::BTreeMap;

use anyhow::Result;
use codegate::inspect::secrets::Scanner;

use crate::{
    example,
    random::Random,
    rules::Rule,
    scan::{self, Found},
};

/// How many of each kind.
const EACH: usize = 200;

/// How many of a kind there are, and what was made of them.
#[derive(Debug, Default)]
pub(crate) struct Flagged {
    pub(crate) there: usize,
    pub(crate) flagged: usize,
    /// The first of them, with the rule that took it.
    pub(crate) shown: Vec<String>,
}

impl Flagged {
    pub(crate) fn add(&mut self, text: &str, found: &[Found]) {
        self.there += 1;
        let Some(first) = found.first() else { return };
        self.flagged += 1;
        let what = text.get(first.range.clone()).unwrap_or_default();
        self.shown
            .push(format!("{} took {what:?} of {text:?}", first.rule));
    }
}

/// Scans all kinds, the protected fields of requests, and the rules' counter-examples.
pub(crate) fn measure(
    scanner: &Scanner,
    rules: &[Rule],
) -> Result<BTreeMap<&'static str, Flagged>> {
    let mut all: BTreeMap<&'static str, Flagged> = BTreeMap::new();
    for kind in &kinds::KINDS {
        let flagged = all.entry(kind.name).or_default();
        for at in 0..EACH {
            let mut random = Random::of(&[kind.name, &at.to_string()]);
            let text = (kind.write)(&mut random, at);
            flagged.add(&text, &scan::text(scanner, text.as_bytes()));
        }
    }
    let examples = all.entry("counter-example").or_default();
    for template in rules.iter().flat_map(|rule| &rule.counter_examples) {
        let text = example::expand(template, 7)
            .map_err(anyhow::Error::msg)?
            .text;
        examples.add(&text, &scan::text(scanner, text.as_bytes()));
    }
    let fields = all.entry("protected-field").or_default();
    for at in 0..EACH {
        let (body, text) = protected::request(&mut Random::of(&["protected", &at.to_string()]), at);
        let Some(body) = body else { continue };
        fields.add(&text, &scan::body(scanner, body, text.as_bytes())?);
    }
    Ok(all)
}
