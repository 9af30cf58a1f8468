//! What a call writes into files, and how a file is refused: its name becomes one that cannot be, and
//! says why. All else in the arguments stays, so they fit the tool's schema.
//!
//! Knows: how tools name such arguments. Must not know: any dialect, packages.

use std::{borrow::Cow, ops::Range};

use super::{
    Watch,
    patch::{self, Section},
    tool,
    tree::View,
};
use crate::span::{Edit, covering, escape};

/// The folder that is none: whatever is below it cannot be read, made or written.
const NOWHERE: &str = "/dev/null/";

/// The arguments that hold a file's name, in lower case and without `_` and `-`.
const NAMES: [&str; 11] = [
    "filepath",
    "path",
    "filename",
    "file",
    "targetfile",
    "notebookpath",
    "absolutepath",
    "relativepath",
    "relativeworkspacepath",
    "uri",
    "destination",
];
/// Those that hold a whole file, and those that hold a piece of one.
const WHOLE: [&str; 4] = ["content", "contents", "text", "filetext"];
const PIECES: [&str; 10] = [
    "newstring",
    "newstr",
    "newsource",
    "newtext",
    "newcontent",
    "inserttext",
    "insert",
    "replacement",
    "replace",
    "codeedit",
];
/// Those that hold a patch.
const PATCHES: [&str; 5] = ["input", "patch", "patchtext", "diff", "changes"];

/// Something that is written into a file.
#[derive(Debug)]
struct Written<'a> {
    name: Cow<'a, str>,
    /// Where the name stands in the arguments.
    place: Range<usize>,
    content: Cow<'a, str>,
    /// Whether that is the whole file.
    whole: bool,
}

/// Whether a member of this (folded) name holds a file's name.
pub(super) fn is_name(folded: &str) -> bool {
    NAMES.contains(&folded)
}

/// Whether it holds a patch.
pub(super) fn is_patch(folded: &str) -> bool {
    PATCHES.contains(&folded)
}

/// Looks at the files that arguments in JSON write; gives what refuses those that must not be.
pub(super) fn refused(arguments: &[u8], root: View<'_>, watch: &mut dyn Watch) -> Vec<Edit> {
    let mut written = Vec::new();
    gather(arguments, root, None, &mut written);
    let refuse = |file: Written<'_>| {
        let reason = watch.file(&file.name, &file.content, file.whole)?;
        let with = escape(nowhere(&reason).as_bytes(), 1);
        let raw = file.place;
        Some(Edit { raw, with })
    };
    let mut edits: Vec<Edit> = written.into_iter().filter_map(refuse).collect();
    edits.sort_by_key(|edit| edit.raw.start);
    // Several pieces of one file.
    edits.dedup_by(|a, b| a.raw == b.raw);
    edits
}

/// Looks at a patch that is the whole input; gives what refuses its files.
pub(super) fn refused_patch(text: &str, watch: &mut dyn Watch) -> Vec<Edit> {
    let refuse = |section: Section| {
        let name = text.get(section.name.clone())?;
        let reason = watch.file(name, &section.added, section.whole)?;
        let with = nowhere(&reason).into_bytes();
        let raw = section.name;
        Some(Edit { raw, with })
    };
    patch::sections(text)
        .into_iter()
        .filter_map(refuse)
        .collect()
}

/// Looks at a patch that a command applies: why it must not.
pub(super) fn patch_reason(text: &str, watch: &mut dyn Watch) -> Option<String> {
    let mut sections = patch::sections(text).into_iter();
    sections.find_map(|section| watch.file(text.get(section.name)?, &section.added, section.whole))
}

/// The name of a file that cannot be.
pub(super) fn nowhere(reason: &str) -> String {
    format!("{NOWHERE}{reason}")
}

/// What a value and all that is in it writes; `file` is the file that it is about.
fn gather<'a>(
    doc: &[u8],
    value: View<'a>,
    file: Option<&(Cow<'a, str>, Range<usize>)>,
    written: &mut Vec<Written<'a>>,
) {
    let named = value.members().find_map(|(member, value)| {
        let name = is_name(&tool::folded(&member)).then(|| value.text())??;
        Some((name, value.range()))
    });
    let file = named.as_ref().or(file);
    for (member, value) in value.members() {
        match value.text() {
            Some(text) => content(doc, &tool::folded(&member), (text, value), file, written),
            None => gather(doc, value, file, written),
        }
    }
    for item in value.items() {
        gather(doc, item, file, written);
    }
}

/// What a string writes, if it does.
fn content<'a>(
    doc: &[u8],
    member: &str,
    (text, view): (Cow<'a, str>, View<'a>),
    file: Option<&(Cow<'a, str>, Range<usize>)>,
    written: &mut Vec<Written<'a>>,
) {
    if is_patch(member) {
        let sections = patch::sections(&text);
        if !sections.is_empty() {
            let encoded = doc.get(view.range()).unwrap_or_default();
            let start = view.range().start;
            written.extend(sections.into_iter().filter_map(|section| {
                let name = Cow::Owned(text.get(section.name.clone())?.to_owned());
                let place = covering(encoded, section.name);
                let place = start + place.start..start + place.end;
                let (content, whole) = (Cow::Owned(section.added), section.whole);
                Some(Written {
                    name,
                    place,
                    content,
                    whole,
                })
            }));
            return;
        }
    }
    let whole = WHOLE.contains(&member);
    let piece = PIECES.contains(&member) || member == "diff" || member == "patch";
    let Some((name, place)) = file.filter(|_| whole || piece) else {
        return;
    };
    let content = match whole {
        true => text,
        false => Cow::Owned(patch::added(&text)),
    };
    let (name, place) = (name.clone(), place.clone());
    written.push(Written {
        name,
        place,
        content,
        whole,
    });
}
