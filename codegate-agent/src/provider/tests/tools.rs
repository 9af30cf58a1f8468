//! Arguments of tools: JSON in a string, and JSON in that. What the tool gets is the value.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::vault::*;

fn chat_call(deltas: &[String]) -> String {
    let chunk = |call: Value| json!({"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": null}]});
    let mut out = format!(
        "data: {}\n\n",
        chunk(
            json!({"index": 1, "id": "call_1", "type": "function", "function": {"name": "sh", "arguments": ""}})
        )
    );
    for delta in deltas {
        out += &format!(
            "data: {}\n\n",
            chunk(json!({"index": 1, "function": {"arguments": delta}}))
        );
    }
    out + "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n"
}

fn anthropic_call(deltas: &[String]) -> String {
    let event = |event: Value| {
        format!(
            "event: {}\ndata: {event}\n\n",
            event["type"].as_str().unwrap()
        )
    };
    let mut out = event(
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {}}}),
    );
    for delta in deltas {
        out += &event(
            json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": delta}}),
        );
    }
    out + &event(json!({"type": "content_block_stop", "index": 1}))
}

fn responses_call(deltas: &[String]) -> String {
    let event = |event: Value| {
        format!(
            "event: {}\ndata: {event}\n\n",
            event["type"].as_str().unwrap()
        )
    };
    let whole = deltas.concat();
    let item = json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "sh", "arguments": whole});
    let mut out = String::new();
    for delta in deltas {
        out += &event(
            json!({"type": "response.function_call_arguments.delta", "output_index": 2, "delta": delta}),
        );
    }
    out += &event(
        json!({"type": "response.function_call_arguments.done", "output_index": 2, "arguments": whole}),
    );
    out += &event(json!({"type": "response.output_item.done", "output_index": 2, "item": item}));
    out + &event(json!({"type": "response.completed", "response": {"output": [item]}}))
}

fn custom_call(deltas: &[String]) -> String {
    let event = |event: Value| {
        format!(
            "event: {}\ndata: {event}\n\n",
            event["type"].as_str().unwrap()
        )
    };
    let whole = deltas.concat();
    let item = json!({"type": "custom_tool_call", "id": "ct_1", "name": "exec", "input": whole});
    let mut out = String::new();
    for delta in deltas {
        out += &event(
            json!({"type": "response.custom_tool_call_input.delta", "output_index": 2, "delta": delta}),
        );
    }
    out += &event(
        json!({"type": "response.custom_tool_call_input.done", "output_index": 2, "input": whole}),
    );
    out + &event(json!({"type": "response.completed", "response": {"output": [item]}}))
}

fn ways() -> [Way; 3] {
    [
        Way {
            dialect: chat(),
            write: chat_call,
            path: "/choices/0/delta/tool_calls/0/function/arguments",
        },
        Way {
            dialect: anthropic(),
            write: anthropic_call,
            path: "/delta/partial_json",
        },
        Way {
            dialect: responses(),
            write: responses_call,
            path: "/delta",
        },
    ]
}

/// Where the responses dialect repeats the arguments.
const AGGREGATES: [&str; 3] = [
    "/arguments",
    "/item/arguments",
    "/response/output/0/arguments",
];

/// A document with a text in it, wrapped in so many more layers of JSON strings.
fn wrapped(text: &str, layers: usize) -> String {
    let mut now = json!({"é": [1, true, {"command": text}], "b": "\"[{"}).to_string();
    for _ in 0..layers {
        now = json!({"content": now}).to_string();
    }
    now
}

fn check(arguments: &str, expected: &str, given: &[String], vault: &mut Vault) {
    assert_eq!(given.concat(), arguments);
    for way in ways() {
        let out = whole(way.dialect, &(way.write)(given), vault);
        assert_eq!(joined(&out, way.path), expected);
        if way.path == "/delta" {
            for path in AGGREGATES {
                assert_eq!(joined(&out, path), expected, "{path}");
            }
        }
    }
}

#[test]
fn every_split_of_arguments_is_restored_as_json() {
    let value = "pa\"ss\\n\n\u{2028}😀";
    for layers in 0..3 {
        let (mut vault, names) = Vault::of(&[value]);
        let arguments = wrapped(&format!("echo \"{}\"\n", names[0]), layers);
        // What serde leaves bare is escaped for readers of lines.
        let expected = wrapped(&format!("echo \"{value}\"\n"), layers);
        let slashes = "\\".repeat(1 << layers);
        let expected = expected.replace('\u{2028}', &format!("{slashes}u2028"));
        for at in (0..=arguments.len()).filter(|&at| arguments.is_char_boundary(at)) {
            let given = [arguments[..at].to_owned(), arguments[at..].to_owned()];
            check(&arguments, &expected, &given, &mut vault);
        }
        let single: Vec<String> = arguments.chars().map(String::from).collect();
        check(&arguments, &expected, &single, &mut vault);
    }
}

