//! Shell: its words, with quotes undone, and the commands they make.

use std::ops::Range;

use super::{
    Context, Sink,
    fence::Reader,
    pattern::{group, patterns},
    tools,
};

patterns! {
    HEREDOC = r#"<<-?[ \t]*['"]?(\w+)['"]?"#;
    INTO = r"(?:>{1,2}|\btee[ \t]+(?:-a[ \t]+)?)[ \t]*['\x22]?([\w./~-]+)";
}

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

impl Word {
    /// A word that stands there just so.
    pub(super) fn verbatim(text: String, range: Range<usize>) -> Self {
        Self {
            text,
            range,
            verbatim: true,
        }
    }
}

/// Reads commands of a text that begins at `base`.
pub(super) fn read(sink: &mut Sink, text: &str, base: usize, context: Context) {
    if text.contains("<<") {
        let rest = without_documents(sink, text, base);
        return read_at(sink, &rest, base, context, 0);
    }
    read_at(sink, text, base, context, 0);
}

/// Reads the documents in a script (`cat > requirements.txt <<EOF`) as the files that they become,
/// and blanks them.
fn without_documents(sink: &mut Sink, text: &str, base: usize) -> String {
    let mut rest = text.to_owned();
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|from| HEREDOC.first(from)) {
        let Some((mark, place)) = group(&found, 1, at) else {
            break;
        };
        let end_of_line = text.get(place.end..).and_then(|from| from.find('\n'));
        let Some(from) = end_of_line.map(|end| place.end + end + 1) else {
            break;
        };
        let body = text.get(from..).unwrap_or_default();
        let mut length = 0;
        for line in body.split_inclusive('\n') {
            if line.trim() == mark {
                break;
            }
            length += line.len();
        }
        let body = body.get(..length).unwrap_or(body);
        let start = text
            .get(..place.start)
            .and_then(|before| before.rfind('\n'));
        let line = text
            .get(start.map_or(0, |start| start + 1)..from)
            .unwrap_or_default();
        if let Some(reader) = document(line) {
            reader.read(sink, body, base + from);
        }
        let blank: String = body
            .bytes()
            .map(|b| if b == b'\n' { '\n' } else { ' ' })
            .collect();
        rest.replace_range(from..from + length, &blank);
        at = from + length;
    }
    rest
}

/// How a document is read that this line begins.
fn document(line: &str) -> Option<Reader> {
    let into = INTO.first(line).and_then(|found| found.get(1));
    let program = line.split_whitespace().next().unwrap_or_default();
    match (into, program.rsplit('/').next()) {
        (Some(file), _) => Reader::of_file(file.as_str()),
        (None, Some("python" | "python3")) => Some(Reader::Python),
        (None, Some("node")) => Some(Reader::JavaScript),
        (None, Some("bash" | "sh" | "zsh" | "ssh" | "sudo")) => Some(Reader::Shell),
        _ => None,
    }
}

/// Reads a command whose words are known.
pub(super) fn words(sink: &mut Sink, words: &[Word], context: Context) {
    command(sink, words, context, 0);
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
        let range = base + from..base + from + length;
        words.push(Word::verbatim(inner.to_owned(), range));
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
        redirected: false,
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
            // A line goes on in PowerShell and in Windows' own shell.
            (None, '`' | '^') if matches!(chars.peek(), Some((_, '\n' | '\r'))) => {
                chars.next_if(|(_, c)| *c == '\r');
                chars.next_if(|(_, c)| *c == '\n');
                splitter.end_word();
            }
            (_, '\\') => match chars.next() {
                Some((_, '\n')) => {}
                Some((_, '\r')) => {
                    chars.next_if(|(_, c)| *c == '\n');
                }
                // The name of a program may be a path of Windows'.
                Some((next, c)) if c.is_alphanumeric() && splitter.is_first() => {
                    splitter.push(at, '\\');
                    splitter.push(next, c);
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
            (None, '>' | '<') if splitter.is_redirection() => splitter.redirect(),
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
    /// The next word is a file's name.
    redirected: bool,
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

    /// Whether it is at a command's first word.
    fn is_first(&self) -> bool {
        self.commands.last().is_some_and(Vec::is_empty)
    }

    /// `> file` and `2> file`, but not `name>=1`.
    fn is_redirection(&self) -> bool {
        let number = |word: &Word| word.text.chars().all(|c| c.is_ascii_digit());
        self.word.as_ref().is_none_or(number)
    }

    fn redirect(&mut self) {
        self.word = None;
        self.redirected = true;
    }

    fn end_word(&mut self) {
        if let (Some(word), Some(command)) = (self.word.take(), self.commands.last_mut())
            && !std::mem::take(&mut self.redirected)
        {
            command.push(word);
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.redirected = false;
        self.commands.push(Vec::new());
    }
}
