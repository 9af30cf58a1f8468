//! Who a pid is, while it is still there to ask.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::PathBuf,
};

use crate::flow::Process;

/// Names the process `pid`; `uid` and `comm` are the kernel's word from the moment of `connect()`,
/// and stay where the process is gone already.
pub fn identify(pid: u32, uid: u32, comm: &str) -> Process {
    Process {
        pid,
        start: start(pid).unwrap_or(0),
        uid,
        exe: exe(pid),
        comm: comm.to_owned(),
        cgroup: cgroup(pid),
        arguments: arguments(pid).unwrap_or_default(),
        ..Process::default()
    }
}

/// Names a process that was seen to start at `start` (clock ticks since the machine did). If that is not
/// the process `pid` any more, nothing else is known of it.
pub fn identify_again(pid: u32, start: u64) -> Process {
    let uid = fs::metadata(format!("/proc/{pid}")).map_or(u32::MAX, |process| process.uid());
    let found = identify(pid, uid, "");
    if found.start == start {
        return found;
    }
    Process {
        pid,
        start,
        uid: u32::MAX,
        ..Process::default()
    }
}

/// Field 22 of `/proc/PID/stat` (proc_pid_stat(5)). The command's name stands in parentheses before
/// it and may hold anything, parentheses too.
fn start(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_name, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(19)?.parse().ok()
}

/// The kernel marks an executable that was replaced while it runs, as upgrades do.
fn exe(pid: u32) -> Option<PathBuf> {
    let path = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let stripped = path
        .to_str()
        .and_then(|text| text.strip_suffix(" (deleted)"))
        .map(PathBuf::from);
    Some(stripped.unwrap_or(path))
}

/// The command line (proc_pid_cmdline(5)), each argument with a zero behind it.
fn arguments(pid: u32) -> Option<Vec<OsString>> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let line = line.strip_suffix(&[0]).unwrap_or(&line);
    let arguments = line.split(|octet| *octet == 0);
    Some(
        arguments
            .map(|argument| OsStr::from_bytes(argument).to_owned())
            .collect(),
    )
}

/// The cgroup2 line of `/proc/PID/cgroup` (cgroups(7)).
fn cgroup(pid: u32) -> Option<String> {
    let lines = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    lines
        .lines()
        .find_map(|line| line.strip_prefix("0::"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::identify;

    #[test]
    fn a_living_process_is_named() {
        let pid = std::process::id();
        let me = identify(pid, 7, "x) y");
        assert_eq!(me.exe, std::env::current_exe().ok());
        assert_eq!((me.pid, me.uid, me.comm.as_str()), (pid, 7, "x) y"));
        assert!(me.start > 0);
        let arguments: Vec<_> = std::env::args_os().collect();
        assert_eq!(me.arguments, arguments);
        assert!(me.cgroup.is_some_and(|path| path.starts_with('/')));
    }

    #[test]
    fn a_process_that_started_at_another_time_is_another() {
        let me = identify(std::process::id(), 7, "");
        assert_eq!(super::identify_again(me.pid, me.start).exe, me.exe);
        assert_eq!(super::identify_again(me.pid, me.start + 1).exe, None);
    }

    #[test]
    fn a_dead_process_keeps_what_the_kernel_said() {
        let gone = identify(u32::MAX, 1000, "curl");
        assert_eq!((gone.start, gone.exe, gone.cgroup), (0, None, None));
        assert_eq!((gone.uid, gone.comm.as_str()), (1000, "curl"));
    }
}
