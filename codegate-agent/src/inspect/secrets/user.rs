//! The user's rules: they add to those that are compiled in, replace them, or switch them off.
//!
//! Knows: ids and how rules are laid over each other. Must not know: where configuration comes from.

use std::collections::HashSet;

use serde::Serialize;

use super::{
    Scanner, example,
    rule::Rule,
    source::{self, Origin, RuleError, RuleText, Source},
};

/// Rules beside those that are compiled in; each is sound by itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct UserRules(Vec<UserRule>);

#[derive(Debug, Clone, PartialEq, Serialize)]
struct UserRule {
    #[serde(skip)]
    origin: Origin,
    #[serde(flatten)]
    text: RuleText,
}

impl UserRules {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes in a rule that was written in a file; it takes the place of an earlier one of its id.
    ///
    /// # Errors
    /// What is wrong with the rule. Whether all rules together fit the engine, only
    /// [`Scanner::with_rules`] can tell.
    pub fn add(&mut self, file: &str, text: RuleText) -> Result<(), RuleError> {
        let origin = Origin::new(file, &text.id);
        if text.off {
            self.check_known(&origin, &text.id)?;
        } else {
            Rule::compile(Source {
                origin: origin.clone(),
                text: text.clone(),
            })?;
        }
        self.0.retain(|rule| rule.text.id != text.id);
        self.0.push(UserRule { origin, text });
        Ok(())
    }

    /// A mistyped id would leave a rule on that the user thinks is off.
    fn check_known(&self, origin: &Origin, id: &str) -> Result<(), RuleError> {
        let is_own = self.0.iter().any(|rule| rule.text.id == id);
        let is_built_in = source::builtin()?.iter().any(|rule| rule.text.id == id);
        match is_own || is_built_in {
            true => Ok(()),
            false => Err(origin.error("there is no such rule to switch off")),
        }
    }

    /// These rules, and those of the others that none of these has the id of. The user's come
    /// first: between equals they win.
    pub(super) fn over(&self, others: Vec<Source>) -> Vec<Source> {
        let ids: HashSet<&str> = self.0.iter().map(|rule| rule.text.id.as_str()).collect();
        let own = self.0.iter().filter(|rule| !rule.text.off);
        let own = own.map(|rule| Source {
            origin: rule.origin.clone(),
            text: rule.text.clone(),
        });
        let others = others.into_iter();
        own.chain(others.filter(|rule| !ids.contains(rule.text.id.as_str())))
            .collect()
    }

    /// Runs the examples of these rules.
    ///
    /// # Errors
    /// The first example in which not exactly what it marks is found, or counter-example in which
    /// anything is.
    pub fn try_out(&self, scanner: &Scanner) -> Result<(), RuleError> {
        for rule in self.0.iter().filter(|rule| !rule.text.off) {
            let wrong = |reason| rule.origin.error(reason);
            rule.try_out(scanner).map_err(wrong)?;
        }
        Ok(())
    }
}

impl UserRule {
    fn try_out(&self, scanner: &Scanner) -> Result<(), String> {
        for (at, template) in self.text.examples.iter().enumerate() {
            try_example(scanner, template, &self.text.id)
                .map_err(|reason| format!("example {}: {reason}", at + 1))?;
        }
        for (at, template) in self.text.counter_examples.iter().enumerate() {
            try_counter_example(scanner, template)
                .map_err(|reason| format!("counter-example {}: {reason}", at + 1))?;
        }
        Ok(())
    }
}

fn try_example(scanner: &Scanner, template: &str, id: &str) -> Result<(), String> {
    let example = example::expand(template, 1)?;
    if example.secrets.is_empty() {
        return Err("nothing in it is marked with « and »".into());
    }
    let found = scanner.scan(example.text.as_bytes());
    if found.is_empty() {
        return Err("nothing is found".into());
    }
    if !found.iter().map(|found| &found.range).eq(&example.secrets) {
        return Err("something else is found than what « and » mark".into());
    }
    match found.iter().any(|found| &*found.rule == id) {
        true => Ok(()),
        false => Err("another rule finds it".into()),
    }
}

fn try_counter_example(scanner: &Scanner, template: &str) -> Result<(), String> {
    let example = example::expand(template, 1)?;
    match scanner.scan(example.text.as_bytes()).first() {
        None => Ok(()),
        Some(found) => Err(format!("rule `{}` finds something", found.rule)),
    }
}
