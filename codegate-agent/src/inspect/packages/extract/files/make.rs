//! Makefiles and their kin: recipes are scripts, with a few signs of their own.

use super::super::{Context, Sink, markdown::lines, pattern::patterns, shell};

patterns! {
    VARIABLE = r"\$\((\w+)\)";
    PROCESS = r"^[\w-]+:[ \t]";
}

/// Reads a Makefile or a justfile as a script of the same length.
pub(in super::super) fn read(sink: &mut Sink, text: &str, base: usize) {
    let mut script = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let command = line.trim_start();
        let indent = line.len() - command.len();
        let bare = match indent {
            0 => command,
            _ => command.trim_start_matches(['@', '-', '+']),
        };
        script.push_str(&" ".repeat(line.len() - bare.len()));
        script.push_str(bare);
    }
    let mut script = script.into_bytes();
    for found in VARIABLE.all(text) {
        // `$(NAME)` is `${NAME}` in a shell.
        if let Some(all) = found.get(0) {
            set(&mut script, all.start() + 1, b'{');
            set(&mut script, all.end() - 1, b'}');
        }
    }
    let script = String::from_utf8(script).unwrap_or_default();
    shell::read(sink, &script, base, Context::Install);
}

fn set(bytes: &mut [u8], at: usize, to: u8) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte = to;
    }
}

/// Reads a Procfile: a command for each kind of process.
pub(in super::super) fn processes(sink: &mut Sink, text: &str, base: usize) {
    for (start, line) in lines(text) {
        if let Some(found) = PROCESS.first(line).and_then(|found| found.get(0)) {
            let command = line.get(found.end()..).unwrap_or_default();
            shell::read(sink, command, base + start + found.end(), Context::Install);
        }
    }
}
