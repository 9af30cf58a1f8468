//! Source files of this machine, and request bodies made of them.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

/// About how much text the engine is measured on, in bytes.
const TEXT: usize = 32 << 20;
/// Messages of this many bytes, so many in a body: 64 KB and a little.
const MESSAGE: usize = 4 << 10;
const MESSAGES: usize = 16;

/// Where cargo keeps the sources of crates.
pub(crate) fn crates() -> PathBuf {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.unwrap_or_else(|| PathBuf::from(env::var_os("HOME").unwrap()).join(".cargo"));
    home.join("registry/src")
}

/// Sources below a folder, about [`TEXT`] of them: every so-many-th file, since a crate of tables or
/// test vectors would else be half of it.
pub(crate) fn texts(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    gather(folder, &mut files);
    let bytes: usize = files.iter().map(|(_, bytes)| bytes).sum();
    let every = (bytes / TEXT).max(1);
    let read = |(path, _): (PathBuf, usize)| fs::read_to_string(path).ok();
    let texts: Vec<String> = files.into_iter().step_by(every).filter_map(read).collect();
    assert!(!texts.is_empty(), "{}: no sources", folder.display());
    texts
}

/// All sources with their sizes in bytes, in the order of their names.
fn gather(folder: &Path, files: &mut Vec<(PathBuf, usize)>) {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let extension = path.extension();
        let is_source =
            extension.is_some_and(|e| ["rs", "toml", "md", "json"].iter().any(|x| e == *x));
        if path.is_dir() {
            gather(&path, files);
        } else if is_source && let Ok(about) = path.metadata() {
            files.push((path, about.len() as usize));
        }
    }
}

/// Requests as a coding assistant sends them: what it has read of files, message by message.
pub(crate) fn bodies(texts: &[String]) -> Vec<Vec<u8>> {
    let pieces: Vec<&str> = texts.iter().flat_map(|text| pieces(text)).collect();
    let message = |piece: &&str| json!({"role": "user", "content": piece});
    pieces
        .chunks(MESSAGES)
        .map(|chunk| {
            let messages: Vec<Value> = chunk.iter().map(message).collect();
            json!({"model": "m", "messages": messages})
                .to_string()
                .into_bytes()
        })
        .collect()
}

fn pieces(text: &str) -> Vec<&str> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let (piece, more) = rest.split_at(rest.floor_char_boundary(MESSAGE));
        pieces.push(piece);
        rest = more;
    }
    pieces
}
