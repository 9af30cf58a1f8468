//! The accuracy of the rules: measured by a package of its own, since it needs the scanner.

use std::path::Path;

use anyhow::Result;

use crate::shell::cargo;

const PACKAGE: [&str; 4] = ["run", "--quiet", "--package", "codegate-accuracy"];

/// Measures everything, in a release build, and prints the tables.
pub(crate) fn run(accept: bool, failures: Option<&Path>) -> Result<()> {
    let mut words = cargo(&PACKAGE).args(["--release", "--"]);
    if accept {
        words = words.arg("--accept");
    }
    if let Some(path) = failures {
        words = words.arg("--failures").arg(std::path::absolute(path)?);
    }
    words.run()
}

/// Whether anything got worse that does not depend on the machine: seconds, in the build that the
/// tests use anyway.
pub(crate) fn check() -> Result<()> {
    cargo(&PACKAGE).args(["--", "--check"]).run()
}
