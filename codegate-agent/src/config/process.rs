//! Processes that are treated in their own way.

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is done with a process's connections to guarded hosts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// They are inspected.
    #[default]
    Guard,
    /// They go through untouched.
    Pass,
    /// They are refused.
    Block,
}

/// One `[[process]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// The executable's path.
    pub exe: PathBuf,
    /// What is done with its connections.
    pub action: Action,
}

/// The rules in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Processes(Vec<Rule>);

impl Processes {
    pub(super) fn new(rules: Vec<Rule>) -> Self {
        Self(rules)
    }

    /// What the first rule for this executable says. A process that no rule names, or whose
    /// executable could not be read, is guarded.
    pub fn action(&self, exe: Option<&Path>) -> Action {
        let Some(exe) = exe.map(without_deleted) else {
            return Action::Guard;
        };
        let first = self.0.iter().find(|rule| rule.exe == exe);
        first.map_or(Action::Guard, |rule| rule.action)
    }

    /// The rules in their order.
    pub fn rules(&self) -> &[Rule] {
        &self.0
    }
}

/// The kernel marks the executable of a process that was upgraded while it ran (`proc(5)`).
fn without_deleted(exe: &Path) -> &Path {
    let bytes = exe.as_os_str().as_bytes();
    let path = bytes.strip_suffix(b" (deleted)").unwrap_or(bytes);
    Path::new(OsStr::from_bytes(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(exe: &str, action: Action) -> Rule {
        Rule {
            exe: exe.into(),
            action,
        }
    }

    #[test]
    fn the_first_match_wins_and_the_rest_is_guarded() {
        let processes = Processes::new(vec![
            rule("/usr/bin/a", Action::Pass),
            rule("/usr/bin/a", Action::Block),
            rule("/usr/bin/b", Action::Block),
        ]);
        let action = |exe: &str| processes.action(Some(Path::new(exe)));
        assert_eq!(action("/usr/bin/a"), Action::Pass);
        assert_eq!(action("/usr/bin/a (deleted)"), Action::Pass);
        assert_eq!(action("/usr/bin/b"), Action::Block);
        assert_eq!(action("/usr/bin/ab"), Action::Guard);
        assert_eq!(processes.action(None), Action::Guard);
    }
}
