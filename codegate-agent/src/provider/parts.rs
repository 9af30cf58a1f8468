//! The parts of an answer that stand in one place, whole: in an answer that is no stream, and in the
//! events that repeat what a stream said.
//!
//! Knows: texts and calls. Must not know: any dialect, what is looked for.

use std::{borrow::Cow, collections::HashMap};

use super::{
    Watch,
    passage::Passage,
    tool,
    tree::{Tree, View},
};
use crate::span::{Edit, covering, escape, splice};

/// The tools by the calls' places.
pub(super) type Tools = HashMap<[u64; 2], String>;

/// A part of an answer.
pub(super) enum Part<'a> {
    /// What is said: a string.
    Text(View<'a>),
    /// A call of a tool.
    Call(Called<'a>),
}

/// A call, whole.
pub(super) struct Called<'a> {
    /// The tool.
    pub(super) name: Cow<'a, str>,
    /// Its arguments.
    pub(super) input: View<'a>,
    /// Whether arguments in a string are just text.
    pub(super) plain: bool,
}

impl<'a> Called<'a> {
    /// A call whose arguments are the member `input` of an object.
    pub(super) fn json(name: Cow<'a, str>, object: View<'a>, input: &str) -> Option<Part<'a>> {
        let input = object.get(input)?;
        let plain = false;
        Some(Part::Call(Self { name, input, plain }))
    }

    /// A call whose input is just text.
    pub(super) fn plain(name: Cow<'a, str>, object: View<'a>, input: &str) -> Option<Part<'a>> {
        let input = object.get(input)?;
        let plain = true;
        Some(Part::Call(Self { name, input, plain }))
    }
}

/// Looks at a call; gives the edit that refuses it.
pub(super) fn judge(doc: &[u8], call: &Called<'_>, watch: &mut dyn Watch) -> Option<Edit> {
    let raw = call.input.range();
    match call.input.text() {
        Some(arguments) => {
            let with = tool::judge(&call.name, arguments.as_bytes(), call.plain, watch)?;
            let with = escape(&with, 1);
            Some(Edit { raw, with })
        }
        None => {
            let with = tool::judge(&call.name, doc.get(raw.clone())?, false, watch)?;
            Some(Edit { raw, with })
        }
    }
}

/// The edit that puts a notice behind so many bytes of what a string says.
pub(super) fn insertion(doc: &[u8], string: View<'_>, place: usize, notice: &str) -> Edit {
    let range = string.range();
    let encoded = doc.get(range.clone()).unwrap_or_default();
    let at = range.start + covering(encoded, place..place).start;
    let with = escape(notice.as_bytes(), 1);
    Edit { raw: at..at, with }
}

/// Looks at a whole answer; gives it with its notices and refusals, if it has any.
pub(super) fn whole(
    body: &[u8],
    parts: fn(View<'_>) -> Vec<Part<'_>>,
    watch: &mut dyn Watch,
) -> Option<Vec<u8>> {
    let tree = Tree::read(body).ok()?;
    let (mut edits, mut texts) = (Vec::new(), Vec::new());
    // The calls first: what is found in them may be told behind a text.
    for part in parts(tree.root()) {
        match part {
            Part::Call(call) => edits.extend(judge(body, &call, watch)),
            Part::Text(string) => texts.push(string),
        }
    }
    for string in texts {
        let text = string.text().unwrap_or_default();
        let mut passage = Passage::default();
        let mut told = passage.add(&text, watch);
        told.extend(passage.finish(watch).map(|notice| (text.len(), notice)));
        let at = |(place, notice): (usize, String)| insertion(body, string, place, &notice);
        edits.extend(told.into_iter().map(at));
    }
    edits.sort_by_key(|edit| edit.raw.start);
    (!edits.is_empty()).then(|| splice(body, &edits))
}