#[test]
fn a_whole_answer_says_the_same() {
    let (_, names) = Vault::of(&["x"]);
    let arguments = wrapped(&names[0], 1);
    let body =
        json!({"choices": [{"message": {"tool_calls": [{"function": {"arguments": arguments}}]}}]})
            .to_string();
    let text = chat().answer(body.as_bytes()).unwrap().text;
    let at = memchr::memmem::find(text.bytes(), names[0].as_bytes()).unwrap();
    assert_eq!(text.locate(at..at + names[0].len()).unwrap().depth, 3);
}

#[test]
fn custom_tools_get_plain_text() {
    let value = "a\"b\\c\nd";
    let (mut vault, names) = Vault::of(&[value]);
    for text in [
        format!("{{\"a\": \"{}\"}}", names[0]),
        format!("await sh('{}')", names[0]),
    ] {
        let expected = text.replace(&names[0], value);
        for at in 0..=text.len() {
            let out = whole(
                responses(),
                &custom_call(&[text[..at].into(), text[at..].into()]),
                &mut vault,
            );
            for path in ["/delta", "/input", "/response/output/0/input"] {
                assert_eq!(joined(&out, path), expected, "{path}");
            }
        }
    }
    let chunk = |text: &str| json!({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "custom": {"input": text}}]}}]});
    let stream = format!("data: {}\n\n", chunk(&format!("{{\"{}\"", names[0])));
    assert_eq!(
        whole(chat(), &stream, &mut vault),
        format!("data: {}\n\n", chunk(&format!("{{\"{value}\"")))
    );
}

#[test]
fn a_string_that_begins_with_a_placeholder_is_not_json() {
    let (mut vault, names) = Vault::of(&["a\"b"]);
    let arguments = |value: &str| json!({"x": format!("{value}[\"{value}\"]")}).to_string();
    let given = arguments(&names[0]);
    check(
        &given,
        &arguments("a\"b"),
        std::slice::from_ref(&given),
        &mut vault,
    );
}

#[test]
fn calls_side_by_side_are_kept_apart() {
    let (mut vault, names) = Vault::of(&["a\"", "b\""]);
    let chunk = |calls: &[(u64, &str)]| {
        let calls: Vec<Value> = calls
            .iter()
            .map(|(i, a)| json!({"function": {"arguments": a}, "index": i}))
            .collect();
        format!(
            "data: {}\n\n",
            json!({"choices": [{"index": 0, "delta": {"tool_calls": calls}}]})
        )
    };
    let stream = chunk(&[
        (0, &format!("{{\"x\":\"{}\"}}", names[0])),
        (1, &format!("{{\"x\":\"{}\"}}", names[1])),
    ]);
    let expected = chunk(&[(0, "{\"x\":\"a\\\"\"}"), (1, "{\"x\":\"b\\\"\"}")]);
    assert_eq!(whole(chat(), &stream, &mut vault), expected);
    // Calls that come whole, one after the other, without an index.
    let call = |text: &str| json!({"function": {"arguments": format!("{{\"x\":\"{text}\"}}")}});
    let chunk = |a: &str, b: &str| {
        format!(
            "data: {}\n\n",
            json!({"choices": [{"delta": {"tool_calls": [call(a), call(b)]}}]})
        )
    };
    let expected = chunk("a\\\"", "b\\\"");
    assert_eq!(
        whole(chat(), &chunk(&names[0], &names[1]), &mut vault),
        expected
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_value_in_arguments_comes_back(
        value in "[\\PC\"\\\\\n\r\t\u{85}\u{2028}😀\x00-\x1f]{1,20}", before in "[a-z\\PC\"\\\\\n]{0,10}", after in "[\\PC\"\\\\\n]{0,10}",
        layers in 0_usize..3, cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let (mut vault, names) = Vault::of(&[&value]);
        // `echo` before it: a string that begins with a bracket is taken for JSON.
        let arguments = wrapped(&format!("echo {before}{}{after}", names[0]), layers);
        let given = deltas(&arguments, &cuts);
        for way in ways() {
            let out = whole(way.dialect, &(way.write)(&given), &mut vault);
            let mut now: Value = serde_json::from_str(&joined(&out, way.path)).unwrap();
            for _ in 0..layers {
                now = serde_json::from_str(now["content"].as_str().unwrap()).unwrap();
            }
            prop_assert_eq!(now["é"][2]["command"].as_str().unwrap(), format!("echo {before}{value}{after}"));
        }
    }
}
