//! Imports, found in the syntax tree: a word in a string or a comment is none.

use std::ops::Range;

use tree_sitter::{Language, Node, Parser};

use super::{Context, Ecosystem, Sink, markdown::lines, shell, stdlib};

/// Code deeper than this is not code that anybody wrote.
const DEEPEST: usize = 200;

pub(super) fn python(sink: &mut Sink, text: &str, base: usize) {
    // Notebooks' own commands are no Python.
    let mut code = text.to_owned();
    for (start, line) in lines(text) {
        if line.trim_start().starts_with(['!', '%']) {
            let at = start + line.len() - line.trim_start().len();
            let command = line.trim_start().trim_start_matches(['!', '%']);
            shell::read(
                sink,
                command,
                base + start + line.len() - command.len(),
                Context::Install,
            );
            code.replace_range(at..start + line.len(), &" ".repeat(start + line.len() - at));
        }
    }
    let language = tree_sitter_python::LANGUAGE.into();
    each_node(&language, &code, &mut |node| match node.kind() {
        "import_statement" => {
            let mut cursor = node.walk();
            for name in node.children_by_field_name("name", &mut cursor) {
                let name = name.child_by_field_name("name").unwrap_or(name);
                python_module(sink, &code, name.byte_range(), base);
            }
        }
        "import_from_statement" => {
            let module = node.child_by_field_name("module_name");
            if let Some(module) = module.filter(|module| module.kind() == "dotted_name") {
                python_module(sink, &code, module.byte_range(), base);
            }
        }
        "call" => {
            let function = node
                .child_by_field_name("function")
                .map(|f| slice(&code, f.byte_range()));
            let wanted = |name: &str| name == "__import__" || name.ends_with("import_module");
            if function.is_some_and(wanted)
                && let Some(range) = first_string(node, &code)
            {
                python_module(sink, &code, range, base);
            }
        }
        _ => {}
    });
}

fn python_module(sink: &mut Sink, text: &str, range: Range<usize>, base: usize) {
    let module = slice(text, range.clone());
    let top = module.split('.').next().unwrap_or_default();
    if top.is_empty() || stdlib::python(top) {
        return;
    }
    let name = stdlib::distribution(module);
    let range = base + range.start..base + range.start + top.len();
    sink.add(Context::Import, Ecosystem::PyPI, name, None, range);
}

pub(super) fn javascript(sink: &mut Sink, text: &str, base: usize) {
    let language = tree_sitter_typescript::LANGUAGE_TSX.into();
    each_node(&language, text, &mut |node| {
        let source = match node.kind() {
            "import_statement" | "export_statement" => node.child_by_field_name("source"),
            "import_require_clause" => node.child_by_field_name("source"),
            "call_expression" => {
                let function = node
                    .child_by_field_name("function")
                    .map(|f| slice(text, f.byte_range()));
                let loads = [
                    "import",
                    "require",
                    "require.resolve",
                    "jest.mock",
                    "vi.mock",
                ];
                let wanted = function.is_some_and(|name| loads.contains(&name));
                if let Some(range) = first_string(node, text).filter(|_| wanted) {
                    javascript_module(sink, text, range, base);
                }
                None
            }
            _ => None,
        };
        if let Some(source) = source {
            javascript_module(sink, text, unquoted(source.byte_range()), base);
        }
    });
    super::fence::urls(sink, text, base);
}

fn javascript_module(sink: &mut Sink, text: &str, range: Range<usize>, base: usize) {
    let path = slice(text, range.clone());
    let (path, deno) = match path.strip_prefix("npm:") {
        Some(path) => (path, true),
        None => (path, false),
    };
    let depth = 1 + usize::from(path.starts_with('@'));
    let end = path
        .match_indices('/')
        .nth(depth - 1)
        .map_or(path.len(), |(at, _)| at);
    let name = path.get(..end).unwrap_or(path);
    // `@/x` and `~/x` are the project's own; `a:b` is a scheme.
    let own = name.starts_with(['.', '/', '~', '#', '$']) || path.starts_with("@/");
    if own || name.contains(':') || stdlib::node(name) || (depth == 2 && !name.contains('/')) {
        return;
    }
    let at = base + range.end - path.len();
    let name = match deno {
        true => name
            .rfind('@')
            .filter(|at| *at > 0)
            .and_then(|at| name.get(..at))
            .unwrap_or(name),
        false => name,
    };
    sink.add(
        Context::Import,
        Ecosystem::Npm,
        name,
        None,
        at..at + name.len(),
    );
}

pub(super) fn go(sink: &mut Sink, text: &str, base: usize) {
    each_node(&tree_sitter_go::LANGUAGE.into(), text, &mut |node| {
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

pub(super) fn rust(sink: &mut Sink, text: &str, base: usize) {
    let own: Vec<&str> = text
        .lines()
        .filter_map(|line| {
            line.trim_start()
                .trim_start_matches("pub ")
                .strip_prefix("mod ")
        })
        .map(|rest| rest.trim_end_matches([';', '{', ' ', '\r']))
        .collect();
    each_node(&tree_sitter_rust::LANGUAGE.into(), text, &mut |node| {
        let path = match node.kind() {
            "use_declaration" => node.child_by_field_name("argument"),
            "extern_crate_declaration" => node.child_by_field_name("name"),
            _ => None,
        };
        let Some(range) = path.map(|path| path.byte_range()) else {
            return;
        };
        let path = slice(text, range.clone());
        let leading = path.len() - path.trim_start_matches(':').len();
        let path = path.get(leading..).unwrap_or(path);
        let end = path
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(path.len());
        let name = path.get(..end).unwrap_or(path);
        let types = name.starts_with(|c: char| c.is_uppercase());
        if !name.is_empty() && !types && !stdlib::rust(name) && !own.contains(&name) {
            let at = base + range.start + leading;
            sink.add(
                Context::Import,
                Ecosystem::Crates,
                name,
                None,
                at..at + name.len(),
            );
        }
    });
}

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
    let argument = call.child_by_field_name("arguments")?.named_child(0)?;
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
