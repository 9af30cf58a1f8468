//! The tests: those that run anywhere, then those that need root and a kernel, one after the other.

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    setup,
    shell::{cargo, find, root},
    vm,
};

/// The tests of the lab itself: no agent, no eBPF.
const LAB: &str = "lab";
/// The tests of the eBPF programs by themselves.
const KERNEL: &str = "kernel";
/// The same in other kernels.
const MATRIX: &str = "other kernels";

/// Runs them all, even when some fail, and prints what was counted.
pub(crate) fn run() -> Result<()> {
    setup::run()?;
    cargo(&["build", "--package", "codegate-agent"]).run()?;
    let mut counts = BTreeMap::new();
    counts.insert("unit", everywhere()?);
    let others: Vec<String> = suites()?
        .into_iter()
        .filter(|s| s != LAB && s != KERNEL)
        .collect();
    counts.insert("lab", in_the_lab(&["--lib", "--test", LAB])?);
    counts.insert(KERNEL, in_the_lab(&["--test", KERNEL])?);
    let words: Vec<&str> = others.iter().flat_map(|suite| ["--test", suite]).collect();
    counts.insert("agent", in_the_lab(&words)?);
    if let Some(said) = vm::run(&vm::EVERY_TIME.map(str::to_owned))? {
        counts.insert(MATRIX, count(said)?);
    }
    report(&counts)
}

/// Runs the tests of the eBPF programs in other kernels: those of some Debian suites, or all.
pub(crate) fn matrix(suites: &[String]) -> Result<()> {
    setup::system()?;
    let said = vm::run(suites)?.context("no kernel was tried")?;
    report(&BTreeMap::from([(MATRIX, count(said)?)]))
}

/// What a runner counted, and whether it ended well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    passed: usize,
    failed: usize,
    broken: bool,
}

/// Unit and property tests.
fn everywhere() -> Result<Count> {
    let words = [
        "--workspace",
        "--exclude",
        "codegate-tests",
        "--no-fail-fast",
    ];
    let command = if find("cargo-nextest").is_some() {
        cargo(&["nextest", "run", "--color", "never"]).args(words)
    } else {
        cargo(&["test"]).args(words)
    };
    count(command.env("CARGO_TERM_COLOR", "never").tee()?)
}

/// Tests of the lab's package: as root, and one at a time, for they measure time.
fn in_the_lab(suites: &[&str]) -> Result<Count> {
    let words = ["--package", "codegate-tests", "--no-fail-fast"];
    let command = if find("cargo-nextest").is_some() {
        cargo(&["nextest", "run", "--color", "never", "--test-threads", "1"])
            .args(words)
            .args(suites)
    } else {
        cargo(&["test"])
            .args(words)
            .args(suites)
            .args(["--", "--test-threads", "1"])
    };
    count(command.with_root().env("CARGO_TERM_COLOR", "never").tee()?)
}

/// The names of the lab's integration tests.
fn suites() -> Result<Vec<String>> {
    let folder = root().join("tests/tests");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let is_suite = path.extension().is_some_and(|extension| extension == "rs");
        if is_suite || path.join("main.rs").exists() {
            names.extend(
                path.file_stem()
                    .map(|name| name.to_string_lossy().into_owned()),
            );
        }
    }
    names.sort();
    Ok(names)
}

fn count((well, lines): (bool, Vec<String>)) -> Result<Count> {
    let mut total = Count {
        broken: !well,
        ..Count::default()
    };
    for line in lines.iter().filter(|line| is_closing(line)) {
        total.passed += number_before(line, "passed");
        total.failed += number_before(line, "failed") + number_before(line, "timed out");
    }
    ensure!(
        total.passed + total.failed > 0 || total.broken,
        "the test runner counted nothing"
    );
    Ok(total)
}

/// `test result: …` of cargo's own runner, `Summary […] N tests run: …` of nextest.
fn is_closing(line: &str) -> bool {
    line.starts_with("test result: ")
        || (line.trim_start().starts_with("Summary [") && line.contains(" run: "))
}

/// The number that stands right before a word.
fn number_before(line: &str, word: &str) -> usize {
    let before = line
        .split(word)
        .next()
        .filter(|before| before.len() < line.len());
    let number = before.and_then(|before| before.split_whitespace().next_back());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn report(counts: &BTreeMap<&str, Count>) -> Result<()> {
    let ran = |name| {
        counts
            .get(name)
            .map_or(0, |count: &Count| count.passed + count.failed)
    };
    println!(
        "\neBPF: {} tests of the programs by themselves, {} in other kernels and {} through an attached \
         agent really ran",
        ran(KERNEL),
        ran(MATRIX),
        ran("agent"),
    );
    let total = |of: fn(&Count) -> usize| counts.values().map(of).sum::<usize>();
    let broken: Vec<&str> = counts
        .iter()
        .filter(|(_, count)| count.broken)
        .map(|(name, _)| *name)
        .collect();
    println!(
        "{} passed, {} failed",
        total(|c| c.passed),
        total(|c| c.failed)
    );
    if !broken.is_empty() {
        bail!("these did not end well: {}", broken.join(", "));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    fn counted(well: bool, lines: &[&str]) -> Count {
        count((well, lines.iter().map(|line| (*line).to_owned()).collect())).unwrap()
    }

    #[test]
    fn reads_the_closing_lines_of_both_runners() {
        let cargo = [
            "test a ... ok",
            "test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out",
            "test result: FAILED. 9 passed; 1 failed; 0 ignored; 0 measured",
        ];
        assert_eq!(
            counted(false, &cargo),
            Count {
                passed: 14,
                failed: 1,
                broken: true
            }
        );
        let nextest =
            ["     Summary [   1.203s] 12 tests run: 10 passed (1 slow), 2 failed, 3 skipped"];
        assert_eq!(
            counted(true, &nextest),
            Count {
                passed: 10,
                failed: 2,
                broken: false
            }
        );
    }

    #[test]
    fn a_runner_that_counts_nothing_is_an_error() {
        assert!(count((true, vec!["Finished".to_owned()])).is_err());
    }
}
