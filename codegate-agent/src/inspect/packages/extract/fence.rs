//! Which reader a fence or a file needs.

use super::{
    Context, Ecosystem, Sink, imports, manifest,
    markdown::lines,
    pattern::{group, patterns},
    shell, spec,
};

patterns! {
    FILE_NAME = r"([\w.-]+\.(?:txt|toml|json|lock|xml|mod|csproj|in|rb|gemspec|gradle|kts|py|js|ts|tsx|jsx|mjs|cjs|go|rs|sh|ya?ml|props|sum|java|cs|php|cfg|lockfile)|Gemfile|Dockerfile|Containerfile|Pipfile)";
    PROMPT = r"(?m)^[ \t]*(?:\([\w.-]+\) )?(?:[$%>]|PS [^>\n]*>) ";
    ROOT = r"^[ \t]*# ";
    RUN = r#"(?m)^[ \t-]*run:[ \t]*[|>]?[+-]?[ \t]*"#;
    CDN = r#"https?://(?:cdn\.jsdelivr\.net/(npm/)|unpkg\.com/|esm\.sh/|cdn\.skypack\.dev/|esm\.run/|ga\.jspm\.io/npm:)((?:@[\w.-]+/)?[\w.-]+)(?:@([\w.+-]+))?"#;
    CDNJS = r"https?://cdnjs\.cloudflare\.com/ajax/libs/([\w.-]+)/([\w.+-]+)/";
}

/// How a text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    Shell,
    Console,
    Docker,
    Workflow,
    Diff,
    Python,
    JavaScript,
    /// A page or a component, with scripts in it.
    Page,
    Go,
    Rust,
    Java,
    CSharp,
    Ruby,
    Php,
    Manifest(manifest::Kind),
}

impl Reader {
    /// By a file's name.
    pub(super) fn of_file(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        if let Some(kind) = manifest::Kind::of_file(name) {
            return Some(Self::Manifest(kind));
        }
        let lower = name.to_lowercase();
        if lower.starts_with("dockerfile") || lower.starts_with("containerfile") {
            return Some(Self::Docker);
        }
        match lower.rsplit('.').next()? {
            "sh" | "bash" | "zsh" | "fish" | "ps1" => Some(Self::Shell),
            "dockerfile" => Some(Self::Docker),
            "yml" | "yaml" => Some(Self::Workflow),
            "diff" | "patch" => Some(Self::Diff),
            "html" | "htm" | "vue" | "svelte" | "astro" => Some(Self::Page),
            "py" | "pyi" | "ipynb" => Some(Self::Python),
            "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" => Some(Self::JavaScript),
            "go" => Some(Self::Go),
            "rs" => Some(Self::Rust),
            "java" => Some(Self::Java),
            "cs" | "csx" => Some(Self::CSharp),
            "rb" | "rake" | "ru" => Some(Self::Ruby),
            "php" => Some(Self::Php),
            _ => None,
        }
    }

    /// By what a fence says of itself, the line before it, or what is in it.
    pub(super) fn of_fence(info: &str, before: &str, body: &str) -> Option<Self> {
        let named = |text| {
            let found = FILE_NAME.first(text)?;
            Self::of_file(found.get(1)?.as_str())
        };
        let language = info
            .split([' ', ',', ':', '{', '\r'])
            .next()
            .unwrap_or_default();
        let language = language.to_lowercase();
        let announced = |reader: &Self| matches!(reader, Self::Manifest(_)) && !is_code(&language);
        named(info)
            .or_else(|| named(before).filter(announced))
            .or_else(|| Self::of_language(&language, body))
    }

    fn of_language(language: &str, body: &str) -> Option<Self> {
        match language {
            "bash" | "sh" | "shell" | "zsh" | "fish" | "powershell" | "ps1" | "pwsh" | "cmd"
            | "bat" | "batch" => Some(Self::Console),
            "console" | "shell-session" | "shellsession" | "terminal" | "sh-session" => {
                Some(Self::Console)
            }
            "dockerfile" | "docker" | "containerfile" => Some(Self::Docker),
            "yaml" | "yml" => Some(Self::Workflow),
            "diff" | "patch" => Some(Self::Diff),
            "html" | "xml" | "vue" | "svelte" | "astro" if body.contains("<script") => {
                Some(Self::Page)
            }
            "python" | "py" | "python3" | "ipython" | "jupyter" => Some(Self::Python),
            "js" | "jsx" | "ts" | "tsx" | "javascript" | "typescript" | "mjs" | "cjs" | "mts"
            | "vue" | "svelte" | "javascriptreact" | "typescriptreact" | "node" | "deno" => {
                Some(Self::JavaScript)
            }
            "go" | "golang" if !is_go_mod(body) => Some(Self::Go),
            "rust" | "rs" => Some(Self::Rust),
            "java" => Some(Self::Java),
            "cs" | "csharp" | "c#" => Some(Self::CSharp),
            "ruby" | "rb" if !manifest::is_gemfile(body) => Some(Self::Ruby),
            "php" => Some(Self::Php),
            _ => manifest::Kind::of_body(language, body)
                .map(Self::Manifest)
                .or_else(|| language.is_empty().then_some(Self::Console)),
        }
    }

