//! Changes to files: unified diffs, and the patches that coding tools apply. What they add is read as
//! the file that they change.

use std::ops::Range;

use super::super::{Sink, fence::Reader, manifest, markdown::lines};

/// A piece of a file as it is after the change.
#[derive(Default)]
struct Piece {
    reader: Option<Reader>,
    /// Of the same length as the diff: what is not in the file any more is blank.
    text: String,
    start: usize,
    /// What was added.
    added: Vec<Range<usize>>,
}

pub(in super::super) fn read(sink: &mut Sink, text: &str, base: usize) {
    let mut piece = Piece::default();
    for (start, line) in lines(text) {
        if let Some(reader) = header(line) {
            piece.read(sink);
            piece = Piece {
                reader,
                ..Piece::default()
            };
        } else if line.starts_with("@@") {
            let reader = piece.reader;
            piece.read(sink);
            piece = Piece {
                reader,
                ..Piece::default()
            };
        } else if piece.reader.is_some() {
            piece.push(line, base + start);
        }
    }
    piece.read(sink);
}

/// The reader of the file whose changes follow.
fn header(line: &str) -> Option<Option<Reader>> {
    if line.starts_with("--- ") || line.starts_with("diff --git") {
        return Some(None);
    }
    let path = ["+++ ", "*** Update File: ", "*** Add File: "];
    let path = path.iter().find_map(|start| line.strip_prefix(start))?;
    let path = path.split('\t').next().unwrap_or(path).trim();
    Some(Reader::of_file(path.strip_prefix("b/").unwrap_or(path)))
}

impl Piece {
    fn push(&mut self, line: &str, at: usize) {
        if self.text.is_empty() {
            self.start = at;
        }
        match line.as_bytes().first() {
            Some(b'+') => {
                self.added.push(at..at + line.len());
                self.keep(line);
            }
            Some(b' ') => self.keep(line),
            _ => self.text.push_str(&" ".repeat(line.len())),
        }
        self.text.push('\n');
    }

    fn keep(&mut self, line: &str) {
        self.text.push(' ');
        self.text.push_str(line.get(1..).unwrap_or_default());
    }

    /// Reads the piece, and forgets what was there before.
    fn read(&self, sink: &mut Sink) {
        let Some(reader) = self.reader else { return };
        let before = sink.found.len();
        reader.read(sink, &self.text, self.start);
        if let Reader::Manifest(kind) = reader {
            // A piece does not say in which table it is.
            for range in &self.added {
                let from = range.start + 1;
                let line = self.text.get(from - self.start..range.end - self.start);
                manifest::line(sink, kind, line.unwrap_or_default(), from);
            }
        }
        let added = |at: usize| self.added.iter().any(|range| range.contains(&at));
        sink.keep_from(before, |mention| added(mention.range.start));
    }
}
