//! Programs that outlive the agent: their links, and the maps that others need, as files in a bpffs.
//!
//! Each agent pins into a folder of its own, named after it, below one that is named after the runtime
//! directory. So a new agent attaches beside what a dead one left, and takes that away once it guards
//! itself: at no moment is nothing attached.
//!
//! Knows: folders and files of a bpffs. Must not know: when an agent counts as dead.

use std::{
    fmt::Write as _,
    fs, io,
    os::{
        fd::AsFd as _,
        unix::{ffi::OsStrExt as _, fs::DirBuilderExt as _},
    },
    path::{Path, PathBuf},
};

use aya::{
    Ebpf,
    maps::{Array, Map, MapData},
};
use codegate_ebpf::maps;

use super::{KernelError, heart::Heart, hooks::of_map, layout::boottime_ns, load::Named, mounts};

/// Where a bpffs belongs.
const USUAL: &str = "/sys/fs/bpf";
/// Our folder in it.
const FOLDER: &str = "codegate";
/// The maps that are pinned with the links.
const MAPS: [&str; 4] = [
    maps::HEARTBEAT,
    maps::SWITCH,
    maps::ENDPOINTS,
    maps::LEARNED,
];

/// The folder of all agents that use, or used, one runtime directory.
#[derive(Debug, Clone)]
pub struct Pins(PathBuf);

/// What one agent has pinned.
#[derive(Debug)]
pub struct Pinned {
    folder: PathBuf,
}

impl Pins {
    /// The folder for a runtime directory; nothing is made yet. `None` if there is no bpffs, and so
    /// nothing pinned.
    ///
    /// # Errors
    /// [`KernelError::Read`].
    pub fn find(runtime_dir: &Path) -> Result<Option<Self>, KernelError> {
        let found = mounts::find("bpf")?;
        Ok(found.map(|bpffs| Self::below(&bpffs, runtime_dir)))
    }

    /// As [`Pins::find`], but mounts a bpffs where there is none.
    ///
    /// # Errors
    /// [`KernelError::NoBpffs`] if that is not possible, or would not last.
    pub fn find_or_mount(runtime_dir: &Path) -> Result<Self, KernelError> {
        if let Some(pins) = Self::find(runtime_dir)? {
            return Ok(pins);
        }
        mounts::mount_bpffs(Path::new(USUAL))?;
        Ok(Self::below(Path::new(USUAL), runtime_dir))
    }

    fn below(bpffs: &Path, runtime_dir: &Path) -> Self {
        Self(bpffs.join(FOLDER).join(name_of(runtime_dir)))
    }

    /// What is pinned there, by whichever agent.
    ///
    /// # Errors
    /// [`KernelError::Read`]: only root may look, for instance.
    pub fn all(&self) -> Result<Vec<Pinned>, KernelError> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|source| unreadable(&self.0, source))?,
        };
        let mut all = Vec::new();
        for entry in entries {
            let folder = entry.map_err(|source| unreadable(&self.0, source))?.path();
            all.push(Pinned { folder });
        }
        Ok(all)
    }

    /// Pins links and maps under a name that nobody had before. The links are let go of: files hold
    /// them now.
    pub(super) fn pin(
        &self,
        links: &mut Vec<Named>,
        maps: &[(&'static str, MapData)],
    ) -> Result<Pinned, KernelError> {
        let name = format!("{}-{}", std::process::id(), boottime_ns());
        let folder = self.0.join(name);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|source| unreadable(&folder, source))?;
        let pinned = Pinned { folder };
        pinned.fill(links, maps).inspect_err(|_| pinned.discard())?;
        Ok(pinned)
    }
}

impl Pinned {
    /// The maps come first: whatever outlives the agent can then be told something.
    fn fill(
        &self,
        links: &mut Vec<Named>,
        maps: &[(&'static str, MapData)],
    ) -> Result<(), KernelError> {
        let failed = |name| move |source| KernelError::Pin { name, source };
        for (name, map) in maps {
            map.pin(self.folder.join(name)).map_err(failed(*name))?;
        }
        for (name, link) in links.drain(..) {
            link.pin(self.folder.join(name)).map_err(failed(name))?;
        }
        Ok(())
    }

    /// Its heart, also where its agent is dead.
    ///
    /// # Errors
    /// [`KernelError::Map`]: another version laid it out in another way, for instance.
    pub fn heart(&self) -> Result<Heart, KernelError> {
        let beats = Array::try_from(self.map(maps::HEARTBEAT)?).map_err(of_map(maps::HEARTBEAT))?;
        let switch = Array::try_from(self.map(maps::SWITCH)?).map_err(of_map(maps::SWITCH))?;
        Ok(Heart::new(beats, switch))
    }

    /// Takes the pins away: programs that no living agent holds detach.
    ///
    /// # Errors
    /// [`KernelError::Read`].
    pub fn remove(&self) -> Result<(), KernelError> {
        fs::remove_dir_all(&self.folder).map_err(|source| unreadable(&self.folder, source))?;
        // The last one leaves nothing behind; where others are pinned, this fails and should.
        let empty = self.folder.parent().map(fs::remove_dir);
        tracing::debug!(folder = %self.folder.display(), ?empty, "unpinned");
        Ok(())
    }

    /// Whether these are the same.
    pub fn is(&self, other: &Self) -> bool {
        self.folder == other.folder
    }

    pub(super) fn map(&self, name: &'static str) -> Result<Map, KernelError> {
        MapData::from_pin(self.folder.join(name))
            .and_then(Map::from_map_data)
            .map_err(of_map(name))
    }

    /// Best effort, after a failure that is told.
    fn discard(&self) {
        if let Err(error) = self.remove() {
            tracing::warn!(%error, "half of the pins are left");
        }
    }
}

/// Handles of their own to the maps that may be pinned.
pub(super) fn spare(object: &Ebpf) -> Result<Vec<(&'static str, MapData)>, KernelError> {
    MAPS.into_iter()
        .map(|name| {
            let map = match object.map(name) {
                Some(Map::Array(map) | Map::HashMap(map) | Map::LruHashMap(map)) => map,
                _ => return Err(KernelError::Missing(name)),
            };
            let copy = map.fd().as_fd().try_clone_to_owned();
            let copy = copy.map_err(|source| unreadable(Path::new(name), source))?;
            Ok((name, MapData::from_fd(copy).map_err(of_map(name))?))
        })
        .collect()
}

/// A path as a name in a bpffs, which allows neither slashes nor dots.
fn name_of(path: &Path) -> String {
    let mut name = String::new();
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || *byte == b'-' {
            name.push(char::from(*byte));
        } else {
            // Writing to a string does not fail.
            write!(name, "_{byte:02x}").ok();
        }
    }
    name
}

fn unreadable(path: &Path, source: io::Error) -> KernelError {
    KernelError::Read {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_paths_have_different_names_that_a_bpffs_takes() {
        let name = |path: &str| name_of(Path::new(path));
        assert_eq!(name("/run/codegate"), "_2frun_2fcodegate");
        assert_eq!(name("/tmp/.x_y"), "_2ftmp_2f_2ex_5fy");
        assert_ne!(name("/a_2fb"), name("/a/b"));
    }
}
