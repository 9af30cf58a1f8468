//! Shell: commands, and what they run in turn.

mod documents;
mod variables;
mod words;

use super::{Context, Sink, place::Placed, tools};
use variables::Variables;
use words::{Command, commands};

/// A command within a command within a command…, and no deeper.
const DEEPEST: usize = 6;

/// Reads commands of a text that begins at `base`.
pub(super) fn read(sink: &mut Sink, text: &str, base: usize, context: Context) {
    if text.contains("<<") {
        let rest = documents::without_documents(sink, text, base);
        return read_at(sink, &rest, base, context, 0);
    }
    read_at(sink, text, base, context, 0);
}

/// Reads a command whose words are known.
pub(super) fn words(sink: &mut Sink, words: &[Placed], context: Context) {
    command(sink, words, context, 0);
}

/// Reads a command in JSON, as Dockerfiles have it: `["pip", "install", "x"]`.
pub(super) fn read_array(sink: &mut Sink, text: &str, base: usize) {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some((open, quote)) = next_quote(text, at) {
        let from = open + 1;
        let Some(length) = text.get(from..).and_then(|rest| rest.find(quote)) else {
            break;
        };
        let inner = text.get(from..from + length).unwrap_or_default();
        words.push(Placed::verbatim(inner, base + from));
        at = from + length + 1;
    }
    match words.as_slice() {
        // What comes before is said elsewhere: `entrypoint: bash`.
        [option, script, ..] if matches!(option.text(), "-c" | "-lc" | "-ec") => {
            nested(sink, script, Context::Install, 1);
        }
        // Several commands, each whole.
        [first, ..] if first.text().contains(' ') => {
            for script in &words {
                nested(sink, script, Context::Install, 1);
            }
        }
        words => command(sink, words, Context::Install, 0),
    }
}

fn next_quote(text: &str, at: usize) -> Option<(usize, char)> {
    let rest = text.get(at..)?;
    let (open, quote) = rest.char_indices().find(|(_, c)| matches!(c, '"' | '\''))?;
    Some((at + open, quote))
}

fn read_at(sink: &mut Sink, text: &str, base: usize, context: Context, depth: usize) {
    let mut variables = Variables::default();
    let mut said: Vec<Placed> = Vec::new();
    for command in commands(text, base) {
        variables.learn(&command.words);
        let mut words = variables.expand(command.words);
        if command.piped && runs_what_it_reads(&words) {
            words.append(&mut said);
        }
        said = documents::said(&words);
        let known = Command { words, ..command };
        documents::written(sink, &known, context);
        self::command(sink, &known.words, context, depth);
    }
}

/// `… | xargs pip install`.
fn runs_what_it_reads(words: &[Placed]) -> bool {
    words.iter().any(|word| word.text() == "xargs")
}

fn command(sink: &mut Sink, words: &[Placed], context: Context, depth: usize) {
    if depth > DEEPEST || words.is_empty() {
        return;
    }
    let words = tools::without_wrappers(words);
    let words = match tools::started(words) {
        Some(words) => &words.clone(),
        None => words,
    };
    if let Some((reader, code)) = tools::code(words) {
        return code.read(sink, |sink, text| reader.read(sink, text, 0));
    }
    match tools::nested(words) {
        Some(inner) => nested(sink, inner, context, depth + 1),
        None => match words
            .first()
            .and_then(|first| variables::program(first.text()))
        {
            Some(program) => {
                tools::read_as(sink, &program, words.get(1..).unwrap_or_default(), context)
            }
            None => tools::read(sink, words, context),
        },
    }
}

fn nested(sink: &mut Sink, script: &Placed, context: Context, depth: usize) {
    script.read(sink, |sink, text| read_at(sink, text, 0, context, depth));
}
