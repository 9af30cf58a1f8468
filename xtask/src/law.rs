//! The law of dependencies: which room of the agent may know which.
//!
//! It is read from the sources: every path, also inside macros, is resolved to its full name and held
//! against the table below. Code that is only compiled for tests is free.

mod paths;

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};

use crate::shell::root;

/// Where the rooms are.
const AGENT: &str = "codegate-agent/src";

/// Something that a room must not know.
struct Ban {
    /// The rooms it is for: modules right below the crate.
    rooms: Rooms,
    /// What they must not name: whole paths and everything below them.
    paths: &'static [&'static str],
    /// Why.
    because: &'static str,
}

enum Rooms {
    Only(&'static [&'static str]),
    AllBut(&'static [&'static str]),
}

const LAW: [Ban; 7] = [
    Ban {
        rooms: Rooms::Only(&["inspect", "seal"]),
        paths: &[
            "crate::accept",
            "crate::http",
            "crate::provider",
            "crate::tls",
            "crate::upstream",
            "http",
            "http_body",
            "http_body_util",
            "hyper",
            "hyper_util",
        ],
        because: "inspect and seal know nothing of HTTP",
    },
    Ban {
        rooms: Rooms::Only(&["provider"]),
        paths: &[
            "crate::accept",
            "crate::http",
            "crate::kernel",
            "crate::splice",
            "crate::tls",
            "crate::upstream",
            "hyper",
            "hyper_util",
            "rustix",
            "rustls",
            "socket2",
            "std::net",
            "std::os::unix::net",
            "tokio",
        ],
        because: "provider knows nothing of sockets",
    },
    Ban {
        rooms: Rooms::Only(&["http"]),
        paths: &[
            "crate::provider::anthropic",
            "crate::provider::ollama",
            "crate::provider::opaque",
            "crate::provider::openai_chat",
            "crate::provider::openai_responses",
        ],
        because: "http names no provider",
    },
    Ban {
        rooms: Rooms::AllBut(&["kernel"]),
        paths: &["aya", "aya_log", "aya_obj"],
        because: "only kernel touches eBPF maps",
    },
    Ban {
        rooms: Rooms::AllBut(&["seal"]),
        paths: &[
            "aes_gcm",
            "aws_lc_rs::aead",
            "aws_lc_rs::hkdf",
            "crate::seal::keys",
        ],
        because: "only seal sees key material",
    },
    Ban {
        rooms: Rooms::Only(&["proxy"]),
        paths: &[
            "crate::config",
            "crate::daemon",
            "crate::kernel",
            "crate::tls",
            "crate::upstream",
            "rustls",
            "tokio::net",
        ],
        because: "proxy knows nothing of connections",
    },
    Ban {
        rooms: Rooms::Only(&["flow", "span"]),
        paths: &["crate"],
        because: "the nouns that all rooms share depend on none of them",
    },
];

/// Words that `http` must not say, since it names no provider.
const PROVIDERS: [&str; 7] = [
    "openai",
    "anthropic",
    "claude",
    "chatgpt",
    "gemini",
    "copilot",
    "ollama",
];

/// The most lines that a file may have.
const LINES: usize = 500;

/// Holds the agent's sources against the law.
pub(crate) fn check() -> Result<()> {
    let mut breaches = Vec::new();
    walk(&root().join(AGENT), &mut |path| {
        let source = fs::read_to_string(path)?;
        let inner = path.strip_prefix(root().join(AGENT))?;
        let place = format!("{AGENT}/{}", inner.display());
        if !is_for_tests(inner) {
            let file = paths::read(inner, &source).with_context(|| place.clone())?;
            let found = breaches_of(&file);
            breaches.extend(found.into_iter().map(|breach| format!("{place}:{breach}")));
        }
        let lines = source.lines().count();
        if lines > LINES {
            breaches.push(format!(
                "{place}: {lines} lines; a room of over {LINES} wants a wall"
            ));
        }
        Ok(())
    })?;
    ensure!(
        breaches.is_empty(),
        "the law of dependencies is broken:\n{}",
        breaches.join("\n")
    );
    Ok(())
}

