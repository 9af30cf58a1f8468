//! Patches, as tools take them: which files they change, and what they add to them.
//!
//! Knows: unified diffs, Codex's patches, blocks of search and replace. Must not know: tools, JSON.

use std::ops::Range;

/// What stands before the name of a file that is added; that is changed, or gets its name.
const ADDS: &str = "*** Add File: ";
const CHANGES: [&str; 3] = ["*** Update File: ", "*** Move to: ", "+++ "];

/// What a patch adds to a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
    /// Where the file's name stands in the patch.
    pub(super) name: Range<usize>,
    /// The lines that are added.
    pub(super) added: String,
    /// Whether that is the whole file.
    pub(super) whole: bool,
}

/// Where in a line the name of a file stands, if it has one.
pub(super) fn names(line: &str) -> Option<Range<usize>> {
    let line = line.trim_end();
    let head = std::iter::once(&ADDS).chain(&CHANGES);
    let rest = head.filter_map(|head| line.strip_prefix(*head)).next()?;
    let start = line.len() - rest.len();
    // A diff has a date behind a tab.
    let end = rest.find('\t').unwrap_or(rest.len());
    (end > 0).then_some(start..start + end)
}

/// Whether a line that begins like this may name a file; it is as written, in JSON or not.
pub(super) fn may_name(start: &[u8]) -> bool {
    let mut heads = std::iter::once(&ADDS).chain(&CHANGES);
    // Escaped letters may become a head.
    start.starts_with(b"\\")
        || heads
            .any(|head| head.as_bytes().starts_with(start) || start.starts_with(head.as_bytes()))
}

/// What a patch adds, file by file; none if it is something else.
pub(super) fn sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let (start, end) = (at, at + line.len());
        at = end;
        if let Some(name) = names(line) {
            sections.push(Section {
                name: start + name.start..start + name.end,
                added: String::new(),
                whole: line.starts_with(ADDS),
            });
        } else if let (Some(added), Some(last)) = (line.strip_prefix('+'), sections.last_mut()) {
            last.added += added;
        }
    }
    sections
}

/// What a piece of a patch that names no file adds; all of it if it is no patch.
pub(super) fn added(text: &str) -> String {
    let marked = text
        .lines()
        .any(|line| line.starts_with(">>>>>>> ") || line == ">>>>>>>");
    let plus = text.lines().any(|line| line.starts_with("@@"));
    let mut replaces = false;
    let mut added = String::new();
    for line in text.split_inclusive('\n') {
        let new = match (marked, plus) {
            (true, _) if line.starts_with("=======") => {
                replaces = true;
                continue;
            }
            (true, _) if line.starts_with(">>>>>>>") => {
                replaces = false;
                continue;
            }
            (true, _) => replaces.then_some(line),
            (false, true) => line.strip_prefix('+'),
            (false, false) => Some(line),
        };
        added += new.unwrap_or_default();
    }
    added
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_what_is_added_to_it() {
        let text = "*** Begin Patch\n*** Add File: a.txt\n+x\n+y\n*** Update File: b\n*** Move to: c/d\n@@ z\n-old\n+new\n same\n*** End Patch\n";
        let read: Vec<(&str, String, bool)> = sections(text)
            .into_iter()
            .map(|s| (&text[s.name], s.added, s.whole))
            .collect();
        assert_eq!(
            read,
            [
                ("a.txt", "x\ny\n".to_owned(), true),
                ("b", String::new(), false),
                ("c/d", "new\n".to_owned(), false)
            ]
        );
        let text = "diff --git a/x b/x\n--- a/x\n+++ b/x\t2026\n@@ -1 +1 @@\n-a\n+b\n";
        let read = sections(text);
        assert_eq!(
            (&text[read[0].name.clone()], read[0].added.as_str()),
            ("b/x", "b\n")
        );
        assert_eq!(sections("nothing\n+ of\n"), []);
    }

    #[test]
    fn pieces_say_what_they_add() {
        for (text, expected) in [
            ("a\nb\n", "a\nb\n"),
            ("@@ -1 +1 @@\n-a\n+b\n c\n", "b\n"),
            (
                "<<<<<<< SEARCH\na\n=======\nb\nc\n>>>>>>> REPLACE\n<<<<<<< SEARCH\nd\n=======\n>>>>>>> REPLACE\n",
                "b\nc\n",
            ),
        ] {
            assert_eq!(added(text), expected);
        }
    }

    #[test]
    fn a_line_may_name_a_file_as_long_as_it_can() {
        for start in [
            "*",
            "*** A",
            "*** Add File: x",
            "+",
            "++",
            "+++ b",
            "\\u002b",
        ] {
            assert!(may_name(start.as_bytes()), "{start}");
        }
        for start in [" ", "+a", "++a", "*** Begin", "x", "-"] {
            assert!(!may_name(start.as_bytes()), "{start}");
        }
    }
}
