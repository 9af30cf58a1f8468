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
    written,
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
const WRITERS: [&str; 7] = [
    "write_file",
    "writefile",
    "write_to_file",
    "create_file",
    "edit",
    "patch",
    "replace",
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
    /// What runs, as it is given.
    whole: Cow<'a, str>,
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

/// Whether a member of this name holds the name of a file.
pub(super) fn is_path(member: &str) -> bool {
    written::is_name(&folded(member))
}

/// Whether a member of this name may hold a patch.
pub(super) fn is_patch(member: &str) -> bool {
    written::is_patch(&folded(member))
}

/// A name in lower case and without `_` and `-`.
pub(super) fn folded(name: &str) -> String {
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
    let refuse = |command: &Command<'_>, watch: &mut dyn Watch| {
        let reason = command.reason(watch)?;
        Some(command.refused(&reason, watch))
    };
    let mut edits: Vec<Edit> = commands.iter().filter_map(|c| refuse(c, watch)).collect();
    edits.extend(written::refused(arguments, tree.root(), watch));
    edits.sort_by_key(|edit| edit.raw.start);
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
        let edits = written::refused_patch(&text, watch);
        return (!edits.is_empty()).then(|| splice(text.as_bytes(), &edits));
    }
    let texts = match plain && Language::of(name, "") == Language::Shell {
        true => vec![text.clone().into_owned()],
        false => in_code(&text),
    };
    let reason = texts.iter().find_map(|text| watch.command(text))?;
    match plain {
        true => {
            let language = Language::of(name, "");
            let script = watch.replaced(&text, &reason, &|reason| language.refusal(reason));
            Some(script.into_bytes())
        }
        false => Some(refused(name, plain, &reason)),
    }
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
    let command = quoted.join(" ");
    // What a shell is given is replaced, and the shell stays.
    let (whole, place) = match (words.as_slice(), array.items().nth(2)) {
        ([shell, option, script], Some(item)) if is_shell(shell, option) => {
            (script.clone(), Place::String(item.range()))
        }
        _ => (Cow::Owned(command.clone()), Place::Words(array.range())),
    };
    commands.push(Command {
        whole,
        texts: vec![Cow::Owned(command)],
        place,
        language: Language::Shell,
    });
}

/// Whether a program is a shell, and an option says that a command follows.
fn is_shell(program: &str, option: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or_default();
    let short = option.strip_prefix('-').unwrap_or_default();
    ["sh", "bash", "dash", "zsh"].contains(&name) && !short.starts_with('-') && short.contains('c')
}

impl<'a> Command<'a> {
    fn new(tool: &str, member: &str, text: Cow<'a, str>, place: Place) -> Self {
        let language = Language::of(tool, member);
        let texts = match language {
            Language::Shell => vec![text.clone()],
            _ => in_code(&text).into_iter().map(Cow::Owned).collect(),
        };
        Self {
            whole: text,
            texts,
            place,
            language,
        }
    }

    /// Why it must not run, if so. A patch may be given to a program that applies it.
    fn reason(&self, watch: &mut dyn Watch) -> Option<String> {
        self.texts.iter().find_map(|text| {
            let reason = watch.command(text);
            let is_patch = reason.is_none() && text.contains("*** Begin Patch");
            reason.or_else(|| is_patch.then(|| written::patch_reason(text, watch))?)
        })
    }

    /// What stands in the command's stead.
    fn refused(&self, reason: &str, watch: &mut dyn Watch) -> Edit {
        let written = |reason: &str| self.language.refusal(reason);
        let script = watch.replaced(&self.whole, reason, &written);
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
mod tests;
