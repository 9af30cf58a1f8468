//! The kernel matrix: the tests of the eBPF programs on Debian's kernels, old and new, each in a machine
//! of its own.
//!
//! Knows: which kernels, what such a machine needs, how its words are read. Must not know: what the tests
//! test.
//!
//! A machine has a kernel and a root file system in memory, no disk and no network. It is emulated, which
//! makes it ten times slower, works everywhere, and does not change what the kernel says.

mod image;
mod kernel;
mod machine;

use std::{collections::BTreeSet, path::PathBuf};

use anyhow::{Result, bail};

use crate::{
    debian::Debian,
    setup,
    shell::{cargo, target},
};

use self::{image::Image, kernel::Kernel};

/// The suites whose kernels are tried: 5.10, 6.1, 6.12, and the newest that there is.
const SUITES: [&str; 4] = ["bullseye", "bookworm", "trixie", "trixie-backports"];
/// Those that are tried with every change: two in which the programs differ from the newest's. Each takes ten
/// minutes, and all of them are more than a change can wait for.
pub(crate) const EVERY_TIME: [&str; 2] = ["bullseye", "bookworm"];
/// The suite of tests that runs in each.
const TESTS: &str = "kernel";

/// Runs the tests in every kernel, or in those of some suites: whether all ended well, and each one's lines.
/// `None`, with the reason on standard error, where this machine has no way to the kernels.
pub(crate) fn run(only: &[String]) -> Result<Option<(bool, Vec<String>)>> {
    let unknown = |suite: &&String| !SUITES.contains(&suite.as_str());
    if let Some(suite) = only.iter().find(unknown) {
        bail!(
            "no kernel of {suite} is tried: there are {}",
            SUITES.join(", ")
        );
    }
    let Some(kernels) = kernels(only)? else {
        return Ok(None);
    };
    setup::machines()?;
    let programs = build()?;
    let (mut well, mut told) = (true, Vec::new());
    for kernel in kernels {
        let image = Image::new(&kernel, &programs)?;
        let (ended_well, lines) = machine::run(&kernel, &image)?;
        well &= ended_well;
        told.extend(lines);
    }
    Ok(Some((well, told)))
}

/// The kernels, downloaded where they are not here yet.
fn kernels(only: &[String]) -> Result<Option<Vec<Kernel>>> {
    if std::env::consts::ARCH != "x86_64" {
        eprintln!("warning: the kernels that are tried are those of x86-64 machines");
        return Ok(None);
    }
    let folder = target().join("vm");
    let Some(debian) = Debian::open(folder.join("apt"))? else {
        eprintln!("warning: this machine has no Debian archive to take kernels from");
        return Ok(None);
    };
    let wanted = |suite: &&&str| only.is_empty() || only.iter().any(|wanted| wanted == **suite);
    SUITES
        .iter()
        .filter(wanted)
        .map(|suite| Kernel::of(suite, &folder, &debian))
        .collect::<Result<_>>()
        .map(Some)
}

/// What is built for the machines.
pub(super) struct Programs {
    /// The tests.
    tests: PathBuf,
    /// What they start, by the paths that are compiled into them.
    others: BTreeSet<PathBuf>,
}

/// Builds the tests, and finds them in what cargo says.
fn build() -> Result<Programs> {
    let words = [
        "test",
        "--package",
        "codegate-tests",
        "--test",
        TESTS,
        "--no-run",
        "--message-format",
        "json-render-diagnostics",
    ];
    let said = cargo(&words).read()?;
    let mut programs = Programs {
        tests: PathBuf::new(),
        others: BTreeSet::new(),
    };
    for artifact in said.lines().filter_map(executable) {
        match artifact {
            (true, path) => programs.tests = path,
            (false, path) => _ = programs.others.insert(path),
        }
    }
    if programs.tests.as_os_str().is_empty() {
        bail!("cargo did not say where it put the tests");
    }
    Ok(programs)
}

/// The program that a line of cargo's tells of, and whether it is the tests.
fn executable(line: &str) -> Option<(bool, PathBuf)> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    let path = message.get("executable")?.as_str()?;
    let of_tests = message.pointer("/profile/test")?.as_bool()?;
    Some((of_tests, path.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_says_where_it_put_what() {
        let line = |executable: &str, test| {
            format!(
                r#"{{"reason":"compiler-artifact","profile":{{"test":{test}}},"executable":{executable}}}"#
            )
        };
        assert_eq!(
            executable(&line("\"/t/kernel-1\"", true)),
            Some((true, "/t/kernel-1".into()))
        );
        assert_eq!(
            executable(&line("\"/t/hold\"", false)),
            Some((false, "/t/hold".into()))
        );
        assert_eq!(executable(&line("null", false)), None);
        assert_eq!(
            executable(r#"{"reason":"build-finished","success":true}"#),
            None
        );
        assert_eq!(executable("garbage"), None);
    }
}
