//! Builds the eBPF object, or checks that the committed one is what its source makes.
//!
//! Knows: the toolchain of the BPF target. Must not know: what the programs do.
//!
//! Availability over completeness: a machine that cannot build the object keeps the committed one and
//! is told why. But where it can be built, a byte that differs is an error.
#![allow(clippy::print_stderr, reason = "xtask talks to a developer")]

mod library;
mod linker;
mod object;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::shell::output;

/// Little-endian BPF: the machines that the agent runs on.
const TARGET: &str = "bpfel-unknown-none";
const PACKAGE: &str = "codegate-ebpf";
const COMMITTED: &str = "codegate-ebpf/codegate.bpf.o";

/// Makes crates' identities independent of the checkout's path.
const WRAPPER: &str = "xtask/src/ebpf/rustc.sh";

/// A profile of its own: a change of the agent's must not change the object.
const PROFILE: [&str; 9] = [
    "profile.bpf.inherits='release'",
    "profile.bpf.opt-level=3",
    "profile.bpf.codegen-units=1",
    "profile.bpf.debug=2",
    "profile.bpf.strip='none'",
    "profile.bpf.lto=false",
    "profile.bpf.panic='abort'",
    "profile.bpf.overflow-checks=false",
    "profile.bpf.debug-assertions=false",
];

/// Where things are, and with what they are built.
struct Workshop {
    /// The workspace.
    root: PathBuf,
    /// All that is made on the way: the library's source, the linker, cargo's files.
    scratch: PathBuf,
    /// The compiler's version, as in `1.95.0`.
    rustc: String,
}

/// `cargo xtask ebpf`: builds the object into its place; with `check`, compares it with the one there.
///
/// # Errors
/// When the build fails, or the committed object is not what the source makes.
pub(crate) fn run(check: bool) -> Result<()> {
    let workshop = Workshop::open()?;
    let committed = workshop.root.join(COMMITTED);
    if check && let Some(other) = workshop.other_compiler(&committed)? {
        warn(&format!(
            "the object is {other}'s, and rustc {} makes other bytes",
            workshop.rustc
        ));
        return Ok(());
    }
    let Some(library) = library::find(&workshop)? else {
        warn(&format!(
            "no source of the standard library of rustc {} here",
            workshop.rustc
        ));
        return Ok(());
    };
    let made = workshop.build(&library)?;
    if check {
        compare(&committed, &made)
    } else {
        replace(&committed, &made)
    }
}

fn warn(why: &str) {
    eprintln!("warning: {why}: {COMMITTED} was NOT built or checked, the committed object stays");
}

fn compare(committed: &Path, made: &[u8]) -> Result<()> {
    let there = fs::read(committed).with_context(|| format!("cannot read {COMMITTED}"))?;
    if let Some(offset) = first_difference(&there, made) {
        bail!(
            "{COMMITTED} is not what its source makes: {} bytes are committed, {} were built, and \
             they differ from byte {offset} on. Run `cargo xtask ebpf` and commit the object.",
            there.len(),
            made.len(),
        );
    }
    eprintln!(
        "{COMMITTED}: {} bytes, just as its source makes them",
        made.len()
    );
    Ok(())
}

fn first_difference(a: &[u8], b: &[u8]) -> Option<usize> {
    let common = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    (common < a.len().max(b.len())).then_some(common)
}

fn replace(committed: &Path, made: &[u8]) -> Result<()> {
    let same = fs::read(committed).is_ok_and(|there| there == made);
    if !same {
        fs::write(committed, made).with_context(|| format!("cannot write {COMMITTED}"))?;
    }
    eprintln!(
        "{COMMITTED}: {} bytes, {}",
        made.len(),
        if same { "unchanged" } else { "written" }
    );
    Ok(())
}

impl Workshop {
    fn open() -> Result<Self> {
        let root = workspace()?;
        let version = output(Command::new("rustc").arg("-vV"))?;
        let rustc = version
            .lines()
            .find_map(|line| line.strip_prefix("release: "))
            .context("rustc -vV tells no release")?;
        Ok(Self {
            scratch: root.join("target/ebpf"),
            root,
            rustc: rustc.to_owned(),
        })
    }

    /// Who built the committed object, if it was another compiler than this one.
    fn other_compiler(&self, committed: &Path) -> Result<Option<String>> {
        let object = fs::read(committed).with_context(|| format!("cannot read {COMMITTED}"))?;
        let origin = object::origin(&object)?;
        Ok((origin != self.origin()).then_some(origin))
    }

