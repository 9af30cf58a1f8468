//! bpf-linker, in the version that fits our compiler.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};

/// The last one that links with rustc's own LLVM; newer ones want an LLVM of the system's.
pub(super) const VERSION: &str = "0.10.4";

/// The installed one if it has the version; else one of our own, which takes a minute or two, once.
pub(super) fn find_or_install(scratch: &Path) -> Result<PathBuf> {
    let own = scratch.join("tools/bin/bpf-linker");
    for candidate in [PathBuf::from("bpf-linker"), own.clone()] {
        if is_right(&candidate) {
            return Ok(candidate);
        }
    }
    install(&scratch.join("tools"))?;
    ensure!(
        is_right(&own),
        "cargo installed a bpf-linker that is not {VERSION}"
    );
    Ok(own)
}

fn is_right(linker: &Path) -> bool {
    crate::shell::output(Command::new(linker).arg("--version"))
        .is_ok_and(|text| text.split_whitespace().any(|word| word == VERSION))
}

fn install(root: &Path) -> Result<()> {
    let installed = Command::new(super::cargo())
        .args(["install", "--locked", "--root"])
        .arg(root)
        .arg(format!("bpf-linker@{VERSION}"))
        .status()?
        .success();
    ensure!(installed, "cannot install bpf-linker {VERSION}");
    Ok(())
}
