//! What the stream tests share: a vault, and streams that arrive in pieces.

use bytes::BytesMut;
use proptest::prelude::*;
use serde_json::Value;
use zeroize::Zeroizing;

use super::super::{AnswerStream, Dialect, Restore, Usage, Watch, route};
use crate::{inspect::Kind, seal::Placeholder};

/// A few secrets, by placeholder.
#[derive(Debug, Default)]
pub(super) struct Vault {
    values: Vec<(Placeholder, Vec<u8>)>,
    pub(super) mangled: Vec<String>,
}

impl Vault {
    /// A vault with these values, and their placeholders.
    pub(super) fn of(values: &[&str]) -> (Self, Vec<String>) {
        let mut vault = Self::default();
        let names = values.iter().map(|value| vault.seal(value)).collect();
        (vault, names)
    }

    pub(super) fn seal(&mut self, value: &str) -> String {
        let n = u8::try_from(self.values.len()).unwrap();
        let mac = [
            0x3d, 0xc9, n, 0xf1, 0x20, n, 0xff, 0x81, 0x5a, 0xa5, 0x10, n, 0x70,
        ];
        let placeholder = Placeholder::new(Kind::parse("GITHUB").unwrap(), mac);
        self.values.push((placeholder, value.into()));
        placeholder.to_string()
    }
}

impl Restore for Vault {
    fn value(&mut self, placeholder: &Placeholder) -> Option<Zeroizing<Vec<u8>>> {
        let found = self.values.iter().find(|(known, _)| known == placeholder);
        found.map(|(_, value)| Zeroizing::new(value.clone()))
    }

    fn mangled(&mut self, text: &[u8]) {
        self.mangled
            .push(String::from_utf8_lossy(text).into_owned());
    }
}

impl Watch for Vault {}

/// A placeholder that no vault here knows.
pub(super) fn foreign() -> String {
    Placeholder::new(Kind::parse("AWSKEY").unwrap(), [9; 13]).to_string()
}

pub(super) fn chat() -> &'static dyn Dialect {
    route("openai", "POST", "/v1/chat/completions").dialect
}

pub(super) fn responses() -> &'static dyn Dialect {
    route("openai", "POST", "/v1/responses").dialect
}

pub(super) fn anthropic() -> &'static dyn Dialect {
    route("anthropic", "POST", "/v1/messages").dialect
}

pub(super) fn opaque() -> &'static dyn Dialect {
    route("opaque", "POST", "/x").dialect
}

/// What a stream becomes that arrives in these pieces, and what its reader knows at its end.
pub(super) fn pass<'a>(
    dialect: &dyn Dialect,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    vault: &mut Vault,
) -> (Vec<u8>, Option<String>, Usage) {
    let mut stream = dialect.stream();
    let mut out = BytesMut::new();
    for piece in pieces {
        stream.push(piece, vault, &mut out);
    }
    stream.finish(vault, &mut out);
    let model = stream.model().map(str::to_owned);
    (out.to_vec(), model, stream.usage())
}

/// What a stream becomes that arrives in one piece.
pub(super) fn whole(dialect: &dyn Dialect, stream: &str, vault: &mut Vault) -> String {
    let (out, ..) = pass(dialect, [stream.as_bytes()], vault);
    String::from_utf8(out).unwrap()
}

/// A stream, cut at these places.
pub(super) fn pieces<'a>(stream: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|c| c.index(stream.len() + 1)).collect();
    at.extend([0, stream.len()]);
    at.sort_unstable();
    at.windows(2).map(|w| &stream[w[0]..w[1]]).collect()
}

/// A text, cut at these places into deltas, none within a character.
pub(super) fn deltas(text: &str, cuts: &[prop::sample::Index]) -> Vec<String> {
    let mut at: Vec<usize> = cuts
        .iter()
        .map(|c| c.index(text.len() + 1))
        .filter(|&at| text.is_char_boundary(at))
        .collect();
    at.extend([0, text.len()]);
    at.sort_unstable();
    at.windows(2).map(|w| text[w[0]..w[1]].to_owned()).collect()
}

/// The data of a stream's events, as JSON.
pub(super) fn events(stream: &str) -> Vec<Value> {
    stream
        .split("\n\n")
        .filter_map(|event| event.lines().find_map(|line| line.strip_prefix("data: ")))
        .filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap_or_else(|e| panic!("{e}: {data}")))
        .collect()
}

/// The strings at a path of each event, joined.
pub(super) fn joined(stream: &str, path: &str) -> String {
    events(stream)
        .iter()
        .filter_map(|event| event.pointer(path)?.as_str().map(str::to_owned))
        .collect()
}

/// A way to write a text as a stream, and to read it again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    pub(super) dialect: &'static dyn Dialect,
    pub(super) write: fn(&[String]) -> String,
    pub(super) path: &'static str,
}

/// Puts reader and stream apart, for tests that look at what comes out when.
pub(super) struct Live {
    stream: Box<dyn AnswerStream>,
    pub(super) vault: Vault,
}

impl Live {
    pub(super) fn new(dialect: &dyn Dialect, vault: Vault) -> Self {
        let stream = dialect.stream();
        Self { stream, vault }
    }

    /// What may go on now that this has arrived.
    pub(super) fn push(&mut self, chunk: &str) -> String {
        let mut out = BytesMut::new();
        self.stream
            .push(chunk.as_bytes(), &mut self.vault, &mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }
}
