//! Dockerfiles: what they run, and the names that they set.

use super::super::{Context, Sink, shell};

/// Reads a Dockerfile that begins at `base`: its commands are put into a script of the same length.
pub(in super::super) fn read(sink: &mut Sink, text: &str, base: usize) {
    let mut script = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let length = instruction(rest);
        let whole = rest.get(..length).unwrap_or(rest);
        match command(whole) {
            Some(command) if command.trim_start().starts_with('[') => {
                let place = base + at + whole.len() - command.len();
                shell::read_array(sink, command, place);
                script.push_str(&blank(whole));
            }
            Some(command) => {
                script.push_str(&" ".repeat(whole.len() - command.len()));
                script.push_str(&without_comments(command));
            }
            None if keeps(whole) => script.push_str(whole),
            None => script.push_str(&blank(whole)),
        }
        at += whole.len();
    }
    shell::read(sink, &script, base, Context::Install);
}

/// How long the instruction is that a text begins with, its document included.
fn instruction(text: &str) -> usize {
    let mut length = 0;
    let mut lines = text.split_inclusive('\n').peekable();
    let mut first = "";
    for line in lines.by_ref() {
        length += line.len();
        if first.is_empty() {
            first = line;
        }
        let more = line.trim_end().ends_with(['\\', '`']);
        let comment = line.trim_start().starts_with('#') && length > line.len();
        if !more && !comment {
            break;
        }
    }
    let mark = first
        .split_once("<<")
        .map(|(_, mark)| mark.trim_start_matches('-'));
    let mark = mark.and_then(|mark| mark.split_whitespace().next());
    let Some(mark) = mark.map(|mark| mark.trim_matches(['"', '\''])) else {
        return length;
    };
    for line in lines {
        length += line.len();
        if line.trim() == mark {
            break;
        }
    }
    length
}

/// What an instruction runs.
fn command(instruction: &str) -> Option<&str> {
    let mut rest = instruction.trim_start();
    for keyword in ["ONBUILD", "HEALTHCHECK", "RUN", "CMD", "ENTRYPOINT"] {
        let Some(after) = rest.get(keyword.len()..) else {
            continue;
        };
        let is = rest
            .get(..keyword.len())
            .is_some_and(|word| word.eq_ignore_ascii_case(keyword));
        if is && after.starts_with([' ', '\t', '<']) {
            rest = without_options(after);
            if !matches!(keyword, "ONBUILD" | "HEALTHCHECK") {
                return Some(rest);
            }
        }
    }
    None
}

/// Options come first: `--mount=type=cache,target=/root`.
fn without_options(command: &str) -> &str {
    let mut rest = command.trim_start();
    while rest.starts_with("--") {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        rest = rest
            .get(end..)
            .unwrap_or_default()
            .trim_start_matches([' ', '\t', '\\', '\r', '\n']);
    }
    rest
}

/// Comments within an instruction do not end it.
fn without_comments(command: &str) -> String {
    if command.contains("<<") {
        return command.to_owned();
    }
    let line = |line: &str| match line.trim_start().starts_with('#') {
        true => " ".repeat(line.len()),
        false => line.to_owned(),
    };
    command.split_inclusive('\n').map(line).collect()
}

/// Whether a script may say the same: `ENV NAME=x`, `COPY <<EOF file`.
fn keeps(instruction: &str) -> bool {
    let word = instruction.split_whitespace().next().unwrap_or_default();
    matches!(word, "ENV" | "ARG") || (matches!(word, "COPY" | "ADD") && instruction.contains("<<"))
}

fn blank(text: &str) -> String {
    let blank = |b| if b == b'\n' { '\n' } else { ' ' };
    text.bytes().map(blank).collect()
}
