//! Source files of this machine, and request bodies made of them.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

/// How much text the engine is measured on, in bytes.
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

/// The sources below a folder, in the order of their names, up to [`TEXT`].
pub(crate) fn texts(folder: &Path) -> Vec<String> {
    let (mut texts, mut room) = (Vec::new(), TEXT);
    gather(folder, &mut room, &mut texts);
    assert!(!texts.is_empty(), "{}: no sources", folder.display());
    texts
}

fn gather(folder: &Path, room: &mut usize, texts: &mut Vec<String>) {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    paths.sort();
    for path in paths {
        if *room == 0 {
            return;
        }
        if path.is_dir() {
            gather(&path, room, texts);
        } else if path
            .extension()
            .is_some_and(|e| ["rs", "toml", "md", "json"].iter().any(|x| e == *x))
            && let Ok(text) = fs::read_to_string(&path)
        {
            *room = room.saturating_sub(text.len());
            texts.push(text);
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
