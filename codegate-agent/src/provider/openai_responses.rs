//! OpenAI's responses: what Codex and the newer SDKs speak.
//!
//! Knows: the bodies of `POST /v1/responses` and its events. Must not know: where they come from.

use super::{
    Answer, AnswerStream, Dialect, Malformed, Request, Watch,
    event::Key,
    extract::read_object,
    parts::{self, Called, Part, Tools},
    place::{
        NODE, Node, Note,
        Place::{self, Delta, Free, Index, Plain, Skip, Url},
    },
    refusal,
    stream::{Grammar, Reading, Role, Stream},
    tree::View,
};

/// OpenAI responses.
#[derive(Debug)]
pub(super) struct OpenAiResponses;

impl Dialect for OpenAiResponses {
    fn name(&self) -> &'static str {
        "openai-responses"
    }

    fn request(&self, body: &[u8]) -> Result<Request, Malformed> {
        Ok(Request::from(read_object(body, Place::Node(&REQUEST))?))
    }

    fn answer(&self, body: &[u8]) -> Result<Answer, Malformed> {
        Ok(Answer::from(read_object(body, Place::Node(&RESPONSE))?))
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

static GRAMMAR: Grammar = Grammar {
    event: Place::Node(&EVENT),
    reading,
    ends,
    one_at_a_time: false,
    role,
    begins,
    announced: false,
    repeats,
    repeating: true,
};

/// What the deltas of an event are part of. What the service itself runs is no call.
fn role(event: &[u8], _: Key) -> Role {
    match event {
        b"response.output_text.delta" => Role::Text,
        b"response.function_call_arguments.delta" => Role::Call,
        b"response.custom_tool_call_input.delta" => Role::Input,
        _ => Role::Other,
    }
}

/// The call that begins in an event.
fn begins(event: View<'_>) -> Vec<([u64; 2], String)> {
    let begin = || {
        let name = event.get("item")?.text_of("name")?;
        Some(([event.get("output_index")?.number()?, 0], name.into_owned()))
    };
    begin().into_iter().collect()
}

/// What an event repeats, or says all at once.
fn repeats<'a>(event: View<'a>, tools: &'a Tools) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    parts.extend(
        event
            .get("text")
            .filter(|text| text.text().is_some())
            .map(Part::Text),
    );
    parts.extend(event.get("part").and_then(text));
    parts.extend(event.get("item").into_iter().flat_map(item));
    parts.extend(event.get("response").into_iter().flat_map(whole));
    let index = event.get("output_index").and_then(View::number);
    let name = tools
        .get(&[index.unwrap_or_default(), 0])
        .map_or("", String::as_str);
    match event.text_of("type").as_deref() {
        Some("response.function_call_arguments.done") => {
            parts.extend(Called::json(name.into(), event, "arguments"));
        }
        Some("response.custom_tool_call_input.done") => {
            parts.extend(Called::plain(name.into(), event, "input"));
        }
        _ => {}
    }
    parts
}

