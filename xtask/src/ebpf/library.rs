//! The source of the standard library, of which `core` is built for the BPF target.
//!
//! It must be the compiler's own version: another one does not compile. The sysroot has it where the
//! user installed it. Else Debian has a package that unpacks without being installed, in suites other
//! than the machine's, which a private apt reaches: it has sources, state and cache of its own, takes
//! the mirror from the machine's sources, and verifies by the keyring that the machine has.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

use super::{Workshop, output};

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const PACKAGE: &str = "rust-src";
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
    Ok(Debian::open(store)?.and_then(|debian| report(debian.fetch(&workshop.rustc))))
}

fn is_library(folder: &Path) -> bool {
    folder.join("core/src/lib.rs").is_file()
}

/// Where Debian's package has the library.
fn unpacked(store: &Path, version: &str) -> PathBuf {
    store.join(format!("unpacked/usr/src/rustc-{version}/library"))
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

/// An apt that changes nothing on the machine.
struct Debian {
    store: PathBuf,
    mirror: String,
}

impl Debian {
    /// `None` where the machine is no Debian.
    fn open(store: PathBuf) -> Result<Option<Self>> {
        if !Path::new(KEYRING).is_file() {
            return Ok(None);
        }
        let Ok(targets) = output(
            Command::new("apt-get")
                .args(["indextargets", "--format", "$(SITE) $(COMPONENT)"])
                .arg("Created-By: Packages"),
        ) else {
            return Ok(None);
        };
        let Some(mirror) = mirror(&targets) else {
            return Ok(None);
        };
        for folder in ["state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(store.join(folder))?;
        }
        Ok(Some(Self { store, mirror }))
    }

    /// Downloads and unpacks the package that belongs to a compiler.
    fn fetch(&self, rustc: &str) -> Result<PathBuf> {
        for suite in SUITES {
            self.choose(suite)?;
            if let Some(version) = self.version_for(rustc)? {
                eprintln!("unpacking {PACKAGE} {version} from {suite}: nothing is installed");
                return self.unpack(rustc, &version);
            }
        }
        anyhow::bail!("no suite of {SUITES:?} has it for rustc {rustc}")
    }

    fn choose(&self, suite: &str) -> Result<()> {
        let line = format!("deb [signed-by={KEYRING}] {} {suite} main\n", self.mirror);
        fs::write(self.sources(), line)?;
        output(self.apt("apt-get").arg("update")).map(drop)
    }

    /// The package's version that begins with the compiler's: `1.95.0+dfsg1-2~bpo13+1`.
    fn version_for(&self, rustc: &str) -> Result<Option<String>> {
        let table = output(self.apt("apt-cache").args(["madison", PACKAGE]))?;
        Ok(version_in(&table, rustc))
    }

    fn unpack(&self, rustc: &str, version: &str) -> Result<PathBuf> {
        output(
            self.apt("apt-get")
                .arg("download")
                .arg(format!("{PACKAGE}={version}")),
        )?;
        let package = self.package()?;
        output(
            Command::new("dpkg")
                .arg("-x")
                .arg(&package)
                .arg(self.store.join("unpacked")),
        )?;
        fs::remove_file(&package)?;
        let library = unpacked(&self.store, rustc);
        ensure!(
            is_library(&library),
            "the package has no {}",
            library.display()
        );
        remove_siblings(&library)?;
        Ok(library)
    }

    /// What apt has just downloaded.
    fn package(&self) -> Result<PathBuf> {
        fs::read_dir(&self.store)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
            .context("apt downloaded nothing")
    }

    fn apt(&self, program: &str) -> Command {
        let store = self.store.display();
        let mut command = Command::new(program);
        command.current_dir(&self.store);
        for option in [
            format!("Dir::Etc::sourcelist={}", self.sources().display()),
            "Dir::Etc::sourceparts=-".to_owned(),
            format!("Dir::State={store}/state"),
            "Dir::State::status=/dev/null".to_owned(),
            format!("Dir::Cache={store}/cache"),
            // As root, apt would hand over to a user that may not write here.
            "APT::Sandbox::User=root".to_owned(),
            // An update that half fails is a failure.
            "APT::Update::Error-Mode=any".to_owned(),
        ] {
            command.arg("-o").arg(option);
        }
        command
    }

    fn sources(&self) -> PathBuf {
        self.store.join("sources.list")
    }
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

/// The mirror of the machine's own sources that has Debian itself, rather than its security updates.
fn mirror(targets: &str) -> Option<String> {
    targets
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(site, component)| *component == "main" && is_main_archive(site))
        .map(|(site, _)| site.to_owned())
}

fn is_main_archive(site: &str) -> bool {
    site.trim_end_matches('/').ends_with("/debian")
}

fn version_in(table: &str, rustc: &str) -> Option<String> {
    table
        .lines()
        .filter_map(|line| line.split('|').nth(1))
        .map(str::trim)
        .find(|version| {
            version
                .strip_prefix(rustc)
                .is_some_and(|rest| rest.starts_with('+'))
        })
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_must_equal_the_compilers() {
        let table = " rust-src | 1.95.10+dfsg1-1 | mirror trixie/main amd64 Packages\n \
                     rust-src | 1.95.1+dfsg1-2~bpo13+1 | mirror trixie/main amd64 Packages\n";
        assert_eq!(
            version_in(table, "1.95.1").as_deref(),
            Some("1.95.1+dfsg1-2~bpo13+1")
        );
        assert_eq!(version_in(table, "1.95.0"), None);
        assert_eq!(version_in("", "1.95.1"), None);
    }

    #[test]
    fn the_mirror_is_the_main_archives() {
        let targets = "http://a.test/debian-security main\nhttp://b.test/apt main\n\
                       http://c.test/debian contrib\nhttp://d.test/debian main\n";
        assert_eq!(mirror(targets).as_deref(), Some("http://d.test/debian"));
        assert_eq!(mirror("http://a.test/ubuntu main\n"), None);
    }
}
