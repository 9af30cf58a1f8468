//! Texts that are written to cost much: what is counted is steps, not time.

use super::{SCANNER, expand, source};
use crate::inspect::secrets::{engine::Hit, landmarks::Words, sweep::Sweep};

/// A text of this many bytes for each rule.
const LEN: usize = 2 << 10;

/// Texts in which a rule fires as often as it can, and finds nothing or something.
fn texts(template: &str) -> Vec<Vec<u8>> {
    let text = expand(template, 5).text.into_bytes();
    let half = text.get(..text.len() / 2).unwrap_or_default();
    let repeat = |piece: &[u8]| piece.iter().copied().cycle().take(LEN).collect();
    vec![
        repeat(&text),
        repeat(half),
        repeat(&text[..text.len().min(9)]),
    ]
}

#[test]
fn a_rule_is_tried_at_no_place_twice() {
    for source in source::builtin().unwrap() {
        let id = source.text.id;
        for text in source.text.examples.iter().flat_map(|e| texts(e)) {
            let mut sweep = Sweep::new(&SCANNER.rules, &text);
            SCANNER
                .engine
                .scan(&text, &Words::of(&text), &mut |hit| sweep.check(hit))
                .unwrap();
            let most = *sweep.tries.iter().max().unwrap();
            assert!(most <= text.len(), "{id}: {most} tries");
        }
    }
}

#[test]
fn a_trigger_at_every_byte_costs_every_rule_one_try_a_byte() {
    let text = b"A".repeat(LEN);
    let mut sweep = Sweep::new(&SCANNER.rules, &text);
    for end in 0..=text.len() {
        for rule in 0..SCANNER.rules.len() {
            sweep.check(Hit { rule, end });
        }
    }
    assert!(sweep.tries.iter().all(|tries| *tries <= text.len() + 1));
    assert!(sweep.finish().findings.is_empty());
}
