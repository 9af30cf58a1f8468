//! What the arguments of a tool call say: the commands that it would run, the files that it would
//! write, and how such a command is refused so that the tool shows why.
//!
//! Knows: how tools for shells and code are usually called, and name their arguments. Must not know:
//! any dialect, packages.

use std::{borrow::Cow, ops::Range};

use super::{
    Watch,
    script::{in_code, quote},
    tree::{Tree, View},
};
use crate::span::{Edit, escape, splice};

/// Parts of names that tools have which run what they are given.
const RUNNERS: [&str; 16] = [
    "bash",
    "shell",
    "exec",
    "command",
    "cmd",
    "terminal",
    "powershell",
    "pwsh",
    "zsh",
    "run",
    "python",
    "ipython",
    "jupyter",
    "notebook",
    "repl",
    "install",
];
/// Parts of names of tools that run nothing, although their names look like it.
const WRITERS: [&str; 6] = [
    "write_file",
    "writefile",
    "write_to_file",
    "create_file",
    "edit",
    "patch",
];
/// The arguments that hold what is to be run, in lower case and without `_` and `-`.
const COMMANDS: [&str; 15] = [
    "command",
    "commands",
    "cmd",
    "cmds",
    "commandline",
    "shellcommand",
    "bashcommand",
    "script",
    "shell",
    "bash",
    "argv",
    "args",
    "code",
    "chars",
    "cells",
];
/// The arguments that hold a file's name, and what is to be written into one.
const NAMES: [&str; 6] = [
    "filepath",
    "path",
    "filename",
    "file",
    "targetfile",
    "notebookpath",
];
const CONTENTS: [&str; 8] = [
    "content",
    "contents",
    "text",
    "newstring",
    "newstr",
    "newsource",
    "filetext",
    "codeedit",
];

/// What a string of the arguments is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Shell,
    Python,
    JavaScript,
}

/// Something that a call would run.
#[derive(Debug)]
struct Command<'a> {
    /// The texts to be looked at: the command, or the commands in a piece of code.
    texts: Vec<Cow<'a, str>>,
    /// Where what runs stands in the arguments.
    place: Place,
    language: Language,
}

#[derive(Debug)]
enum Place {
    /// A string, without its quotes.
    String(Range<usize>),
    /// An array of words, with its brackets.
    Words(Range<usize>),
}

/// Whether a tool of this name is taken for one that runs what it is given.
pub(super) fn runs(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let named = name == "sh" || RUNNERS.iter().any(|part| name.contains(part));
    named && !writes(&name)
}

/// Whether a tool of this name only writes.
pub(super) fn writes(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "write" || WRITERS.iter().any(|part| name.contains(part))
}

/// Whether a member of this name holds what is to be run.
pub(super) fn is_command(member: &str) -> bool {
    COMMANDS.contains(&folded(member).as_str())
}

fn folded(name: &str) -> String {
    let kept = name.chars().filter(|c| !matches!(c, '_' | '-'));
    kept.collect::<String>().to_ascii_lowercase()
}

/// Looks at a call's arguments, which are JSON or (`plain`) just text; gives them as they ought to
/// be if something in them must not run.
pub(super) fn judge(
    name: &str,
    arguments: &[u8],
    plain: bool,
    watch: &mut dyn Watch,
) -> Option<Vec<u8>> {
    let tree = match plain {
        true => None,
        false => Tree::read(arguments).ok(),
    };
    let text = String::from_utf8_lossy(arguments);
    let Some(tree) = tree else {
        return judge_text(name, text, plain, watch);
    };
    let mut commands = Vec::new();
    gather(name, tree.root(), &mut commands);
    files(tree.root(), watch);
    let refuse = |command: &Command<'_>, watch: &mut dyn Watch| {
        let reason = command.reason(watch)?;
        Some(command.refused(&reason))
    };
    let edits: Vec<Edit> = commands.iter().filter_map(|c| refuse(c, watch)).collect();
    (!edits.is_empty()).then(|| splice(arguments, &edits))
}

/// Looks at arguments that are no JSON, or whose end is missing.
fn judge_text(
    name: &str,
    text: Cow<'_, str>,
    plain: bool,
    watch: &mut dyn Watch,
) -> Option<Vec<u8>> {
    if plain && writes(name) {
        watch.file("x.patch", &text);
        return None;
    }
    let texts = match plain && Language::of(name, "") == Language::Shell {
        true => vec![text.into_owned()],
        false => in_code(&text),
    };
    let reason = texts.iter().find_map(|text| watch.command(text))?;
    Some(refused(name, plain, &reason))
}

