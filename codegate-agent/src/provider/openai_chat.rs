//! OpenAI's chat completions, and what a hundred other services took over from them.
//!
//! Knows: the bodies of `POST /v1/chat/completions` and of the older `/v1/completions`. Must not
//! know: where they come from.

use std::borrow::Cow;

use super::{
    Answer, AnswerStream, Dialect, Malformed, Request, Watch,
    extract::read_object,
    parts::{self, Called, Part},
    place::{
        NODE, Node, Note,
        Place::{self, Delta, Free, Index, PlainDelta, Skip, Url},
    },
    refusal,
    stream::{Grammar, Reading, Role, Stream},
    tree::View,
};

/// OpenAI chat completions.
#[derive(Debug)]
pub(super) struct OpenAiChat;

impl Dialect for OpenAiChat {
    fn name(&self) -> &'static str {
        "openai-chat"
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
        refusal::openai(message)
    }
}

/// A chunk is an answer in small: the same table reads both.
static GRAMMAR: Grammar = Grammar {
    event: Place::Node(&ANSWER),
    reading: |_| Reading::Lexed,
    // What ends a choice is its `finish_reason`, or that another of its texts begins.
    ends: |_| false,
    one_at_a_time: true,
    role: |_, key| match key.text {
        0 => Role::Text,
        3 => Role::Call,
        5 => Role::Input,
        _ => Role::Other,
    },
    begins,
    announced: false,
    repeats: |_, _| Vec::new(),
    repeating: false,
};

/// The calls that begin in a chunk.
fn begins(chunk: View<'_>) -> Vec<([u64; 2], String)> {
    let mut begun = Vec::new();
    for choice in chunk.get("choices").into_iter().flat_map(View::items) {
        let index = |of: View<'_>| of.get("index").and_then(View::number).unwrap_or_default();
        let delta = choice.get("delta");
        for call in delta
            .and_then(|d| d.get("tool_calls"))
            .into_iter()
            .flat_map(View::items)
        {
            let name = name_of(call).map(|(name, _)| name.into_owned());
            begun.extend(name.map(|name| ([index(choice), index(call)], name)));
        }
        let old = delta.and_then(|delta| delta.get("function_call")?.text_of("name"));
        begun.extend(old.map(|name| ([index(choice), 0], name.into_owned())));
    }
    begun
}

/// A call's tool, and whether it takes just text.
fn name_of(call: View<'_>) -> Option<(Cow<'_, str>, bool)> {
    let of = |member| call.get(member)?.text_of("name");
    match of("function") {
        Some(name) => Some((name, false)),
        None => Some((of("custom")?, true)),
    }
}

