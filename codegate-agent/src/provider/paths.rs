//! The files that a call names, as its arguments arrive: a call that writes a file which somebody
//! wants to see first has to wait from where that name begins.
//!
//! Knows: JSON as it arrives, the head lines of patches. Must not know: events, which files those are.

use std::ops::Range;

use super::{patch, tool};
use crate::span::{covering, decode};

/// No name of a member that is looked for is longer, and no name of a file, in bytes as written.
const LONGEST_KEY: usize = 40;
const LONGEST_PATH: usize = 4096;

/// Follows the arguments of one call.
#[derive(Debug)]
pub(super) struct Paths {
    /// Whether the arguments are just text: a patch, or something that names no file.
    plain: bool,
    /// Bytes that have been read.
    at: usize,
    /// Whether a string is open, and whether its next character is escaped.
    string: bool,
    escaped: bool,
    /// What is being read, as it is written: a string, or a line of one.
    raw: Vec<u8>,
    /// Where that begins.
    start: usize,
    /// The last string, where it may be a member's name.
    key: Vec<u8>,
    /// What the open string is.
    kind: Kind,
    /// Whether a colon came last.
    colon: bool,
    /// The first file that was asked for: where its name stands.
    found: Option<Range<usize>>,
}

/// What a string may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A member's name, or a value that does not matter.
    Other,
    /// The name of a file.
    Path,
    /// A patch: the names of files stand in some of its lines.
    Patch,
}

impl Paths {
    /// For arguments in JSON.
    pub(super) fn json() -> Self {
        Self {
            plain: false,
            at: 0,
            string: false,
            escaped: false,
            raw: Vec::new(),
            start: 0,
            key: Vec::new(),
            kind: Kind::Other,
            colon: false,
            found: None,
        }
    }

    /// For arguments that are a patch.
    pub(super) fn patch() -> Self {
        Self {
            plain: true,
            string: true,
            kind: Kind::Patch,
            ..Self::json()
        }
    }

    /// The first of the files that `wanted` asked for: where its name stands.
    pub(super) fn found(&self) -> Option<Range<usize>> {
        self.found.clone()
    }

    /// Whether a file's name has begun, and not ended.
    pub(super) fn is_open(&self) -> bool {
        match self.kind {
            Kind::Path => true,
            Kind::Patch => !self.raw.is_empty() && patch::may_name(&self.raw),
            Kind::Other => false,
        }
    }

    /// Reads on; `wanted` is asked for each file.
    pub(super) fn feed(&mut self, text: &[u8], mut wanted: impl FnMut(&str) -> bool) {
        for &byte in text {
            self.at += 1;
            match self.string {
                true => self.within(byte, &mut wanted),
                false => self.between(byte),
            }
        }
    }

    /// A byte outside of strings.
    fn between(&mut self, byte: u8) {
        match byte {
            b'"' => {
                self.kind = match std::mem::take(&mut self.colon) {
                    true => Kind::of(&self.key),
                    false => Kind::Other,
                };
                self.string = true;
                self.begin();
            }
            b':' => self.colon = true,
            byte if byte.is_ascii_whitespace() => {}
            _ => self.colon = false,
        }
    }

    /// A byte of a string.
    fn within(&mut self, byte: u8, wanted: &mut impl FnMut(&str) -> bool) {
        let escaped = std::mem::take(&mut self.escaped);
        match byte {
            b'"' if !escaped && !self.plain => {
                self.end(wanted);
                self.string = false;
                if self.kind == Kind::Other {
                    std::mem::swap(&mut self.key, &mut self.raw);
                }
                self.kind = Kind::Other;
            }
            b'\n' if self.plain => {
                self.end(wanted);
                self.begin();
            }
            b'n' if escaped && self.kind == Kind::Patch => {
                self.raw.pop();
                self.end(wanted);
                self.begin();
            }
            byte => {
                self.escaped = byte == b'\\' && !escaped && !self.plain;
                self.keep(byte);
            }
        }
    }

    fn begin(&mut self) {
        self.raw.clear();
        self.start = self.at;
    }