    pub(super) fn read(self, sink: &mut Sink, text: &str, base: usize) {
        match self {
            Self::Shell => shell::read(sink, text, base, Context::Install),
            Self::Console => console(sink, text, base),
            Self::Docker => docker(sink, text, base),
            Self::Workflow => workflow(sink, text, base),
            Self::Diff => diff(sink, text, base),
            Self::Page => {
                imports::in_page(sink, text, base);
                urls(sink, text, base);
            }
            Self::Python => imports::python(sink, text, base),
            Self::JavaScript => imports::javascript(sink, text, base),
            Self::Go => imports::go(sink, text, base),
            Self::Rust => imports::rust(sink, text, base),
            Self::Java => imports::java(sink, text, base),
            Self::CSharp => imports::csharp(sink, text, base),
            Self::Ruby => imports::ruby(sink, text, base),
            Self::Php => imports::php(sink, text, base),
            Self::Manifest(kind) => manifest::read(sink, kind, text, base),
        }
    }
}

/// Whether a fence of this language is what it says, whichever file was spoken of before it.
fn is_code(language: &str) -> bool {
    let readers = [
        Reader::Console,
        Reader::Docker,
        Reader::Diff,
        Reader::Python,
        Reader::JavaScript,
        Reader::Rust,
        Reader::Java,
        Reader::CSharp,
        Reader::Php,
    ];
    let reader = Reader::of_language(language, "");
    !language.is_empty() && reader.is_some_and(|reader| readers.contains(&reader))
}

fn is_go_mod(body: &str) -> bool {
    body.trim_start().starts_with("module ") && !body.contains("package ")
}

/// A session: where there are prompts, only what follows one is a command. A `#` is root's prompt
/// where other prompts are, or nothing else is; elsewhere it begins a comment.
fn console(sink: &mut Sink, text: &str, base: usize) {
    let is_root = |line: &str| line.trim().is_empty() || ROOT.is_in(line);
    if !PROMPT.is_in(text) && !text.lines().all(is_root) {
        return shell::read(sink, text, base, Context::Install);
    }
    for (start, line) in lines(text) {
        if let Some(found) = PROMPT.first(line).or_else(|| ROOT.first(line)) {
            let end = found.get(0).map_or(0, |prompt| prompt.end());
            let command = line.get(end..).unwrap_or_default();
            shell::read(sink, command, base + start + end, Context::Install);
        }
    }
}

/// A Dockerfile: what its `RUN` lines run.
fn docker(sink: &mut Sink, text: &str, base: usize) {
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let mut end = 0;
        for line in rest.split_inclusive('\n') {
            end += line.len();
            if !line.trim_end().ends_with('\\') {
                break;
            }
        }
        let instruction = rest.get(..end).unwrap_or(rest);
        let trimmed = instruction.trim_start();
        let word = trimmed
            .get(..4)
            .filter(|word| word.eq_ignore_ascii_case("RUN "));
        if let Some(command) = word.and(trimmed.get(4..)).map(without_options) {
            let offset = base + at + instruction.len() - command.len();
            match command.trim_start().starts_with('[') {
                true => shell::read_array(sink, command, offset),
                false => shell::read(sink, command, offset, Context::Install),
            }
        }
        at += end.max(1);
    }
}

/// `RUN`'s own options come first: `--mount=type=cache,target=/root`.
fn without_options(command: &str) -> &str {
    let mut rest = command.trim_start();
    while rest.starts_with("--") {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        rest = rest
            .get(end..)
            .unwrap_or_default()
            .trim_start_matches([' ', '\t', '\\', '\n']);
    }
    rest
}

/// A workflow: what its steps run; every line is read, since a block's lines are commands.
fn workflow(sink: &mut Sink, text: &str, base: usize) {
    for (start, line) in lines(text) {
        let skip = RUN
            .first(line)
            .and_then(|found| found.get(0))
            .map_or(0, |run| run.end());
        let command = line.get(skip..).unwrap_or_default();
        shell::read(sink, command, base + start + skip, Context::Install);
    }
}

/// A unified diff: what it adds, read as the file that it changes.
fn diff(sink: &mut Sink, text: &str, base: usize) {
    let mut reader = None;
    for (start, line) in lines(text) {
        if let Some(path) = line.strip_prefix("+++ ") {
            let path = path.split('\t').next().unwrap_or(path).trim();
            reader = Reader::of_file(path.strip_prefix("b/").unwrap_or(path));
        } else if let (Some(added), Some(reader)) = (line.strip_prefix('+'), reader) {
            match reader {
                Reader::Manifest(kind) => manifest::line(sink, kind, added, base + start + 1),
                reader => reader.read(sink, added, base + start + 1),
            }
        }
    }
}

/// Addresses that packages are loaded from.
pub(super) fn urls(sink: &mut Sink, text: &str, base: usize) {
    if !text.contains("://") {
        return;
    }
    for found in CDN.all(text) {
        let version = found
            .get(3)
            .map(|v| v.as_str())
            .and_then(|v| spec::exact(Ecosystem::Npm, v));
        if let Some((name, range)) = group(&found, 2, base) {
            // jsDelivr also serves what is no package.
            if found.get(1).is_some() || !matches!(name, "gh" | "wp" | "combine") {
                sink.add(Context::Url, Ecosystem::Npm, name, version, range);
            }
        }
    }
    for found in CDNJS.all(text) {
        let version = found.get(2).map(|version| version.as_str());
        if let Some((name, range)) = group(&found, 1, base) {
            sink.add(Context::Url, Ecosystem::Npm, name, version, range);
        }
    }
}
