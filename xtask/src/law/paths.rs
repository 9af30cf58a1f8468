//! Every path that a source file names, in full.

use std::path::Path;

use anyhow::Result;
use proc_macro2::{Span, TokenStream, TokenTree};
use syn::{
    Attribute, ImplItemFn, Item, ItemMod, ItemUse, LitStr, Macro, UseTree,
    visit::{self, Visit},
};

/// What a file names.
pub(super) struct File {
    /// The module right below the crate that it belongs to.
    pub(super) room: String,
    /// The paths in it.
    pub(super) paths: Vec<Named>,
    /// The texts in it, documentation aside.
    pub(super) texts: Vec<Named>,
}

/// A path or a text, and where it stands.
pub(super) struct Named {
    pub(super) path: String,
    pub(super) line: usize,
}

/// Reads the file at `path` below the crate's `src`.
pub(super) fn read(path: &Path, source: &str) -> Result<File> {
    let mut module: Vec<String> = path
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    if module
        .last()
        .is_some_and(|last| last == "mod" || last == "lib")
    {
        module.pop();
    }
    let room = module.first().cloned().unwrap_or_default();
    let mut reader = Reader {
        module,
        paths: Vec::new(),
        texts: Vec::new(),
    };
    reader.visit_file(&syn::parse_file(source)?);
    Ok(File {
        room,
        paths: reader.paths,
        texts: reader.texts,
    })
}

struct Reader {
    /// Where we are, below the crate.
    module: Vec<String>,
    paths: Vec<Named>,
    texts: Vec<Named>,
}

impl Reader {
    /// Notes a path, with `crate`, `self` and `super` resolved.
    fn note(&mut self, segments: &[String], span: Span) {
        let mut from = Some(self.module.clone());
        let mut rest = segments;
        match segments.first().map(String::as_str) {
            Some("crate" | "codegate") => (from, rest) = (Some(Vec::new()), &segments[1..]),
            Some("self" | "super") => {}
            _ => from = None,
        }
        while let (Some(base), Some(step)) = (&mut from, rest.first()) {
            match step.as_str() {
                "self" => {}
                "super" => drop(base.pop()),
                _ => break,
            }
            rest = &rest[1..];
        }
        let base = from.map(|base| std::iter::once("crate".to_owned()).chain(base));
        let full: Vec<String> = base
            .into_iter()
            .flatten()
            .chain(rest.iter().cloned())
            .collect();
        self.paths.push(Named {
            path: full.join("::"),
            line: span.start().line,
        });
    }

    fn note_use(&mut self, tree: &UseTree, before: &mut Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.note_use(&path.tree, before);
                before.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.note_use(tree, before);
                }
            }
            UseTree::Name(name) => self.note_leaf(&name.ident, before),
            UseTree::Rename(rename) => self.note_leaf(&rename.ident, before),
            UseTree::Glob(glob) => self.note(before, glob.star_token.spans[0]),
        }
    }

    fn note_leaf(&mut self, leaf: &syn::Ident, before: &mut Vec<String>) {
        if leaf == "self" {
            return self.note(before, leaf.span());
        }
        before.push(leaf.to_string());
        self.note(before, leaf.span());
        before.pop();
    }

    /// Paths within a macro's words, which are not parsed: names joined by `::`.
    fn note_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        let mut at = Span::call_site();
        for token in tokens {
            match &token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.flush(&mut path, at);
                        at = ident.span();
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Group(group) => self.note_tokens(group.stream()),
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    self.texts.push(Named {
                        path: text,
                        line: literal.span().start().line,
                    });
                }
                TokenTree::Punct(_) => self.flush(&mut path, at),
            }
        }
        self.flush(&mut path, at);
    }

    fn flush(&mut self, path: &mut Vec<String>, at: Span) {
        if path.len() > 1 {
            self.note(path, at);
        }
        path.clear();
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if !is_for_tests(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.module.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.note_use(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if segments.len() > 1 {
            let span = path
                .segments
                .first()
                .map_or_else(Span::call_site, |s| s.ident.span());
            self.note(&segments, span);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast Macro) {
        self.note_tokens(mac.tokens.clone());
        visit::visit_macro(self, mac);
    }

    fn visit_lit_str(&mut self, text: &'ast LitStr) {
        self.texts.push(Named {
            path: text.value(),
            line: text.span().start().line,
        });
    }

    /// Documentation may name anything.
    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

/// Whether an item is compiled for tests only.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Ident>()
                .is_ok_and(|condition| condition == "test")
    })
}
