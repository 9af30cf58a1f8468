//! Anthropic's messages: what Claude Code and its SDKs speak.
//!
//! Knows: the bodies of `POST /v1/messages` and its events. Must not know: where they come from.
//!
//! A `thinking` block is signed: neither it nor its signature is ever changed, in either direction.

use super::{
    Answer, AnswerStream, Dialect, Malformed, Request, Watch,
    extract::read_object,
    parts::{self, Called, Part},
    place::{
        NODE, Node, Note,
        Place::{self, Delta, Free, Index, Skip, Url},
    },
    refusal,
    stream::{Grammar, Reading, Role, Stream},
    tree::View,
};

/// Anthropic messages.
#[derive(Debug)]
pub(super) struct Anthropic;

impl Dialect for Anthropic {
    fn name(&self) -> &'static str {
        "anthropic"
    }

    fn request(&self, body: &[u8]) -> Result<Request, Malformed> {
        Ok(Request::from(read_object(body, Place::Node(&REQUEST))?))
    }

    fn answer(&self, body: &[u8]) -> Result<Answer, Malformed> {
        Ok(Answer::from(read_object(body, Place::Node(&ANSWER))?))
    }

    fn watched(&self, body: &[u8], watch: &mut dyn Watch) -> Option<Vec<u8>> {
        parts::whole(body, whole, watch)
    }

    fn stream(&self) -> Box<dyn AnswerStream> {
        Box::new(Stream::new(&GRAMMAR))
    }

    fn refusal(&self, message: &str) -> Vec<u8> {
        refusal::anthropic(message)
    }
}

static GRAMMAR: Grammar = Grammar {
    event: Place::Node(&EVENT),
    reading: |_| Reading::Lexed,
    // A block's stop ends the texts of that index; the others have none, and end all.
    ends: |event| {
        matches!(
            event,
            b"content_block_stop" | b"message_delta" | b"message_stop" | b"error"
        )
    },
    one_at_a_time: false,
    role: |_, key| match key.text {
        0 => Role::Text,
        _ => Role::Call,
    },
    begins,
    announced: true,
    repeats: |event, _| {
        // Some services give a call's whole input where its block begins.
        let block = event.get("content_block");
        let input = block.and_then(|block| block.get("input"));
        let given = input.is_some_and(|input| !input.is_empty());
        block
            .filter(|_| given)
            .and_then(called)
            .into_iter()
            .collect()
    },
    repeating: false,
};

/// The call that begins in an event. What the service itself runs is none.
fn begins(event: View<'_>) -> Vec<([u64; 2], String)> {
    let begin = || {
        let block = event.get("content_block")?;
        let name = block.text_of("name").filter(|_| is_call(block))?;
        Some(([event.get("index")?.number()?, 0], name.into_owned()))
    };
    begin().into_iter().collect()
}

fn is_call(block: View<'_>) -> bool {
    block.text_of("type").is_some_and(|kind| kind == "tool_use")
}

fn called(block: View<'_>) -> Option<Part<'_>> {
    let name = block.text_of("name").filter(|_| is_call(block))?;
    Called::json(name, block, "input")
}

/// The parts of an answer.
fn whole(answer: View<'_>) -> Vec<Part<'_>> {
    let blocks = answer.get("content").into_iter().flat_map(View::items);
    blocks.filter_map(part).collect()
}

fn part(block: View<'_>) -> Option<Part<'_>> {
    match block.text_of("type")?.as_ref() {
        "text" => block.get("text").map(Part::Text),
        _ => called(block),
    }
}

static REQUEST: Node = Node {
    members: &[
        ("model", Place::Note(Note::Model)),
        ("stream", Place::Note(Note::Stream)),
        ("system", Place::Node(&BLOCK)),
        ("messages", Place::Node(&MESSAGE)),
        ("tools", Place::Node(&TOOL)),
        ("metadata", Skip),
        ("cache_control", Skip),
        ("service_tier", Skip),
        ("container", Skip),
    ],
    ..NODE
};

static MESSAGE: Node = Node {
    members: &[
        ("role", Place::Note(Note::Role)),
        ("id", Skip),
        ("content", Place::Node(&BLOCK)),
    ],
    ..NODE
};

static TOOL: Node = Node {
    members: &[("type", Skip), ("name", Free), ("cache_control", Skip)],
    ..NODE
};

/// A block of content; content itself may be a string, and a block may have content again.
static BLOCK: Node = Node {
    members: &[
        ("type", Skip),
        ("text", Free),
        ("id", Skip),
        ("tool_use_id", Skip),
        ("file_id", Skip),
        ("caller", Skip),
        ("thinking", Skip),
        ("signature", Skip),
        ("data", Skip),
        ("encrypted_content", Skip),
        ("encrypted_stdout", Skip),
        ("cache_control", Skip),
        ("input", Free),
        ("name", Free),
        ("content", Place::Node(&BLOCK)),
        ("source", Place::Node(&SOURCE)),
        ("citations", Place::Node(&CITATION)),
    ],
    ..NODE
};

/// Where a document or an image comes from; a search result has a string here.
static SOURCE: Node = Node {
    members: &[
        ("type", Skip),
        ("media_type", Skip),
        ("file_id", Skip),
        ("url", Url),
        ("data", Free),
        ("content", Place::Node(&BLOCK)),
    ],
    by_type: &[("base64", &BASE64)],
    ..NODE
};

static BASE64: Node = Node {
    members: &[("type", Skip), ("media_type", Skip), ("data", Skip)],
    ..NODE
};

static CITATION: Node = Node {
    members: &[("type", Skip), ("file_id", Skip), ("encrypted_index", Skip)],
    ..NODE
};

static ANSWER: Node = Node {
    members: &[
        ("id", Skip),
        ("type", Skip),
        ("role", Skip),
        ("model", Place::Note(Note::Model)),
        ("content", Place::Node(&BLOCK)),
        ("usage", Place::Node(&USAGE)),
        ("stop_reason", Skip),
        ("container", Skip),
    ],
    ..NODE
};

static USAGE: Node = Node {
    members: &[
        ("input_tokens", Place::Note(Note::Input)),
        ("cache_read_input_tokens", Place::Note(Note::InputBeside)),
        (
            "cache_creation_input_tokens",
            Place::Note(Note::InputStored),
        ),
        ("output_tokens", Place::Note(Note::Output)),
    ],
    ..NODE
};

static EVENT: Node = Node {
    members: &[
        ("type", Place::Note(Note::Type)),
        ("index", Index(0)),
        ("delta", Place::Node(&DELTA)),
        ("content_block", Place::Node(&BEGUN)),
        ("message", Place::Node(&ANSWER)),
        ("usage", Place::Node(&USAGE)),
    ],
    ..NODE
};

static DELTA: Node = Node {
    members: &[
        ("type", Skip),
        ("text", Delta(0)),
        ("partial_json", Delta(1)),
        ("thinking", Skip),
        ("signature", Skip),
        ("data", Skip),
        ("encrypted_content", Skip),
        ("citation", Place::Node(&CITATION)),
        ("stop_reason", Skip),
        ("container", Skip),
    ],
    ..NODE
};

/// A block that begins: what text it has already, its deltas continue.
static BEGUN: Node = Node {
    members: &[("text", Delta(0))],
    like: Some(&BLOCK),
    ..NODE
};
