//! YAML of those that run commands: workflows, pipelines, tasks, Compose. What is not said to be
//! something else is read as a command, and most of it is none.

use std::iter::Peekable;

use super::super::{
    Context, Ecosystem, Sink,
    markdown::lines,
    pattern::{group, patterns},
    shell, spec,
};

patterns! {
    ENTRY = r#"^([ \t]*(?:-[ \t]+)*)(?:(?:"([^"]+)"|'([^']+)'|([\w.$@/*^-]+))[ \t]*:(?:[ \t]+|\r?$))?"#;
    BLOCK = r"^[|>][+-]?\d?[+-]?[ \t]*(?:#.*)?\r?$";
    QUOTED = r#"["']([^"']+)["']|([\w@][\w./@=<>~!^\[\]-]*)"#;
}

/// Keys whose values are for people, or name something that is fetched in another way.
const OTHER: [&str; 16] = [
    "name",
    "displayName",
    "description",
    "title",
    "label",
    "message",
    "help",
    "summary",
    "uses",
    "if",
    "image",
    "needs",
    "desc",
    "msg",
    "repo",
    "id",
];

pub(in super::super) fn read(sink: &mut Sink, text: &str, base: usize) {
    let mut reader = Yaml {
        text,
        base,
        top: "",
        list: None,
    };
    let mut lines = lines(text).peekable();
    while let Some((start, line)) = lines.next() {
        reader.line(sink, start, line, &mut lines);
    }
}

struct Yaml<'t> {
    text: &'t str,
    base: usize,
    /// The outermost key.
    top: &'t str,
    /// The indentation of a key whose list names packages.
    list: Option<usize>,
}

impl<'t> Yaml<'t> {
    fn line(
        &mut self,
        sink: &mut Sink,
        start: usize,
        line: &'t str,
        lines: &mut Peekable<impl Iterator<Item = (usize, &'t str)>>,
    ) {
        let Some(entry) = ENTRY.first(line).filter(|_| !line.trim().is_empty()) else {
            return;
        };
        let indent = line.len() - line.trim_start().len();
        let key = entry.iter().skip(2).flatten().next();
        let end = entry.get(0).map_or(0, |entry| entry.end());
        let value = line.get(end..).unwrap_or_default();
        let key_text = key.map_or("", |key| key.as_str());
        if indent == 0 && key.is_some() {
            self.top = key_text;
        }
        if let Some(of) = self.list {
            if key.is_none() && indent >= of && line.trim_start().starts_with('-') {
                return dependencies(sink, value, self.base + start + end);
            }
            self.list = None;
        }
        if key_text == "additional_dependencies" {
            self.list = Some(indent);
            return dependencies(sink, value, self.base + start + end);
        }
        if matches!(self.top, "catalog" | "catalogs") {
            if let Some(key) = key.filter(|_| indent > 0 && !value.trim().is_empty()) {
                let version = spec::exact(Ecosystem::Npm, value.trim().trim_matches(['"', '\'']));
                let range = self.base + start + key.start()..self.base + start + key.end();
                sink.add(Context::Manifest, Ecosystem::Npm, key_text, version, range);
            }
            return;
        }
        let other = OTHER.contains(&key_text);
        if BLOCK.is_in(value) {
            let folded = value.starts_with('>');
            let from = start + line.len() + 1;
            let to = block_end(from, indent, lines);
            if !other {
                self.block(sink, from..to, folded);
            }
        } else if !other {
            self.value(sink, value, start + end);
        }
    }

    /// The lines of a block. Folded, they are one.
    fn block(&self, sink: &mut Sink, range: std::ops::Range<usize>, folded: bool) {
        let at = self.base + range.start;
        let text = self
            .text
            .get(range.start..range.end.min(self.text.len()))
            .unwrap_or_default();
        match folded {
            true => shell::read(sink, &text.replace('\n', " "), at, Context::Install),
            false => shell::read(sink, text, at, Context::Install),
        }
    }

    fn value(&self, sink: &mut Sink, value: &str, at: usize) {
        let trimmed = value.trim_end();
        let quoted = ['"', '\''].iter().find(|quote| {
            trimmed.len() > 1 && trimmed.starts_with(**quote) && trimmed.ends_with(**quote)
        });
        let at = self.base + at;
        match quoted {
            // An escaped quote is one, of the same length.
            Some(_) => {
                let inner = trimmed.get(1..trimmed.len() - 1).unwrap_or_default();
                shell::read(
                    sink,
                    &inner.replace("\\\"", " \""),
                    at + 1,
                    Context::Install,
                );
            }
            None if trimmed.starts_with('[') => shell::read_array(sink, trimmed, at),
            None => shell::read(sink, value, at, Context::Install),
        }
    }
}

/// Where a block ends: before the first line that is not further in.
fn block_end<'t>(
    from: usize,
    indent: usize,
    lines: &mut Peekable<impl Iterator<Item = (usize, &'t str)>>,
) -> usize {
    let mut end = from;
    let inside =
        |line: &str| line.trim().is_empty() || line.len() - line.trim_start().len() > indent;
    while let Some((start, line)) = lines.next_if(|(_, line)| inside(line)) {
        end = start + line.len() + 1;
    }
    end
}

/// What pre-commit installs beside a hook; those of npm look like it.
fn dependencies(sink: &mut Sink, text: &str, base: usize) {
    for found in QUOTED.all(text) {
        let word = group(&found, 1, base).or_else(|| group(&found, 2, base));
        let Some((word, range)) = word else { continue };
        let npm = word.starts_with('@') || (word.contains('@') && !word.contains([' ', '=']));
        let ecosystem = if npm { Ecosystem::Npm } else { Ecosystem::PyPI };
        spec::add(sink, Context::Manifest, ecosystem, word, range);
    }
}
