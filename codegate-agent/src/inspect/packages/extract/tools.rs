//! The tools that install packages, and how they are told which.

mod table;

use std::ops::Range;

use super::{Context, Ecosystem, Sink, shell::Word, spec};
use table::{LAUNCHERS, RUNNERS, TOOLS, Tool, WRAPPERS};

/// The command itself, without `sudo`, `env`, assignments and their kin.
pub(super) fn without_wrappers(words: &[Word]) -> &[Word] {
    let mut rest = words;
    let mut wrapped = false;
    while let [first, after @ ..] = rest {
        let text = first.text.as_str();
        let assignment = text
            .split_once('=')
            .is_some_and(|(name, _)| is_variable(name));
        let option = wrapped && text.starts_with('-');
        if !(WRAPPERS.contains(&base_name(text)) || assignment || option || text == "$") {
            break;
        }
        wrapped = true;
        rest = match text {
            "-u" | "-g" | "-n" | "-C" if option => after.get(1..).unwrap_or_default(),
            _ => after,
        };
    }
    launched(rest).unwrap_or(rest)
}

/// The command that another one launches: in a container, elsewhere, or in an environment.
fn launched(words: &[Word]) -> Option<&[Word]> {
    let (first, rest) = words.split_first()?;
    let name = base_name(&first.text);
    let runs = RUNNERS.contains(&name) && rest.iter().any(|word| word.text == "run");
    if !LAUNCHERS.contains(&name) && !runs {
        return None;
    }
    let inner = |at: usize| rest.get(at..).filter(|inner| is_command(inner));
    (0..rest.len()).find_map(inner)
}

/// Whether words are a command that brings packages, or a shell's script.
fn is_command(words: &[Word]) -> bool {
    let Some((first, rest)) = words.split_first() else {
        return false;
    };
    let name = base_name(&first.text);
    let installs = |tool: &Tool| tool.names.contains(&name) && tool.arguments(rest).is_some();
    let module = matches!(name, "python" | "py") && rest.first().is_some_and(|w| w.text == "-m");
    module || nested(words).is_some() || TOOLS.iter().any(installs)
}

fn is_variable(name: &str) -> bool {
    let named = name.trim_start_matches("$env:");
    !named.is_empty() && named.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
}

/// The script of `sh -c SCRIPT` and its kin.
pub(super) fn nested(words: &[Word]) -> Option<&Word> {
    let (first, rest) = words.split_first()?;
    let shells = [
        "sh",
        "bash",
        "zsh",
        "dash",
        "ksh",
        "fish",
        "pwsh",
        "powershell",
        "cmd",
    ];
    if !shells.contains(&base_name(&first.text)) {
        return None;
    }
    let is_script = |word: &Word| {
        let text = word.text.to_lowercase();
        matches!(text.as_str(), "-command" | "/c")
            || (text.starts_with('-') && !text.starts_with("--") && text.ends_with('c'))
    };
    let at = rest.iter().position(is_script)?;
    rest.get(at + 1)
}

/// The name of a program, without its path, its suffix, and the version in it.
fn base_name(text: &str) -> &str {
    let name = text.rsplit(['/', '\\']).next().unwrap_or(text);
    let name = name
        .strip_suffix(".exe")
        .or(name.strip_suffix(".cmd"))
        .unwrap_or(name);
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    match bare {
        "pip" | "python" | "pypy" => bare,
        _ => name,
    }
}

/// Reads one command.
pub(super) fn read(sink: &mut Sink, words: &[Word], context: Context) {
    let Some((first, mut rest)) = words.split_first() else {
        return;
    };
    let lower = first.text.to_lowercase();
    let mut name = base_name(&lower).trim_start_matches(['!', '%']);
    if matches!(name, "python" | "py" | "pypy") {
        let module = rest.iter().position(|word| word.text == "-m");
        let Some(at) = module else { return };
        rest = rest.get(at + 1..).unwrap_or_default();
        let Some((module, after)) = rest.split_first() else {
            return;
        };
        (name, rest) = (module.text.as_str(), after);
    }
    // `cargo +nightly install x`.
    if let Some((_, after)) = rest
        .split_first()
        .filter(|(word, _)| word.text.starts_with('+'))
    {
        rest = after;
    }
    if matches!(name, "npm" | "pnpm" | "yarn" | "bun") {
        created(sink, rest, context);
    }
    if matches!(name, "mvn" | "mvnw" | "./mvnw") {
        maven(sink, rest, context);
    }
    for tool in TOOLS.iter().filter(|tool| tool.names.contains(&name)) {
        if let Some(arguments) = tool.arguments(rest) {
            return tool.packages(sink, arguments, context);
        }
    }
    if name == "uv" && rest.first().is_some_and(|word| word.text == "run") {
        with(sink, rest, context);
    }
    dotnet_project(sink, name, rest, context);
}

/// `uv run --with NAME SCRIPT`.
fn with(sink: &mut Sink, words: &[Word], context: Context) {
    for pair in words.windows(2) {
        if let [option, value] = pair
            && option.text == "--with"
        {
            let range = value.range.clone();
            spec::add(sink, context, Ecosystem::PyPI, &value.text, range);
        }
    }
}

