//! The tools that install packages, and how they are told which.

mod launch;
mod special;
mod table;

use super::{Context, Ecosystem, Sink, place::Placed, spec};
pub(super) use launch::{code, nested, started, without_wrappers};
use table::{TOOLS, Tool};

/// The name of a program, without its path, its suffix, and the version in it.
fn base_name(text: &str) -> &str {
    let name = text.rsplit(['/', '\\']).next().unwrap_or(text);
    let ends = [".exe", ".cmd", ".bat", ".phar", ".EXE"];
    let name = ends
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(name);
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    match bare {
        "pip" | "python" | "pypy" => bare,
        _ => name,
    }
}

/// Reads one command.
pub(super) fn read(sink: &mut Sink, words: &[Placed], context: Context) {
    let Some((first, rest)) = words.split_first() else {
        return;
    };
    // The program before it was a variable: `$(PYTHON) -m pip`.
    if first.text() == "-m" {
        return read_as(sink, "python", words, context);
    }
    let name = first.text().to_lowercase();
    read_as(
        sink,
        name.trim_start_matches(['!', '%', '@']),
        rest,
        context,
    );
}

/// Likewise, where the program's name is known.
pub(super) fn read_as(sink: &mut Sink, program: &str, words: &[Placed], context: Context) {
    let (mut name, mut rest) = (base_name(program), words);
    if matches!(name, "python" | "py" | "pypy") {
        let module = rest.iter().position(|word| word.text() == "-m");
        let Some(at) = module else { return };
        rest = rest.get(at + 1..).unwrap_or_default();
        let Some((module, after)) = rest.split_first() else {
            return;
        };
        (name, rest) = (module.text(), after);
    }
    if let ("php", Some((script, after))) = (name, rest.split_first()) {
        (name, rest) = (base_name(script.text()), after);
    }
    // `cargo +nightly install x`, `yarn workspace web add x`.
    rest = match (name, rest) {
        ("yarn", [verb, _, after @ ..]) if verb.text() == "workspace" => after,
        (_, [word, after @ ..]) if word.text().starts_with('+') => after,
        _ => rest,
    };
    if special::read(sink, name, rest, context) {
        return;
    }
    for tool in TOOLS.iter().filter(|tool| tool.names.contains(&name)) {
        if let Some((before, arguments)) = tool.arguments(rest) {
            return tool.packages(sink, before, arguments, context);
        }
    }
}

impl Tool {
    /// The words before the verb, which may be options, and those after it.
    fn arguments<'w>(&self, words: &'w [Placed]) -> Option<(&'w [Placed], &'w [Placed])> {
        self.verbs.iter().find_map(|verb| {
            let mut rest = words;
            for part in verb.split(' ').filter(|part| !part.is_empty()) {
                while let [option, after @ ..] = rest {
                    if !option.text().starts_with('-') {
                        break;
                    }
                    let valued = self.is_valued(option.text());
                    rest = after.get(usize::from(valued)..).unwrap_or_default();
                }
                rest = match rest.split_first() {
                    Some((word, after)) if word.text() == part => after,
                    _ => return None,
                };
            }
            Some((words.get(..words.len() - rest.len())?, rest))
        })
    }

    /// Whether an option's value is the next word.
    fn is_valued(&self, option: &str) -> bool {
        if option.contains('=') {
            return false;
        }
        let lower = option.to_lowercase();
        let known = |option: &str| self.valued.contains(&option);
        // `-dG test` is `-d -G test`.
        let joined = match option.as_bytes() {
            [b'-', first, last] if first.is_ascii_lowercase() && last.is_ascii_uppercase() => {
                option
                    .get(2..)
                    .is_some_and(|last| known(&format!("-{last}")))
            }
            _ => false,
        };
        known(option) || known(&lower) || joined
    }

    fn packages(&self, sink: &mut Sink, before: &[Placed], words: &[Placed], context: Context) {
        let is_foreign = |word: &Placed| {
            let name = word.text().split('=').next().unwrap_or_default();
            self.foreign.contains(&name)
        };
        if words.iter().any(is_foreign) {
            return;
        }
        let first = sink.found.len();
        let mut left = self.most;
        for at in 0..before.len() {
            self.named(sink, before, at, &mut left, context);
        }
        let mut at = 0;
        while let Some(word) = words.get(at) {
            at += 1;
            if word.text() == "--" {
                continue;
            }
            if word.text().starts_with('-') {
                let named = self.named(sink, words, at - 1, &mut left, context);
                let valued = named || self.is_valued(word.text());
                at += usize::from(valued && !word.text().contains('='));
                continue;
            }
            if left == 0 {
                break;
            }
            left -= 1;
            let is_version = self.ecosystem == Ecosystem::Packagist && !word.text().contains('/');
            match is_version {
                true => self.versioned(sink, first, word.text()),
                false => spec::word(sink, context, self.ecosystem, word),
            }
        }
        self.version(sink, first, words);
    }

    /// The package that an option names: `npx --package=x y`, `uvx --from x y`, `uv run --with x`.
    fn named(
        &self,
        sink: &mut Sink,
        words: &[Placed],
        at: usize,
        left: &mut usize,
        context: Context,
    ) -> bool {
        let Some(option) = words.get(at) else {
            return false;
        };
        let end = option.text().find('=').unwrap_or(option.text().len());
        let name = option.text().get(..end).unwrap_or_default();
        let (instead, too) = (self.instead.contains(&name), self.too.contains(&name));
        if !instead && !too {
            return false;
        }
        let value = match option.text().contains('=') {
            true => Some(option.slice(end + 1..option.text().len())),
            false => words.get(at + 1).cloned(),
        };
        // `--with x,y` is two; a comma elsewhere is of a version.
        let several = |value: Placed| match value.text().contains(['<', '>', '=', '[']) {
            true => vec![value],
            false => value.split(|c| c == ','),
        };
        for value in value.into_iter().flat_map(several) {
            spec::word(sink, context, self.ecosystem, &value);
        }
        if instead {
            *left = 0;
        }
        true
    }

    /// `gem install NAME -v 1.0` and its kin.
    fn version(&self, sink: &mut Sink, first: usize, words: &[Placed]) {
        let names = ["-v", "--version", "-version", "--vers"];
        let says = |word: &Placed| names.contains(&word.text().to_lowercase().as_str());
        let value = words.iter().position(says).and_then(|at| words.get(at + 1));
        let takes = matches!(
            self.ecosystem,
            Ecosystem::RubyGems | Ecosystem::NuGet | Ecosystem::Crates
        );
        if let Some(value) = value.filter(|_| takes) {
            self.versioned(sink, first, value.text());
        }
    }

    fn versioned(&self, sink: &mut Sink, first: usize, version: &str) {
        let version = spec::exact(self.ecosystem, version);
        let last = sink
            .found
            .len()
            .checked_sub(1)
            .filter(|last| *last >= first);
        let at = match self.ecosystem {
            Ecosystem::Packagist => last,
            _ => Some(first),
        };
        if let Some(mention) = at.and_then(|at| sink.found.get_mut(at)) {
            mention.purl.version = version.map(str::to_owned);
        }
    }
}
