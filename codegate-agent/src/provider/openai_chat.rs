//! OpenAI's chat completions, and what a hundred other services took over from them.
//!
//! Knows: the bodies of `POST /v1/chat/completions` and of the older `/v1/completions`. Must not
//! know: where they come from.

use super::{
    Answer, AnswerStream, Dialect, Malformed, Request,
    extract::read_object,
    place::{
        NODE, Node, Note,
        Place::{self, Delta, Free, Index, PlainDelta, Skip, Url},
    },
    refusal,
    stream::{Grammar, Reading, Stream},
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
};

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
        ("role", Skip),
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
