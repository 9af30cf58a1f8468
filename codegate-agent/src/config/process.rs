//! Processes that are treated in their own way.

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    command::runs,
    pattern::{ImagePattern, PathPattern},
};
use crate::flow::{Container, Process};

/// What is done with a process's connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Those to guarded hosts are inspected, and all TLS connections are looked at for the host that
    /// they are for.
    GuardAll,
    /// Those to guarded hosts are inspected.
    #[default]
    Guard,
    /// They go through untouched.
    Pass,
    /// Those to guarded hosts are refused.
    Block,
}

/// One `[[process]]`: a process is meant if all that is said of it is true. Nothing said, all are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// The executable's path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exe: Option<PathPattern>,
    /// The script that an interpreter runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The id of the container, or the beginning of it; `*` for any container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The image that the container was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImagePattern>,
    /// The cgroup, or one above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<PathBuf>,
    /// The real user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Whether what such a process starts is meant, too.
    pub inherit: bool,
    /// What is done with its connections.
    pub action: Action,
}

impl Rule {
    fn applies(&self, process: &Process) -> bool {
        self.is(process) || self.inherit && process.ancestors.iter().any(|other| self.is(other))
    }

    fn is(&self, process: &Process) -> bool {
        self.is_run(process)
            && self.is_contained(process.container.as_deref())
            && self.is_below(process.cgroup.as_deref())
            && self.uid.is_none_or(|uid| uid == process.uid)
    }

    fn is_run(&self, process: &Process) -> bool {
        let exe = process.exe.as_deref().map(without_deleted);
        let fits = |pattern: &PathPattern| exe.is_some_and(|exe| pattern.matches(exe));
        self.exe.as_ref().is_none_or(fits)
            && self
                .command
                .as_deref()
                .is_none_or(|command| runs(process, command))
    }

    fn is_contained(&self, container: Option<&Container>) -> bool {
        let inside = |id: &str| container.is_some_and(|it| id == "*" || it.id.starts_with(id));
        let image = container.and_then(|container| container.image.as_deref());
        let made_from = |pattern: &ImagePattern| image.is_some_and(|image| pattern.matches(image));
        self.container.as_deref().is_none_or(inside) && self.image.as_ref().is_none_or(made_from)
    }

    fn is_below(&self, cgroup: Option<&str>) -> bool {
        let below = |above: &PathBuf| cgroup.is_some_and(|path| Path::new(path).starts_with(above));
        self.cgroup.as_ref().is_none_or(below)
    }
}

/// The rules in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Processes(Vec<Rule>);

impl Processes {
    pub(super) fn new(rules: Vec<Rule>) -> Self {
        Self(rules)
    }

    /// What the first rule for this process says. Of the processes that no rule names, browsers pass; the
    /// rest, and those whose executable could not be read, are guarded.
    pub fn action(&self, process: &Process) -> Action {
        let first = self.0.iter().find(|rule| rule.applies(process));
        let exe = process.exe.as_deref().map(without_deleted);
        let unnamed = if exe.is_some_and(is_browser) {
            Action::Pass
        } else {
            Action::Guard
        };
        first.map_or(unnamed, |rule| rule.action)
    }

    /// Whether there are processes all of whose TLS connections must be looked at.
    pub fn guard_all(&self) -> bool {
        self.any(Action::GuardAll)
    }

    /// Whether there are processes that are refused.
    pub fn block(&self) -> bool {
        self.any(Action::Block)
    }

    fn any(&self, action: Action) -> bool {
        self.0.iter().any(|rule| rule.action == action)
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
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn rule(exe: &str, action: Action) -> Rule {
        Rule {
            exe: PathPattern::new(exe),
            action,
            ..Rule::default()
        }
    }

    fn process(exe: &str) -> Process {
        Process {
            exe: Some(exe.into()),
            ..Process::default()
        }
    }

    #[test]
    fn the_first_match_wins_and_the_rest_is_guarded() {
        let processes = Processes::new(vec![
            rule("/usr/bin/a", Action::Pass),
            rule("/usr/bin/a", Action::Block),
            rule("/usr/bin/b", Action::Block),
            rule("/opt/*/c", Action::GuardAll),
        ]);
        let action = |exe: &str| processes.action(&process(exe));
        assert_eq!(action("/usr/bin/a"), Action::Pass);
        assert_eq!(action("/usr/bin/a (deleted)"), Action::Pass);
        assert_eq!(action("/usr/bin/b"), Action::Block);
        assert_eq!(action("/usr/bin/ab"), Action::Guard);
        assert_eq!(action("/opt/x/c"), Action::GuardAll);
        assert_eq!(processes.action(&Process::default()), Action::Guard);
        assert!(processes.guard_all());
    }

    #[test]
    fn browsers_pass_unless_a_rule_says_otherwise() {
        let firefox = process("/snap/firefox/4173/usr/lib/firefox/firefox");
        assert_eq!(Processes::default().action(&firefox), Action::Pass);
        let ruled = Processes::new(vec![rule("/opt/google/chrome/chrome", Action::Guard)]);
        let action = |exe: &str| ruled.action(&process(exe));
        assert_eq!(action("/opt/google/chrome/chrome"), Action::Guard);
        assert_eq!(action("/home/me/opt/google/chrome/chrome"), Action::Guard);
        assert_eq!(
            action("/usr/lib/firefox/../../../tmp/firefoxes"),
            Action::Guard
        );
    }

    #[test]
    fn all_that_a_rule_says_must_be_true() {
        let id = "c0de".repeat(16);
        let me = Process {
            uid: 7,
            cgroup: Some(format!("/system.slice/docker-{id}.scope/inner")),
            container: Some(Arc::new(Container {
                id,
                image: Some("docker.io/library/node:22".to_owned()),
            })),
            arguments: ["node", "/usr/bin/tool"].map(Into::into).into(),
            ..process("/usr/bin/node")
        };
        let applies = |change: fn(&mut Rule)| {
            let mut rule = Rule::default();
            change(&mut rule);
            rule.applies(&me)
        };
        assert!(applies(|_| {}));
        assert!(applies(|rule| rule.uid = Some(7)));
        assert!(applies(|rule| rule.command = Some("tool".into())));
        assert!(applies(|rule| rule.container = Some("c0dec0de".into())));
        assert!(applies(|rule| rule.container = Some("*".into())));
        assert!(applies(|rule| rule.cgroup = Some("/system.slice".into())));
        assert!(!applies(|rule| rule.cgroup = Some("/system".into())));
        assert!(!applies(|rule| rule.container = Some("0dec".into())));
        assert!(applies(|rule| rule.image = ImagePattern::new("node*")));
        assert!(!applies(|rule| rule.image = ImagePattern::new("python*")));
        assert!(!applies(|rule| {
            rule.uid = Some(7);
            rule.command = Some("other".into());
        }));
    }

    #[test]
    fn children_are_meant_where_a_rule_says_so() {
        let child = Process {
            ancestors: vec![
                Arc::new(process("/bin/sh")),
                Arc::new(process("/usr/bin/a")),
            ],
            ..process("/usr/bin/curl")
        };
        let mut rule = rule("/usr/bin/a", Action::Block);
        assert!(!rule.applies(&child));
        rule.inherit = true;
        assert!(rule.applies(&child));
    }
}