    /// What the object says of its making.
    fn origin(&self) -> String {
        format!("rustc {}, bpf-linker {}", self.rustc, linker::VERSION)
    }

    /// Builds the programs and takes away what only a debugger needs.
    fn build(&self, library: &Path) -> Result<Vec<u8>> {
        let linker = linker::find_or_install(&self.scratch)?;
        self.show_library(library)?;
        let mut cargo = Command::new(cargo());
        cargo
            .current_dir(&self.root)
            .args(["build", "--locked", "--profile", "bpf", "--target", TARGET])
            .args([
                "--package",
                PACKAGE,
                "--bin",
                PACKAGE,
                "--features",
                "programs",
            ])
            .args(["-Z", "build-std=core", "--target-dir"])
            .arg(self.scratch.join("target"))
            .args(PROFILE.iter().flat_map(|setting| ["--config", setting]));
        self.set_environment(&mut cargo, &linker)?;
        ensure!(cargo.status()?.success(), "the eBPF programs do not build");
        let built = self
            .scratch
            .join("target")
            .join(TARGET)
            .join("bpf")
            .join(PACKAGE);
        let built = fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?;
        object::finish(&built, &self.origin())
    }

    /// `RUSTC_BOOTSTRAP` lets a stable compiler build its own core for another target.
    fn set_environment(&self, cargo: &mut Command, linker: &Path) -> Result<()> {
        cargo
            .env("RUSTC_BOOTSTRAP", "1")
            .env("__CARGO_TESTS_ONLY_SRC_ROOT", self.library_link())
            .env("CARGO_TARGET_BPFEL_UNKNOWN_NONE_LINKER", linker)
            .env("CARGO_ENCODED_RUSTFLAGS", self.flags()?.join("\u{1f}"))
            .env("RUSTC_WRAPPER", self.root.join(WRAPPER))
            .env_remove("RUSTC_WORKSPACE_WRAPPER");
        Ok(())
    }

    /// BTF needs debug information; paths in it are made independent of the machine.
    fn flags(&self) -> Result<Vec<String>> {
        let mut flags = vec![
            r#"--cfg=bpf_target_arch="x86_64""#.to_owned(),
            "-Cdebuginfo=2".to_owned(),
            "-Clink-arg=--btf".to_owned(),
            format!("--remap-path-prefix={}=codegate", self.root.display()),
        ];
        for registry in registries()? {
            flags.push(format!(
                "--remap-path-prefix={}=registry",
                registry.display()
            ));
        }
        Ok(flags)
    }

    /// Cargo names files from the workspace on if they lie therein, and debug information repeats it.
    /// So the library always lies there, at the same place, wherever it comes from.
    fn show_library(&self, library: &Path) -> Result<()> {
        let link = self.library_link();
        if fs::read_link(&link).is_ok_and(|there| there == library) {
            return Ok(());
        }
        if link.is_symlink() {
            fs::remove_file(&link)?;
        }
        fs::create_dir_all(&self.scratch)?;
        std::os::unix::fs::symlink(library, &link)
            .with_context(|| format!("cannot make the link {}", link.display()))
    }

    fn library_link(&self) -> PathBuf {
        self.scratch.join("library")
    }
}

/// `cargo run` tells where this package is now; that it was built elsewhere does not matter.
fn workspace() -> Result<PathBuf> {
    let package = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package
        .parent()
        .map(Path::to_owned)
        .context("xtask lies in no workspace")
}

/// The folders into which cargo unpacks what it downloads, one per registry.
fn registries() -> Result<Vec<PathBuf>> {
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")))
        .context("neither CARGO_HOME nor HOME is set")?;
    let Ok(folders) = fs::read_dir(home.join("registry/src")) else {
        return Ok(Vec::new());
    };
    folders.map(|folder| Ok(folder?.path())).collect()
}

fn cargo() -> std::ffi::OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_differ_where_they_differ() {
        assert_eq!(first_difference(b"abc", b"abc"), None);
        assert_eq!(first_difference(b"abc", b"abd"), Some(2));
        assert_eq!(first_difference(b"abc", b"ab"), Some(2));
        assert_eq!(first_difference(b"", b"a"), Some(0));
    }
}
