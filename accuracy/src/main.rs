//! `cargo xtask accuracy`: what the rules find, what they miss, and what they wrongly take.
//!
//! `docs/accuracy.md` says what is measured and how; this package knows the scanner only by what it
//! offers to everyone, and the rules only as data.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it prints tables to a developer"
)]

mod baseline;
mod benign;
mod carriers;
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

use std::{fs, path::PathBuf, process::ExitCode};

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

fn main() -> ExitCode {
    match run(&Words::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without the backtrace that a `Result` of main would print.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &Words) -> Result<()> {
    let rules = rules::read()?;
    let scanner = Scanner::builtin()?;
    let tally = generated::measure(&scanner, &rules)?;
    let lookalikes = lookalikes::measure(&scanner, &rules)?;
    let mut now = Baseline::of(&tally, &lookalikes);
    let mut benign = Vec::new();
    if !words.check {
        print!("{}", table::generated(&rules, &tally, &lookalikes));
        benign = benign::measure(&scanner)?;
        print!("{}", table::benign(&benign));
        now.add_benign(&benign);
    }
    if let Some(path) = &words.failures {
        fs::write(path, table::failures(&tally, &lookalikes, &benign))?;
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
