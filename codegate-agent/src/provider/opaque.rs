//! Bodies whose dialect nobody knows: every string of JSON is text, and what is not JSON is text as
//! a whole.
//!
//! Knows: nothing of any provider. When it must choose, it scans too much.

use super::{
    Answer, AnswerStream, Dialect, Malformed, Request,
    extract::read,
    place::{NODE, Node, Note, Place},
    refusal,
    stream::{Grammar, Reading, Role, Stream},
};
use crate::span::Text;

/// Any body.
#[derive(Debug)]
pub(super) struct Opaque;

/// Any JSON: an endpoint that takes nothing else, but whose members have no table here.
#[derive(Debug)]
pub(super) struct AnyJson;

impl Dialect for Opaque {
    fn name(&self) -> &'static str {
        "opaque"
    }

    fn request(&self, body: &[u8]) -> Result<Request, Malformed> {
        let json = read(body, Place::Node(&ROOT)).map(Request::from);
        Ok(json.unwrap_or_else(|_| Request {
            text: whole(body),
            ..Request::default()
        }))
    }

    fn answer(&self, body: &[u8]) -> Result<Answer, Malformed> {
        let json = read(body, Place::Node(&ROOT)).map(Answer::from);
        Ok(json.unwrap_or_else(|_| Answer {
            text: whole(body),
            ..Answer::default()
        }))
    }

    fn answers_in_pieces(&self) -> bool {
        true // as Gemini's do where the client does not ask for events
    }

    fn stream(&self) -> Box<dyn AnswerStream> {
        Box::new(Stream::new(&GRAMMAR))
    }

    fn refusal(&self, message: &str) -> Vec<u8> {
        refusal::openai(message)
    }
}

impl Dialect for AnyJson {
    fn name(&self) -> &'static str {
        "json"
    }

    fn request(&self, body: &[u8]) -> Result<Request, Malformed> {
        read(body, Place::Node(&ROOT)).map(Request::from)
    }

    fn answer(&self, body: &[u8]) -> Result<Answer, Malformed> {
        Opaque.answer(body)
    }

    fn stream(&self) -> Box<dyn AnswerStream> {
        Opaque.stream()
    }

    fn refusal(&self, message: &str) -> Vec<u8> {
        Opaque.refusal(message)
    }
}

static GRAMMAR: Grammar = Grammar {
    event: Place::Node(&ROOT),
    reading: |_| Reading::Lexed,
    ends: |_| true,
    one_at_a_time: false,
    // Nobody knows what is said to the user there, and what is not.
    role: |_, _| Role::Other,
    begins: |_| Vec::new(),
    announced: false,
    repeats: |_, _| Vec::new(),
    repeating: false,
};

/// What nearly everybody has.
static ROOT: Node = Node {
    members: &[
        ("model", Place::Note(Note::Model)),
        ("stream", Place::Note(Note::Stream)),
        ("usage", Place::Node(&USAGE)),
    ],
    ..NODE
};

static USAGE: Node = Node {
    members: &[
        ("prompt_tokens", Place::Note(Note::Input)),
        ("input_tokens", Place::Note(Note::Input)),
        ("completion_tokens", Place::Note(Note::Output)),
        ("output_tokens", Place::Note(Note::Output)),
    ],
    ..NODE
};

/// A whole body as one piece.
fn whole(body: &[u8]) -> Text {
    let mut text = Text::default();
    if !body.is_empty() {
        text.push_raw(body, 0..body.len());
    }
    text
}
