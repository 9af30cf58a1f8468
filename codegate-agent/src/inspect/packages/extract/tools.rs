//! The tools that install packages, and how they are told which.

use super::{Context, Ecosystem, Sink, shell::Word, spec};

/// A tool, or a way to use it.
struct Tool {
    /// Its names.
    names: &'static [&'static str],
    /// The words after its name that say that packages follow; one of them.
    verbs: &'static [&'static str],
    ecosystem: Ecosystem,
    /// Options that take a value of their own.
    valued: &'static [&'static str],
    /// Options whose presence says that the packages are from elsewhere.
    foreign: &'static [&'static str],
    /// How many packages may follow.
    most: usize,
}

const PIP: &[&str] = &[
    "-r",
    "--requirement",
    "-c",
    "--constraint",
    "-e",
    "--editable",
    "-t",
    "--target",
    "-i",
    "--index-url",
    "--extra-index-url",
    "-f",
    "--find-links",
    "--prefix",
    "--root",
    "--platform",
    "--python-version",
    "--python",
    "-p",
    "--trusted-host",
    "--proxy",
    "--timeout",
    "--cache-dir",
    "--group",
    "-G",
    "--source",
    "-E",
    "--extras",
    "--optional",
    "--no-binary",
    "--only-binary",
    "--index",
    "--log",
    "--upgrade-strategy",
    "--spec",
];
const NPM: &[&str] = &[
    "--registry",
    "--prefix",
    "-w",
    "--workspace",
    "--tag",
    "-C",
    "--cache",
    "--omit",
    "--include",
    "--loglevel",
];
/// Where `-w` says only that the root of the workspace is meant.
const PNPM: &[&str] = &[
    "--registry",
    "-C",
    "--dir",
    "--filter",
    "-F",
    "--cwd",
    "--loglevel",
];
const CARGO: &[&str] = &[
    "--features",
    "-F",
    "--git",
    "--path",
    "--branch",
    "--tag",
    "--rev",
    "--rename",
    "--version",
    "--vers",
    "-p",
    "--package",
    "--target",
    "--registry",
    "--root",
    "--index",
    "--manifest-path",
    "--bin",
    "--example",
    "--profile",
    "-j",
    "--jobs",
    "--color",
    "--config",
];
const GEM: &[&str] = &[
    "-v",
    "--version",
    "-s",
    "--source",
    "-i",
    "--install-dir",
    "-g",
    "--group",
    "--git",
    "--path",
];
const NUGET: &[&str] = &[
    "-v",
    "--version",
    "-version",
    "-s",
    "--source",
    "-f",
    "--framework",
    "--tool-path",
    "-projectname",
    "--project",
];
const ANY: usize = usize::MAX;

const fn tool(
    names: &'static [&'static str],
    verbs: &'static [&'static str],
    ecosystem: Ecosystem,
    valued: &'static [&'static str],
    most: usize,
) -> Tool {
    let foreign: &[&str] = match ecosystem {
        Ecosystem::Crates | Ecosystem::RubyGems => &["--git", "--path"],
        _ => &[],
    };
    Tool {
        names,
        verbs,
        ecosystem,
        valued,
        foreign,
        most,
    }
}

const TOOLS: &[Tool] = &[
    tool(
        &["pip"],
        &["install", "download", "wheel"],
        Ecosystem::PyPI,
        PIP,
        ANY,
    ),
    tool(
        &["pipx"],
        &["install", "upgrade"],
        Ecosystem::PyPI,
        PIP,
        ANY,
    ),
    tool(&["pipx"], &["run"], Ecosystem::PyPI, PIP, 1),
    tool(
        &["uv"],
        &["pip install", "add", "tool install"],
        Ecosystem::PyPI,
        PIP,
        ANY,
    ),
    tool(&["uv"], &["tool run"], Ecosystem::PyPI, PIP, 1),
    tool(&["uvx"], &[""], Ecosystem::PyPI, PIP, 1),
    tool(
        &["poetry", "pdm", "rye", "hatch"],
        &["add"],
        Ecosystem::PyPI,
        PIP,
        ANY,
    ),
    tool(&["pipenv"], &["install"], Ecosystem::PyPI, PIP, ANY),
    tool(&["easy_install"], &[""], Ecosystem::PyPI, PIP, ANY),
    tool(
        &["npm"],
        &[
            "install", "i", "add", "in", "ins", "inst", "isntall", "update",
        ],
        Ecosystem::Npm,
        NPM,
        ANY,
    ),
    tool(&["npm"], &["exec", "x"], Ecosystem::Npm, NPM, 1),
    tool(
        &["pnpm", "bun"],
        &["add", "install", "i"],
        Ecosystem::Npm,
        PNPM,
        ANY,
    ),
    tool(&["pnpm", "yarn"], &["dlx"], Ecosystem::Npm, PNPM, 1),
    tool(&["bun"], &["x"], Ecosystem::Npm, PNPM, 1),
    tool(
        &["yarn"],
        &["add", "global add", "upgrade"],
        Ecosystem::Npm,
        PNPM,
        ANY,
    ),
    tool(&["npx", "bunx", "pnpx"], &[""], Ecosystem::Npm, NPM, 1),
    tool(
        &["cargo"],
        &["add", "install", "binstall"],
        Ecosystem::Crates,
        CARGO,
        ANY,
    ),
    tool(&["go"], &["get", "install", "run"], Ecosystem::Go, &[], ANY),
    tool(&["gem"], &["install", "i"], Ecosystem::RubyGems, GEM, ANY),
    tool(
        &["bundle", "bundler"],
        &["add"],
        Ecosystem::RubyGems,
        GEM,
        ANY,
    ),
    tool(
        &["dotnet"],
        &["tool install", "package add", "add package"],
        Ecosystem::NuGet,
        NUGET,
        1,
    ),
    tool(&["nuget"], &["install"], Ecosystem::NuGet, NUGET, 1),
    tool(&["install-package"], &[""], Ecosystem::NuGet, NUGET, 1),
    tool(
        &["composer"],
        &["require", "global require", "create-project"],
        Ecosystem::Packagist,
        &["-d", "--working-dir"],
        ANY,
    ),
];

/// What stands before a command and changes nothing about it.
const WRAPPERS: [&str; 17] = [
    "sudo", "doas", "env", "time", "nohup", "exec", "command", "then", "do", "if", "else", "!",
    "nice", "xargs", "builtin", "while", "eval",
];

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
    rest
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
    dotnet_project(sink, name, rest, context);
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
                let package = matches!(text, "--package" | "--with" | "--spec");
                if let Some(value) = words.get(at).filter(|_| package && self.most == 1) {
                    spec::add(
                        sink,
                        context,
                        self.ecosystem,
                        &value.text,
                        value.range.clone(),
                    );
                    return;
                }
                at += usize::from(!text.contains('=') && option(word, self.valued));
                continue;
            }
            spec::add(sink, context, self.ecosystem, text, word.range.clone());
            left -= 1;
        }
        self.version(sink, before, words);
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
