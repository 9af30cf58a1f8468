//! Compiled patterns, kept from one start to the next: compiling them takes a second.
//!
//! The engine runs what it is given, so what is kept is trusted as the program is: it is read only
//! where nobody else could have written it. Whatever is wrong with it, the patterns are compiled.
//!
//! Knows: a folder and bytes. Must not know: what is in them.

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{Context, Digest, SHA256, digest};

/// The file in its folder: one, so that it needs no tidying up.
const NAME: &str = "patterns.hyperscan";
/// More than this is not ours, in bytes.
const LARGEST: u64 = 256 << 20;
/// Others may write it.
const OTHERS_WRITE: u32 = 0o022;

/// Where something compiled is kept, and what it was compiled from.
#[derive(Debug)]
pub(super) struct Kept {
    dir: PathBuf,
    /// Stands first, before the digest of the bytes; other patterns have another one.
    source: Digest,
}

impl Kept {
    /// For these patterns, in this folder, which need not exist.
    pub(super) fn of(dir: &Path, patterns: &[&str]) -> Self {
        let mut context = Context::new(&SHA256);
        for pattern in patterns {
            context.update(&(pattern.len() as u64).to_le_bytes());
            context.update(pattern.as_bytes());
        }
        Self {
            dir: dir.to_owned(),
            source: context.finish(),
        }
    }

    /// What was kept for these patterns, if it is there and nobody else's.
    pub(super) fn read(&self) -> Option<Vec<u8>> {
        let bytes = self.read_file();
        let bytes = bytes.inspect_err(|error| self.tell("read", error)).ok()?;
        let rest = bytes.strip_prefix(self.source.as_ref())?;
        let (sum, kept) = rest.split_at_checked(SHA256.output_len())?;
        (digest(&SHA256, kept).as_ref() == sum).then(|| kept.to_vec())
    }

    /// Keeps bytes for the next start, as far as that is possible.
    pub(super) fn write(&self, bytes: &[u8]) {
        let written = self.write_file(bytes);
        let fresh = self.fresh();
        if let Err(error) = written.inspect_err(|_| drop(fs::remove_file(fresh))) {
            self.tell("kept", &error);
        }
    }

    fn read_file(&self) -> io::Result<Vec<u8>> {
        only_ours(&fs::symlink_metadata(&self.dir)?)?;
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(self.dir.join(NAME))?;
        let metadata = file.metadata()?;
        only_ours(&metadata)?;
        if !metadata.is_file() || metadata.len() > LARGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut bytes = Vec::with_capacity(metadata.len() as usize);
        file.take(LARGEST).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Written beside, and renamed: nobody reads half of it.
    fn write_file(&self, bytes: &[u8]) -> io::Result<()> {
        self.make_dir()?;
        only_ours(&fs::symlink_metadata(&self.dir)?)?;
        let mut file = self.create()?;
        file.write_all(self.source.as_ref())?;
        file.write_all(digest(&SHA256, bytes).as_ref())?;
        file.write_all(bytes)?;
        fs::rename(self.fresh(), self.dir.join(NAME))
    }

    /// Not in somebody else's folder: under `sudo`, the home may still be the user's.
    fn make_dir(&self) -> io::Result<()> {
        let mut there = self.dir.ancestors().filter_map(|dir| dir.metadata().ok());
        if !there.next().is_some_and(|dir| is_ours(&dir)) {
            return Err(not_ours());
        }
        let mut dir = DirBuilder::new();
        dir.recursive(true).mode(0o700).create(&self.dir)
    }

    fn create(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        options.open(self.fresh())
    }

    fn fresh(&self) -> PathBuf {
        self.dir.join(format!("{NAME}.{}", std::process::id()))
    }

    fn tell(&self, what: &str, error: &io::Error) {
        let dir = self.dir.display();
        tracing::debug!(%dir, %error, "compiled patterns are not {what}");
    }
}

/// Whether nobody but who runs this may write it.
fn only_ours(metadata: &Metadata) -> io::Result<()> {
    let others_may = metadata.mode() & OTHERS_WRITE != 0 || metadata.is_symlink();
    match is_ours(metadata) && !others_may {
        true => Ok(()),
        false => Err(not_ours()),
    }
}

fn is_ours(metadata: &Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw()
}

fn not_ours() -> io::Error {
    let why = "it is somebody else's, or they may write it";
    io::Error::new(io::ErrorKind::PermissionDenied, why)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};

    use tempfile::{TempDir, tempdir};

    use super::*;

    fn kept(dir: &TempDir) -> Kept {
        Kept::of(&dir.path().join("a/b"), &["one", "two"])
    }

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_is_kept_is_there_for_the_same_patterns_alone() {
        let dir = tempdir().unwrap();
        assert_eq!(kept(&dir).read(), None);
        kept(&dir).write(b"first");
        kept(&dir).write(b"bytes");
        assert_eq!(kept(&dir).read().unwrap(), b"bytes");
        let others = Kept::of(&kept(&dir).dir, &["onet", "wo"]);
        assert_eq!(others.read(), None);
        assert_eq!(fs::read_dir(&others.dir).unwrap().count(), 1);
    }

    #[test]
    fn what_is_damaged_or_cut_is_not_read() {
        let dir = tempdir().unwrap();
        let kept = kept(&dir);
        kept.write(b"bytes");
        let file = kept.dir.join(NAME);
        let sound = fs::read(&file).unwrap();
        for at in 0..sound.len() {
            let mut damaged = sound.clone();
            damaged[at] ^= 1;
            fs::write(&file, damaged).unwrap();
            assert_eq!(kept.read(), None, "{at}");
            fs::write(&file, &sound[..at]).unwrap();
            assert_eq!(kept.read(), None, "{at}");
        }
        fs::write(&file, sound).unwrap();
        assert!(kept.read().is_some());
    }

    #[test]
    fn what_others_may_write_is_not_read() {
        let dir = tempdir().unwrap();
        let kept = kept(&dir);
        kept.write(b"bytes");
        let file = kept.dir.join(NAME);
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
        for (path, wrong, right) in [(&file, 0o620, 0o600), (&kept.dir, 0o702, 0o700)] {
            mode(path, wrong);
            assert_eq!(kept.read(), None);
            mode(path, right);
            assert!(kept.read().is_some());
        }
        let elsewhere = dir.path().join("elsewhere");
        fs::rename(&file, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
        assert_eq!(kept.read(), None);
    }

    #[test]
    fn nothing_is_made_in_somebody_elses_folder() {
        let dir = tempdir().unwrap();
        // Only root can give a folder away; nobody else has `/`.
        let theirs = if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(dir.path(), Some(65_534), None).unwrap();
            dir.path()
        } else {
            Path::new("/")
        };
        let kept = Kept::of(&theirs.join("cache/codegate"), &[]);
        kept.write(b"bytes");
        assert!(!theirs.join("cache").exists());
        assert_eq!(kept.read(), None);
    }

    #[test]
    fn where_nothing_can_be_kept_nothing_is_and_nothing_fails() {
        let dir = tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let kept = Kept::of(&dir.path().join("file"), &[]);
        kept.write(b"bytes");
        assert_eq!(kept.read(), None);
    }
}
