//! From what the kernel wrote down of a caller to the process that rules and sessions speak of.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result};

use crate::{
    accept::{self, Containers, Established},
    config,
    flow::{Container, Process},
    kernel::{Ancestor, Cgroups, Image, Redirected},
};

/// How many processes that started others are remembered.
const MOST: usize = 4_096;

/// Knows processes.
#[derive(Debug)]
pub(super) struct People {
    containers: Containers,
    /// Below which everybody is guarded.
    guarded: PathBuf,
    cgroups: Cgroups,
    ancestors: Mutex<HashMap<Ancestor, Arc<Process>>>,
}

impl People {
    pub(super) fn new(guarded: PathBuf, engines: Vec<PathBuf>) -> Result<Self> {
        Ok(Self {
            containers: Containers::new(engines),
            guarded,
            cgroups: Cgroups::open().context("cannot open the tree of cgroups")?,
            ancestors: Mutex::default(),
        })
    }

    /// Who made a connection. The kernel's word holds, as the process may be gone, and its pid another's;
    /// where it has none, `/proc` is asked.
    pub(super) fn name(&self, redirected: &Redirected) -> Process {
        let mut process = match &redirected.image {
            Some(Image {
                exe: Some(exe),
                arguments,
                ancestors,
                ..
            }) => Process {
                pid: redirected.tgid,
                start: redirected.start,
                uid: redirected.uid,
                exe: Some(exe.clone()),
                comm: redirected.comm.clone(),
                cgroup: self.cgroups.path(redirected.cgroup),
                arguments: arguments.clone(),
                ancestors: self.all(ancestors),
                ..Process::default()
            },
            _ => accept::identify(redirected.tgid, redirected.uid, &redirected.comm),
        };
        self.complete(&mut process);
        process
    }

    /// Adds what can be told from the rest.
    fn complete(&self, process: &mut Process) {
        process.tool = config::tool(process);
        process.container = self.contained(process);
    }

    fn contained(&self, process: &Process) -> Option<Arc<Container>> {
        self.containers.of(process.cgroup.as_deref()?)
    }

    /// Who is behind a connection that the kernel has not told of, and whether they are guarded: whoever
    /// made the socket was in the guarded cgroup then. `owner` holds it now.
    pub(super) fn behind(&self, connection: &Established, owner: Option<u32>) -> (Process, bool) {
        let mut process = match owner {
            Some(pid) => accept::identify(pid, connection.uid, ""),
            None => Process {
                uid: connection.uid,
                ..Process::default()
            },
        };
        self.complete(&mut process);
        let made_in = connection.cgroup.and_then(|id| self.cgroups.path(id));
        let cgroup = made_in.as_deref().or(process.cgroup.as_deref());
        let guarded = cgroup.is_some_and(|cgroup| self.cgroups.is_below(cgroup, &self.guarded));
        (process, guarded)
    }

    /// Ancestors are alive, as a process whose parent dies is given another one: `/proc` knows them.
    fn all(&self, ancestors: &[Ancestor]) -> Vec<Arc<Process>> {
        let mut known = self
            .ancestors
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if known.len() > MOST {
            known.clear();
        }
        let meet = |ancestor: &Ancestor| {
            let mut process = accept::identify_again(ancestor.pid, ancestor.start);
            process.container = self.contained(&process);
            Arc::new(process)
        };
        let process = |ancestor: &Ancestor| {
            let found = known.entry(*ancestor).or_insert_with(|| meet(ancestor));
            Arc::clone(found)
        };
        ancestors.iter().map(process).collect()
    }
}
