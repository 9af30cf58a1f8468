//! OpenAI's responses.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Value, json};

use super::{Asked, Say, Tongue, USAGE, named, steps, text_of};

pub(super) struct Responses;

impl Tongue for Responses {
    fn read(&self, body: &Value) -> (String, Vec<String>) {
        if let Some(text) = body["input"].as_str() {
            return (text.to_owned(), Vec::new());
        }
        let items = body["input"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let user = items.iter().rfind(|item| item["role"] == "user");
        let results = items
            .iter()
            .filter(|item| item["type"] == "function_call_output");
        (
            user.map(|item| text_of(&item["content"]))
                .unwrap_or_default(),
            results.map(|item| text_of(&item["output"])).collect(),
        )
    }

    fn whole(&self, asked: &Asked, says: &[Say]) -> Value {
        let items: Vec<Value> = says
            .iter()
            .enumerate()
            .map(|(n, say)| item(n, say))
            .collect();
        let mut whole = response(asked, "completed", items.into());
        whole["usage"] = json!({
            "input_tokens": USAGE.0, "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": USAGE.1, "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": USAGE.0 + USAGE.1,
        });
        whole
    }

    fn events(&self, asked: &Asked, says: &[Say], step: usize) -> Vec<String> {
        let begun = response(asked, "in_progress", json!([]));
        let mut events = Numbered::default();
        events.push("response.created", json!({"response": begun}));
        events.push("response.in_progress", json!({"response": begun}));
        for (n, say) in says.iter().enumerate() {
            match say {
                Say::Text(text) => events.message(n, text, step),
                Say::Call { name, arguments } => {
                    events.call(n, name, &arguments.to_string(), step);
                }
            }
            events.push(
                "response.output_item.done",
                json!({"output_index": n, "item": item(n, say)}),
            );
        }
        events.push(
            "response.completed",
            json!({"response": self.whole(asked, says)}),
        );
        events.written
    }

    fn error(&self, message: &str) -> Value {
        json!({"error": {"message": message, "type": "invalid_request_error", "code": null}})
    }
}

/// Events that carry a running number.
#[derive(Default)]
struct Numbered {
    written: Vec<String>,
}

impl Numbered {
    fn push(&mut self, kind: &str, mut data: Value) {
        data["type"] = kind.into();
        data["sequence_number"] = self.written.len().into();
        self.written.push(named(kind, &data));
    }

    fn message(&mut self, n: usize, text: &str, step: usize) {
        let id = id(n);
        let item = json!({
            "id": id, "type": "message", "status": "in_progress", "role": "assistant", "content": [],
        });
        let at = json!({"item_id": id, "output_index": n, "content_index": 0});
        self.push(
            "response.output_item.added",
            json!({"output_index": n, "item": item}),
        );
        self.push("response.content_part.added", with(&at, "part", part("")));
        for step in steps(text, step) {
            self.push(
                "response.output_text.delta",
                with(&at, "delta", step.into()),
            );
        }
        self.push("response.output_text.done", with(&at, "text", text.into()));
        self.push("response.content_part.done", with(&at, "part", part(text)));
    }

    fn call(&mut self, n: usize, name: &str, arguments: &str, step: usize) {
        let id = id(n);
        let item = json!({
            "id": id, "type": "function_call", "status": "in_progress", "call_id": format!("call_{n}"),
            "name": name, "arguments": "",
        });
        let at = json!({"item_id": id, "output_index": n});
        self.push(
            "response.output_item.added",
            json!({"output_index": n, "item": item}),
        );
        for step in steps(arguments, step) {
            self.push(
                "response.function_call_arguments.delta",
                with(&at, "delta", step.into()),
            );
        }
        let done = with(&at, "arguments", arguments.into());
        self.push("response.function_call_arguments.done", done);
    }
}

fn id(n: usize) -> String {
    format!("item_{n}")
}

fn with(at: &Value, key: &str, value: Value) -> Value {
    let mut with = at.clone();
    with[key] = value;
    with
}

fn part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

fn item(n: usize, say: &Say) -> Value {
    match say {
        Say::Text(text) => json!({
            "id": id(n), "type": "message", "status": "completed", "role": "assistant",
            "content": [part(text)],
        }),
        Say::Call { name, arguments } => json!({
            "id": id(n), "type": "function_call", "status": "completed",
            "call_id": format!("call_{n}"), "name": name, "arguments": arguments.to_string(),
        }),
    }
}

/// An answer's name: another one for another question, and the same for the same.
fn name(asked: &Asked) -> String {
    let mut hasher = DefaultHasher::new();
    (&asked.user, asked.body["previous_response_id"].as_str()).hash(&mut hasher);
    format!("resp_{:x}", hasher.finish())
}

fn response(asked: &Asked, status: &str, output: Value) -> Value {
    json!({
        "id": name(asked), "object": "response", "created_at": 1_700_000_000, "status": status,
        "error": null, "incomplete_details": null, "instructions": null, "model": asked.model,
        "output": output, "parallel_tool_calls": true, "previous_response_id": null,
        "temperature": 1.0, "tool_choice": "auto", "tools": [], "top_p": 1.0,
        "truncation": "disabled", "usage": null, "metadata": {},
    })
}
