//! Finding personal data in text: cards, bank accounts, numbers that states give, addresses.
//!
//! Knows: bytes of decoded text, and how the issuers describe their numbers. Must not know: JSON,
//! HTTP, who is asking.
//!
//! Numbers are found from their digits: one cheap look finds runs of two or more ([`runs`]), and
//! only from there a shape, a checksum and, where these leave room for chance, a word beside it are
//! asked ([`number`]). Addresses of crypto currencies are long words, which are found alike; the rest
//! has a character of its own (`@`, `+`), which memchr finds. So a text without candidates costs little.
//!
//! When it must choose: code is full of numbers, so what no checksum or structure tells from chance
//! needs a word beside it. IP addresses are nobody's.

mod cards;
mod checksum;
mod context;
mod crypto;
mod digits;
mod iban;
mod mail;
mod national;
mod number;
mod phone;
mod policy;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, ops::Range};

use self::{
    crypto::Coin,
    number::{Numbers, Seen},
};
use super::{Confidence, Finding, Kind, runs};

pub use policy::{Action, Family, Policy};

/// Finds what the policy does not turn off.
#[derive(Debug)]
pub struct Pii {
    policy: Policy,
    numbers: Numbers,
}

/// Something personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Personal {
    /// What and where.
    pub finding: Finding,
    /// What becomes of it.
    pub action: Action,
}

impl Pii {
    /// With a policy.
    pub fn new(policy: Policy) -> Self {
        let wanted = |family: Family| policy.of(family) != Action::Off;
        let numbers = [&cards::CARD].into_iter().chain(national::numbers());
        Self {
            policy,
            numbers: Numbers::new(numbers.filter(|number| wanted(number.family))),
        }
    }

    /// Everything personal in a text of any bytes, in order; nothing overlaps another, nor what is
    /// `taken` (in any order).
    pub fn scan(&self, text: &[u8], taken: &[Finding]) -> Vec<Personal> {
        if self.policy.is_off() {
            return Vec::new();
        }
        let mut found = Found::new(&self.policy, taken);
        let runs = runs::of_digits(text);
        self.numbers(text, &runs, &mut found);
        if found.wants(Family::Crypto) {
            for (range, coin) in crypto::find(text) {
                found.add(
                    Family::Crypto,
                    coin.kind(),
                    coin.rule(),
                    range,
                    Confidence::High,
                );
            }
        }
        if found.wants(Family::Email) {
            for range in mail::find(text) {
                found.add(Family::Email, "EMAIL", "email", range, Confidence::Medium);
            }
        }
        if found.wants(Family::Phone) {
            for range in phone::international(text).chain(phone::national(text, &runs)) {
                found.add(Family::Phone, "PHONE", "phone", range, Confidence::Medium);
            }
        }
        found
            .kept
            .into_values()
            .flat_map(|(_, personal)| personal)
            .collect()
    }

    /// Everything that begins with digits.
    fn numbers(&self, text: &[u8], runs: &[Range<usize>], found: &mut Found<'_>) {
        let accounts = found.wants(Family::Iban);
        let mut done = 0;
        for run in runs {
            if run.start < done {
                continue;
            }
            if accounts && let Some(range) = iban::find(text, run) {
                done = range.end;
                found.add(Family::Iban, "IBAN", "iban", range, Confidence::High);
            } else if let Some(seen) = self.numbers.find(text, run) {
                done = seen.range.end;
                found.number(seen);
            }
        }
    }
}

/// What was found so far: the first to take a place keeps it.
struct Found<'a> {
    policy: &'a Policy,
    /// Ends, by start; what was taken from the outset has nobody.
    kept: BTreeMap<usize, (usize, Option<Personal>)>,
}

impl<'a> Found<'a> {
    fn new(policy: &'a Policy, taken: &[Finding]) -> Self {
        let ends = taken
            .iter()
            .map(|finding| (finding.range.start, (finding.range.end, None)));
        Self {
            policy,
            kept: ends.collect(),
        }
    }

    fn wants(&self, family: Family) -> bool {
        self.policy.of(family) != Action::Off
    }

    fn number(&mut self, seen: Seen) {
        let Seen {
            range,
            number,
            confidence,
        } = seen;
        self.add(number.family, number.kind, number.rule, range, confidence);
    }

    fn add(
        &mut self,
        family: Family,
        kind: &str,
        rule: &str,
        range: Range<usize>,
        confidence: Confidence,
    ) {
        let last = self.kept.range(..range.end).next_back();
        let free = last.is_none_or(|(_, (end, _))| *end <= range.start);
        if let Some(kind) = Kind::parse(kind).filter(|_| free) {
            let (start, end, action) = (range.start, range.end, self.policy.of(family));
            let finding = Finding {
                range,
                kind,
                rule: rule.into(),
                confidence,
            };
            self.kept
                .insert(start, (end, Some(Personal { finding, action })));
        }
    }
}

impl Coin {
    fn kind(self) -> &'static str {
        match self {
            Self::Bitcoin => "BTC",
            Self::Ethereum => "ETH",
        }
    }

    fn rule(self) -> &'static str {
        match self {
            Self::Bitcoin => "bitcoin-address",
            Self::Ethereum => "ethereum-address",
        }
    }
}