/// `npm create vite@latest` runs the package `create-vite`.
fn created(sink: &mut Sink, words: &[Word], context: Context) {
    let [verb, what, ..] = words else { return };
    if !matches!(verb.text.as_str(), "create" | "init" | "innit") || what.text.starts_with('-') {
        return;
    }
    let name = match what.text.split_once('/') {
        Some((scope, name)) if scope.starts_with('@') => format!("{scope}/create-{name}"),
        None if what.text.starts_with('@') => format!("{}/create", what.text),
        _ => format!("create-{}", what.text),
    };
    spec::add(sink, context, Ecosystem::Npm, &name, what.range.clone());
}

/// `mvn dependency:get -Dartifact=group:artifact:version`.
fn maven(sink: &mut Sink, words: &[Word], context: Context) {
    for word in words {
        if let Some(artifact) = word.text.strip_prefix("-Dartifact=") {
            spec::add(
                sink,
                context,
                Ecosystem::Maven,
                artifact,
                word.range.clone(),
            );
        }
    }
}

/// `dotnet add PROJECT package NAME`.
fn dotnet_project(sink: &mut Sink, name: &str, words: &[Word], context: Context) {
    if let ("dotnet", [add, _, package, rest @ ..]) = (name, words) {
        let tool = TOOLS.iter().find(|tool| tool.names.contains(&"dotnet"));
        if let (Some(tool), "add", "package") = (tool, add.text.as_str(), package.text.as_str()) {
            tool.packages(sink, rest, context);
        }
    }
}

impl Tool {
    /// The words after the verb; options may stand before it.
    fn arguments<'w>(&self, words: &'w [Word]) -> Option<&'w [Word]> {
        self.verbs.iter().find_map(|verb| {
            let mut rest = words;
            for part in verb.split(' ').filter(|part| !part.is_empty()) {
                while let [option, after @ ..] = rest {
                    if !option.text.starts_with('-') {
                        break;
                    }
                    let valued = self.valued.contains(&option.text.as_str());
                    rest = after.get(usize::from(valued)..).unwrap_or_default();
                }
                rest = match rest.split_first() {
                    Some((word, after)) if word.text == part => after,
                    _ => return None,
                };
            }
            Some(rest)
        })
    }

    fn packages(&self, sink: &mut Sink, words: &[Word], context: Context) {
        let option = |word: &Word, names: &[&str]| {
            let name = word.text.split('=').next().unwrap_or(&word.text);
            names.contains(&name.to_lowercase().as_str()) || names.contains(&name)
        };
        if words.iter().any(|word| option(word, self.foreign)) {
            return;
        }
        let before = sink.found.len();
        let (mut left, mut at) = (self.most, 0);
        while let Some(word) = words.get(at).filter(|_| left > 0) {
            at += 1;
            let text = word.text.as_str();
            if text == "--" {
                continue;
            }
            if text.starts_with('-') {
                if let Some((value, range)) = self.value(words, at) {
                    spec::add(sink, context, self.ecosystem, value, range);
                    at += usize::from(!text.contains('='));
                    // What follows is a command that the package brings; `--with` only adds one.
                    left -= usize::from(!text.starts_with("--with"));
                    continue;
                }
                at += usize::from(!text.contains('=') && option(word, self.valued));
                continue;
            }
            spec::add(sink, context, self.ecosystem, text, word.range.clone());
            left -= 1;
        }
        self.version(sink, before, words);
    }

    /// The package that an option names: `npx --package=x y`, `uvx --from x y`.
    fn value<'w>(&self, words: &'w [Word], at: usize) -> Option<(&'w str, Range<usize>)> {
        let option = words.get(at.checked_sub(1)?)?;
        let (name, value) = match option.text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (option.text.as_str(), None),
        };
        let short = name == "-p" && self.ecosystem == Ecosystem::Npm;
        let names = matches!(name, "--package" | "--with" | "--spec" | "--from") || short;
        if !names || self.most != 1 {
            return None;
        }
        match value {
            Some(value) => Some((value, option.range.clone())),
            None => words
                .get(at)
                .map(|word| (word.text.as_str(), word.range.clone())),
        }
    }

    /// `gem install NAME -v 1.0` and its kin.
    fn version(&self, sink: &mut Sink, before: usize, words: &[Word]) {
        let names = ["-v", "--version", "-version", "--vers"];
        let says = |word: &Word| names.contains(&word.text.to_lowercase().as_str());
        let value = words.iter().position(says).and_then(|at| words.get(at + 1));
        let takes = matches!(
            self.ecosystem,
            Ecosystem::RubyGems | Ecosystem::NuGet | Ecosystem::Crates
        );
        let Some(value) = value.filter(|_| takes) else {
            return;
        };
        if let Some(mention) = sink.found.get_mut(before) {
            let version = spec::exact(self.ecosystem, &value.text);
            mention.purl.version = version.map(str::to_owned);
        }
    }
}
