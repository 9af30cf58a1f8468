//! Names that are the user's own: of packages that a manifest defines, of members of a workspace, and
//! of modules that lie beside the code. They come from nobody else, so nobody else is to be judged.

use std::collections::HashSet;

use super::{
    Context, Mention,
    pattern::{group, patterns},
};
use crate::inspect::packages::{Ecosystem, Package};

patterns! {
    PATH = r"(?m)(?:^|[\s`'\x22(/])((?:[\w-]+/)+)(\w+)\.pyi?\b";
    TREE = r"(?m)^[ \t]*(?:[│├└─|`+\\-][│├└─|`+\\ \t-]*)(\w+)(?:\.pyi?\b|/)";
    WRITTEN = r"(?m)(?:>\s*|\btouch\s+|\bpython3?\s+)(\w+)\.py\b";
    FILE = r"(?:^|[\s`'\x22(*])(\w+)\.pyi?\b";
    ALIAS = r#""(@?[\w-]+)/\*"\s*:\s*\["#;
}

/// Distributions that are named as a file would be.
const NO_FILES: [&str; 3] = ["discord", "web", "spot"];

/// The user's own names, as far as they were said.
#[derive(Debug, Clone, Default)]
pub struct Own {
    packages: HashSet<Package>,
    /// Python's modules, by their first part.
    modules: HashSet<String>,
    /// Beginnings of paths: Go's module, JavaScript's aliases.
    prefixes: HashSet<(Ecosystem, String)>,
}

impl Own {
    /// A package that a manifest defines.
    pub(super) fn package(&mut self, ecosystem: Ecosystem, name: &str) {
        self.packages.extend(Package::new(ecosystem, name));
    }

    /// All paths that begin so.
    pub(super) fn prefix(&mut self, ecosystem: Ecosystem, path: &str) {
        if !path.is_empty() {
            self.prefixes.insert((ecosystem, path.to_owned()));
        }
    }

    /// Learns the modules that a text speaks of: paths, folders drawn as a tree, files written.
    pub(super) fn learn(&mut self, text: &str) {
        if text.contains(".py") {
            for found in PATH.all(text) {
                let folders = found.get(1).map_or("", |folders| folders.as_str());
                self.modules.extend(folders.split('/').map(str::to_owned));
                self.module(found.get(2).map_or("", |file| file.as_str()));
            }
            for pattern in [&TREE, &WRITTEN] {
                for found in pattern.all(text) {
                    self.module(found.get(1).map_or("", |name| name.as_str()));
                }
            }
        }
        for found in ALIAS.all(text) {
            if let Some((alias, _)) = group(&found, 1, 0) {
                self.prefix(Ecosystem::Npm, alias);
            }
        }
    }

    /// Learns the file that a fence says it is.
    pub(super) fn file(&mut self, text: &str) {
        for found in FILE.all(text) {
            self.module(found.get(1).map_or("", |name| name.as_str()));
        }
        self.learn(text);
    }

    fn module(&mut self, name: &str) {
        if !NO_FILES.contains(&name) {
            self.modules.insert(name.to_owned());
        }
    }

    /// Whether a mention is of one of these. What is to be installed comes from a registry, whoever
    /// else has a name like it.
    pub(super) fn covers(&self, mention: &Mention, module: Option<&str>) -> bool {
        let ecosystem = mention.purl.package.ecosystem;
        let name = mention.purl.package.name();
        let path = module.unwrap_or(name);
        let begins = |(of, prefix): &(Ecosystem, String)| {
            let rest = path.strip_prefix(prefix.as_str());
            *of == ecosystem && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        match mention.context {
            Context::Import | Context::Manifest => {
                let beside = ecosystem == Ecosystem::PyPI
                    && mention.context == Context::Import
                    && self.modules.contains(path);
                beside
                    || self.packages.contains(&mention.purl.package)
                    || self.prefixes.iter().any(begins)
            }
            Context::Install | Context::Url | Context::Prose => false,
        }
    }
}
