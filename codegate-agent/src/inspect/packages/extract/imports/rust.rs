//! Rust: the root of a path is a crate, unless the code at hand has that name itself.

use std::ops::Range;

use tree_sitter::Node;

use super::{each_node, run, slice};
use crate::inspect::packages::{
    Ecosystem,
    extract::{Sink, stdlib},
};

pub(in super::super) fn rust(sink: &mut Sink, text: &str, base: usize) {
    let mut roots: Vec<Range<usize>> = Vec::new();
    let mut own: Vec<&str> = Vec::new();
    each_node(&tree_sitter_rust::LANGUAGE.into(), text, &mut |node| {
        let name = |field| node.child_by_field_name(field).map(|n| n.byte_range());
        run::read(sink, node, text, base);
        match node.kind() {
            "mod_item" => own.extend(name("name").map(|name| slice(text, name))),
            "extern_crate_declaration" => roots.extend(name("name")),
            "use_declaration" => {
                if let Some(tree) = node.child_by_field_name("argument") {
                    collect(text, tree, &mut roots);
                    introduced(text, tree, &mut own);
                }
            }
            _ => {}
        }
    });
    for range in roots {
        let name = slice(text, range.clone());
        let name = name.strip_prefix("r#").unwrap_or(name);
        let types = name.starts_with(|c: char| c.is_uppercase());
        if !name.is_empty() && !types && !stdlib::rust(name) && !own.contains(&name) {
            let range = base + range.start..base + range.end;
            sink.module(Ecosystem::Crates, name, name, range);
        }
    }
}

/// The roots of a tree of paths: `a::b`, `::a`, `{a::b, c}`.
fn collect(text: &str, tree: Node<'_>, roots: &mut Vec<Range<usize>>) {
    match tree.kind() {
        "use_list" => {
            let mut cursor = tree.walk();
            for inner in tree.named_children(&mut cursor) {
                collect(text, inner, roots);
            }
        }
        "identifier" => roots.push(tree.byte_range()),
        _ => {
            let path = slice(text, tree.byte_range());
            let bare = path.trim_start_matches(':');
            // `::{a, b}` and `::a`.
            if bare.starts_with('{') {
                let mut cursor = tree.walk();
                for inner in tree.named_children(&mut cursor) {
                    collect(text, inner, roots);
                }
                return;
            }
            let from = tree.start_byte() + path.len() - bare.len();
            let end = bare.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '#'));
            roots.push(from..from + end.unwrap_or(bare.len()));
        }
    }
}

/// The names that a `use` brings in: what begins with one of them needs no crate of that name.
fn introduced<'t>(text: &'t str, tree: Node<'_>, own: &mut Vec<&'t str>) {
    let field = |name| tree.child_by_field_name(name);
    match tree.kind() {
        "use_as_clause" => own.extend(field("alias").map(|alias| slice(text, alias.byte_range()))),
        "scoped_identifier" => {
            own.extend(field("name").map(|name| slice(text, name.byte_range())));
        }
        "use_list" => {
            let mut cursor = tree.walk();
            for inner in tree.named_children(&mut cursor) {
                introduced(text, inner, own);
            }
        }
        "scoped_use_list" => {
            let Some(list) = field("list") else { return };
            let mut cursor = list.walk();
            for inner in list.named_children(&mut cursor) {
                match inner.kind() {
                    "identifier" => own.push(slice(text, inner.byte_range())),
                    _ => introduced(text, inner, own),
                }
            }
        }
        _ => {}
    }
}
