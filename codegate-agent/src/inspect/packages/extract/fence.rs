//! Which reader a fence or a file needs.

use super::{
    Context, Ecosystem, Sink,
    files::{commands, diff, docker, make, yaml},
    imports, manifest,
    markdown::lines,
    pattern::{group, patterns},
    place::within,
    shell, spec,
};

patterns! {
    FILE_NAME = r"([\w.-]+\.(?:txt|toml|json|lock|xml|mod|csproj|in|rb|gemspec|gradle|kts|py|js|ts|tsx|jsx|mjs|cjs|go|rs|sh|ya?ml|props|sum|java|cs|php|cfg|lockfile)|Gemfile|Dockerfile|Containerfile|Pipfile|Makefile|justfile|Procfile)";
    PROMPT = r"(?m)^[ \t]*(?:\([\w.-]+\) )?(?:[$%>❯➜]|PS [^>\n]*>|[A-Z]:\\[^>\n]*>|\[?[\w.-]+@[\w.-]+[^$#>\n]{0,80}[$#%>]) ";
    ROOT = r"^[ \t]*# ";
    CDN = r#"(?:https?:)?//(?:cdn\.jsdelivr\.net/(npm/)|unpkg\.com/|esm\.sh/|cdn\.skypack\.dev/|esm\.run/|ga\.jspm\.io/npm:)((?:@[\w.-]+/)?[\w.-]+)(?:@([\w.+-]+))?"#;
    COMBINED = r"cdn\.jsdelivr\.net/combine/([\w@/.,+-]+)";
    CDNJS = r"https?://cdnjs\.cloudflare\.com/ajax/libs/([\w.-]+)/([\w.+-]+)/";
}

/// How a text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    Shell,
    Console,
    Docker,
    Yaml,
    Make,
    Processes,
    /// Commands in JSON.
    Json,
    Notebook,
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
        if path.contains("requirements/") && name.ends_with(".txt") {
            return Some(Self::Manifest(manifest::Kind::Requirements));
        }
        let lower = name.to_lowercase();
        if lower.starts_with("dockerfile") || lower.starts_with("containerfile") {
            return Some(Self::Docker);
        }
        match lower.as_str() {
            "makefile" | "gnumakefile" | "justfile" | ".justfile" => return Some(Self::Make),
            "procfile" => return Some(Self::Processes),
            _ => {}
        }
        match lower.rsplit('.').next()? {
            "sh" | "bash" | "zsh" | "fish" | "ps1" | "psm1" | "bat" | "cmd" => Some(Self::Shell),
            "mk" | "just" => Some(Self::Make),
            "json" | "jsonc" | "json5" => Some(Self::Json),
            "ipynb" => Some(Self::Notebook),
            "dockerfile" => Some(Self::Docker),
            "yml" | "yaml" => Some(Self::Yaml),
            "diff" | "patch" => Some(Self::Diff),
            "html" | "htm" | "vue" | "svelte" | "astro" => Some(Self::Page),
            "py" | "pyi" | "pyw" => Some(Self::Python),
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
            .trim_start_matches(['{', '.'])
            .split([' ', ',', ':', '{', '}', '\r'])
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
            "yaml" | "yml" => {
                let kind = manifest::Kind::of_body(language, body);
                kind.map(Self::Manifest).or(Some(Self::Yaml))
            }
            "diff" | "patch" => Some(Self::Diff),
            "makefile" | "make" | "just" | "justfile" => Some(Self::Make),
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
                .or(match language {
                    "" => Some(Self::Console),
                    "json" | "jsonc" | "json5" => Some(Self::Json),
                    _ => None,
                }),
        }
    }

    pub(super) fn read(self, sink: &mut Sink, text: &str, base: usize) {
        match self {
            Self::Shell => shell::read(sink, text, base, Context::Install),
            Self::Console => console(sink, text, base),
            Self::Docker => docker::read(sink, text, base),
            Self::Yaml => yaml::read(sink, text, base),
            Self::Make => make::read(sink, text, base),
            Self::Processes => make::processes(sink, text, base),
            Self::Json => commands::read(sink, text, base),
            Self::Notebook => commands::notebook(sink, text, base),
            Self::Diff => diff::read(sink, text, base),
            Self::Page => {
                imports::in_page(sink, text, base);
                urls(sink, text, base);
            }
            Self::Python => {
                manifest::script(sink, text, base);
                imports::python(sink, text, base);
            }
            Self::JavaScript => imports::javascript(sink, text, base),
            Self::Go => imports::go(sink, text, base),
            Self::Rust => {
                manifest::rust_script(sink, text, base);
                imports::rust(sink, text, base);
            }
            Self::Java => {
                manifest::annotated(sink, text, base);
                imports::java(sink, text, base);
            }
            Self::CSharp => {
                manifest::paket(sink, text, base);
                imports::csharp(sink, text, base);
            }
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

/// Addresses that packages are loaded from.
pub(super) fn urls(sink: &mut Sink, text: &str, base: usize) {
    if !text.contains("//") {
        return;
    }
    for found in CDN.all(text) {
        let version = found
            .get(3)
            .map(|v| v.as_str())
            .and_then(|v| spec::exact(Ecosystem::Npm, v));
        if let Some((name, range)) = group(&found, 2, base) {
            // jsDelivr also serves what is no package, and unpkg its pages.
            if found.get(1).is_some() || !matches!(name, "gh" | "wp" | "combine" | "browse") {
                sink.add(Context::Url, Ecosystem::Npm, name, version, range);
            }
        }
    }
    for list in COMBINED.all(text) {
        let Some((list, place)) = group(&list, 1, base) else {
            continue;
        };
        for piece in list.split(',').filter(|piece| piece.starts_with("npm/")) {
            let at = place.start + within(list, piece).start + 4;
            let name = piece.get(4..).unwrap_or_default();
            spec::add(
                sink,
                Context::Url,
                Ecosystem::Npm,
                name,
                at..at + name.len(),
            );
        }
    }
    for found in CDNJS.all(text) {
        let version = found.get(2).map(|version| version.as_str());
        if let Some((name, range)) = group(&found, 1, base) {
            sink.add(Context::Url, Ecosystem::Npm, name, version, range);
        }
    }
}
