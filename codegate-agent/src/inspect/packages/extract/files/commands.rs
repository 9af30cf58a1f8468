//! Commands in JSON: settings of editors and of tools that models call, tasks, notebooks.

use super::{
    super::{Context, Sink, fence::Reader, markdown, place::Placed, shell},
    json::Json,
};

/// Reads the commands of a text that begins at `base`.
pub(in super::super) fn read(sink: &mut Sink, text: &str, base: usize) {
    of(sink, &Json::parse(text, base));
}

/// The commands that a value has.
pub(in super::super) fn of(sink: &mut Sink, json: &Json) {
    for item in json.items() {
        of(sink, item);
    }
    let arguments = ["args", "arguments"].iter().find_map(|name| json.get(name));
    for (key, value) in json.entries() {
        let runs = [
            "ommand", "ommands", "cmd", "script", "scripts", "tasks", "run",
        ];
        if runs.iter().any(|end| key.text().ends_with(end)) {
            run(sink, value, arguments);
        }
        of(sink, value);
    }
}

/// A command in one text, in several, or in one for each name.
fn run(sink: &mut Sink, value: &Json, arguments: Option<&Json>) {
    match value {
        Json::Text(text) => {
            let arguments = arguments.map(texts).unwrap_or_default();
            if arguments.is_empty() {
                return text.read(sink, |sink, text| {
                    shell::read(sink, text, 0, Context::Install)
                });
            }
            let words: Vec<Placed> = text.split(char::is_whitespace);
            shell::words(sink, &[words, arguments].concat(), Context::Install);
        }
        Json::List(items) => {
            let words = texts(value);
            let one = words.len() == items.len();
            match words.first() {
                Some(first) if one && !first.text().contains(' ') => {
                    shell::words(sink, &words, Context::Install);
                }
                _ => items.iter().for_each(|item| run(sink, item, None)),
            }
        }
        Json::Map(entries) => {
            for (_, value) in entries {
                run(sink, value, None);
            }
        }
        Json::Other => {}
    }
}

fn texts(json: &Json) -> Vec<Placed> {
    json.items()
        .iter()
        .filter_map(Json::text)
        .cloned()
        .collect()
}

/// A notebook: its cells are Markdown or code.
pub(in super::super) fn notebook(sink: &mut Sink, text: &str, base: usize) {
    let json = Json::parse(text, base);
    for cell in json.get("cells").map(Json::items).unwrap_or_default() {
        let kind = cell.get("cell_type").and_then(Json::text);
        let mut source = Placed::default();
        match cell.get("source") {
            Some(Json::Text(text)) => source = text.clone(),
            Some(lines) => texts(lines).iter().for_each(|line| source.append(line)),
            None => {}
        }
        match kind.map(Placed::text) {
            Some("markdown") => source.read(sink, markdown::read),
            _ => source.read(sink, |sink, text| Reader::Python.read(sink, text, 0)),
        }
    }
}
