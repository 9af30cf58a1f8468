//! Running other programs: said before it is done, an error when it fails.

use std::{
    ffi::{OsStr, OsString},
    fmt,
    io::{BufRead, BufReader, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};

/// A program and its words.
pub(crate) struct Shell {
    command: Command,
}

/// `cargo` with these words, in the workspace.
pub(crate) fn cargo(words: &[&str]) -> Shell {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    shell(&cargo).args(words)
}

/// A program, in the workspace.
pub(crate) fn shell(program: impl AsRef<OsStr>) -> Shell {
    let mut command = Command::new(program);
    command.current_dir(root()).stdin(Stdio::null());
    Shell { command }
}

impl Shell {
    pub(crate) fn arg(mut self, word: impl AsRef<OsStr>) -> Self {
        self.command.arg(word);
        self
    }

    pub(crate) fn args(mut self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(words);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Has cargo start what it built as root. Without sudo it starts it as the user, and the lab
    /// says what is missing.
    pub(crate) fn with_root(self) -> Self {
        if is_root() || find("sudo").is_none() {
            return self;
        }
        let runner = format!("CARGO_TARGET_{}_RUNNER", host_triple());
        self.env(&runner, "sudo --preserve-env")
    }

    /// Runs it to a good end, its output going where ours goes.
    pub(crate) fn run(mut self) -> Result<()> {
        eprintln!("> {self}");
        let status = self
            .command
            .status()
            .with_context(|| format!("start {self}"))?;
        if !status.success() {
            bail!("{self}: {status}");
        }
        Ok(())
    }

    /// Runs it, printing and collecting its standard output and error together. True if it ended
    /// well.
    pub(crate) fn tee(self) -> Result<(bool, Vec<String>)> {
        let mut out = std::io::stdout();
        self.listen(|line| writeln!(out, "{line}"))
    }

    /// Runs it, collecting its standard output and error together. True if it ended well.
    pub(crate) fn collect(self) -> Result<(bool, Vec<String>)> {
        self.listen(|_| Ok(()))
    }

    fn listen(
        mut self,
        mut each: impl FnMut(&str) -> std::io::Result<()>,
    ) -> Result<(bool, Vec<String>)> {
        eprintln!("> {self}");
        let (reader, writer) = std::io::pipe()?;
        self.command.stdout(writer.try_clone()?).stderr(writer);
        let mut child = self
            .command
            .spawn()
            .with_context(|| format!("start {self}"))?;
        // The command holds the pipe's other end open for as long as it lives.
        drop(self);
        let mut lines = Vec::new();
        for line in BufReader::new(reader).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            each(&line)?;
            lines.push(line);
        }
        Ok((child.wait()?.success(), lines))
    }

    /// Runs it to a good end, and gives its standard output.
    pub(crate) fn read(mut self) -> Result<String> {
        eprintln!("> {self}");
        output(self.command.stderr(Stdio::inherit()))
    }

    /// Runs it without a word. True if it could be started and ended well.
    pub(crate) fn quietly(mut self) -> bool {
        let quiet = self.command.stdout(Stdio::null()).stderr(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    }
}

impl fmt::Display for Shell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = Path::new(self.command.get_program());
        f.write_str(&program.file_name().unwrap_or_default().to_string_lossy())?;
        self.command
            .get_args()
            .try_for_each(|word| write!(f, " {}", word.to_string_lossy()))
    }
}

/// A command's standard output, if it succeeds.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("cannot run {name}"))?;
    ensure!(
        output.status.success(),
        "{name} failed ({}): {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim_end(),
    );
    String::from_utf8(output.stdout).with_context(|| format!("{name} does not speak UTF-8"))
}

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_owned)
        .unwrap_or_default()
}

/// Cargo's target folder.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A program on the search path.
pub(crate) fn find(program: &str) -> Option<OsString> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|p| p.is_file());
    // Tools of the system may stand where only root looks.
    let system = ["/usr/sbin", "/sbin"].map(|folder| Path::new(folder).join(program));
    found
        .or_else(|| system.into_iter().find(|p| p.is_file()))
        .map(PathBuf::into_os_string)
}

/// Whether we are root.
pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// The machine's target triple, in the way of cargo's environment variables.
fn host_triple() -> String {
    let triple = format!("{}_UNKNOWN_LINUX_GNU", std::env::consts::ARCH);
    triple.to_ascii_uppercase()
}
