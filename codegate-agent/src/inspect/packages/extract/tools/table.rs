//! The tools, and what stands before them.

use crate::inspect::packages::Ecosystem;

/// A tool, or a way to use it.
pub(super) struct Tool {
    /// Its names.
    pub(super) names: &'static [&'static str],
    /// The words after its name that say that packages follow; one of them.
    pub(super) verbs: &'static [&'static str],
    pub(super) ecosystem: Ecosystem,
    /// Options that take a value of their own.
    pub(super) valued: &'static [&'static str],
    /// Options whose presence says that the packages are from elsewhere.
    pub(super) foreign: &'static [&'static str],
    /// How many packages may follow.
    pub(super) most: usize,
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

pub(super) const TOOLS: &[Tool] = &[
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
    tool(&["deno"], &["add", "install"], Ecosystem::Npm, NPM, ANY),
    tool(&["volta"], &["install"], Ecosystem::Npm, NPM, ANY),
    tool(
        &["cargo"],
        &["add", "install", "binstall"],
        Ecosystem::Crates,
        CARGO,
        ANY,
    ),
    tool(
        &["go"],
        &["get", "install", "run", "mod download"],
        Ecosystem::Go,
        &[],
        ANY,
    ),
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

/// What runs the command that its later words are: it is looked for among them.
pub(super) const LAUNCHERS: [&str; 14] = [
    "docker",
    "podman",
    "nerdctl",
    "docker-compose",
    "kubectl",
    "ssh",
    "timeout",
    "su",
    "stdbuf",
    "setsid",
    "arch",
    "chroot",
    "nix-shell",
    "script",
];

/// Those that only do so with `run`.
pub(super) const RUNNERS: [&str; 10] = [
    "poetry",
    "uv",
    "pipenv",
    "pdm",
    "hatch",
    "rye",
    "conda",
    "mamba",
    "micromamba",
    "pixi",
];

/// What stands before a command and changes nothing about it.
pub(super) const WRAPPERS: [&str; 17] = [
    "sudo", "doas", "env", "time", "nohup", "exec", "command", "then", "do", "if", "else", "!",
    "nice", "xargs", "builtin", "while", "eval",
];
