//! `cargo xtask accuracy`: what the rules find, what they miss, and what they wrongly take.
//!
//! `docs/accuracy.md` says what is measured and how; this package knows the scanner only by what it
//! offers to everyone, and the rules only as data.
#![allow(clippy::print_stdout, reason = "it prints a table to a developer")]

mod baseline;
mod carriers;
#[path = "../../codegate-agent/src/inspect/secrets/check.rs"]
#[allow(
    dead_code,
    reason = "templates of examples need one function of it; it is shared, not copied"
)]
mod check;
#[path = "../../codegate-agent/src/inspect/secrets/example.rs"]
mod example;
mod forge;
mod generated;
mod grammar;
mod lookalikes;
mod marked;
mod random;
mod rules;
mod samples;
mod scan;
mod table;

use std::{fs, path::PathBuf};

use anyhow::{Result, ensure};
use baseline::Baseline;
use clap::Parser;
use codegate::inspect::secrets::Scanner;

/// Measures what the rules find, what they miss, and what they wrongly take.
#[derive(Parser)]
struct Words {
    /// Only what is generated, and only what got worse than the committed baseline.
    #[arg(long)]
    check: bool,
    /// Make what is reached now the baseline.
    #[arg(long)]
    accept: bool,
    /// Write every case that did not go well to a file.
    #[arg(long, value_name = "FILE")]
    failures: Option<PathBuf>,
}

fn main() -> Result<()> {
    let words = Words::parse();
    let rules = rules::read()?;
    let scanner = Scanner::builtin()?;
    let tally = generated::measure(&scanner, &rules)?;
    let lookalikes = lookalikes::measure(&scanner, &rules)?;
    let now = Baseline::of(&tally, &lookalikes);
    if !words.check {
        print!("{}", table::generated(&rules, &tally, &lookalikes));
    }
    if let Some(path) = &words.failures {
        fs::write(path, table::failures(&tally, &lookalikes))?;
    }
    if words.accept {
        return now.commit();
    }
    let worse = now.worse_than(&Baseline::committed()?);
    ensure!(
        worse.is_empty(),
        "accuracy got worse:\n  {}\n`cargo xtask accuracy --failures FILE` shows the cases; if it is meant, \
         `cargo xtask accuracy --accept`",
        worse.join("\n  ")
    );
    Ok(())
}
