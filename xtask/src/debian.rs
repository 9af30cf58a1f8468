//! Debian's archive, of any suite, whatever this machine has installed.
//!
//! A private apt reaches it: sources, state and cache of its own, the mirror from the machine's sources,
//! verified by the keyring that the machine has. Packages are unpacked, never installed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};

use crate::shell::output;

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// An apt that changes nothing on the machine.
pub(crate) struct Debian {
    store: PathBuf,
    mirror: String,
}

impl Debian {
    /// One that keeps its files in a folder; `None` where the machine is no Debian.
    pub(crate) fn open(store: PathBuf) -> Result<Option<Self>> {
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
        for folder in ["state/lists/partial", "cache/archives/partial", "packages"] {
            fs::create_dir_all(store.join(folder))?;
        }
        Ok(Some(Self { store, mirror }))
    }

    /// Turns to a suite and reads what it has.
    pub(crate) fn choose(&self, suite: &str) -> Result<()> {
        let line = format!("deb [signed-by={KEYRING}] {} {suite} main\n", self.mirror);
        fs::write(self.sources(), line)?;
        output(self.apt("apt-get").arg("update")).map(drop)
    }

    /// The versions that the suite has of a package.
    pub(crate) fn versions(&self, package: &str) -> Result<Vec<String>> {
        let table = output(self.apt("apt-cache").args(["madison", package]))?;
        Ok(versions_in(&table))
    }

    /// The packages that the newest version of a package depends on.
    pub(crate) fn depends(&self, package: &str) -> Result<Vec<String>> {
        let words = ["show", "--no-all-versions", package];
        let record = output(self.apt("apt-cache").args(words))?;
        Ok(depends_in(&record))
    }

    /// Downloads packages (`name` or `name=version`) and unpacks them into a folder.
    pub(crate) fn unpack(&self, packages: &[String], into: &Path) -> Result<()> {
        let folder = self.store.join("packages");
        fs::create_dir_all(into)?;
        output(
            self.apt("apt-get")
                .current_dir(&folder)
                .arg("download")
                .args(packages),
        )?;
        let mut unpacked = 0;
        for entry in fs::read_dir(&folder)? {
            let package = entry?.path();
            output(Command::new("dpkg").arg("-x").arg(&package).arg(into))?;
            fs::remove_file(&package)?;
            unpacked += 1;
        }
        ensure!(
            unpacked >= packages.len(),
            "apt downloaded {unpacked} of {packages:?}"
        );
        Ok(())
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

/// The second column of `apt-cache madison`.
fn versions_in(table: &str) -> Vec<String> {
    table
        .lines()
        .filter_map(|line| line.split('|').nth(1))
        .map(|version| version.trim().to_owned())
        .collect()
}

/// The names in a record's `Depends`, the first of alternatives.
fn depends_in(record: &str) -> Vec<String> {
    let field = record
        .lines()
        .find_map(|line| line.strip_prefix("Depends: "))
        .unwrap_or_default();
    field
        .split(',')
        .filter_map(|clause| clause.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_the_main_archives() {
        let targets = "http://a.test/debian-security main\nhttp://b.test/apt main\n\
                       http://c.test/debian contrib\nhttp://d.test/debian main\n";
        assert_eq!(mirror(targets).as_deref(), Some("http://d.test/debian"));
        assert_eq!(mirror("http://a.test/ubuntu main\n"), None);
    }

    #[test]
    fn reads_what_apt_prints() {
        let table = " rust-src | 1.95.0+dfsg1-2 | mirror trixie/main amd64 Packages\n\n";
        assert_eq!(versions_in(table), ["1.95.0+dfsg1-2"]);
        let record =
            "Package: x\nPre-Depends: base\nDepends: one | two, three (= 7~bpo+1)\nSize: 4";
        assert_eq!(depends_in(record), ["one", "three"]);
        assert!(depends_in("Package: x\n").is_empty());
    }
}
