//! A script's commands, and their words, with quotes and escapes undone.

use std::{iter::Peekable, str::CharIndices};

use crate::inspect::packages::extract::place::Placed;

/// A command, and what is around it.
#[derive(Debug, Default)]
pub(super) struct Command {
    pub(super) words: Vec<Placed>,
    /// The file that its output goes to.
    pub(super) into: Option<Placed>,
    /// Whether it reads what the command before it says.
    pub(super) piped: bool,
}

/// Splits a text that begins at `base` into commands.
pub(super) fn commands(text: &str, base: usize) -> Vec<Command> {
    let mut splitter = Splitter {
        base,
        commands: vec![Command::default()],
        word: None,
        redirected: None,
        in_array: false,
    };
    let mut chars = text.char_indices().peekable();
    let mut quote = None;
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => {
                quote = None;
                splitter.touch();
            }
            (Some('\''), c) => splitter.push(at, c),
            (None, '`' | '^') if ends_line(&chars) => {
                end_line(&mut chars);
                splitter.end_word();
            }
            (_, '\\') => splitter.escape(&mut chars),
            (_, '{') if matches!(chars.peek(), Some((_, '{'))) => {
                splitter.template(at, text, &mut chars);
            }
            (Some(_), c) => splitter.push(at, c),
            (None, '\'' | '"') => {
                quote = Some(c);
                splitter.touch();
            }
            (None, '#') if splitter.word.is_none() => {
                while chars.next_if(|(_, c)| *c != '\n').is_some() {}
            }
            (None, '(') if splitter.begins_array() => splitter.begin_array(),
            (None, '\n') if splitter.in_array => splitter.end_word(),
            (None, '|') => {
                let piped = !matches!(chars.peek(), Some((_, '|')));
                splitter.end_command(piped);
                if !piped {
                    chars.next();
                }
            }
            (None, '\n' | ';' | '&' | '(' | ')' | '`') => splitter.end_command(false),
            (None, '{' | '}') if splitter.word.is_none() => splitter.end_command(false),
            (None, c) if c.is_whitespace() => splitter.end_word(),
            (None, '>' | '<') if splitter.is_redirection() => splitter.redirect(c),
            (None, c) => splitter.push(at, c),
        }
    }
    splitter.end_command(false);
    splitter.commands
}

type Chars<'t> = Peekable<CharIndices<'t>>;

/// A line goes on in PowerShell and in Windows' own shell.
fn ends_line(chars: &Chars<'_>) -> bool {
    matches!(chars.clone().next(), Some((_, '\n' | '\r')))
}

fn end_line(chars: &mut Chars<'_>) {
    chars.next_if(|(_, c)| *c == '\r');
    chars.next_if(|(_, c)| *c == '\n');
}

struct Splitter {
    base: usize,
    commands: Vec<Command>,
    word: Option<Placed>,
    /// The next word is a file's name, after this sign.
    redirected: Option<char>,
    /// Between the parentheses of `NAME=(…)`.
    in_array: bool,
}

impl Splitter {
    /// Begins a word, unless one has begun.
    fn touch(&mut self) -> &mut Placed {
        self.word.get_or_insert_default()
    }

    fn push(&mut self, at: usize, c: char) {
        let at = self.base + at;
        self.touch().push(c, at);
    }

    fn escape(&mut self, chars: &mut Chars<'_>) {
        match chars.next() {
            Some((_, '\n')) => {}
            Some((_, '\r')) => {
                chars.next_if(|(_, c)| *c == '\n');
            }
            // The name of a program may be a path of Windows'.
            Some((next, c)) if c.is_alphanumeric() && self.is_first() => {
                self.push(next - 1, '\\');
                self.push(next, c);
            }
            // It is left for `printf` to read.
            Some((next, 'n')) if self.is_said() => {
                self.push(next - 1, '\\');
                self.push(next, 'n');
            }
            Some((at, c)) => self.push(at, c),
            None => {}
        }
    }

    /// `{{ … }}` is filled in by somebody else, and is part of a word.
    fn template(&mut self, at: usize, text: &str, chars: &mut Chars<'_>) {
        let rest = text.get(at..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        let length = line.find("}}").map_or(1, |end| end + 2);
        self.push(at, '$');
        while chars.next_if(|(next, _)| *next < at + length).is_some() {}
    }

    /// Whether it is at a command's first word.
    fn is_first(&self) -> bool {
        self.commands.last().is_none_or(|c| c.words.is_empty())
    }

    /// Whether the command says something: `printf 'a\nb'`.
    fn is_said(&self) -> bool {
        let first = self.commands.last().and_then(|c| c.words.first());
        first.is_some_and(|first| matches!(first.text(), "printf" | "echo"))
    }

    fn begins_array(&self) -> bool {
        let assigns =
            |word: &Placed| (word.text().ends_with('=') && self.is_first()) || word.text() == "@";
        self.word.as_ref().is_some_and(assigns)
    }

    fn begin_array(&mut self) {
        self.end_word();
        self.in_array = true;
    }

    /// `> file` and `2> file`, but not `name>=1`.
    fn is_redirection(&self) -> bool {
        let number = |word: &Placed| word.text().chars().all(|c| c.is_ascii_digit());
        self.word.as_ref().is_none_or(number)
    }

    fn redirect(&mut self, sign: char) {
        self.word = None;
        self.redirected = Some(sign);
    }

    fn end_word(&mut self) {
        let (Some(word), Some(command)) = (self.word.take(), self.commands.last_mut()) else {
            return;
        };
        match self.redirected.take() {
            None => command.words.push(word),
            Some('>') => command.into = Some(word),
            Some(_) => {}
        }
    }

    fn end_command(&mut self, piped: bool) {
        self.end_word();
        self.redirected = None;
        self.in_array = false;
        self.commands.push(Command {
            piped,
            ..Command::default()
        });
    }
}
