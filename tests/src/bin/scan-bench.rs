//! `cargo xtask bench secrets`: what finding secrets costs, on text that AI tools send, and `codegate
//! scan` beside another scanner on the same files.
//!
//! CPU time is the figure to trust on a shared machine: rates are bytes per second of CPU time of one
//! thread; the two programs run in turns, each on one core, and wall-clock time is shown beside it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement that fails loudly, for people to read"
)]

#[path = "scan-bench/corpus.rs"]
mod corpus;
#[path = "scan-bench/engine.rs"]
mod engine;
#[path = "scan-bench/rival.rs"]
mod rival;

use std::path::PathBuf;

/// What the measurements run on.
fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (rounds, rest) = match words[..] {
        ["--rounds", rounds, ref rest @ ..] => (rounds.parse().unwrap(), rest),
        _ => panic!("scan-bench --rounds N [--only engine|rival] [FOLDER]"),
    };
    let (only, rest) = match rest {
        ["--only", only, rest @ ..] => (Some(*only), rest),
        rest => (None, rest),
    };
    let folder = rest.first().map_or_else(corpus::crates, PathBuf::from);
    if only != Some("rival") {
        engine::measure(&corpus::texts(&folder), rounds);
    }
    if only != Some("engine") {
        rival::measure(&folder, rounds);
    }
}

/// The median of some figures.
fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
