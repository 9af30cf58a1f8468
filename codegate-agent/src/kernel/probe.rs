//! What this machine's kernel can do for the guard, without anything being attached.

use std::path::PathBuf;

use super::{
    KernelError, Lost, Options,
    load::{self, Loaded},
    mounts,
};

/// The oldest kernel that the programs are tried on (`cargo xtask test vm`).
pub const OLDEST: (u32, u32) = (5, 10);

/// The kernel's version as it says it itself, as in `6.12.107+deb13-amd64`.
pub fn release() -> String {
    let name = rustix::system::uname();
    name.release().to_string_lossy().into_owned()
}

/// The first two numbers of a [`release`]; `None` if it does not begin with any.
pub fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Has the kernel verify all programs, and takes them away again. What it refuses and the guard can do
/// without is the answer.
///
/// # Errors
/// Why there can be no guard here.
pub fn verify() -> Result<Vec<Lost>, KernelError> {
    let Loaded { lost, .. } = load::load(&Options::default())?;
    Ok(lost)
}

/// Where programs can be pinned; `None` where no bpffs is mounted.
///
/// # Errors
/// [`KernelError::Read`] if the mounts cannot be read.
pub fn bpffs() -> Result<Option<PathBuf>, KernelError> {
    mounts::find("bpf")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_distributions_write_them() {
        assert_eq!(version("5.10.0-32-cloud-amd64"), Some((5, 10)));
        assert_eq!(version("7.3-rc1"), Some((7, 3)));
        assert_eq!(version("6"), None);
        assert_eq!(version("unknown"), None);
        assert!(version(&release()).is_some());
    }
}
