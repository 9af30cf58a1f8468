//! What has to hold of every change, tests aside.

use anyhow::Result;

use crate::{accuracy, ebpf, law, setup, shell::cargo};

/// Checks it all; the quick and the telling first.
pub(crate) fn run() -> Result<()> {
    setup::system()?;
    law::check()?;
    cargo(&["fmt", "--all", "--check"]).run()?;
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--quiet",
        "--",
        "--deny",
        "warnings",
    ];
    cargo(&clippy).run()?;
    accuracy::check()?;
    ebpf::run(true)
}
