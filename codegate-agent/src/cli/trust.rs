//! `codegate run` and `codegate env`.

use std::{
    collections::BTreeMap,
    env,
    ffi::{OsStr, OsString},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    client::Client,
    exit::{Exit, Problem},
    output::Printer,
    say,
};
use crate::{
    control::{Request, Trust},
    trust::environment::quoted,
};

/// Becomes the command; returns only if that fails.
pub(super) fn run(mut client: Client, command: &[OsString]) -> Result<Exit, Problem> {
    let trust: Trust = client.one(&Request::Trust)?;
    drop(client); // the command must not inherit it
    let [program, arguments @ ..] = command else {
        return Ok(Exit::Usage); // the argument parser demands one
    };
    let source = Command::new(program)
        .args(arguments)
        .envs(wanted(trust.variables))
        .exec();
    Err(Problem::Exec {
        command: program.into(),
        source,
    })
}

pub(super) fn env(mut client: Client, printer: &mut Printer) -> Result<Exit, Problem> {
    let trust: Trust = client.one(&Request::Trust)?;
    let variables = wanted(trust.variables);
    if printer.json() {
        printer.object(&variables)?;
    } else {
        for (name, path) in &variables {
            printer.line(&format!("export {name}={}", quoted(path)))?;
        }
    }
    Ok(Exit::Fine)
}

/// The variables without those that the user has set to something else: theirs are kept, said so.
fn wanted(variables: BTreeMap<String, PathBuf>) -> BTreeMap<String, PathBuf> {
    let mut wanted = BTreeMap::new();
    for (name, path) in variables {
        match env::var_os(&name).filter(|theirs| is_other(theirs, &path)) {
            Some(theirs) => say(&format!(
                "{name} is set to {}: kept; programs that heed it may not trust the guard",
                theirs.display()
            )),
            None => drop(wanted.insert(name, path)),
        }
    }
    wanted
}

fn is_other(theirs: &OsStr, ours: &Path) -> bool {
    !theirs.is_empty() && Path::new(theirs) != ours
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_path_survives_the_shell() {
        for path in ["/a b", "/it's", "/$(reboot)`x`", "/a\nb", "/\"q\"\\"] {
            let script = format!("printf %s {}", quoted(Path::new(path)));
            let output = Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), path);
        }
    }

    #[test]
    fn an_empty_or_equal_variable_is_ours_to_set() {
        let ours = Path::new("/ca.pem");
        assert!(!is_other(OsStr::new(""), ours));
        assert!(!is_other(OsStr::new("/ca.pem"), ours));
        assert!(is_other(OsStr::new("/corp.pem"), ours));
    }
}
