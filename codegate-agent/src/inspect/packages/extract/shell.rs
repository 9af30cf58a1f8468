//! Shell: its words, with quotes undone, and the commands they make.

use std::ops::Range;

use super::{Context, Sink, tools};

/// A command within a command within a command…, and no deeper.
const DEEPEST: usize = 6;

/// A word of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// Without quotes and escapes.
    pub(super) text: String,
    /// Where it stands, quotes aside.
    pub(super) range: Range<usize>,
    /// Whether the text is just what stands there.
    verbatim: bool,
}

/// Reads commands of a text that begins at `base`.
pub(super) fn read(sink: &mut Sink, text: &str, base: usize, context: Context) {
    read_at(sink, text, base, context, 0);
}

/// Reads a command in JSON, as Dockerfiles have it: `["pip", "install", "x"]`.
pub(super) fn read_array(sink: &mut Sink, text: &str, base: usize) {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(open) = text.get(at..).and_then(|rest| rest.find('"')) {
        let from = at + open + 1;
        let Some(length) = text.get(from..).and_then(|rest| rest.find('"')) else {
            break;
        };
        let inner = text.get(from..from + length).unwrap_or_default();
        words.push(Word {
            text: inner.to_owned(),
            range: base + from..base + from + length,
            verbatim: true,
        });
        at = from + length + 1;
    }
    command(sink, &words, Context::Install, 0);
}

fn read_at(sink: &mut Sink, text: &str, base: usize, context: Context, depth: usize) {
    for words in commands(text, base) {
        command(sink, &words, context, depth);
    }
}

fn command(sink: &mut Sink, words: &[Word], context: Context, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    let words = tools::without_wrappers(words);
    match tools::nested(words) {
        Some(inner) => {
            let (from, length) = (inner.range.start, sink.found.len());
            read_at(sink, &inner.text, from, context, depth + 1);
            if !inner.verbatim {
                // What was unescaped has no place of its own.
                for mention in sink.found.iter_mut().skip(length) {
                    mention.range = inner.range.clone();
                }
            }
        }
        None => tools::read(sink, words, context),
    }
}

/// Splits a text into commands and words.
fn commands(text: &str, base: usize) -> Vec<Vec<Word>> {
    let mut splitter = Splitter {
        base,
        commands: vec![Vec::new()],
        word: None,
    };
    let mut chars = text.char_indices().peekable();
    let mut quote = None;
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => {
                quote = None;
                splitter.touch(at);
            }
            (Some('\''), c) => splitter.push(at, c),
            (_, '\\') => match chars.next() {
                Some((_, '\n')) => {}
                Some((_, '\r')) => {
                    chars.next_if(|(_, c)| *c == '\n');
                }
                Some((at, c)) => splitter.escaped(at, c),
                None => {}
            },
            (Some(_), c) => splitter.push(at, c),
            (None, '\'' | '"') => {
                quote = Some(c);
                splitter.touch(at + 1);
            }
            (None, '#') if splitter.word.is_none() => {
                while chars.next_if(|(_, c)| *c != '\n').is_some() {}
            }
            (None, '\n' | ';' | '|' | '&' | '(' | ')' | '`') => splitter.end_command(),
            (None, '{' | '}') if splitter.word.is_none() => splitter.end_command(),
            (None, c) if c.is_whitespace() => splitter.end_word(),
            (None, '>' | '<') if splitter.is_redirection() => splitter.word = None,
            (None, c) => splitter.push(at, c),
        }
    }
    splitter.end_command();
    splitter.commands
}

struct Splitter {
    base: usize,
    commands: Vec<Vec<Word>>,
    word: Option<Word>,
}

impl Splitter {
    /// Begins a word here, unless one has begun.
    fn touch(&mut self, at: usize) -> &mut Word {
        let at = self.base + at;
        self.word.get_or_insert_with(|| Word {
            text: String::new(),
            range: at..at,
            verbatim: true,
        })
    }

    fn push(&mut self, at: usize, c: char) {
        let end = self.base + at + c.len_utf8();
        let word = self.touch(at);
        word.text.push(c);
        // Quotes in the middle of a word are in its range, but not in its text.
        word.verbatim &= end - word.range.start == word.text.len();
        word.range.end = end;
    }

    fn escaped(&mut self, at: usize, c: char) {
        self.push(at, c);
        if let Some(word) = &mut self.word {
            word.verbatim = false;
        }
    }

    /// `> file` and `2> file`, but not `name>=1`.
    fn is_redirection(&self) -> bool {
        let number = |word: &Word| word.text.chars().all(|c| c.is_ascii_digit());
        self.word.as_ref().is_none_or(number)
    }

    fn end_word(&mut self) {
        if let (Some(word), Some(command)) = (self.word.take(), self.commands.last_mut()) {
            command.push(word);
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.commands.push(Vec::new());
    }
}
