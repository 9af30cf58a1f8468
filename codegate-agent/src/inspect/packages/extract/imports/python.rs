//! Python: modules by import statements and calls, and the commands that a script or a notebook runs.

use std::ops::Range;

use tree_sitter::Node;

use super::{each_node, first_string, listed, run, slice, strings_of};
use crate::inspect::packages::{
    Ecosystem,
    extract::{Context, Sink, markdown::lines, pattern::patterns, shell, stdlib},
};

patterns! {
    SHELL_CELL = r"^\s*%%(?:bash|sh|script|cmd|!)";
}

/// Names that everybody gives to modules of their own. Packages of these names exist, and are not
/// what is meant.
const COMMON: &str = "\
    api app apps auth base client common conf config configs const constants core crud custom data \
    database db dependencies env exceptions forms handlers helper helpers lib libs main manage \
    middleware middlewares model models my_app my_module my_package my_project myapp mymodule \
    mypackage myproject \
    pipeline project repositories repository router routers routes schema schemas scripts \
    serializers server service services settings setup shared src storage store tasks test tests \
    tools urls user users util utilities utils views worker your_app your_module your_package";

/// Whether everybody has a module of this name.
fn is_common(module: &str) -> bool {
    COMMON.split_ascii_whitespace().any(|name| name == module)
}

pub(in super::super) fn python(sink: &mut Sink, text: &str, base: usize) {
    let code = without_magic(sink, text, base);
    let language = tree_sitter_python::LANGUAGE.into();
    each_node(&language, &code, &mut |node| match node.kind() {
        "import_statement" => {
            let mut cursor = node.walk();
            for name in node.children_by_field_name("name", &mut cursor) {
                let name = name.child_by_field_name("name").unwrap_or(name);
                module(sink, &code, name.byte_range(), base);
            }
        }
        "import_from_statement" => from(sink, node, &code, base),
        "call" => {
            run::read(sink, node, &code, base);
            call(sink, node, &code, base);
        }
        "list" => listed(sink, strings_of(node), &code, base),
        _ => {}
    });
}

/// Notebooks' own commands are no Python: they are read here, and blanked.
fn without_magic(sink: &mut Sink, text: &str, base: usize) -> String {
    if SHELL_CELL.is_in(text) {
        let from = text.find('\n').map_or(text.len(), |at| at + 1);
        let script = text.get(from..).unwrap_or_default();
        shell::read(sink, script, base + from, Context::Install);
        return String::new();
    }
    let mut code = text.to_owned();
    let mut lines = lines(text);
    while let Some((start, line)) = lines.next() {
        let trimmed = line.trim_start();
        if !trimmed.starts_with(['!', '%']) {
            continue;
        }
        let at = start + line.len() - trimmed.len();
        let mut end = start + line.len();
        let mut last = line;
        while last.trim_end().ends_with('\\')
            && let Some((start, line)) = lines.next()
        {
            (end, last) = (start + line.len(), line);
        }
        let command = text.get(at + 1..end).unwrap_or_default();
        // As many characters: nothing shifts.
        let command = command.replace("{sys.executable}", "python          ");
        shell::read(sink, &command, base + at + 1, Context::Install);
        code.replace_range(at..end, &" ".repeat(end - at));
    }
    code
}

fn from(sink: &mut Sink, node: Node<'_>, code: &str, base: usize) {
    let Some(name) = node.child_by_field_name("module_name") else {
        return;
    };
    if name.kind() != "dotted_name" {
        return;
    }
    // `from google.cloud import storage` is of google.cloud.storage.
    let top = slice(code, name.byte_range());
    let mut cursor = node.walk();
    let names = node.children_by_field_name("name", &mut cursor);
    for inner in names {
        let inner = inner.child_by_field_name("name").unwrap_or(inner);
        let whole = format!("{top}.{}", slice(code, inner.byte_range()));
        if stdlib::has_distribution(&whole) {
            let start = base + name.start_byte();
            let range = start..start + top.len();
            return sink.module(Ecosystem::PyPI, top, stdlib::distribution(&whole), range);
        }
    }
    module(sink, code, name.byte_range(), base);
}

fn call(sink: &mut Sink, node: Node<'_>, code: &str, base: usize) {
    let function = node.child_by_field_name("function");
    let function = function.map_or("", |f| slice(code, f.byte_range()));
    let Some(range) = first_string(node, code) else {
        return;
    };
    let loads = ["__import__", "import_module", "find_spec", "importorskip"];
    if loads
        .iter()
        .any(|name| function.rsplit('.').next() == Some(name))
    {
        module(sink, code, range, base);
    }
}

fn module(sink: &mut Sink, text: &str, range: Range<usize>, base: usize) {
    let module = slice(text, range.clone());
    let top = module.split('.').next().unwrap_or_default();
    if top.is_empty() || stdlib::python(top) || is_common(top) {
        return;
    }
    let name = stdlib::distribution(module);
    let range = base + range.start..base + range.start + top.len();
    sink.module(Ecosystem::PyPI, top, name, range);
}
