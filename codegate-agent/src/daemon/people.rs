//! From what the kernel wrote down of a caller to the process that rules and sessions speak of.

use anyhow::{Context as _, Result};

use crate::{
    accept,
    flow::Process,
    kernel::{Cgroups, Image, Redirected},
};

/// Knows processes.
#[derive(Debug)]
pub(super) struct People {
    cgroups: Cgroups,
}

impl People {
    pub(super) fn new() -> Result<Self> {
        let cgroups = Cgroups::open().context("cannot open the tree of cgroups")?;
        Ok(Self { cgroups })
    }

    /// Who made a connection. The kernel's word holds, as the process may be gone, and its pid another's;
    /// where it has none, `/proc` is asked.
    pub(super) fn name(&self, redirected: Redirected) -> Process {
        match redirected.image {
            Some(Image {
                exe: Some(exe),
                arguments,
                ancestors,
                ..
            }) => Process {
                pid: redirected.tgid,
                start: redirected.start,
                uid: redirected.uid,
                exe: Some(exe),
                comm: redirected.comm,
                cgroup: self.cgroups.path(redirected.cgroup),
                arguments,
                ancestors,
            },
            _ => accept::identify(redirected.tgid, redirected.uid, &redirected.comm),
        }
    }
}
