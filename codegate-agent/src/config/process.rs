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

    /// What the first rule for this executable says. Of the processes that no rule names, browsers
    /// pass; the rest, and those whose executable could not be read, are guarded.
    pub fn action(&self, exe: Option<&Path>) -> Action {
        let Some(exe) = exe.map(without_deleted) else {
            return Action::Guard;
        };
        let first = self.0.iter().find(|rule| rule.exe == exe);
        let unnamed = if is_browser(exe) {
            Action::Pass
        } else {
            Action::Guard
        };
        first.map_or(unnamed, |rule| rule.action)
    }

    /// The rules in their order.
    pub fn rules(&self) -> &[Rule] {
        &self.0
    }
}

/// Where browsers are installed, by directory and file name. They keep a trust store of their own,
/// so the web pages of guarded hosts would show a certificate error in them; and what a person types
/// into a page is not what a tool reads from files. Only directories that belong to root: a program
/// that a user puts somewhere cannot pass for a browser.
const BROWSERS: &[(&str, &str)] = &[
    ("/opt/brave.com", "brave"),
    ("/opt/google/chrome", "chrome"),
    ("/opt/microsoft/msedge", "msedge"),
    ("/opt/vivaldi", "vivaldi-bin"),
    ("/snap/brave", "brave"),
    ("/snap/chromium", "chrome"),
    ("/snap/firefox", "firefox"),
    ("/usr/bin", "epiphany"),
    ("/usr/lib/chromium", "chromium"),
    ("/usr/lib/firefox", "firefox"),
    ("/usr/lib/firefox", "firefox-bin"),
    ("/usr/lib/firefox-esr", "firefox-esr"),
    ("/usr/lib64/chromium-browser", "chromium-browser"),
    ("/usr/lib64/firefox", "firefox"),
    ("/usr/lib/x86_64-linux-gnu/opera", "opera"),
];

fn is_browser(exe: &Path) -> bool {
    let named = |file: &str| exe.file_name().is_some_and(|name| name == file);
    BROWSERS
        .iter()
        .any(|(folder, file)| exe.starts_with(folder) && named(file))
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

    #[test]
    fn browsers_pass_unless_a_rule_says_otherwise() {
        let firefox = Path::new("/snap/firefox/4173/usr/lib/firefox/firefox");
        assert_eq!(Processes::default().action(Some(firefox)), Action::Pass);
        let ruled = Processes::new(vec![rule("/opt/google/chrome/chrome", Action::Guard)]);
        let action = |exe: &str| ruled.action(Some(Path::new(exe)));
        assert_eq!(action("/opt/google/chrome/chrome"), Action::Guard);
        assert_eq!(action("/home/me/opt/google/chrome/chrome"), Action::Guard);
        assert_eq!(
            action("/usr/lib/firefox/../../../tmp/firefoxes"),
            Action::Guard
        );
    }
}
