//! Models made of script: AI services that speak the dialects of OpenAI and Anthropic, and say what
//! a test tells them to.

mod anthropic;
mod openai_chat;
mod openai_responses;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{front::Handler, journal::Arrived, reply::Reply};

/// Tokens that every answer claims to have read and written.
pub const USAGE: (u64, u64) = (11, 7);

/// What a service was asked, whatever the dialect.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The model that was asked for.
    pub model: String,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// The text of the last message that a user wrote.
    pub user: String,
    /// The results of tools, in the order they stand in the conversation.
    pub results: Vec<String>,
    /// The whole request.
    pub body: Value,
}

/// One thing that a model says.
#[derive(Debug, Clone)]
pub enum Say {
    /// Some text.
    Text(String),
    /// A call of a tool with these arguments.
    Call {
        /// The tool.
        name: String,
        /// Its arguments.
        arguments: Value,
    },
}

/// What a model answers, and how it goes over the wire.
pub struct Turn {
    says: Vec<Say>,
    step: usize,
    split: Option<usize>,
    finish: Vec<Finish>,
}

type Finish = Box<dyn FnOnce(Reply) -> Reply + Send>;

impl Turn {
    /// An answer of these parts.
    #[must_use]
    pub fn new(says: impl IntoIterator<Item = Say>) -> Self {
        Self {
            says: says.into_iter().collect(),
            step: 5,
            split: None,
            finish: Vec::new(),
        }
    }

    /// An answer of one text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new([Say::Text(text.into())])
    }

    /// An answer that is one call of a tool.
    #[must_use]
    pub fn call(name: &str, arguments: Value) -> Self {
        Self::new([Say::Call {
            name: name.into(),
            arguments,
        }])
    }

    /// The last user's text, said again.
    #[must_use]
    pub fn echo(asked: &Asked) -> Self {
        Self::text(&asked.user)
    }

    /// How many bytes of text or arguments a streamed event carries at most (never less than one
    /// character); 5 otherwise, which breaks every placeholder several times.
    #[must_use]
    pub fn step(mut self, bytes: usize) -> Self {
        self.step = bytes;
        self
    }

    /// Cuts the stream's bytes every so many bytes, without regard for events or characters.
    #[must_use]
    pub fn split(mut self, bytes: usize) -> Self {
        self.split = Some(bytes);
        self
    }

    /// Changes the reply before it goes out: codings, delays, trailers, endings.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(Reply) -> Reply + Send + 'static) -> Self {
        self.finish.push(Box::new(change));
        self
    }

    fn reply(self, asked: &Asked, dialect: &dyn Tongue) -> Reply {
        let reply = if asked.stream {
            let events = dialect.events(asked, &self.says, self.step);
            Reply::events(match self.split {
                None => events
                    .into_iter()
                    .map(String::into_bytes)
                    .collect::<Vec<_>>(),
                Some(n) => events
                    .concat()
                    .as_bytes()
                    .chunks(n)
                    .map(<[u8]>::to_vec)
                    .collect(),
            })
        } else {
            Reply::json(200, &dialect.whole(asked, &self.says))
        };
        let reply = reply.header("x-request-id", "req_lab");
        self.finish
            .into_iter()
            .fold(reply, |reply, change| change(reply))
    }
}

/// A way of speaking.
trait Tongue: Sync {
    /// The text of the last user's message, and the tools' results.
    fn read(&self, body: &Value) -> (String, Vec<String>);
    /// The whole answer.
    fn whole(&self, asked: &Asked, says: &[Say]) -> Value;
    /// The events of a streamed answer, each with its empty line.
    fn events(&self, asked: &Asked, says: &[Say], step: usize) -> Vec<String>;
    /// An error in the provider's shape.
    fn error(&self, message: &str) -> Value;
}

/// A handler that answers on the inference paths of every dialect as `script` says.
pub(crate) fn handler(script: impl Fn(&Asked) -> Turn + Send + Sync + 'static) -> Handler {
    Arc::new(move |arrived: &Arrived| {
        let path = arrived.path.split('?').next().unwrap_or_default();
        let dialect: &dyn Tongue = match path {
            "/v1/chat/completions" => &openai_chat::Chat,
            "/v1/responses" => &openai_responses::Responses,
            "/v1/messages" => &anthropic::Messages,
            "/v1/messages/count_tokens" => {
                return Reply::json(200, &json!({"input_tokens": USAGE.0}));
            }
            _ => return Reply::json(404, &json!({"error": {"message": format!("no {path}")}})),
        };
        match asked(arrived, dialect) {
            Some(asked) => script(&asked).reply(&asked, dialect),
            None => Reply::json(400, &dialect.error("the body is not a request")),
        }
    })
}

fn asked(arrived: &Arrived, dialect: &dyn Tongue) -> Option<Asked> {
    let body: Value = serde_json::from_slice(arrived.body.as_deref()?).ok()?;
    let (user, results) = dialect.read(&body);
    let model = body["model"].as_str()?.to_owned();
    let stream = body["stream"].as_bool().unwrap_or(false);
    Some(Asked {
        model,
        stream,
        user,
        results,
        body,
    })
}

/// The text of a message's content, be it a string or a list of parts.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part["text"].as_str())
            .collect(),
        _ => String::new(),
    }
}

/// A text in steps of at most `step` bytes, never within a character.
fn steps(text: &str, step: usize) -> Vec<&str> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut at = step.max(1).min(rest.len());
        while !rest.is_char_boundary(at) {
            at += 1;
        }
        let (head, tail) = rest.split_at(at);
        steps.push(head);
        rest = tail;
    }
    steps
}

/// An event with a name.
fn named(event: &str, data: &Value) -> String {
    format!("event: {event}\ndata: {data}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_join_to_the_text_and_keep_characters_whole() {
        let text = "a§b😀c\u{2028}d";
        for step in 1..8 {
            assert_eq!(steps(text, step).concat(), text);
        }
        assert_eq!(steps("abcdef", 4), ["abcd", "ef"]);
    }
}
