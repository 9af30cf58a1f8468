//! The system's own trust store: our root among the anchors that the administrator has added.
//!
//! Each family of distributions has a folder for such anchors and a program that builds the bundles
//! from it (`update-ca-certificates(8)`, `update-ca-trust(8)`). Only that folder is written here, and
//! only our own file in it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    TrustError,
    bundle::{self, SYSTEM},
    file,
};

/// Where a family of distributions keeps anchors.
struct Family {
    /// The folder; its parent exists on such a system.
    folder: &'static str,
    /// `update-ca-certificates` reads nothing but `.crt`.
    file: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
}

/// SUSE, Fedora and its kin, Arch, Debian and Alpine and their kin: the one whose folder is most its own
/// first.
const FAMILIES: [Family; 4] = [
    Family {
        folder: "/etc/pki/trust/anchors",
        file: "codegate.pem",
        program: "update-ca-certificates",
        arguments: &[],
    },
    Family {
        folder: "/etc/pki/ca-trust/source/anchors",
        file: "codegate.pem",
        program: "update-ca-trust",
        arguments: &["extract"],
    },
    Family {
        folder: "/etc/ca-certificates/trust-source/anchors",
        file: "codegate.pem",
        program: "update-ca-trust",
        arguments: &["extract"],
    },
    Family {
        folder: "/usr/local/share/ca-certificates",
        file: "codegate.crt",
        program: "update-ca-certificates",
        arguments: &[],
    },
];

/// Where the programs are; the caller's `PATH` has no say in what root runs.
const PROGRAMS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// The trust store of this system.
#[derive(Debug)]
pub struct Anchors {
    file: PathBuf,
    program: PathBuf,
    arguments: &'static [&'static str],
}

impl Anchors {
    /// The store that this system has.
    ///
    /// # Errors
    /// [`TrustError::NoStore`] if it has none that is known.
    pub fn find() -> Result<Self, TrustError> {
        FAMILIES
            .iter()
            .find_map(Self::of)
            .ok_or(TrustError::NoStore)
    }

    fn of(family: &Family) -> Option<Self> {
        let folder = Path::new(family.folder);
        let here = folder.is_dir() || folder.parent().is_some_and(Path::is_dir);
        let program = here.then(|| program(family.program))??;
        Some(Self {
            file: folder.join(family.file),
            program,
            arguments: family.arguments,
        })
    }

    /// Our file in it.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Whether our file is there.
    #[must_use]
    pub fn installed(&self) -> bool {
        self.file.exists()
    }

    /// Puts a root (PEM) in, in place of one put in before, and builds the system's bundles. Says which
    /// bundle has it now.
    ///
    /// # Errors
    /// If the file cannot be written, the program fails, or the bundle does not hold the root
    /// afterwards.
    pub fn install(&self, pem: &str) -> Result<PathBuf, TrustError> {
        let folder = self.file.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder).map_err(TrustError::file(folder))?;
        file::replace(&self.file, pem.as_bytes(), 0o644)?;
        self.rebuild()?;
        system_bundle()
            .filter(|path| bundle::holds(path, pem))
            .ok_or_else(|| TrustError::NotTaken(self.program.clone()))
    }

    /// Takes it out, and says whether it was there.
    ///
    /// # Errors
    /// If the file cannot be removed, or the program fails.
    pub fn uninstall(&self) -> Result<bool, TrustError> {
        match fs::remove_file(&self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            other => other.map_err(TrustError::file(&self.file))?,
        }
        self.rebuild()?;
        Ok(true)
    }

    fn rebuild(&self) -> Result<(), TrustError> {
        let output = Command::new(&self.program)
            .args(self.arguments)
            .env("PATH", PROGRAMS.join(":")) // it is a script
            .output()
            .map_err(TrustError::file(&self.program))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().last().unwrap_or("it does not say why").trim();
        Err(TrustError::Store {
            program: self.program.clone(),
            said: said.to_owned(),
        })
    }
}

/// The bundle that this system's programs read.
#[must_use]
pub fn system_bundle() -> Option<PathBuf> {
    SYSTEM.iter().map(PathBuf::from).find(|path| path.is_file())
}

fn program(name: &str) -> Option<PathBuf> {
    PROGRAMS
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.is_file())
}
