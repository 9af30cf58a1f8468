//! Imports, found in the syntax tree: a word in a string or a comment is none.
//!
//! A language per file. Each knows which modules need no package, and which package provides those
//! whose names differ; what it cannot tell, it leaves out.

mod csharp;
mod go;
mod java;
mod javascript;
mod php;
mod python;
mod ruby;
mod run;
mod rust;

use std::ops::Range;

use tree_sitter::{Language, Node, Parser};

use super::{Context, Sink, place::Placed, shell};

pub(super) use csharp::csharp;
pub(super) use go::go;
pub(super) use java::java;
pub(super) use javascript::{in_page, javascript};
pub(super) use php::php;
pub(super) use python::python;
pub(super) use ruby::ruby;
pub(super) use rust::rust;

/// Code deeper than this is not code that anybody wrote.
const DEEPEST: usize = 200;

fn each_node(language: &Language, text: &str, each: &mut dyn FnMut(Node<'_>)) {
    let mut parser = Parser::new();
    if let Err(error) = parser.set_language(language) {
        tracing::error!(%error, "a grammar does not fit the parser");
        return;
    }
    let Some(tree) = parser.parse(text, None) else {
        return;
    };
    let mut cursor = tree.walk();
    let mut depth = 0;
    loop {
        each(cursor.node());
        if depth < DEEPEST && cursor.goto_first_child() {
            depth += 1;
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
            depth -= 1;
        }
    }
}

/// A call's first argument, if it is a string: what is between its quotes.
fn first_string(call: Node<'_>, text: &str) -> Option<Range<usize>> {
    let arguments = call.child_by_field_name("arguments")?;
    let mut cursor = arguments.walk();
    let mut children = arguments.named_children(&mut cursor);
    let argument = children.find(|child| child.kind() != "comment")?;
    let quotes = ['"', '\'', '`'];
    let literal = slice(text, argument.byte_range());
    let plain = argument.kind().contains("string")
        && literal.starts_with(quotes)
        && !literal.contains("${");
    plain.then(|| unquoted(argument.byte_range()))
}

fn unquoted(range: Range<usize>) -> Range<usize> {
    let start = (range.start + 1).min(range.end);
    start..range.end.saturating_sub(1).max(start)
}

fn slice(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap_or_default()
}

/// A table of pairs that is searched for the longest known beginning of a path, cut at a separator.
fn longest<'t>(table: &[(&str, &'t str)], path: &str, separator: char) -> Option<&'t str> {
    let mut rest = path;
    loop {
        if let Some((_, name)) = table.iter().find(|(known, _)| *known == rest) {
            return Some(name);
        }
        rest = rest.rsplit_once(separator)?.0;
    }
}

/// The strings of a list, in order; what is no plain string stands for a program: `sys.executable`.
fn strings_of(list: Node<'_>) -> Vec<Range<usize>> {
    let mut cursor = list.walk();
    let strings = list.named_children(&mut cursor);
    let strings = strings.filter(|node| node.kind() == "string");
    strings.map(|node| unquoted(node.byte_range())).collect()
}

/// Reads the words of a command that code gives as a list: `["pip", "install", "x"]`, and
/// `[sys.executable, "-m", "pip", "install", "x"]`.
fn listed(sink: &mut Sink, words: Vec<Range<usize>>, text: &str, base: usize) {
    let is_command =
        |range: &Range<usize>| matches!(slice(text, range.clone()), "install" | "add" | "i");
    if !words.iter().any(is_command) {
        return;
    }
    let skip = match words.first().map(|first| slice(text, first.clone())) {
        Some("-m") => 1,
        _ => 0,
    };
    let word = |range: Range<usize>| {
        let text = slice(text, range.clone());
        Placed::verbatim(text, base + range.start)
    };
    let words: Vec<Placed> = words.into_iter().skip(skip).map(word).collect();
    shell::words(sink, &words, Context::Install);
}
