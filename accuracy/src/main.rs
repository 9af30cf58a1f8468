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
mod labelled;
mod lookalikes;
mod marked;
mod random;
mod rules;
mod samples;
mod scan;
mod table;

use std::{fs, path::Path, path::PathBuf, process::ExitCode};

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
    /// Only the benign corpora.
    #[arg(long)]
    benign: bool,
    /// Only the labelled texts: seconds.
    #[arg(long)]
    labelled: bool,
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
    let scanner = Scanner::builtin()?;
    if words.labelled {
        return only_labelled(&scanner, words.failures.as_deref());
    }
    if words.benign {
        return only_benign(&scanner, words.failures.as_deref());
    }
    let rules = rules::read()?;
    let tally = generated::measure(&scanner, &rules)?;
    let lookalikes = lookalikes::measure(&scanner, &rules)?;
    let labelled = labelled::measure(&scanner)?;
    let mut now = Baseline::of(&tally, &lookalikes);
    now.add_labelled(&labelled);
    let mut benign = Vec::new();
    if !words.check {
        print!("{}", table::generated(&rules, &tally, &lookalikes));
        print!("{}", table::labelled(&labelled));
        benign = benign::measure(&scanner)?;
        print!("{}", table::benign(&benign));
        now.add_benign(&benign);
    }
    if let Some(path) = &words.failures {
        let failures = table::failures(&tally, &lookalikes, &benign);
        fs::write(path, failures + &table::labelled_failures(&labelled))?;
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

fn only_benign(scanner: &Scanner, failures: Option<&Path>) -> Result<()> {
    let benign = benign::measure(scanner)?;
    print!("{}", table::benign(&benign));
    if let Some(path) = failures {
        fs::write(path, table::benign_failures(&benign))?;
    }
    Ok(())
}

fn only_labelled(scanner: &Scanner, failures: Option<&Path>) -> Result<()> {
    let labelled = labelled::measure(scanner)?;
    print!("{}", table::labelled(&labelled));
    if let Some(path) = failures {
        fs::write(path, table::labelled_failures(&labelled))?;
    }
    Ok(())
}
