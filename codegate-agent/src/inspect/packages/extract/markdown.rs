//! Markdown: fences go to their readers, inline code and sentences are searched for commands.

use std::ops::Range;

use super::{
    Context, Ecosystem, Purl, Sink,
    fence::{self, Reader},
    files::diff,
    pattern::{group, patterns},
    shell, spec, stdlib,
};

patterns! {
    OPENING = r"^[ \t>]*(?:[-*+][ \t]+|\d+[.)][ \t]+)?(`{3,}|~{3,})[ \t]*([^`\n]*)$";
    INLINE = r"`([^`\n]+)`";
    COMMAND = r"(?i)\b((?:sudo[ ]+)?(?:python3?[ ]+-m[ ]+pip|pip3?|pipx|uv[ ]+pip|npm|pnpm|yarn|bun|poetry|pdm|uv|cargo|gem|composer|go)[ ]+(?:install|add|i|get|require)[ ]+((?:-{1,2}[\w-]+[ ]+)*)(@?[\w][\w./@=\[\]-]*))";
    SPOKEN = r"(?i)`([@\w][\w./@-]*)`\s+(?:(npm|node(?:\.js)?|python|pypi|pip|rust|ruby|nuget|composer|go)\s+)?(package|library|crate|gem|module)s?\b";
    CALLED = r"(?i)\b(npm|node(?:\.js)?|python|pypi|pip|rust|ruby|nuget|composer|go)\s+(?:package|library|module|gem|crate)\s+(?:called\s+|named\s+)?`([@\w][\w./@-]*)`";
    LISTED = r"(?i)\b(npm|node(?:\.js)?|yarn|pnpm|python|pypi|pip|rust|cargo|ruby|nuget|composer|go)\b.*:[*_\s]*$";
    LISTS = r"(?i)\b(?:install\w*|packages?|librar(?:y|ies)|dependenc(?:y|ies)|crates|gems)\b";
    ITEM = r"^\s*(?:[-*+•]|\d+[.)])\s+(?:\*\*`?|`)([@\w][\w./@=-]*)(?:`?\*\*|`)";
    PATCH = r"^\*\*\* Begin Patch";
    PURL = r"\bpkg:[a-z]+/[\w@%./+~:-]*[\w]";
}

/// The longest mark of a fence with Markdown in it.
const DEEPEST: usize = 8;

/// Words that follow "npm install" in sentences.
const WORDS: [&str; 95] = [
    "a",
    "after",
    "again",
    "all",
    "also",
    "an",
    "and",
    "any",
    "anything",
    "are",
    "as",
    "at",
    "before",
    "but",
    "by",
    "can",
    "command",
    "commands",
    "correctly",
    "dependencies",
    "did",
    "does",
    "doesn't",
    "each",
    "error",
    "errors",
    "every",
    "everything",
    "failed",
    "fails",
    "first",
    "for",
    "from",
    "globally",
    "has",
    "here",
    "if",
    "in",
    "instead",
    "into",
    "is",
    "it",
    "it's",
    "itself",
    "just",
    "libraries",
    "library",
    "locally",
    "may",
    "module",
    "modules",
    "must",
    "need",
    "needs",
    "now",
    "on",
    "only",
    "or",
    "output",
    "package",
    "packages",
    "process",
    "project",
    "properly",
    "runs",
    "script",
    "scripts",
    "should",
    "something",
    "step",
    "successfully",
    "takes",
    "that",
    "the",
    "them",
    "then",
    "there",
    "these",
    "they",
    "this",
    "time",
    "to",
    "via",
    "was",
    "we",
    "when",
    "which",
    "while",
    "will",
    "with",
    "without",
    "works",
    "would",
    "you",
    "your",
];

pub(super) fn read(sink: &mut Sink, text: &str) {
    read_at(sink, text, 0);
}

fn read_at(sink: &mut Sink, text: &str, base: usize) {
    let mut lines = lines(text).peekable();
    let mut before = "";
    let (mut listed, mut after_blank) = (None, true);
    while let Some((start, line)) = lines.next() {
        if PATCH.is_in(line) {
            let is_inside = |(_, line): &(usize, &str)| !line.starts_with("*** End Patch");
            let mut to = start;
            while let Some((start, line)) = lines.next_if(is_inside) {
                to = start + line.len();
            }
            let patch = text.get(start..to).unwrap_or_default();
            diff::read(sink, patch, base + start);
            continue;
        }
        let Some(opening) = OPENING.first(line) else {
            if !in_list(sink, line, base + start, &mut listed) {
                match after_blank && is_code(line) {
                    true => shell::read(sink, line, base + start, Context::Install),
                    false => sentence(sink, line, base + start),
                }
            }
            after_blank = line.trim().is_empty() || (after_blank && is_code(line));
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
        fenced(sink, [mark, info, before], body, base + from);
        (before, listed, after_blank) = ("", None, true);
    }
}

/// What is in a fence: with this mark, these words, and this line before it.
fn fenced(sink: &mut Sink, [mark, info, before]: [&str; 3], body: &str, base: usize) {
    let title = body.lines().next().unwrap_or_default();
    if title.starts_with(['#', '/']) {
        sink.own.file(title);
    }
    // Markdown that is shown, which has fences of its own.
    if matches!(info.trim(), "md" | "markdown" | "mdx") && mark.len() < DEEPEST {
        return read_at(sink, body, base);
    }
    if let Some(reader) = Reader::of_fence(info, before, body) {
        reader.read(sink, body, base);
    }
}

/// Whether a line that is far in is a command, as code without a fence is.
fn is_code(line: &str) -> bool {
    let command = line.trim_start();
    let deep = line.starts_with("    ") || line.starts_with('\t');
    let found = COMMAND.first(command).filter(|_| deep);
    let begins = found
        .and_then(|found| found.get(0))
        .is_some_and(|all| all.start() == 0);
    begins && !command.split_whitespace().any(|word| WORDS.contains(&word))
}

/// An item of a list whose first line says what it lists: "Install these npm packages:".
fn in_list(sink: &mut Sink, line: &str, at: usize, listed: &mut Option<Ecosystem>) -> bool {
    if let Some(found) = LISTED.first(line).filter(|_| LISTS.is_in(line)) {
        let word = found.get(1).map_or("", |word| word.as_str());
        *listed = ecosystem(word);
        return false;
    }
    match (*listed, ITEM.first(line)) {
        (Some(ecosystem), Some(found)) => {
            let Some((name, range)) = group(&found, 1, at) else {
                return false;
            };
            if Reader::of_file(name).is_none() {
                spec::add(sink, Context::Prose, ecosystem, name, range);
            }
            true
        }
        _ => {
            if !line.trim().is_empty() {
                *listed = None;
            }
            false
        }
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
        "npm" | "node" | "node.js" | "yarn" | "pnpm" => Ecosystem::Npm,
        "python" | "pypi" | "pip" => Ecosystem::PyPI,
        "rust" | "cargo" | "crate" => Ecosystem::Crates,
        "ruby" | "gem" => Ecosystem::RubyGems,
        "nuget" => Ecosystem::NuGet,
        "composer" => Ecosystem::Packagist,
        "go" => Ecosystem::Go,
        _ => return None,
    })
}