/// The parts of an answer.
fn whole(answer: View<'_>) -> Vec<Part<'_>> {
    let items = answer.get("output").into_iter().flat_map(View::items);
    items.flat_map(item).collect()
}

/// The parts of an item.
fn item(item: View<'_>) -> Vec<Part<'_>> {
    let name = || item.text_of("name").unwrap_or_default();
    let call = match item.text_of("type").as_deref() {
        Some("function_call") => Called::json(name(), item, "arguments"),
        Some("custom_tool_call") => Called::plain(name(), item, "input"),
        Some("local_shell_call" | "shell_call") => Called::json("shell".into(), item, "action"),
        Some("message") => {
            let parts = item.get("content").into_iter().flat_map(View::items);
            return parts.filter_map(text).collect();
        }
        _ => None,
    };
    call.into_iter().collect()
}

/// The text of a part of a message.
fn text(part: View<'_>) -> Option<Part<'_>> {
    let kind = part.text_of("type")?;
    part.get("text")
        .filter(|_| kind == "output_text")
        .map(Part::Text)
}

/// How the deltas of an event are to be read, by its type.
fn reading(event: &[u8]) -> Reading {
    match event {
        b"response.audio.delta" => Reading::Never,
        b"response.custom_tool_call_input.delta"
        | b"response.code_interpreter_call_code.delta"
        | b"response.apply_patch_call_operation_diff.delta" => Reading::Plain,
        _ => Reading::Lexed,
    }
}

/// Whether an event ends the text of its item, or (having none) all texts.
fn ends(event: &[u8]) -> bool {
    const ENDS: [&[u8]; 6] = [
        b".done",
        b".added",
        b".completed",
        b".incomplete",
        b".failed",
        b".cancelled",
    ];
    // Annotations are added while the text goes on.
    let last = !event.ends_with(b"annotation.added");
    event == b"error" || last && ENDS.iter().any(|end| event.ends_with(end))
}

static REQUEST: Node = Node {
    members: &[
        ("model", Place::Note(Note::Model)),
        ("stream", Place::Note(Note::Stream)),
        ("instructions", Free),
        ("input", Place::Node(&ITEM)),
        ("prompt", Place::Node(&PROMPT)),
        ("previous_response_id", Place::Note(Note::Answer)),
        ("prompt_cache_key", Skip),
        ("conversation", Skip),
        ("include", Skip),
        ("service_tier", Skip),
    ],
    ..NODE
};

/// A stored prompt; its variables are strings or parts, under names of their own.
static PROMPT: Node = Node {
    members: &[
        ("id", Skip),
        ("version", Skip),
        ("variables", Place::Node(&VARIABLES)),
    ],
    ..NODE
};

static VARIABLES: Node = Node {
    other: Place::Node(&PART),
    ..NODE
};

/// An item of the input or of the output.
static ITEM: Node = Node {
    members: &[
        ("type", Skip),
        ("role", Place::Note(Note::Role)),
        ("id", Skip),
        ("call_id", Skip),
        ("status", Skip),
        ("approval_request_id", Skip),
        ("container_id", Skip),
        ("encrypted_content", Skip),
        ("content", Place::Node(&PART)),
        ("summary", Place::Node(&PART)),
        ("output", Place::Node(&PART)),
        ("outputs", Place::Node(&PART)),
        ("results", Place::Node(&PART)),
        ("arguments", Free),
        ("input", Plain),
        ("code", Plain),
        ("name", Free),
        ("acknowledged_safety_checks", Skip),
        ("pending_safety_checks", Skip),
        // In the input a part may stand where an item is expected.
        ("text", Free),
        ("image_url", Url),
        ("file_id", Skip),
        ("file_data", Skip),
        ("file_url", Url),
        ("input_audio", Skip),
    ],
    by_type: &[("image_generation_call", &IMAGE)],
    ..NODE
};

/// An image that was generated: its base64 is the item's `result`.
static IMAGE: Node = Node {
    members: &[("result", Skip)],
    like: Some(&ITEM),
    ..NODE
};

static PART: Node = Node {
    members: &[
        ("type", Skip),
        ("text", Free),
        ("image_url", Url),
        ("url", Url),
        ("detail", Skip),
        ("file_id", Skip),
        ("file_data", Skip),
        ("file_url", Url),
        ("input_audio", Skip),
        ("encrypted_content", Skip),
        ("annotations", Place::Node(&ANNOTATION)),
        ("logprobs", Skip),
    ],
    ..NODE
};

static ANNOTATION: Node = Node {
    members: &[("type", Skip), ("file_id", Skip), ("container_id", Skip)],
    ..NODE
};

/// A whole answer. It repeats what was asked, also the instructions: they are restored as well.
static RESPONSE: Node = Node {
    members: &[
        ("id", Place::Note(Note::Answer)),
        ("object", Skip),
        ("status", Skip),
        ("model", Place::Note(Note::Model)),
        ("output", Place::Node(&ITEM)),
        ("usage", Place::Node(&USAGE)),
        ("previous_response_id", Skip),
        ("prompt_cache_key", Skip),
        ("conversation", Skip),
        ("service_tier", Skip),
        ("safety_identifier", Skip),
    ],
    ..NODE
};

static USAGE: Node = Node {
    members: &[
        ("input_tokens", Place::Note(Note::Input)),
        ("output_tokens", Place::Note(Note::Output)),
        ("input_tokens_details", Place::Node(&DETAILS)),
    ],
    ..NODE
};

static DETAILS: Node = Node {
    members: &[("cached_tokens", Place::Note(Note::Cached))],
    ..NODE
};

/// An event. Its item is told by `output_index`, which stands for `item_id`: one service gives an
/// item another id in each event.
static EVENT: Node = Node {
    members: &[
        ("type", Place::Note(Note::Type)),
        ("delta", Delta(0)),
        ("output_index", Index(0)),
        ("content_index", Index(1)),
        ("summary_index", Index(1)),
        ("item_id", Skip),
        ("sequence_number", Place::Note(Note::Number)),
        ("response", Place::Node(&RESPONSE)),
        ("item", Place::Node(&ITEM)),
        ("part", Place::Node(&PART)),
        ("annotation", Place::Node(&ANNOTATION)),
        ("text", Free),
        ("refusal", Free),
        ("arguments", Free),
        ("input", Plain),
        ("code", Plain),
        ("diff", Plain),
        ("partial_image_b64", Skip),
        ("logprobs", Skip),
        ("obfuscation", Skip),
    ],
    ..NODE
};
