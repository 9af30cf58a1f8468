//! One of Debian's kernels: which packages it is in, and where its parts lie when they are unpacked.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::debian::Debian;

/// Follows the newest kernel for virtual machines.
const META: &str = "linux-image-cloud-amd64";
/// What a kernel's packages are called, version aside. Newer suites have one for each part.
const PARTS: [&str; 3] = ["linux-image-", "linux-binary-", "linux-modules-"];

/// An unpacked kernel.
pub(super) struct Kernel {
    /// Its version, as `uname -r` says it.
    pub(super) release: String,
    /// What a machine boots.
    pub(super) image: PathBuf,
    /// The folder with its modules.
    pub(super) modules: PathBuf,
    /// Where what belongs to it lies.
    pub(super) folder: PathBuf,
}

impl Kernel {
    /// A suite's newest kernel, or the one that was downloaded before.
    pub(super) fn of(suite: &str, folder: &Path, debian: &Debian) -> Result<Self> {
        let folder = folder.join(suite);
        let unpacked = folder.join("kernel");
        if !unpacked.is_dir() {
            fetch(suite, debian, &unpacked)?;
        }
        Self::open(folder, &unpacked)
            .with_context(|| format!("the kernel of {suite} in {}", unpacked.display()))
    }

    fn open(folder: PathBuf, unpacked: &Path) -> Result<Self> {
        let modules = ["lib/modules", "usr/lib/modules"]
            .iter()
            .find_map(|path| fs::read_dir(unpacked.join(path)).ok()?.next()?.ok())
            .context("no modules")?;
        let release = modules.file_name().to_string_lossy().into_owned();
        let modules = modules.path();
        let image = [
            unpacked.join(format!("boot/vmlinuz-{release}")),
            modules.join("vmlinuz"),
        ]
        .into_iter()
        .find(|path| path.is_file())
        .context("no image")?;
        Ok(Self {
            release,
            image,
            modules,
            folder,
        })
    }
}

/// Unpacks beside the place and moves it there, so that what is there is whole.
fn fetch(suite: &str, debian: &Debian, into: &Path) -> Result<()> {
    debian.choose(suite)?;
    let packages = packages(debian)?;
    eprintln!(
        "unpacking {} from {suite}: nothing is installed",
        packages.join(", ")
    );
    let half = into.with_extension("half");
    if half.exists() {
        fs::remove_dir_all(&half)?;
    }
    debian.unpack(&packages, &half)?;
    fs::rename(&half, into).with_context(|| into.display().to_string())
}

/// The packages that a kernel is made of: those that the first depends on, and so on.
fn packages(debian: &Debian) -> Result<Vec<String>> {
    let mut packages: Vec<String> = Vec::new();
    let mut waiting = vec![META.to_owned()];
    while let Some(package) = waiting.pop() {
        for part in debian
            .depends(&package)?
            .into_iter()
            .filter(|name| is_part(name))
        {
            if !packages.contains(&part) {
                waiting.push(part.clone());
                packages.push(part);
            }
        }
    }
    if packages.is_empty() {
        bail!("the suite has no {META}");
    }
    Ok(packages)
}

/// Whether a package has a part of one kernel, and does not stand for whichever is newest.
fn is_part(package: &str) -> bool {
    PARTS.iter().any(|prefix| {
        package
            .strip_prefix(prefix)
            .is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_a_version_in_their_names() {
        assert!(is_part("linux-image-5.10.0-32-cloud-amd64"));
        assert!(is_part("linux-modules-7.3.4+deb13-cloud-amd64"));
        assert!(!is_part("linux-modules-cloud-amd64"));
        assert!(!is_part("linux-base-7.3.4+deb13-cloud-amd64"));
        assert!(!is_part("initramfs-tools"));
    }
}
