//! The variables of [`super::variables`] for everybody's sessions: a file for login shells, and one for
//! what systemd's user managers start (desktops, editors).
//!
//! A variable that is set already is kept: its owner knows better.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{TrustError, file};

/// For login shells; `/etc/profile` reads the folder.
const SHELLS: &str = "/etc/profile.d/codegate.sh";
/// See environment.d(5); what comes later overrides, and ours gives way in the text itself.
const MANAGERS: &str = "/etc/environment.d/60-codegate.conf";

type Writer = fn(&str, &Path) -> String;

const FILES: [(&str, Writer); 2] = [(SHELLS, shell_line), (MANAGERS, manager_line)];

/// Writes both files, for folders that exist, and says which.
///
/// # Errors
/// If one cannot be written.
pub fn install(variables: &[(&'static str, PathBuf)]) -> Result<Vec<PathBuf>, TrustError> {
    let mut written = Vec::new();
    for (path, line) in FILES {
        let path = Path::new(path);
        if path.parent().is_some_and(Path::is_dir) {
            file::replace(path, text(variables, line).as_bytes(), 0o644)?;
            written.push(path.to_owned());
        }
    }
    Ok(written)
}

/// Removes both files, and says which were there.
///
/// # Errors
/// If one cannot be removed.
pub fn uninstall() -> Result<Vec<PathBuf>, TrustError> {
    let mut removed = Vec::new();
    for (path, _) in FILES {
        match fs::remove_file(path) {
            Ok(()) => removed.push(path.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(TrustError::file(path)(error)),
        }
    }
    Ok(removed)
}

fn text(variables: &[(&'static str, PathBuf)], line: Writer) -> String {
    let head = "# Made by `codegate ca install`; `codegate ca uninstall` removes it.\n";
    let lines = variables.iter().map(|(name, path)| line(name, path));
    std::iter::once(head.to_owned()).chain(lines).collect()
}

/// A word for a POSIX shell that means just this path.
#[must_use]
pub fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"))
}

fn shell_line(name: &str, path: &Path) -> String {
    let path = quoted(path);
    format!("[ -n \"${{{name}-}}\" ] || export {name}={path}\n")
}

fn manager_line(name: &str, path: &Path) -> String {
    let path = path
        .to_string_lossy()
        .replace('\\', r"\\")
        .replace('$', r"\$");
    format!("{name}=${{{name}:-{path}}}\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use std::process::Command;

    use super::*;

    fn said_by_shell(path: &str, theirs: Option<&str>) -> String {
        let variables = [("CODEGATE_TEST_CA", PathBuf::from(path))];
        let script = text(&variables, shell_line) + "printf %s \"$CODEGATE_TEST_CA\"";
        let mut command = Command::new("sh");
        command.args(["-euc", &script]);
        if let Some(theirs) = theirs {
            command.env("CODEGATE_TEST_CA", theirs);
        }
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }

    #[test]
    fn shells_read_the_path_as_it_is_and_keep_what_is_set() {
        for path in ["/a b", "/it's", "/$(reboot)`x`", "/\"q\"\\"] {
            assert_eq!(said_by_shell(path, None), path);
            assert_eq!(said_by_shell(path, Some("")), path);
            assert_eq!(said_by_shell(path, Some("/corp.pem")), "/corp.pem");
        }
    }

    #[test]
    fn managers_keep_what_is_set() {
        assert_eq!(manager_line("A", Path::new("/b.pem")), "A=${A:-/b.pem}\n");
    }
}
