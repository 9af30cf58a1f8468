//! What a process runs, when its executable only runs what others wrote: the script of an interpreter.
//!
//! A command line is the process's own word: a rule that goes by it is for processes that do not lie.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt as _,
    path::Path,
};

use crate::flow::Process;

/// Programs that run scripts. A version may be behind the name.
const INTERPRETERS: [&str; 11] = [
    "bash", "bun", "deno", "electron", "java", "node", "nodejs", "perl", "python", "ruby", "sh",
];

/// Endings that a script's name has and a command does not.
const ENDINGS: [&str; 7] = [".js", ".mjs", ".cjs", ".ts", ".py", ".rb", ".sh"];

/// Options of interpreters that have a value of their own behind them.
const VALUED: [&str; 8] = [
    "--require",
    "-r",
    "--import",
    "--loader",
    "--experimental-loader",
    "-W",
    "-X",
    "--conditions",
];

/// Whether a process runs a script: `command` is its path, the end of it from a slash on, its name, or
/// its name without an ending; or a module's name.
pub(super) fn runs(process: &Process, command: &str) -> bool {
    let interprets = process.exe.as_deref().is_some_and(is_interpreter);
    let script = interprets.then(|| script(&process.arguments)).flatten();
    script.is_some_and(|script| is_called(script, command))
}

fn is_interpreter(exe: &Path) -> bool {
    let name = exe.file_name().map(OsStr::as_bytes).unwrap_or_default();
    INTERPRETERS.iter().any(|interpreter| {
        let version = name.strip_prefix(interpreter.as_bytes());
        version.is_some_and(|v| {
            v.iter()
                .all(|octet| octet.is_ascii_digit() || *octet == b'.')
        })
    })
}

/// The first argument that is no option, or the module that `-m` names.
fn script(arguments: &[OsString]) -> Option<&OsStr> {
    let mut rest = arguments.iter().skip(1);
    loop {
        let argument = rest.next()?;
        if argument == "-m" || argument == "--" {
            return rest.next().map(OsString::as_os_str);
        }
        if argument == "-c" || argument == "-e" {
            return None;
        }
        if VALUED.iter().any(|option| argument == option) {
            rest.next();
        } else if !argument.as_bytes().starts_with(b"-") && argument != "run" {
            return Some(argument);
        }
    }
}

fn is_called(script: &OsStr, command: &str) -> bool {
    let path = Path::new(script);
    if path == Path::new(command) || command.contains('/') {
        return path.ends_with(command.trim_start_matches('/'))
            && (!command.starts_with('/') || path == Path::new(command));
    }
    let name = path.file_name().map(OsStr::as_bytes).unwrap_or_default();
    name == command.as_bytes()
        || ENDINGS
            .iter()
            .any(|ending| name.strip_suffix(ending.as_bytes()) == Some(command.as_bytes()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A process by its command line.
    pub(in crate::config) fn process(line: &str) -> Process {
        let mut words = line.split(' ');
        Process {
            exe: words.next().map(Into::into),
            arguments: words.map(Into::into).collect(),
            ..Process::default()
        }
    }

    #[test]
    fn scripts_are_known_by_path_and_name() {
        for (line, command, expected) in [
            ("/usr/bin/node node /opt/x/cli.js", "cli", true),
            ("/usr/bin/node node /opt/x/cli.js", "cli.js", true),
            ("/usr/bin/node node /opt/x/cli.js", "x/cli.js", true),
            ("/usr/bin/node node /opt/x/cli.js", "/opt/x/cli.js", true),
            ("/usr/bin/node node /opt/x/cli.js", "/x/cli.js", false),
            ("/usr/bin/node node /opt/x/cli.js", "li.js", false),
            (
                "/usr/bin/node22 node --max-old-space-size=9 -r a.js b.mjs",
                "b",
                true,
            ),
            ("/usr/bin/node node -e cli", "cli", false),
            ("/usr/bin/python3.12 python -m aider", "aider", true),
            (
                "/usr/bin/python3 python3 /home/me/.local/bin/aider --model x",
                "aider",
                true,
            ),
            ("/usr/local/bin/bun bun run agent.ts", "agent", true),
            ("/usr/bin/cat cat cli.js", "cli", false),
            ("/usr/bin/nodemon nodemon cli.js", "cli", false),
            ("/usr/bin/node node", "node", false),
        ] {
            assert_eq!(
                runs(&process(line), command),
                expected,
                "{line} is {command}?"
            );
        }
    }
}
