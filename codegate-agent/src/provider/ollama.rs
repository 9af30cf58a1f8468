//! Ollama's own dialect; its `/v1` is OpenAI's.
//!
//! Knows: the bodies of `/api/chat` and `/api/generate`. Must not know: where they come from.
//!
//! A streaming answer is lines of JSON, each with a piece of the text; calls come whole in one of them.

use super::{
    Answer, AnswerStream, Dialect, Malformed, Request,
    extract::read_object,
    place::{
        NODE, Node, Note,
        Place::{self, Delta, Free, Skip},
    },
    refusal,
    stream::{Framing, Grammar, Reading, Role, Stream},
};

/// Ollama.
#[derive(Debug)]
pub(super) struct Ollama;

impl Dialect for Ollama {
    fn name(&self) -> &'static str {
        "ollama"
    }

    fn request(&self, body: &[u8]) -> Result<Request, Malformed> {
        Ok(Request::from(read_object(body, Place::Node(&REQUEST))?))
    }

    fn answer(&self, body: &[u8]) -> Result<Answer, Malformed> {
        Ok(Answer::from(read_object(body, Place::Node(&ANSWER))?))
    }

    fn lines(&self) -> Box<dyn AnswerStream> {
        self.stream()
    }

    fn stream(&self) -> Box<dyn AnswerStream> {
        Box::new(Stream::framed(&GRAMMAR, Framing::Lines))
    }

    fn refusal(&self, message: &str) -> Vec<u8> {
        refusal::ollama(message)
    }
}

static GRAMMAR: Grammar = Grammar {
    event: Place::Node(&ANSWER),
    reading: |_| Reading::Lexed,
    // The last line has a `done_reason`.
    ends: |_| false,
    one_at_a_time: true,
    // Notices have no place among these lines yet, and calls are not judged.
    role: |_, _| Role::Other,
    begins: |_| Vec::new(),
    announced: false,
    repeats: |_, _| Vec::new(),
    repeating: false,
};

static REQUEST: Node = Node {
    members: &[
        ("model", Place::Note(Note::Model)),
        ("stream", Place::Note(Note::Stream)),
        ("messages", Place::Node(&MESSAGE)),
        ("images", Skip),
        ("context", Skip),
        ("keep_alive", Skip),
    ],
    ..NODE
};

static MESSAGE: Node = Node {
    members: &[
        ("role", Place::Note(Note::Role)),
        ("content", Delta(0)),
        ("thinking", Delta(1)),
        ("images", Skip),
        ("tool_calls", Place::Node(&TOOL_CALL)),
        ("tool_call_id", Skip),
    ],
    ..NODE
};

static TOOL_CALL: Node = Node {
    members: &[("id", Skip), ("type", Skip), ("function", Free)],
    ..NODE
};

static ANSWER: Node = Node {
    members: &[
        ("model", Place::Note(Note::Model)),
        ("created_at", Skip),
        ("message", Place::Node(&MESSAGE)),
        ("response", Delta(2)),
        ("thinking", Delta(3)),
        ("context", Skip),
        ("logprobs", Skip),
        ("done_reason", Place::Note(Note::Finish)),
        ("prompt_eval_count", Place::Note(Note::Input)),
        ("eval_count", Place::Note(Note::Output)),
    ],
    ..NODE
};
