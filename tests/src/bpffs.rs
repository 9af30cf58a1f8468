//! The machine's bpffs, as systemd mounts it on others, and what the agents of a lab leave there.

use std::{fs, path::Path, sync::Mutex};

use codegate::kernel::{KernelError, Pins};
use nix::mount::{MsFlags, mount};

const PLACE: &str = "/sys/fs/bpf";
static TURN: Mutex<()> = Mutex::new(());

/// Mounts it where it is missing. It stays: other tests may use it by now.
pub(crate) fn ensure() {
    let _turn = TURN.lock().expect("nobody panics here");
    let table = fs::read_to_string("/proc/self/mountinfo").expect("/proc/self/mountinfo");
    if !table.lines().any(|line| line.contains(" - bpf ")) {
        mount(
            Some("bpf"),
            PLACE,
            Some("bpf"),
            MsFlags::empty(),
            None::<&str>,
        )
        .unwrap_or_else(|e| panic!("the lab needs root to mount a bpffs at {PLACE}: {e}"));
    }
}

/// Removes what agents below this folder pinned.
pub(crate) fn clear(folder: &Path) {
    for agent in fs::read_dir(folder).into_iter().flatten().flatten() {
        if let Err(error) = unpin(&agent.path().join("run")) {
            report(&format!("{}: {error}", agent.path().display()));
        }
    }
}

fn unpin(runtime_dir: &Path) -> Result<(), KernelError> {
    let Some(pins) = Pins::find(runtime_dir)? else {
        return Ok(());
    };
    pins.all()?.iter().try_for_each(|pinned| pinned.remove())
}

#[allow(
    clippy::print_stderr,
    reason = "a drop cannot fail the test in another way"
)]
fn report(message: &str) {
    eprintln!("lab: {message}");
}
