//! Markdown: fences go to their readers, inline code and sentences are searched for commands.

use std::ops::Range;

use super::{
    Context, Ecosystem, Purl, Sink,
    fence::{self, Reader},
    pattern::{group, patterns},
    shell, spec, stdlib,
};

patterns! {
    OPENING = r"^[ \t>]*(?:[-*+][ \t]+|\d+[.)][ \t]+)?(`{3,}|~{3,})[ \t]*([^`\n]*)$";
    INLINE = r"`([^`\n]+)`";
    COMMAND = r"(?i)\b((?:sudo[ ]+)?(?:python3?[ ]+-m[ ]+pip|pip3?|pipx|uv[ ]+pip|npm|pnpm|yarn|bun|poetry|pdm|uv|cargo|gem|composer|go)[ ]+(?:install|add|i|get|require)[ ]+((?:-{1,2}[\w-]+[ ]+)*)(@?[\w][\w./@=\[\]-]*))";
    SPOKEN = r"(?i)`([@\w][\w./@-]*)`\s+(?:(npm|node(?:\.js)?|python|pypi|pip|rust|ruby|nuget|composer|go)\s+)?(package|library|crate|gem|module)s?\b";
    CALLED = r"(?i)\b(npm|node(?:\.js)?|python|pypi|pip|rust|ruby|nuget|composer|go)\s+(?:package|library|module|gem|crate)\s+(?:called\s+|named\s+)?`([@\w][\w./@-]*)`";
    PURL = r"\bpkg:[a-z]+/[\w@%./+~:-]*[\w]";
}

/// Words that follow "npm install" in sentences.
const WORDS: [&str; 34] = [
    "a",
    "again",
    "all",
    "an",
    "and",
    "any",
    "as",
    "command",
    "commands",
    "dependencies",
    "does",
    "each",
    "every",
    "for",
    "from",
    "if",
    "in",
    "into",
    "is",
    "it",
    "or",
    "output",
    "packages",
    "step",
    "that",
    "the",
    "them",
    "these",
    "this",
    "to",
    "will",
    "with",
    "works",
    "your",
];

pub(super) fn read(sink: &mut Sink, text: &str) {
    let mut lines = lines(text).peekable();
    let mut before = "";
    while let Some((start, line)) = lines.next() {
        let Some(opening) = OPENING.first(line) else {
            sentence(sink, line, start);
            if !line.trim().is_empty() {
                before = line;
            }
            continue;
        };
        let mark = opening.get(1).map_or("```", |mark| mark.as_str());
        let info = opening.get(2).map_or("", |info| info.as_str());
        let from = start + line.len() + 1;
        let mut to = from;
        for (start, line) in lines.by_ref() {
            let inner = line.trim_start_matches([' ', '\t', '>']).trim_end();
            if inner.starts_with(mark) && inner.trim_matches(['`', '~']).is_empty() {
                break;
            }
            to = start + line.len() + 1;
        }
        let body = text.get(from..to.min(text.len())).unwrap_or_default();
        sink.own.file(info);
        sink.own.file(before);
        let title = body.lines().next().unwrap_or_default();
        if title.starts_with(['#', '/']) {
            sink.own.file(title);
        }
        if let Some(reader) = Reader::of_fence(info, before, body) {
            reader.read(sink, body, from);
        }
        before = "";
    }
}

/// Lines without their ends, and where they start.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split('\n').map(move |line| {
        let at = start;
        start += line.len() + 1;
        (at, line)
    })
}

fn sentence(sink: &mut Sink, line: &str, start: usize) {
    fence::urls(sink, line, start);
    for found in PURL.all(line) {
        let Some((text, range)) = group(&found, 0, start) else {
            continue;
        };
        if let Ok(Purl { package, version }) = text.parse() {
            let mention = super::Mention {
                purl: Purl { package, version },
                context: Context::Prose,
                range,
            };
            sink.found.push(mention);
        }
    }
    let prompted = line.trim_start().strip_prefix("$ ");
    if let Some(command) = prompted {
        let at = start + line.len() - command.len();
        return shell::read(sink, command, at, Context::Install);
    }
    spoken(sink, line, start);
    let mut outside = line.to_owned();
    for found in INLINE.all(line) {
        if let Some((code, range)) = group(&found, 1, 0) {
            shell::read(sink, code, start + range.start, Context::Install);
            outside.replace_range(range.clone(), &" ".repeat(range.len()));
        }
    }
    for found in COMMAND.all(&outside) {
        let word = found.get(3).map_or("", |word| word.as_str());
        let stops = word.trim_end_matches(['.', ',', ':']).to_lowercase();
        if let Some((command, range)) = group(&found, 1, start) {
            let command = command.trim_end_matches(['.', ',', ':', '-', '/']);
            if !WORDS.contains(&stops.as_str()) {
                shell::read(sink, command, range.start, Context::Prose);
            }
        }
    }
}

/// "the `left-pad` npm package", "the `serde` crate": only where the words say whose package it is.
fn spoken(sink: &mut Sink, line: &str, start: usize) {
    if !line.contains('`') {
        return;
    }
    let mut add = |name: Option<(&str, Range<usize>)>, ecosystem: Option<Ecosystem>| {
        let (Some((name, range)), Some(ecosystem)) = (name, ecosystem) else {
            return;
        };
        let own = match ecosystem {
            Ecosystem::Npm => stdlib::node(name),
            Ecosystem::PyPI => stdlib::python(name),
            Ecosystem::Crates => stdlib::rust(name),
            _ => false,
        };
        if !own {
            spec::add(sink, Context::Prose, ecosystem, name, range);
        }
    };
    for found in SPOKEN.all(line) {
        let word = |i| found.get(i).map_or("", |word| word.as_str());
        let ecosystem = ecosystem(word(2)).or_else(|| ecosystem(word(3)));
        add(group(&found, 1, start), ecosystem);
    }
    for found in CALLED.all(line) {
        let word = found.get(1).map_or("", |word| word.as_str());
        add(group(&found, 2, start), ecosystem(word));
    }
}

fn ecosystem(word: &str) -> Option<Ecosystem> {
    Some(match word.to_lowercase().as_str() {
        "npm" | "node" | "node.js" => Ecosystem::Npm,
        "python" | "pypi" | "pip" => Ecosystem::PyPI,
        "rust" | "crate" => Ecosystem::Crates,
        "ruby" | "gem" => Ecosystem::RubyGems,
        "nuget" => Ecosystem::NuGet,
        "composer" => Ecosystem::Packagist,
        "go" => Ecosystem::Go,
        _ => return None,
    })
}
