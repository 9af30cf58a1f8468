//! Asking in every dialect, and reading what was said: the client's side of the models.

use serde_json::{Value, json};

/// One provider's way of speaking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAI's chat completions.
    Chat,
    /// OpenAI's responses.
    Responses,
    /// Anthropic's messages.
    Messages,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Chat, Self::Responses, Self::Messages];

    /// The host that speaks it.
    #[must_use]
    pub fn host(self) -> &'static str {
        match self {
            Self::Chat | Self::Responses => "api.openai.com",
            Self::Messages => "api.anthropic.com",
        }
    }

    /// Where to ask.
    #[must_use]
    pub fn url(self) -> String {
        let path = match self {
            Self::Chat => "chat/completions",
            Self::Responses => "responses",
            Self::Messages => "messages",
        };
        format!("https://{}/v1/{path}", self.host())
    }

    /// A request whose one message is `text`.
    #[must_use]
    pub fn request(self, text: &str, stream: bool) -> Value {
        let messages = json!([{"role": "user", "content": text}]);
        match self {
            Self::Chat => json!({"model": "gpt-5", "messages": messages, "stream": stream}),
            Self::Responses => json!({"model": "gpt-5", "input": text, "stream": stream}),
            Self::Messages => json!({
                "model": "claude-sonnet-4-5", "max_tokens": 1000, "messages": messages,
                "stream": stream,
            }),
        }
    }

    /// The text of an answer. For a stream, what the deltas say; where events repeat the text, they
    /// have to agree.
    ///
    /// # Panics
    /// Where the answer is not in this dialect.
    #[must_use]
    #[track_caller]
    pub fn said(self, answer: &str, stream: bool) -> String {
        if stream {
            return self.streamed(&events(answer));
        }
        let answer = parse(answer);
        match self {
            Self::Chat => text(&answer["choices"][0]["message"]["content"]),
            Self::Responses => output(&answer),
            Self::Messages => text(&answer["content"][0]["text"]),
        }
    }

    #[track_caller]
    fn streamed(self, events: &[Value]) -> String {
        let (kind, delta) = match self {
            Self::Chat => ("chat.completion.chunk", "/choices/0/delta/content"),
            Self::Responses => ("response.output_text.delta", "/delta"),
            Self::Messages => ("content_block_delta", "/delta/text"),
        };
        let of_kind = |event: &&Value| event["type"] == kind || event["object"] == kind;
        let deltas = events
            .iter()
            .filter(of_kind)
            .filter_map(|event| event.pointer(delta)?.as_str());
        let said: String = deltas.collect();
        if self == Self::Responses {
            let done = |kind: &str| events.iter().find(|event| event["type"] == kind);
            assert_eq!(
                done("response.output_text.done").map(|e| text(&e["text"])),
                Some(said.clone())
            );
            let completed = done("response.completed").expect("an end");
            assert_eq!(output(&completed["response"]), said);
        }
        said
    }

    /// The message of an error in the provider's own shape.
    ///
    /// # Panics
    /// Where it has another shape.
    #[must_use]
    #[track_caller]
    pub fn refusal(self, answer: &str) -> String {
        let answer = parse(answer);
        assert!(answer["error"]["type"].is_string(), "{answer}");
        assert_eq!(
            answer["type"] == "error",
            self == Self::Messages,
            "{answer}"
        );
        text(&answer["error"]["message"])
    }
}

/// The data of a stream's events.
///
/// # Panics
/// Where an event is not JSON.
#[must_use]
#[track_caller]
pub fn events(stream: &str) -> Vec<Value> {
    let data = stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]").map(parse).collect()
}

/// The placeholders in a text, in their order; raw JSON will do, for none holds a character that is
/// escaped there.
#[must_use]
pub fn placeholders(text: &str) -> Vec<String> {
    text.match_indices("CG_")
        .filter_map(|(at, _)| placeholder(&text[at..]))
        .collect()
}

/// The placeholder that a text begins with.
fn placeholder(text: &str) -> Option<String> {
    let upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    let (kind, rest) = text.strip_prefix("CG_")?.split_once('_')?;
    let body = rest.get(..24)?;
    let well = (2..=12).contains(&kind.len())
        && kind.chars().all(upper)
        && body.chars().all(|c| upper(c) && !"ILOU".contains(c));
    well.then(|| format!("CG_{kind}_{body}"))
}

#[track_caller]
fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e} in {text:?}"))
}

#[track_caller]
fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is not a text"))
        .to_owned()
}

fn output(response: &Value) -> String {
    let items = response["output"].as_array().into_iter().flatten();
    let parts = items
        .filter_map(|item| item["content"].as_array())
        .flatten();
    parts.filter_map(|part| part["text"].as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_found_among_other_words() {
        let one = "CG_GITHUB_7Q4M2K9XW8T3RBNDZ5HJ6PFA";
        assert_eq!(
            placeholders(&format!("a={one},CG_X_1, CG_GITHUB_7Q4M ({one})")),
            [one, one]
        );
    }
}