/// The parts of an answer.
fn whole(answer: View<'_>) -> Vec<Part<'_>> {
    let choices = answer.get("choices").into_iter().flat_map(View::items);
    choices.flat_map(said).collect()
}

fn said(choice: View<'_>) -> Vec<Part<'_>> {
    let message = choice.get("message");
    let content = message.and_then(|m| m.get("content"));
    let text = content
        .filter(|content| content.text().is_some())
        .map(Part::Text);
    let calls = message
        .and_then(|m| m.get("tool_calls"))
        .into_iter()
        .flat_map(View::items);
    let old = message.and_then(|message| {
        let call = message.get("function_call")?;
        Called::json(call.text_of("name")?, call, "arguments")
    });
    text.into_iter()
        .chain(calls.filter_map(called))
        .chain(old)
        .collect()
}

fn called(call: View<'_>) -> Option<Part<'_>> {
    match name_of(call)? {
        (name, false) => Called::json(name, call.get("function")?, "arguments"),
        (name, true) => Called::plain(name, call.get("custom")?, "input"),
    }
}

static REQUEST: Node = Node {
    members: &[
        ("model", Place::Note(Note::Model)),
        ("stream", Place::Note(Note::Stream)),
        ("messages", Place::Node(&MESSAGE)),
        ("prediction", Place::Node(&PREDICTION)),
        ("prompt_cache_key", Skip),
        ("service_tier", Skip),
    ],
    ..NODE
};

static MESSAGE: Node = Node {
    members: &[
        ("role", Place::Note(Note::Role)),
        ("content", Place::Node(&PART)),
        ("tool_calls", Place::Node(&TOOL_CALL)),
        ("function_call", Place::Node(&FUNCTION)),
        ("tool_call_id", Skip),
        ("id", Skip),
        ("reasoning_details", Place::Node(&REASONING)),
        ("reasoning_opaque", Skip),
        ("audio", Place::Node(&AUDIO)),
        ("annotations", Place::Node(&ANNOTATION)),
        ("cache_control", Skip),
    ],
    ..NODE
};

/// A part of a message's content; the content itself may be a string.
static PART: Node = Node {
    members: &[
        ("type", Skip),
        ("text", Free),
        ("image_url", Place::Node(&IMAGE_URL)),
        ("input_audio", Skip),
        ("file", Place::Node(&FILE)),
        ("cache_control", Skip),
    ],
    ..NODE
};

static IMAGE_URL: Node = Node {
    members: &[("url", Url), ("detail", Skip)],
    // Some services take the URL without an object around it.
    itself: Url,
    ..NODE
};

static FILE: Node = Node {
    members: &[("file_id", Skip), ("file_data", Skip)],
    ..NODE
};

static TOOL_CALL: Node = Node {
    members: &[
        ("id", Skip),
        ("type", Skip),
        ("index", Index(1)),
        ("function", Place::Node(&FUNCTION)),
        ("custom", Place::Node(&CUSTOM)),
        // Gemini's signature of its thoughts, on its OpenAI-compatible endpoint.
        ("extra_content", Skip),
    ],
    ..NODE
};

static FUNCTION: Node = Node {
    members: &[
        ("name", Free),
        ("arguments", Delta(3)),
        ("thought_signature", Skip),
    ],
    ..NODE
};

static CUSTOM: Node = Node {
    members: &[("name", Free), ("input", PlainDelta(5))],
    ..NODE
};

static PREDICTION: Node = Node {
    members: &[("type", Skip), ("content", Place::Node(&PART))],
    ..NODE
};

/// OpenRouter's account of a model's thoughts: text, or something encrypted and signed.
static REASONING: Node = Node {
    members: &[
        ("type", Skip),
        ("id", Skip),
        ("format", Skip),
        ("data", Skip),
        ("signature", Skip),
        // Signed, like Anthropic's, from which it comes.
        ("text", Skip),
    ],
    ..NODE
};

static AUDIO: Node = Node {
    members: &[("id", Skip), ("data", Skip), ("transcript", Delta(4))],
    ..NODE
};

static ANNOTATION: Node = Node {
    members: &[("type", Skip)],
    ..NODE
};

static ANSWER: Node = Node {
    members: &[
        ("id", Skip),
        ("object", Skip),
        ("model", Place::Note(Note::Model)),
        ("choices", Place::Node(&CHOICE)),
        ("usage", Place::Node(&USAGE)),
        ("service_tier", Skip),
        ("system_fingerprint", Skip),
        ("obfuscation", Skip),
    ],
    ..NODE
};

static CHOICE: Node = Node {
    members: &[
        ("index", Index(0)),
        ("finish_reason", Place::Note(Note::Finish)),
        ("delta", Place::Node(&DELTA)),
        ("message", Place::Node(&MESSAGE)),
        ("text", Delta(0)),
        ("logprobs", Skip),
    ],
    ..NODE
};

static DELTA: Node = Node {
    members: &[
        ("content", Delta(0)),
        ("refusal", Delta(1)),
        ("reasoning_content", Delta(2)),
        ("reasoning", Delta(2)),
    ],
    like: Some(&MESSAGE),
    ..NODE
};

static USAGE: Node = Node {
    members: &[
        ("prompt_tokens", Place::Note(Note::Input)),
        ("completion_tokens", Place::Note(Note::Output)),
        ("prompt_tokens_details", Place::Node(&DETAILS)),
    ],
    ..NODE
};

static DETAILS: Node = Node {
    members: &[("cached_tokens", Place::Note(Note::Cached))],
    ..NODE
};
