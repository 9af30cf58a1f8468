//! Commands that code runs: `subprocess.run(["pip", "install", "x"])` and its kin in all languages.

use std::ops::Range;

use tree_sitter::Node;

use super::slice;
use crate::inspect::packages::extract::{Context, Sink, place::Placed, shell};

/// What runs a command, by the last part of its name.
const RUNS: [&str; 48] = [
    "$",
    "Command",
    "CommandContext",
    "Popen",
    "ProcessBuilder",
    "Start",
    "call",
    "capture2",
    "capture2e",
    "capture3",
    "check_call",
    "check_output",
    "command",
    "create_subprocess_exec",
    "create_subprocess_shell",
    "exec",
    "execFile",
    "execFileSync",
    "execSync",
    "execa",
    "execaCommand",
    "execaSync",
    "execl",
    "execlp",
    "execv",
    "execvp",
    "execvpe",
    "fromShellCommandline",
    "getoutput",
    "getstatusoutput",
    "local",
    "passthru",
    "pipe",
    "popen",
    "popen3",
    "proc_open",
    "run",
    "runCommand",
    "sh",
    "shell",
    "shell_exec",
    "spawn",
    "spawnSync",
    "split",
    "start",
    "sudo",
    "system",
    "x",
];

/// Reads a node if it runs a command.
pub(super) fn read(sink: &mut Sink, node: Node<'_>, text: &str, base: usize) {
    match node.kind() {
        "call"
        | "call_expression"
        | "new_expression"
        | "function_call_expression"
        | "member_call_expression"
        | "scoped_call_expression"
        | "method_invocation"
        | "object_creation_expression"
        | "invocation_expression" => call(sink, node, text, base),
        "subshell" | "shell_command_expression" => {
            let range = node.byte_range();
            let whole = slice(text, range.clone());
            let open = whole
                .find(['`', '(', '{', '[', '|', '!'])
                .map_or(1, |at| at + 1);
            let inner = whole
                .get(open..whole.len().saturating_sub(1))
                .unwrap_or_default();
            shell::read(sink, inner, base + range.start + open, Context::Install);
        }
        _ => {}
    }
}

fn call(sink: &mut Sink, node: Node<'_>, text: &str, base: usize) {
    let whole = node.byte_range();
    let Some(arguments) = node.child_by_field_name("arguments") else {
        return;
    };
    let callee = slice(text, whole.start..arguments.start_byte());
    // Rust names the arguments in calls of their own.
    if callee.contains("Command::new(") {
        return command(sink, strings(node, text, base), &[]);
    }
    let callee = callee.trim_end_matches(['(', ' ', '!']);
    let is_part = |c: char| c == '_' || c == '$' || c.is_alphanumeric();
    let name = callee.rsplit(|c| !is_part(c)).next().unwrap_or_default();
    let before: &[&str] = match name {
        "install" if callee == "session.install" => &["pip", "install"],
        "main" | "pipmain" if callee.contains("pip") => &["pip"],
        _ if RUNS.contains(&name) => &[],
        _ => return,
    };
    command(sink, strings(arguments, text, base), before);
}

/// Reads a command that is given as strings: one script, or its words.
fn command(sink: &mut Sink, strings: Vec<Placed>, before: &[&str]) {
    let mut words: Vec<Placed> = before
        .iter()
        .map(|word| Placed::verbatim(word, 0))
        .collect();
    match strings.as_slice() {
        [] => return,
        [script, ..]
            if before.is_empty() && (script.text().contains(' ') || strings.len() == 1) =>
        {
            return script.read(sink, |sink, text| {
                shell::read(sink, text, 0, Context::Install)
            });
        }
        // All arguments are in one string in C#.
        [program, arguments] if before.is_empty() => {
            words.push(program.clone());
            words.extend(arguments.split(char::is_whitespace));
        }
        // `execvp` is told the name twice.
        [program, name, ..] if program.text() == name.text() => {
            words.extend(strings.into_iter().skip(1));
        }
        _ => words.extend(strings),
    }
    shell::words(sink, &words, Context::Install);
}

/// The strings of a node, in order, without their quotes.
fn strings(node: Node<'_>, text: &str, base: usize) -> Vec<Placed> {
    let mut found = Vec::new();
    collect(node, text, base, &mut found, 0);
    found
}

fn collect(node: Node<'_>, text: &str, base: usize, found: &mut Vec<Placed>, depth: usize) {
    const DEEPEST: usize = 30;
    const MOST: usize = 100;
    let kind = node.kind();
    if kind.contains("string") && kind != "concatenated_string" {
        let range = content(slice(text, node.byte_range()), node.start_byte());
        found.push(Placed::verbatim(
            slice(text, range.clone()),
            base + range.start,
        ));
        return;
    }
    let mut cursor = node.walk();
    if depth < DEEPEST && found.len() < MOST {
        for child in node.named_children(&mut cursor) {
            collect(child, text, base, found, depth + 1);
        }
    }
}

/// What is between the quotes of a literal that begins at `start`.
fn content(literal: &str, start: usize) -> Range<usize> {
    let Some((open, quote)) = literal
        .char_indices()
        .find(|(_, c)| matches!(c, '"' | '\'' | '`'))
    else {
        return start..start + literal.len();
    };
    let run = literal.get(open..).unwrap_or_default();
    let run = run.len() - run.trim_start_matches(quote).len();
    let quotes = if run >= 3 { 3 } else { 1 };
    let end = literal.trim_end_matches('#').len().saturating_sub(quotes);
    let from = start + open + quotes;
    from..(start + end).max(from)
}