/// Whether a file is a test module, or part of one.
fn is_for_tests(file: &Path) -> bool {
    file.with_extension("")
        .components()
        .any(|part| part.as_os_str() == "tests")
}

fn walk(folder: &Path, each: &mut dyn FnMut(&Path) -> Result<()>) -> Result<()> {
    let mut entries: Vec<_> = fs::read_dir(folder)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, each)?;
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && path.file_stem().is_some_and(|name| name != "tests")
        {
            each(&path)?;
        }
    }
    Ok(())
}

/// What a file says against the law, as `line: what (why)`.
fn breaches_of(file: &paths::File) -> Vec<String> {
    let mut breaches = Vec::new();
    for ban in LAW.iter().filter(|ban| ban.is_for(&file.room)) {
        for named in &file.paths {
            // A room may always name itself.
            let own = is_below(&named.path, &format!("crate::{}", file.room));
            if !own && ban.paths.iter().any(|path| is_below(&named.path, path)) {
                breaches.push(format!("{}: {} ({})", named.line, named.path, ban.because));
            }
        }
    }
    if file.room == "http" {
        let says = |text: &str| {
            PROVIDERS
                .iter()
                .any(|word| text.to_lowercase().contains(word))
        };
        for text in file.texts.iter().filter(|text| says(&text.path)) {
            breaches.push(format!(
                "{}: {:?} (http names no provider)",
                text.line, text.path
            ));
        }
    }
    breaches
}

impl Ban {
    fn is_for(&self, room: &str) -> bool {
        match self.rooms {
            Rooms::Only(rooms) => rooms.contains(&room),
            Rooms::AllBut(rooms) => !rooms.contains(&room),
        }
    }
}

/// Whether `path` is `top` or stands below it.
fn is_below(path: &str, top: &str) -> bool {
    path.strip_prefix(top)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    fn breaches(file: &str, source: &str) -> Vec<String> {
        breaches_of(&paths::read(Path::new(file), source).unwrap())
    }

    #[test]
    fn every_way_of_naming_a_forbidden_room_is_found() {
        for source in [
            "use crate::http::Exchange;",
            "use crate::{flow::Flow, http::{self, Exchange}};",
            "use super::super::http::Exchange;",
            "fn f() { crate::http::serve(); }",
            "fn f(x: &crate::http::Exchange) {}",
            "fn f() { tracing::info!(\"{}\", crate::http::NAME); }",
            "mod inner { use super::super::super::http; }",
        ] {
            assert!(
                !breaches("inspect/secrets/mod.rs", source).is_empty(),
                "{source}"
            );
        }
    }

    #[test]
    fn what_is_allowed_is_not_found() {
        assert!(breaches("upstream/mod.rs", "use crate::http::Exchange;").is_empty());
        assert!(breaches("inspect/mod.rs", "use crate::httpd::X; use http2::Y;").is_empty());
        let tests = "#[cfg(test)] mod tests { use crate::provider::openai_chat::Chat; }";
        assert!(breaches("http/mod.rs", tests).is_empty());
        assert!(breaches("kernel/mod.rs", "use aya::Ebpf;").is_empty());
        assert!(breaches("seal/vault.rs", "use aes_gcm::Aes256Gcm;").is_empty());
    }

    #[test]
    fn each_ban_bites() {
        assert_eq!(
            breaches("provider/mod.rs", "use std::net::IpAddr;").len(),
            1
        );
        assert_eq!(
            breaches("http/relay.rs", "use crate::provider::anthropic::Messages;").len(),
            1
        );
        assert_eq!(
            breaches("http/relay.rs", "const X: &str = \"api.OpenAI.com\";").len(),
            1
        );
        assert_eq!(
            breaches("daemon.rs", "fn f() { aya::Ebpf::load(b\"\"); }").len(),
            1
        );
        assert_eq!(
            breaches("session/mod.rs", "use aes_gcm::Aes256Gcm;").len(),
            1
        );
        assert_eq!(
            breaches("proxy/head.rs", "use tokio::net::TcpStream;").len(),
            1
        );
        assert_eq!(breaches("flow.rs", "use crate::tls::Client;").len(), 1);
    }
}
