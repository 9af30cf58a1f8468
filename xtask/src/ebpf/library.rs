//! The source of the standard library, of which `core` is built for the BPF target.
//!
//! It must be the compiler's own version: another one does not compile. The sysroot has it where the
//! user installed it. Else Debian has a package that unpacks without being installed, in suites other
//! than the machine's.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

use super::Workshop;
use crate::{debian::Debian, shell::output};

const PACKAGE: &str = "rust-src";
const UNPACKED: &str = "unpacked";
/// Where a newer rustc than a stable Debian's is found, the smallest index first.
const SUITES: [&str; 3] = ["trixie-backports", "testing", "unstable"];

/// The folder `library`; `None` if this machine has no way to it.
pub(super) fn find(workshop: &Workshop) -> Result<Option<PathBuf>> {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let own = Path::new(sysroot.trim_end()).join("lib/rustlib/src/rust/library");
    if is_library(&own) {
        return Ok(Some(own));
    }
    let store = workshop
        .scratch
        .join(format!("rust-src-{}", workshop.rustc));
    let unpacked = unpacked(&store, &workshop.rustc);
    if is_library(&unpacked) {
        return Ok(Some(unpacked));
    }
    let debian = Debian::open(store.clone())?;
    Ok(debian.and_then(|debian| report(fetch(&debian, &store, &workshop.rustc))))
}

fn is_library(folder: &Path) -> bool {
    folder.join("core/src/lib.rs").is_file()
}

/// Where Debian's package has the library.
fn unpacked(store: &Path, version: &str) -> PathBuf {
    store
        .join(UNPACKED)
        .join(format!("usr/src/rustc-{version}/library"))
}

/// A mirror that cannot be reached is no reason to fail.
fn report(fetched: Result<PathBuf>) -> Option<PathBuf> {
    match fetched {
        Ok(library) => Some(library),
        Err(error) => {
            eprintln!("warning: Debian's package {PACKAGE} is out of reach: {error:#}");
            None
        }
    }
}

/// Downloads and unpacks the package that belongs to a compiler.
fn fetch(debian: &Debian, store: &Path, rustc: &str) -> Result<PathBuf> {
    for suite in SUITES {
        debian.choose(suite)?;
        let versions = debian.versions(PACKAGE)?;
        if let Some(version) = versions.iter().find(|version| is_of(version, rustc)) {
            eprintln!("unpacking {PACKAGE} {version} from {suite}: nothing is installed");
            debian.unpack(&[format!("{PACKAGE}={version}")], &store.join(UNPACKED))?;
            let library = unpacked(store, rustc);
            ensure!(
                is_library(&library),
                "the package has no {}",
                library.display()
            );
            remove_siblings(&library)?;
            return Ok(library);
        }
    }
    anyhow::bail!("no suite of {SUITES:?} has it for rustc {rustc}")
}

/// Whether a package's version (`1.95.0+dfsg1-2~bpo13+1`) is that of a compiler.
fn is_of(version: &str, rustc: &str) -> bool {
    version
        .strip_prefix(rustc)
        .is_some_and(|rest| rest.starts_with('+'))
}

/// The compiler's source comes with it, six times as large.
fn remove_siblings(library: &Path) -> Result<()> {
    for entry in fs::read_dir(library.parent().context("a library without a source")?)? {
        let entry = entry?;
        if entry.path() != library && entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_must_equal_the_compilers() {
        assert!(is_of("1.95.1+dfsg1-2~bpo13+1", "1.95.1"));
        assert!(!is_of("1.95.10+dfsg1-1", "1.95.1"));
        assert!(!is_of("1.95.1+dfsg1-2", "1.95.0"));
    }
}
