//! The root file system of a machine: the tests, the tools they call, and what those are linked with.

use std::{
    collections::BTreeSet,
    fs::{self, File, Permissions},
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

use super::{Programs, kernel::Kernel};
use crate::shell::{find, output};

/// What the tests call.
const TOOLS: [&str; 4] = ["bash", "curl", "ip", "setpriv"];
/// What the first process calls; busybox is all of them.
const APPLETS: [&str; 7] = ["cat", "insmod", "mount", "poweroff", "sh", "uname", "xzcat"];
/// Modules that the tests' namespaces are connected by; all else is in the kernels.
const MODULES: [&str; 1] = ["veth"];
const FOLDERS: [&str; 10] = [
    "bin", "dev", "etc", "modules", "proc", "root", "run", "sys", "tmp", "usr",
];
const FILES: [(&str, &str); 2] = [
    ("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"),
    ("etc/passwd", "root:x:0:0::/root:/bin/sh\n"),
];

/// The first process: mounts what the tests look into, runs them, says how they ended, and ends it all.
const INIT: &str = "#!/bin/sh
export PATH=/bin:/usr/bin:/usr/sbin:/sbin
export CODEGATE_LAB_EMULATED=1
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
for module in /modules/*; do insmod $module; done
echo \"vm: $(uname -r)\"
/tests --test-threads=1 --color=never
echo \"vm: ended with $?\"
poweroff -f
";

/// A root file system, packed.
pub(super) struct Image(PathBuf);

impl Image {
    /// Makes it.
    pub(super) fn new(kernel: &Kernel, programs: &Programs) -> Result<Self> {
        let tree = Tree::new(kernel.folder.join("root"))?;
        tree.add_programs(programs)?;
        for module in MODULES {
            tree.add_module(kernel, module)?;
        }
        tree.write("init", INIT, 0o755)?;
        for (path, text) in FILES {
            tree.write(path, text, 0o644)?;
        }
        let packed = kernel.folder.join("root.cpio");
        tree.pack(&packed)?;
        Ok(Self(packed))
    }

    /// Its file.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

/// A root file system in the making.
struct Tree(PathBuf);

impl Tree {
    /// An empty one, but for folders and the shell.
    fn new(root: PathBuf) -> Result<Self> {
        if root.exists() {
            fs::remove_dir_all(&root)?;
        }
        for folder in FOLDERS {
            fs::create_dir_all(root.join(folder))?;
        }
        let tree = Self(root);
        tree.copy(&tool("busybox")?, Path::new("/bin/busybox"))?;
        for applet in APPLETS {
            symlink("busybox", tree.0.join("bin").join(applet))?;
        }
        Ok(tree)
    }

    fn add_programs(&self, programs: &Programs) -> Result<()> {
        let mut linked = libraries(&programs.tests)?;
        self.copy_stripped(&programs.tests, Path::new("/tests"))?;
        for program in &programs.others {
            linked.extend(libraries(program)?);
            self.copy_stripped(program, program)?;
        }
        for name in TOOLS {
            let path = tool(name)?;
            linked.extend(libraries(&path)?);
            self.copy(&path, &Path::new("/usr/bin").join(name))?;
        }
        linked.iter().try_for_each(|path| self.copy(path, path))
    }

    /// Newer kernels' modules are compressed.
    fn add_module(&self, kernel: &Kernel, name: &str) -> Result<()> {
        let module = find_below(&kernel.modules, name)?
            .with_context(|| format!("{} has no module {name}", kernel.release))?;
        let into = self.0.join(format!("modules/{name}.ko"));
        if module
            .extension()
            .is_some_and(|extension| extension == "xz")
        {
            let unpacked = Command::new("busybox")
                .args(["xzcat".as_ref(), module.as_os_str()])
                .stdout(File::create(&into)?)
                .status()?;
            ensure!(unpacked.success(), "cannot unpack {}", module.display());
            return Ok(());
        }
        fs::copy(&module, &into)
            .map(drop)
            .with_context(|| module.display().to_string())
    }

    fn write(&self, path: &str, text: &str, mode: u32) -> Result<()> {
        let path = self.0.join(path);
        fs::write(&path, text)?;
        fs::set_permissions(&path, Permissions::from_mode(mode))?;
        Ok(())
    }

    fn copy(&self, from: &Path, to: &Path) -> Result<()> {
        let into = self.place(to)?;
        fs::copy(from, into)
            .map(drop)
            .with_context(|| from.display().to_string())
    }

    /// Debugging sections are most of a program, and a machine's memory is dear.
    fn copy_stripped(&self, from: &Path, to: &Path) -> Result<()> {
        let into = self.place(to)?;
        output(Command::new("strip").arg("-o").arg(into).arg(from)).map(drop)
    }

    /// Where a path of the machine's is out here.
    fn place(&self, path: &Path) -> Result<PathBuf> {
        let place = self.0.join(path.strip_prefix("/").unwrap_or(path));
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(place)
    }

    fn pack(&self, into: &Path) -> Result<()> {
        let mut names = Vec::new();
        list(&self.0, Path::new(""), &mut names)?;
        let mut cpio = Command::new("cpio")
            .args(["--create", "--format=newc", "--quiet"])
            .current_dir(&self.0)
            .stdin(Stdio::piped())
            .stdout(File::create(into)?)
            .spawn()
            .context("cannot start cpio")?;
        let mut stdin = cpio.stdin.take().context("cpio does not listen")?;
        stdin.write_all(names.join("\n").as_bytes())?;
        drop(stdin);
        ensure!(cpio.wait()?.success(), "cannot pack {}", into.display());
        Ok(())
    }
}

/// A program of the host.
fn tool(name: &str) -> Result<PathBuf> {
    find(name)
        .map(PathBuf::from)
        .with_context(|| format!("{name} is missing"))
}

/// What a program is linked with, and its loader.
fn libraries(program: &Path) -> Result<BTreeSet<PathBuf>> {
    let table = output(Command::new("ldd").arg(program))?;
    let paths = table
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
        .map(PathBuf::from);
    Ok(paths.collect())
}

/// The file `NAME.ko` or `NAME.ko.xz` anywhere below a folder.
fn find_below(folder: &Path, name: &str) -> Result<Option<PathBuf>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            if let Some(found) = find_below(&entry.path(), name)? {
                return Ok(Some(found));
            }
        } else if entry.file_name().to_string_lossy().split('.').next() == Some(name) {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

/// All names below a folder, folders before what is in them.
fn list(root: &Path, below: &Path, names: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let name = below.join(entry.file_name());
        names.push(name.display().to_string());
        if entry.file_type()?.is_dir() {
            list(root, &name, names)?;
        }
    }
    Ok(())
}
