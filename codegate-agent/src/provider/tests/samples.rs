//! Streams of the three dialects, as their services write them, and what they say.

use serde_json::{Value, json};

use super::vault::*;

pub(super) fn sse(event: &Value) -> String {
    match event["type"].as_str() {
        Some(kind) => format!("event: {kind}\ndata: {event}\n\n"),
        None => format!("data: {event}\n\n"),
    }
}

pub(super) fn chat_chunk(delta: Value, finish: Value) -> String {
    sse(
        &json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "gpt-x-1",
        "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}], "usage": null}),
    )
}

fn chat_stream(deltas: &[String]) -> String {
    let mut out = chat_chunk(json!({"role": "assistant", "content": ""}), Value::Null);
    out.extend(
        deltas
            .iter()
            .map(|d| chat_chunk(json!({"content": d}), Value::Null)),
    );
    out += &chat_chunk(json!({}), json!("stop"));
    out += &sse(
        &json!({"id": "chatcmpl-1", "model": "gpt-x-1", "choices": [], "usage": {"prompt_tokens": 10,
        "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}}}),
    );
    out + "data: [DONE]\n\n"
}

fn anthropic_stream(deltas: &[String]) -> String {
    let mut out = sse(
        &json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant",
        "model": "claude-x-1", "content": [], "usage": {"input_tokens": 3, "cache_read_input_tokens": 4,
        "cache_creation_input_tokens": 5, "output_tokens": 1}}}),
    );
    out += &sse(
        &json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
    );
    out += "event: ping\ndata: {\"type\": \"ping\"}\n\n";
    for text in deltas {
        out += &sse(
            &json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}),
        );
    }
    out += &sse(&json!({"type": "content_block_stop", "index": 0}));
    out += &sse(
        &json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null},
        "usage": {"output_tokens": 15}}),
    );
    out + &sse(&json!({"type": "message_stop"}))
}

fn responses_stream(deltas: &[String]) -> String {
    let text = deltas.concat();
    let part = json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []});
    let item = json!({"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]});
    let mut out = sse(
        &json!({"type": "response.created", "sequence_number": 0, "response": {"id": "resp_1", "model": "gpt-y-1", "output": []}}),
    );
    out += &sse(
        &json!({"type": "response.output_item.added", "output_index": 0, "item": {"id": "msg_1", "type": "message", "content": []}}),
    );
    out += &sse(
        &json!({"type": "response.content_part.added", "output_index": 0, "content_index": 0, "part": {"type": "output_text", "text": ""}}),
    );
    for (i, text) in deltas.iter().enumerate() {
        out += &sse(
            &json!({"type": "response.output_text.delta", "sequence_number": i + 3, "item_id": "msg_1",
            "output_index": 0, "content_index": 0, "delta": text, "obfuscation": "x"}),
        );
    }
    out += &sse(
        &json!({"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": text}),
    );
    out += &sse(
        &json!({"type": "response.content_part.done", "output_index": 0, "content_index": 0, "part": part}),
    );
    out += &sse(&json!({"type": "response.output_item.done", "output_index": 0, "item": item}));
    out + &sse(
        &json!({"type": "response.completed", "response": {"id": "resp_1", "model": "gpt-y-1", "output": [item],
        "usage": {"input_tokens": 8, "input_tokens_details": {"cached_tokens": 6}, "output_tokens": 9}}}),
    )
}

pub(super) fn ways() -> [Way; 3] {
    [
        Way {
            dialect: chat(),
            write: chat_stream,
            path: "/choices/0/delta/content",
        },
        Way {
            dialect: anthropic(),
            write: anthropic_stream,
            path: "/delta/text",
        },
        Way {
            dialect: responses(),
            write: responses_stream,
            path: "/delta",
        },
    ]
}

/// Where the responses dialect repeats a text.
const AGGREGATES: [&str; 4] = [
    "/text",
    "/part/text",
    "/item/content/0/text",
    "/response/output/0/content/0/text",
];

pub(super) fn check(way: Way, given: &[String], expected: &str, vault: &mut Vault) -> String {
    let stream = (way.write)(given);
    let out = whole(way.dialect, &stream, vault);
    assert_eq!(joined(&out, way.path), expected, "{given:?}");
    assert_eq!(events(&out).len(), events(&stream).len());
    if way.path == "/delta" {
        for path in AGGREGATES {
            assert_eq!(joined(&out, path), expected, "{path} {given:?}");
        }
    }
    out
}