/// Arguments in the place of some that cannot be judged.
pub(super) fn refused(name: &str, plain: bool, reason: &str) -> Vec<u8> {
    let script = Language::of(name, "").refusal(reason);
    match plain {
        true => script.into_bytes(),
        false => serde_json::json!({ "command": script })
            .to_string()
            .into_bytes(),
    }
}

/// The commands of a value and all that is in it, from left to right.
fn gather<'a>(tool: &str, value: View<'a>, commands: &mut Vec<Command<'a>>) {
    // A shell whose arguments have other names: any of them may be the command.
    let any = runs(tool) && !value.members().any(|(name, _)| is_command(&name));
    for (name, value) in value.members() {
        let named = is_command(&name);
        match value.text() {
            Some(text) if named || (any && !is_path(&name)) => {
                let place = Place::String(value.range());
                commands.push(Command::new(tool, &name, text, place));
            }
            Some(_) => {}
            None if named && value.is_array() => words(tool, &name, value, commands),
            None => gather(tool, value, commands),
        }
    }
    for item in value.items() {
        gather(tool, item, commands);
    }
}

fn is_path(member: &str) -> bool {
    NAMES.contains(&folded(member).as_str())
}

/// An array is one command, word by word, or a command in each of its strings.
fn words<'a>(tool: &str, name: &str, array: View<'a>, commands: &mut Vec<Command<'a>>) {
    let words: Vec<Cow<'a, str>> = array.items().filter_map(View::text).collect();
    let lines = folded(name).ends_with('s') && !folded(name).starts_with("arg")
        || words
            .first()
            .is_some_and(|first| first.trim().contains(' '));
    if lines || words.is_empty() {
        for item in array.items() {
            match item.text() {
                Some(text) => {
                    let place = Place::String(item.range());
                    commands.push(Command::new(tool, name, text, place));
                }
                None => gather(tool, item, commands),
            }
        }
        return;
    }
    let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
    commands.push(Command {
        texts: vec![Cow::Owned(quoted.join(" "))],
        place: Place::Words(array.range()),
        language: Language::Shell,
    });
}

/// What the call writes into files.
fn files(value: View<'_>, watch: &mut dyn Watch) {
    let member = |names: &[&str]| {
        let mut members = value.members();
        let found = members.find(|(name, _)| names.contains(&folded(name).as_str()));
        found.and_then(|(_, value)| value.text())
    };
    if let (Some(name), Some(content)) = (member(&NAMES), member(&CONTENTS)) {
        watch.file(&name, &content);
    }
}

impl<'a> Command<'a> {
    fn new(tool: &str, member: &str, text: Cow<'a, str>, place: Place) -> Self {
        let language = Language::of(tool, member);
        let texts = match language {
            Language::Shell => vec![text],
            _ => in_code(&text).into_iter().map(Cow::Owned).collect(),
        };
        Self {
            texts,
            place,
            language,
        }
    }

    /// Why it must not run, if so.
    fn reason(&self, watch: &mut dyn Watch) -> Option<String> {
        self.texts.iter().find_map(|text| watch.command(text))
    }

    /// What stands in the command's stead.
    fn refused(&self, reason: &str) -> Edit {
        let script = self.language.refusal(reason);
        let (raw, with) = match &self.place {
            Place::String(range) => (range.clone(), escape(script.as_bytes(), 1)),
            Place::Words(range) => {
                let words = serde_json::json!(["sh", "-c", script]);
                (range.clone(), words.to_string().into_bytes())
            }
        };
        Edit { raw, with }
    }
}

impl Language {
    fn of(tool: &str, member: &str) -> Self {
        let tool = tool.to_ascii_lowercase();
        let has = |parts: &[&str]| parts.iter().any(|part| tool.contains(part));
        if has(&["python", "jupyter", "notebook"]) {
            return Self::Python;
        }
        // Codex's `exec` is given JavaScript, and not in an argument.
        let script = has(&["javascript", "js_", "_js", "node", "typescript"]);
        match script || (tool == "exec" && member.is_empty()) {
            true => Self::JavaScript,
            false => Self::Shell,
        }
    }

