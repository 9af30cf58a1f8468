//! JavaScript and TypeScript: imports in all their forms, and the commands that a script runs.

use std::ops::Range;

use tree_sitter::Node;

use super::{each_node, first_string, run, slice, unquoted};
use crate::inspect::packages::{
    Ecosystem,
    extract::{Sink, fence, files::Json, spec, stdlib},
};

/// Folders that projects import from by their own name; packages of these names exist, but not with
/// anything below them that anybody would import.
const FOLDERS: &[&str] = &[
    "api",
    "app",
    "assets",
    "common",
    "components",
    "config",
    "constants",
    "containers",
    "context",
    "features",
    "helpers",
    "hooks",
    "layouts",
    "lib",
    "models",
    "modules",
    "pages",
    "server",
    "services",
    "shared",
    "src",
    "store",
    "styles",
    "types",
    "ui",
    "utils",
    "views",
];

/// What loads a module that its first argument names.
const LOADERS: &[&str] = &[
    "import",
    "require",
    "require.resolve",
    "jest.mock",
    "vi.mock",
];

pub(in super::super) fn javascript(sink: &mut Sink, text: &str, base: usize) {
    let language = tree_sitter_typescript::LANGUAGE_TSX.into();
    each_node(&language, text, &mut |node| {
        let source = match node.kind() {
            "import_statement" | "export_statement" | "import_require_clause" => {
                node.child_by_field_name("source")
            }
            "call_expression" | "new_expression" => {
                run::read(sink, node, text, base);
                call(sink, node, text, base);
                None
            }
            _ => None,
        };
        if let Some(source) = source {
            module(sink, text, unquoted(source.byte_range()), base);
        }
    });
    fence::urls(sink, text, base);
}

/// The scripts within a page or a component.
pub(in super::super) fn in_page(sink: &mut Sink, text: &str, base: usize) {
    let mut at = 0;
    while let Some(open) = text.get(at..).and_then(|rest| rest.find("<script")) {
        let tag = at + open;
        let Some(end) = text.get(tag..).and_then(|rest| rest.find('>')) else {
            break;
        };
        let from = tag + end + 1;
        let body = text.get(from..).unwrap_or_default();
        let body = body.split("</script").next().unwrap_or(body);
        let kind = text.get(tag..from).unwrap_or_default();
        match kind.contains("importmap") {
            true => import_map(sink, body, base + from),
            false => javascript(sink, body, base + from),
        }
        at = from + body.len();
    }
}

/// The page's own names for what it loads from elsewhere.
fn import_map(sink: &mut Sink, text: &str, base: usize) {
    let json = Json::parse(text, base);
    for (name, _) in json.get("imports").map(Json::entries).unwrap_or_default() {
        sink.own
            .prefix(Ecosystem::Npm, name.text().trim_end_matches('/'));
    }
}

fn call(sink: &mut Sink, node: Node<'_>, text: &str, base: usize) {
    let function = node.child_by_field_name("function");
    let function = function.map_or("", |f| slice(text, f.byte_range()));
    let Some(range) = first_string(node, text) else {
        return;
    };
    if LOADERS.contains(&function) {
        module(sink, text, range, base);
    }
}

fn module(sink: &mut Sink, text: &str, range: Range<usize>, base: usize) {
    let path = slice(text, range.clone());
    let deno = path.strip_prefix("npm:");
    let path = deno.unwrap_or(path);
    let Some(name) = name(path) else { return };
    let at = base + range.end - path.len();
    let end = name.rfind('@').filter(|at| *at > 0 && deno.is_some());
    let (name, version) = name.split_at(end.unwrap_or(name.len()));
    let before = sink.found.len();
    sink.module(Ecosystem::Npm, name, name, at..at + name.len());
    if let Some(mention) = sink.found.get_mut(before) {
        let version = spec::exact(Ecosystem::Npm, version.trim_start_matches('@'));
        mention.purl.version = version.map(str::to_owned);
    }
}

/// The package that a path is of: its scope and first segment.
fn name(path: &str) -> Option<&str> {
    let depth = 1 + usize::from(path.starts_with('@'));
    let end = path.match_indices('/').nth(depth - 1);
    let name = path.get(..end.map_or(path.len(), |(at, _)| at))?;
    // `@/x` and `~/x` are the project's own; `a:b` is a scheme; `a!b` tells a loader.
    let own = name.starts_with(['.', '/', '~', '#', '$']) || path.starts_with("@/");
    let folder = end.is_some() && FOLDERS.contains(&name);
    let file = [".css", ".scss", ".svg", ".png", ".json"]
        .iter()
        .any(|end| name.ends_with(end));
    let whole = depth == 1 || name.contains('/');
    let none = own || folder || file || name.contains([':', '!']) || stdlib::node(name);
    (whole && !none).then_some(name)
}
