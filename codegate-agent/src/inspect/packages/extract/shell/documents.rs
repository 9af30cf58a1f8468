//! Documents in a script: what it writes into files, and what it gives programs to run.

use super::{
    super::{
        Context, Sink,
        fence::Reader,
        pattern::{group, patterns},
        place::Placed,
    },
    words::Command,
};

patterns! {
    HEREDOC = r#"<<-?[ \t]*['"]?(\w+)['"]?"#;
    INTO = r"(?:>{1,2}|\btee[ \t]+(?:-a[ \t]+)?|\bSet-Content[ \t]+)[ \t]*['\x22]?([\w./~-]+)";
    COPIED = r"^\s*(?:COPY|ADD)\s.*?([\w./~-]+)\s*$";
    ALONE = r"^\s*(?:RUN\s+)?<<";
}

/// Reads the documents in a script (`cat > requirements.txt <<EOF`) as the files that they become,
/// and blanks them.
pub(super) fn without_documents(sink: &mut Sink, text: &str, base: usize) -> String {
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
        let before = text
            .get(..place.start)
            .and_then(|before| before.rfind('\n'));
        let line = text.get(before.map_or(0, |before| before + 1)..from);
        if let Some(reader) = document(line.unwrap_or_default()) {
            reader.read(sink, body, base + from);
        }
        rest.replace_range(from..from + length, &blank(body));
        at = from + length;
    }
    rest
}

/// As many blanks, in as many lines.
fn blank(text: &str) -> String {
    let blank = |b| if b == b'\n' { '\n' } else { ' ' };
    text.bytes().map(blank).collect()
}

/// How a document is read that this line begins.
fn document(line: &str) -> Option<Reader> {
    let into = INTO.first(line).or_else(|| COPIED.first(line));
    let program = line.split_whitespace().next().unwrap_or_default();
    match (
        into.and_then(|found| found.get(1)),
        program.rsplit('/').next(),
    ) {
        (Some(file), _) => Reader::of_file(file.as_str()),
        (None, Some("python" | "python3" | "uv")) => Some(Reader::Python),
        (None, Some("node")) => Some(Reader::JavaScript),
        (None, Some("bash" | "sh" | "zsh" | "ssh" | "sudo")) => Some(Reader::Shell),
        (None, _) => ALONE.is_in(line).then_some(Reader::Shell),
    }
}

/// What `echo` and `printf` say, as the words of another command.
pub(super) fn said(words: &[Placed]) -> Vec<Placed> {
    let Some((first, rest)) = words.split_first() else {
        return Vec::new();
    };
    if !matches!(first.text(), "echo" | "printf" | "print" | "Write-Output") {
        return Vec::new();
    }
    let plain = rest
        .iter()
        .filter(|word| !word.text().starts_with(['-', '%']));
    let unescaped = plain.map(unescaped);
    unescaped
        .flat_map(|word| word.split(char::is_whitespace))
        .collect()
}

/// With `\n` for what it stands for.
fn unescaped(word: &Placed) -> Placed {
    let mut out = Placed::default();
    let mut chars = word.text().char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let place = word.place(at..at + c.len_utf8()).start;
        match (c, chars.peek()) {
            ('\\', Some((_, 'n'))) => {
                chars.next();
                out.push('\n', place);
            }
            _ => out.push(c, place),
        }
    }
    out
}

/// `echo 'x==1.0' >> requirements.txt`: a line of a file.
pub(super) fn written(sink: &mut Sink, command: &Command, context: Context) {
    let reader = command
        .into
        .as_ref()
        .and_then(|file| Reader::of_file(file.text()));
    let says = command.words.first();
    let says = says.is_some_and(|first| matches!(first.text(), "echo" | "printf"));
    let Some(reader) = reader.filter(|_| says && context == Context::Install) else {
        return;
    };
    let mut text = Placed::default();
    let rest = command.words.get(1..).unwrap_or_default().iter();
    for word in rest.filter(|word| !word.text().starts_with(['-', '%'])) {
        text.append(&unescaped(word));
        text.push('\n', word.range().end);
    }
    text.read(sink, |sink, text| reader.read(sink, text, 0));
}
