//! The lab's cgroups: below the machine's cgroup2 mount, named after the run, so that what a dead
//! run left behind is found, ended and removed by the next.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

use codegate::kernel::find_cgroup2;

const PREFIX: &str = "codegate-lab-";
static MADE: AtomicU32 = AtomicU32::new(0);

/// One cgroup; whatever still runs in or below it is killed when it is dropped.
#[derive(Debug)]
pub struct Cgroup {
    path: PathBuf,
}

impl Cgroup {
    /// Makes a lab's top cgroup, and removes those of runs that died.
    ///
    /// # Panics
    /// Where no cgroup2 file system is mounted, or it may not be written to.
    #[must_use]
    pub fn new() -> Self {
        let mount = mount();
        remove_leftovers(&mount);
        let n = MADE.fetch_add(1, Ordering::Relaxed);
        let path = mount.join(format!("{PREFIX}{}-{n}", std::process::id()));
        fs::create_dir(&path).unwrap_or_else(|e| {
            panic!(
                "the lab needs root to make a cgroup below {}: {e}",
                mount.display()
            )
        });
        Self { path }
    }

    /// Makes a child, removed together with its parent.
    #[must_use]
    pub fn child(&self, name: &str) -> PathBuf {
        let path = self.path.join(name);
        fs::create_dir_all(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        path
    }
}

impl Default for Cgroup {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Where cgroup2 is mounted: at the root on most machines, below it on hybrid ones.
///
/// # Panics
/// Where it is not mounted.
#[must_use]
pub fn mount() -> PathBuf {
    find_cgroup2().expect("the lab needs a mounted cgroup2 file system")
}

fn remove_leftovers(mount: &Path) {
    for entry in fs::read_dir(mount).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.split('-').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            remove(&entry.path());
        }
    }
}

/// Kills what runs in a cgroup of the lab's own and removes it, children first.
fn remove(path: &Path) {
    let killed = fs::write(path.join("cgroup.kill"), "1");
    let deadline = Instant::now() + Duration::from_secs(5);
    while !try_remove(path) && Instant::now() < deadline {
        sleep(Duration::from_millis(5));
    }
    // A drop must not panic; the next run tries again and a reader of the log knows why.
    if path.exists()
        && let Err(error) = killed
    {
        report(&format!("{} could not be removed: {error}", path.display()));
    }
}

#[allow(
    clippy::print_stderr,
    reason = "a drop cannot fail the test in another way"
)]
fn report(message: &str) {
    eprintln!("lab: {message}");
}

fn try_remove(path: &Path) -> bool {
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            try_remove(&entry.path());
        }
    }
    fs::remove_dir(path).is_ok() || !path.exists()
}
