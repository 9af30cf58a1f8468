//! Commands that run other commands, or code that they are given.

use super::{
    super::{fence::Reader, place::Placed},
    base_name,
    table::{LAUNCHERS, RUNNERS, TOOLS, Tool, WRAPPERS},
};

/// The command itself, without `sudo`, `env`, assignments and their kin.
pub(in super::super) fn without_wrappers(words: &[Placed]) -> &[Placed] {
    let mut rest = words;
    let mut wrapped = false;
    while let [first, after @ ..] = rest {
        let text = first.text();
        let assignment = text
            .split_once('=')
            .is_some_and(|(name, _)| is_variable(name));
        let option = wrapped && text.starts_with('-') && text != "-m";
        let wrapper = WRAPPERS.contains(&base_name(text).trim_start_matches('@'));
        if !(wrapper || assignment || option || text == "$") {
            break;
        }
        wrapped = true;
        rest = match text {
            "-u" | "-g" | "-n" | "-C" | "-P" | "-L" | "-d" | "-a" | "-S" if option => {
                after.get(1..).unwrap_or_default()
            }
            _ => after,
        };
    }
    launched(rest).unwrap_or(rest)
}

/// The command that another one launches: in a container, elsewhere, or in an environment.
fn launched(words: &[Placed]) -> Option<&[Placed]> {
    let (first, rest) = words.split_first()?;
    let name = base_name(first.text()).to_lowercase();
    let runs = RUNNERS.contains(&name.as_str()) && rest.iter().any(|word| word.text() == "run");
    // Windows' own shells take a command in one word or in several.
    let shell = matches!(name.as_str(), "cmd" | "powershell" | "pwsh") && rest.len() > 2;
    if !LAUNCHERS.contains(&name.as_str()) && !runs && !shell {
        return None;
    }
    let inner = |at: usize| rest.get(at..).filter(|inner| is_command(inner));
    (0..rest.len()).find_map(inner)
}

/// Whether words are a command that brings packages, or a shell's script.
fn is_command(words: &[Placed]) -> bool {
    let Some((first, rest)) = words.split_first() else {
        return false;
    };
    let name = base_name(first.text());
    let installs = |tool: &Tool| tool.names.contains(&name) && tool.arguments(rest).is_some();
    let module = matches!(name, "python" | "py") && rest.first().is_some_and(|w| w.text() == "-m");
    module || nested(words).is_some() || TOOLS.iter().any(installs)
}

fn is_variable(name: &str) -> bool {
    let named = name.trim_start_matches("$env:");
    !named.is_empty() && named.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
}

/// The script of `sh -c SCRIPT` and its kin.
pub(in super::super) fn nested(words: &[Placed]) -> Option<&Placed> {
    const SHELLS: [&str; 10] = [
        "sh",
        "bash",
        "zsh",
        "dash",
        "ksh",
        "fish",
        "su",
        "pwsh",
        "powershell",
        "cmd",
    ];
    let (first, rest) = words.split_first()?;
    let name = base_name(first.text()).to_lowercase();
    let sentence = |word: &&Placed| word.text().contains(' ');
    if matches!(name.as_str(), "trap" | "iex" | "invoke-expression" | "ssh") {
        return rest.iter().find(sentence);
    }
    // A whole command that stands in one word: `eval "pip install x"`.
    if rest.is_empty() && sentence(&first) {
        return Some(first);
    }
    if !SHELLS.contains(&name.as_str()) {
        return None;
    }
    let is_script = |word: &Placed| {
        let text = word.text().to_lowercase();
        matches!(text.as_str(), "-command" | "/c" | "/k")
            || (text.starts_with('-') && !text.starts_with("--") && text.ends_with('c'))
    };
    let at = rest.iter().position(is_script)?;
    rest.get(at + 1)
}

/// The code that an interpreter is given: `python -c CODE`.
pub(in super::super) fn code(words: &[Placed]) -> Option<(Reader, &Placed)> {
    let (first, rest) = words.split_first()?;
    let (reader, options): (_, &[&str]) = match base_name(first.text()) {
        "python" | "py" | "pypy" => (Reader::Python, &["-c"]),
        "node" | "bun" | "deno" => (Reader::JavaScript, &["-e", "--eval", "-p", "eval"]),
        "ruby" => (Reader::Ruby, &["-e"]),
        "php" => (Reader::Php, &["-r"]),
        _ => return None,
    };
    let at = rest
        .iter()
        .position(|word| options.contains(&word.text()))?;
    let code = rest.get(at + 1)?;
    code.text().contains([' ', '(']).then_some((reader, code))
}

/// PowerShell's `Start-Process npm -ArgumentList 'install', 'x'` as the command that it starts.
pub(in super::super) fn started(words: &[Placed]) -> Option<Vec<Placed>> {
    let (first, rest) = words.split_first()?;
    if !matches!(
        first.text().to_lowercase().as_str(),
        "start-process" | "start" | "saps"
    ) {
        return None;
    }
    let after = |option: &str| {
        let at = rest
            .iter()
            .position(|word| word.text().eq_ignore_ascii_case(option))?;
        rest.get(at + 1..)
    };
    let program = match after("-FilePath") {
        Some(words) => words.first()?,
        None => rest.iter().find(|word| !word.text().starts_with('-'))?,
    };
    let arguments = after("-ArgumentList")
        .or_else(|| after("-Args"))
        .unwrap_or_default();
    let arguments = arguments
        .iter()
        .take_while(|word| !word.text().starts_with('-'));
    let pieces = arguments.flat_map(|word| word.split(|c| c == ',' || c == ' '));
    Some(std::iter::once(program.clone()).chain(pieces).collect())
}