    /// Something that does nothing but fail, and says why.
    fn refusal(self, reason: &str) -> String {
        match self {
            Self::Shell => format!("echo {} >&2; false", quote(reason)),
            Self::Python => format!("raise SystemExit({})", serde_json::json!(reason)),
            Self::JavaScript => format!("throw new Error({});", serde_json::json!(reason)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use serde_json::{Value, json};
    use zeroize::Zeroizing;

    use super::*;
    use crate::{provider::Restore, seal::Placeholder};

    /// Refuses whatever installs `bad`.
    #[derive(Default)]
    struct Refuser {
        commands: Vec<String>,
        files: Vec<(String, String)>,
    }

    impl Restore for Refuser {
        fn value(&mut self, _: &Placeholder) -> Option<Zeroizing<Vec<u8>>> {
            None
        }
        fn mangled(&mut self, _: &[u8]) {}
    }

    impl Watch for Refuser {
        fn command(&mut self, text: &str) -> Option<String> {
            self.commands.push(text.to_owned());
            text.contains("i bad").then(|| "it's \"bad\"".to_owned())
        }
        fn file(&mut self, name: &str, text: &str) {
            self.files.push((name.to_owned(), text.to_owned()));
        }
    }

    const SHELL: &str = r#"echo 'it'\''s "bad"' >&2; false"#;

    fn judged(name: &str, arguments: &Value) -> Option<Value> {
        let bytes = arguments.to_string();
        let new = judge(name, bytes.as_bytes(), false, &mut Refuser::default())?;
        Some(serde_json::from_slice(&new).unwrap())
    }

    #[test]
    fn only_the_command_is_replaced() {
        for (name, given, expected) in [
            (
                "Bash",
                json!({"command": "npm i bad", "timeout": 5}),
                json!({"command": SHELL, "timeout": 5}),
            ),
            (
                "anything",
                json!({"cwd": "/", "command": "npm i bad"}),
                json!({"cwd": "/", "command": SHELL}),
            ),
            (
                "run_command",
                json!({"CommandLine": "npm i bad"}),
                json!({"CommandLine": SHELL}),
            ),
            (
                "my_terminal",
                json!({"what": "npm i bad"}),
                json!({"what": SHELL}),
            ),
            (
                "shell",
                json!({"command": ["npm", "i", "bad"]}),
                json!({"command": ["sh", "-c", SHELL]}),
            ),
            (
                "shell",
                json!({"command": ["bash", "-lc", "cd x && npm i bad"]}),
                json!({"command": ["sh", "-c", SHELL]}),
            ),
            (
                "x",
                json!({"action": {"commands": ["ls", "npm i bad"]}}),
                json!({"action": {"commands": ["ls", SHELL]}}),
            ),
            (
                "x",
                json!({"cmd": [{"args": ["npm", "i", "bad"]}]}),
                json!({"cmd": [{"args": ["sh", "-c", SHELL]}]}),
            ),
        ] {
            assert_eq!(judged(name, &given), Some(expected), "{given}");
        }
        assert_eq!(judged("Bash", &json!({"command": "npm i good"})), None);
        assert_eq!(judged("Write", &json!({"content": "npm i bad"})), None);
    }

    #[test]
    fn code_is_searched_for_commands() {
        for code in [
            "!npm i bad",
            "import os\nos.system('npm i bad')",
            "subprocess.run([\"npm\", 'i', \"bad\"], check=True)",
        ] {
            let new = judged("execute_ipython_cell", &json!({ "code": code })).unwrap();
            assert_eq!(new["code"], r#"raise SystemExit("it's \"bad\"")"#, "{code}");
        }
        let input = b"await tools.exec_command({cmd: `npm i bad`})";
        let new = judge("exec", input, true, &mut Refuser::default()).unwrap();
        assert_eq!(new, br#"throw new Error("it's \"bad\"");"#);
        assert_eq!(
            judge("exec", b"text(\"npm\")", true, &mut Refuser::default()),
            None
        );
    }

    #[test]
    fn files_are_looked_at_and_never_replaced() {
        let mut refuser = Refuser::default();
        let write = json!({"file_path": "/x/package.json", "content": "npm i bad"}).to_string();
        assert_eq!(judge("Write", write.as_bytes(), false, &mut refuser), None);
        assert_eq!(
            judge("apply_patch", b"+npm i bad", true, &mut refuser),
            None
        );
        assert_eq!(refuser.files.len(), 2);
        assert_eq!(refuser.files[0].0, "/x/package.json");
        assert!(refuser.commands.is_empty());
    }

    #[test]
    fn the_refusal_fails_and_says_why() {
        let script = Language::Shell.refusal("it's \"bad\" $(touch x) `y`");
        let run = std::process::Command::new("sh")
            .args(["-c", &script])
            .output()
            .unwrap();
        assert_eq!(run.status.code(), Some(1));
        assert_eq!(run.stderr, b"it's \"bad\" $(touch x) `y`\n");
    }

    #[test]
    fn arguments_may_be_anything() {
        for arguments in [
            "",
            "{",
            "null",
            "[]",
            "\"npm i bad\"",
            "{\"command\": 5}",
            "{\"command\": [1, [\"x\"]]}",
        ] {
            judge("x", arguments.as_bytes(), false, &mut Refuser::default());
            judge("bash", arguments.as_bytes(), true, &mut Refuser::default());
        }
    }
}