    /// Keeps what may matter.
    fn keep(&mut self, byte: u8) {
        let most = match self.kind {
            Kind::Other => LONGEST_KEY,
            _ => LONGEST_PATH,
        };
        // What is longer is cut off: no name of a member, or of a file that could be written.
        if self.raw.len() < most {
            self.raw.push(byte);
        }
    }

    /// A string, or a line of a patch, has ended.
    fn end(&mut self, wanted: &mut impl FnMut(&str) -> bool) {
        if self.kind == Kind::Other || self.found.is_some() {
            return;
        }
        let mut text = Vec::new();
        match self.plain {
            true => text.extend_from_slice(&self.raw),
            false => decode(&self.raw, &mut text),
        }
        let text = String::from_utf8_lossy(&text);
        let place = match self.kind {
            Kind::Patch => patch::names(&text),
            _ => Some(0..text.len()),
        };
        let Some(place) = place.filter(|place| text.get(place.clone()).is_some_and(wanted)) else {
            return;
        };
        let place = match self.plain {
            true => place,
            false => covering(&self.raw, place),
        };
        self.found = Some(self.start + place.start..self.start + place.end);
    }
}

impl Kind {
    /// By the name of the member.
    fn of(key: &[u8]) -> Self {
        match std::str::from_utf8(key) {
            Ok(key) if tool::is_path(key) => Self::Path,
            Ok(key) if tool::is_patch(key) => Self::Patch,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    /// The files that are named, and what is found, in pieces of so many bytes; with which bytes a
    /// name is open.
    fn read(mut paths: Paths, text: &str, step: usize) -> (Vec<String>, Option<&str>, String) {
        let (mut named, mut open) = (Vec::new(), String::new());
        for (at, piece) in text.as_bytes().chunks(step).enumerate() {
            paths.feed(piece, |name| {
                named.push(name.to_owned());
                name.ends_with("é.json")
            });
            if step == 1 && paths.is_open() {
                open.push(char::from(text.as_bytes()[at]));
            }
        }
        let found = paths.found().map(|range| &text[range]);
        (named, found, open)
    }

    #[test]
    fn names_of_files_are_read_where_they_stand() {
        let text = r#"{"a": "file_path", "note": "\"path\": \"x\"", "file_path" : "/a\\b/\u00e9.json", "n": [1], "edits": [{"path": "y"}]}"#;
        for step in 1..text.len() {
            let (named, found, _) = read(Paths::json(), text, step);
            assert_eq!(named, ["/a\\b/é.json"], "{step}");
            assert_eq!(found, Some(r"/a\\b/\u00e9.json"));
        }
        let text = r#"{"file_path": "/x", "content": "path\"", "paths": 1, "path": 5}"#;
        let (named, found, open) = read(Paths::json(), text, 1);
        assert_eq!(
            (named.as_slice(), found, open.as_str()),
            (["/x".to_owned()].as_slice(), None, "\"/x")
        );
    }

    #[test]
    fn patches_name_files_in_their_lines() {
        let text =
            "*** Begin Patch\n*** Add File: a b.rs\n++x\n*** Update File: x/é.json\n+*** y\n";
        for step in 1..text.len() {
            let (named, found, _) = read(Paths::patch(), text, step);
            assert_eq!(named, ["a b.rs", "x/é.json"]);
            assert_eq!(found, Some("x/é.json"));
        }
        let json = serde_json::json!({"x": text, "input": text}).to_string();
        for step in 1..json.len() {
            let (named, found, _) = read(Paths::json(), &json, step);
            assert_eq!(named, ["a b.rs", "x/é.json"]);
            assert_eq!(found, Some("x/é.json"));
        }
        let (_, _, open) = read(Paths::patch(), "--- a\n+++ b/x\n+y\n @@\n", 1);
        assert_eq!(open, "+++ b/x+");
    }

    #[test]
    fn nothing_that_is_endless_is_kept() {
        let mut paths = Paths::json();
        paths.feed(b"{\"path\": \"", |_| false);
        paths.feed(&b"x".repeat(1 << 20), |_| false);
        assert!(paths.raw.len() <= LONGEST_PATH && paths.is_open());
    }
}
