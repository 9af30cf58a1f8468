//! OpenAI's chat completions.

use serde_json::{Value, json};

use super::{Asked, Say, Tongue, USAGE, steps, text_of};

pub(super) struct Chat;

impl Tongue for Chat {
    fn read(&self, body: &Value) -> (String, Vec<String>) {
        let messages = body["messages"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let by = |role: &'static str| messages.iter().filter(move |m| m["role"] == role);
        let user = by("user")
            .next_back()
            .map(|m| text_of(&m["content"]))
            .unwrap_or_default();
        (user, by("tool").map(|m| text_of(&m["content"])).collect())
    }

    fn whole(&self, asked: &Asked, says: &[Say]) -> Value {
        let text: String = says.iter().filter_map(text).collect();
        let mut message = json!({"role": "assistant", "content": text, "refusal": null});
        let calls: Vec<Value> = says.iter().filter_map(call).collect();
        if !calls.is_empty() {
            message["tool_calls"] = calls.into();
        }
        json!({
            "id": "chatcmpl-lab", "object": "chat.completion", "created": 1_700_000_000,
            "model": asked.model, "system_fingerprint": "fp_lab",
            "choices": [{
                "index": 0, "message": message, "logprobs": null, "finish_reason": finish(says),
            }],
            "usage": usage(),
        })
    }

    fn events(&self, asked: &Asked, says: &[Say], step: usize) -> Vec<String> {
        let chunk = |choices: Value, usage: Value| {
            let chunk = json!({
                "id": "chatcmpl-lab", "object": "chat.completion.chunk", "created": 1_700_000_000,
                "model": asked.model, "system_fingerprint": "fp_lab",
                "choices": choices, "usage": usage,
            });
            format!("data: {chunk}\n\n")
        };
        let delta = |delta: Value, finish: Option<&str>| {
            let choice =
                json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish});
            chunk(json!([choice]), Value::Null)
        };
        let mut events = vec![delta(json!({"role": "assistant", "content": ""}), None)];
        events.extend(
            deltas(says, step)
                .into_iter()
                .map(|value| delta(value, None)),
        );
        events.push(delta(json!({}), Some(finish(says))));
        events.push(chunk(json!([]), usage()));
        events.push("data: [DONE]\n\n".to_owned());
        events
    }

    fn error(&self, message: &str) -> Value {
        json!({"error": {"message": message, "type": "invalid_request_error", "code": null}})
    }
}

fn deltas(says: &[Say], step: usize) -> Vec<Value> {
    let mut deltas = Vec::new();
    let mut index = 0;
    for say in says {
        match say {
            Say::Text(text) => {
                deltas.extend(
                    steps(text, step)
                        .iter()
                        .map(|part| json!({"content": part})),
                );
            }
            Say::Call { name, arguments } => {
                let mut opening = call(say).unwrap_or_default();
                opening["index"] = index.into();
                opening["function"] = json!({"name": name, "arguments": ""});
                deltas.push(json!({"tool_calls": [opening]}));
                deltas.extend(steps(&arguments.to_string(), step).iter().map(|part| {
                    json!({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
                }));
                index += 1;
            }
        }
    }
    deltas
}

fn text(say: &Say) -> Option<&str> {
    if let Say::Text(text) = say {
        Some(text)
    } else {
        None
    }
}

fn call(say: &Say) -> Option<Value> {
    let Say::Call { name, arguments } = say else {
        return None;
    };
    let function = json!({"name": name, "arguments": arguments.to_string()});
    Some(json!({"id": format!("call_{name}"), "type": "function", "function": function}))
}

fn finish(says: &[Say]) -> &'static str {
    if says.iter().any(|say| matches!(say, Say::Call { .. })) {
        "tool_calls"
    } else {
        "stop"
    }
}

fn usage() -> Value {
    json!({"prompt_tokens": USAGE.0, "completion_tokens": USAGE.1, "total_tokens": USAGE.0 + USAGE.1})
}
