//! Where a process runs: a network namespace, a cgroup, a user, and a view of `/etc` of its own.

use std::{
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
};

use crate::{netns::Namespace, process::Cmd};

/// A place to start processes in.
#[derive(Debug, Clone)]
pub struct Place {
    pub(crate) namespace: Arc<Namespace>,
    pub(crate) cgroup: PathBuf,
    pub(crate) uid: Option<u32>,
    pub(crate) home: PathBuf,
    pub(crate) etc: Etc,
}

impl Place {
    /// The same place for another user.
    #[must_use]
    pub fn with_uid(mut self, uid: u32) -> Self {
        self.uid = Some(uid);
        self
    }

    /// The same place in another cgroup.
    #[must_use]
    pub fn in_cgroup(mut self, cgroup: impl Into<PathBuf>) -> Self {
        self.cgroup = cgroup.into();
        self
    }

    /// The same place, where a file in `/etc` says something else.
    ///
    /// # Panics
    /// Where it cannot be written.
    #[must_use]
    pub fn with_etc(mut self, file: &str, text: &str) -> Self {
        self.etc = self.etc.with(file, text);
        self
    }

    /// A command that will run here.
    #[must_use]
    pub fn cmd(&self, program: impl AsRef<OsStr>) -> Cmd {
        Cmd::new(self.clone(), program.as_ref())
    }

    /// The words that bring a process into its cgroup and to its user before it becomes `program`;
    /// its pid stays.
    pub(crate) fn wrap(&self, program: &OsStr) -> Vec<OsString> {
        const MOVE: &str = r#"echo 0 > "$0/cgroup.procs" && exec "$@""#;
        let mut words: Vec<OsString> = ["/bin/sh", "-c", MOVE].iter().map(OsString::from).collect();
        words.push(self.cgroup.clone().into());
        if let Some(uid) = self.uid {
            words.extend(["setpriv", "--clear-groups"].map(OsString::from));
            words.push(format!("--reuid={uid}").into());
            words.push(format!("--regid={uid}").into());
        }
        words.push(program.into());
        words
    }

    /// Runs `work` on a thread that is in the place's namespaces; what it spawns inherits them.
    pub(crate) fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.namespace.enter(|| {
            self.etc.enter();
            work()
        })
    }
}

/// A view of `/etc`: the lab's resolver, and (for clients) the lab's trust store.
#[derive(Debug, Clone)]
pub(crate) struct Etc {
    folder: PathBuf,
    certs: Option<PathBuf>,
    /// Files of its own, by their names.
    own: Vec<(String, PathBuf)>,
}

impl Etc {
    /// Writes the resolver's files into `folder`.
    pub(crate) fn new(folder: &Path, nameserver: &str) -> Self {
        fs::create_dir_all(folder.join("empty")).expect("the lab's own /etc");
        let resolv = format!("nameserver {nameserver}\noptions timeout:1 attempts:2\n");
        fs::write(folder.join("resolv.conf"), resolv).expect("resolv.conf");
        let nsswitch = "passwd: files\ngroup: files\nhosts: files dns\n";
        fs::write(folder.join("nsswitch.conf"), nsswitch).expect("nsswitch.conf");
        Self {
            folder: folder.to_owned(),
            certs: None,
            own: Vec::new(),
        }
    }

    /// The same view, where a file says something else.
    fn with(&self, file: &str, text: &str) -> Self {
        static WRITTEN: AtomicU32 = AtomicU32::new(0);
        let n = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.join(format!("{file}.{n}"));
        fs::write(&path, text).expect("a file of its own");
        let mut view = self.clone();
        view.own.push((file.to_owned(), path));
        view
    }

    /// The same view, with `certs` in the place of the system's trust store.
    pub(crate) fn trusting(&self, certs: &Path) -> Self {
        Self {
            certs: Some(certs.to_owned()),
            ..self.clone()
        }
    }

    /// Lays the view over the calling thread's mounts, which become its own.
    fn enter(&self) {
        unshare(CloneFlags::CLONE_FS | CloneFlags::CLONE_NEWNS).expect("a mount namespace");
        let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        mount(None::<&str>, "/", None::<&str>, private, None::<&str>).expect("private mounts");
        bind(
            &self.folder.join("resolv.conf"),
            Path::new("/etc/resolv.conf"),
        );
        bind(
            &self.folder.join("nsswitch.conf"),
            Path::new("/etc/nsswitch.conf"),
        );
        for (file, path) in &self.own {
            bind(path, &Path::new("/etc").join(file));
        }
        if let Some(certs) = &self.certs {
            bind(certs, Path::new("/etc/ssl/certs"));
        }
        // A cache daemon of the machine would answer from outside the lab.
        let cache = Path::new("/run/nscd");
        if cache.exists() {
            bind(&self.folder.join("empty"), cache);
        }
    }
}

fn bind(from: &Path, to: &Path) {
    mount(Some(from), to, None::<&str>, MsFlags::MS_BIND, None::<&str>)
        .unwrap_or_else(|e| panic!("bind {} over {}: {e}", from.display(), to.display()));
}
