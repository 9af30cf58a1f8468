//! Go: a path with a host is a package within some module.

use super::{each_node, run, slice, unquoted};
use crate::inspect::packages::{
    Ecosystem,
    extract::{Context, Sink},
};

pub(in super::super) fn go(sink: &mut Sink, text: &str, base: usize) {
    each_node(&tree_sitter_go::LANGUAGE.into(), text, &mut |node| {
        run::read(sink, node, text, base);
        let path = node
            .child_by_field_name("path")
            .filter(|_| node.kind() == "import_spec");
        if let Some(path) = path {
            let range = unquoted(path.byte_range());
            let path = slice(text, range.clone());
            let host = path.split('/').next().unwrap_or_default();
            // Only what has a host is no part of Go itself, nor of the module at hand.
            if host.contains('.') && !host.starts_with('.') && path.contains('/') {
                let range = base + range.start..base + range.end;
                sink.add(Context::Import, Ecosystem::Go, path, None, range);
            }
        }
    });
}
