//! Anthropic's messages.

use serde_json::{Value, json};

use super::{Asked, Say, Tongue, USAGE, named, steps, text_of};

pub(super) struct Messages;

impl Tongue for Messages {
    fn read(&self, body: &Value) -> (String, Vec<String>) {
        let messages = body["messages"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let user = messages.iter().rfind(|message| message["role"] == "user");
        let blocks = messages
            .iter()
            .filter_map(|message| message["content"].as_array())
            .flatten();
        let results = blocks.filter(|block| block["type"] == "tool_result");
        (
            user.map(|message| text_of(&message["content"]))
                .unwrap_or_default(),
            results.map(|block| text_of(&block["content"])).collect(),
        )
    }

    fn whole(&self, asked: &Asked, says: &[Say]) -> Value {
        let mut message = opening(asked);
        message["content"] = says
            .iter()
            .enumerate()
            .map(|(n, say)| block(n, say))
            .collect();
        message["stop_reason"] = stop(says).into();
        message["usage"] = json!({"input_tokens": USAGE.0, "output_tokens": USAGE.1});
        message
    }

    fn events(&self, asked: &Asked, says: &[Say], step: usize) -> Vec<String> {
        let mut events = Vec::new();
        let mut push = |kind: &str, mut data: Value| {
            data["type"] = kind.into();
            events.push(named(kind, &data));
        };
        push("message_start", json!({"message": opening(asked)}));
        for (n, say) in says.iter().enumerate() {
            push(
                "content_block_start",
                json!({"index": n, "content_block": start(n, say)}),
            );
            push("ping", json!({}));
            for delta in deltas(say, step) {
                push("content_block_delta", json!({"index": n, "delta": delta}));
            }
            push("content_block_stop", json!({"index": n}));
        }
        let stop = json!({"stop_reason": stop(says), "stop_sequence": null});
        push(
            "message_delta",
            json!({"delta": stop, "usage": {"output_tokens": USAGE.1}}),
        );
        push("message_stop", json!({}));
        events
    }

    fn error(&self, message: &str) -> Value {
        json!({"type": "error", "error": {"type": "invalid_request_error", "message": message}})
    }
}

fn opening(asked: &Asked) -> Value {
    json!({
        "id": "msg_lab", "type": "message", "role": "assistant", "model": asked.model, "content": [],
        "stop_reason": null, "stop_sequence": null,
        "usage": {"input_tokens": USAGE.0, "output_tokens": 1},
    })
}

fn block(n: usize, say: &Say) -> Value {
    match say {
        Say::Text(text) => json!({"type": "text", "text": text}),
        Say::Call { name, arguments } => {
            json!({"type": "tool_use", "id": format!("toolu_{n}"), "name": name, "input": arguments})
        }
    }
}

fn start(n: usize, say: &Say) -> Value {
    let mut start = block(n, say);
    match say {
        Say::Text(_) => start["text"] = "".into(),
        Say::Call { .. } => start["input"] = json!({}),
    }
    start
}

fn deltas(say: &Say, step: usize) -> Vec<Value> {
    match say {
        Say::Text(text) => steps(text, step)
            .iter()
            .map(|s| json!({"type": "text_delta", "text": s}))
            .collect(),
        Say::Call { arguments, .. } => steps(&arguments.to_string(), step)
            .iter()
            .map(|s| json!({"type": "input_json_delta", "partial_json": s}))
            .collect(),
    }
}

fn stop(says: &[Say]) -> &'static str {
    if says.iter().any(|say| matches!(say, Say::Call { .. })) {
        "tool_use"
    } else {
        "end_turn"
    }
}
