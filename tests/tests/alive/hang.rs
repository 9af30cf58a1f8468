//! Ways to hang that a process cannot notice.

use std::fs;

use nix::{
    sys::{
        ptrace,
        wait::{WaitPidFlag, waitpid},
    },
    unistd::Pid,
};

/// Threads held by ptrace(2), one by one; they go on when this is dropped. It must be dropped by the
/// thread that made it.
pub(crate) struct Held(Vec<Pid>);

impl Held {
    /// Holds all threads that have this name: the process's other threads run on.
    pub(crate) fn threads(pid: u32, name: &str) -> Self {
        let mut held = Vec::new();
        for task in fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
            let path = task.unwrap().path();
            let comm = fs::read_to_string(path.join("comm")).unwrap();
            if comm.trim_end() != name {
                continue;
            }
            let thread = path.file_name().unwrap().to_str().unwrap();
            let thread = Pid::from_raw(thread.parse().unwrap());
            ptrace::attach(thread).unwrap();
            waitpid(thread, Some(WaitPidFlag::__WALL)).unwrap();
            held.push(thread);
        }
        assert!(held.len() > 1, "no threads called {name}");
        Self(held)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        for thread in &self.0 {
            // It may have been killed meanwhile.
            ptrace::detach(*thread, None).ok();
        }
    }
}
