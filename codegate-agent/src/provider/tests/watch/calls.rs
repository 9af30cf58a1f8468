//! Tool calls: held until they are whole, and refused wherever they are repeated.

use super::*;

/// A chunk with a piece of a call's arguments.
fn chat_call(choice: u32, index: u32, name: Option<&str>, arguments: &str) -> String {
    let function = match name {
        Some(name) => json!({"name": name, "arguments": arguments}),
        None => json!({"arguments": arguments}),
    };
    sse(
        &json!({"id": "c", "choices": [{"index": choice, "finish_reason": null,
        "delta": {"tool_calls": [{"index": index, "function": function}]}}]}),
    )
}

/// The arguments of a call in a stream of chunks.
fn arguments(stream: &str, choice: u64, index: u64) -> Value {
    let events = events(stream);
    let choices = events.iter().filter_map(|event| event["choices"].get(0));
    let own = choices.filter(|c| c["index"] == choice && c["finish_reason"].is_null());
    let calls = own.filter_map(|c| c["delta"]["tool_calls"].get(0));
    let text: String = calls
        .filter(|call| call["index"] == index)
        .filter_map(|call| call["function"]["arguments"].as_str().map(str::to_owned))
        .collect();
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[test]
fn calls_side_by_side_are_judged_each_for_itself() {
    let calls = [
        (
            0,
            0,
            "Bash",
            json!({"command": "npm i evil && ls", "timeout": 3}),
        ),
        (0, 1, "Bash", json!({"command": "ls"})),
        (0, 2, "do_it", json!({"cwd": "/", "cmd": "npm i evil"})),
        (
            0,
            3,
            "Write",
            json!({"file_path": "/x", "content": "npm i evil"}),
        ),
        (
            1,
            0,
            "shell",
            json!({"command": ["bash", "-lc", "npm i evil"]}),
        ),
    ];
    for size in [1, 4, 9, 1000] {
        let mut stream = String::new();
        let mut pieces = Vec::new();
        for (choice, index, name, given) in &calls {
            stream += &chat_call(*choice, *index, Some(name), "");
            for (n, piece) in by(&given.to_string(), size).into_iter().enumerate() {
                pieces.push((n, *choice, *index, piece));
            }
        }
        // They arrive mixed.
        pieces.sort_by_key(|(n, ..)| *n);
        for (_, choice, index, piece) in pieces {
            stream += &chat_call(choice, index, None, &piece);
        }
        for choice in 0..2 {
            stream += &sse(
                &json!({"choices": [{"index": choice, "delta": {}, "finish_reason": "tool_calls"}]}),
            );
        }
        stream += "data: [DONE]\n\n";
        for piece in (1..=40).chain([100_000]) {
            let out = watched(chat(), &stream, piece, &mut Guard::default());
            let is = |choice, index| arguments(&out, choice, index);
            assert_eq!(is(0, 0), json!({"command": SHELL, "timeout": 3}));
            assert_eq!(is(0, 1), calls[1].3);
            assert_eq!(is(0, 2), json!({"cwd": "/", "cmd": SHELL}));
            assert_eq!(is(0, 3), calls[3].3);
            assert_eq!(is(1, 0), json!({"command": ["bash", "-lc", SHELL]}));
            assert_eq!(events(&out).len(), events(&stream).len());
            assert!(out.ends_with("data: [DONE]\n\n"));
        }
    }
}

#[test]
fn nothing_waits_but_the_call() {
    let mut reader = chat().stream();
    let mut guard = Guard::default();
    let mut push = |event: &str| {
        let mut out = BytesMut::new();
        reader.push(event.as_bytes(), &mut guard, &mut out);
        String::from_utf8(out.to_vec()).unwrap()
    };
    let begin = chat_call(0, 0, Some("Bash"), "");
    assert_eq!(push(&begin), begin);
    let waits = chat_call(0, 0, None, "{\"command\": \"ls");
    assert_eq!(push(&waits), "");
    let text = sse(&json!({"choices": [{"index": 0, "delta": {"content": "meanwhile"}}]}));
    assert_eq!(push(&text), text);
    let other = chat_call(1, 0, Some("Read"), "{\"path\": ");
    assert_eq!(push(&other), other);
    let end = chat_call(0, 0, None, "\"}");
    assert_eq!(push(&end), format!("{waits}{end}"));
}

#[test]
fn a_call_that_breaks_off_is_not_made() {
    let begun = chat_call(0, 0, Some("Bash"), "{\"command\": \"npm i evil\", \"time");
    let out = watched(chat(), &begun, 7, &mut Guard::default());
    assert!(!out.contains("npm i evil"), "{out}");
    let fine = chat_call(0, 0, Some("Bash"), "{\"command\": \"npm i good\", \"time");
    assert_eq!(watched(chat(), &fine, 7, &mut Guard::default()), fine);
}

#[test]
fn blocks_of_tools_are_refused() {
    let input = json!({"command": "cd x && npm i evil", "description": "Install"}).to_string();
    for size in [1, 6, 1000] {
        let mut stream = sse(
            &json!({"type": "content_block_start", "index": 1, "content_block":
            {"type": "tool_use", "id": "t", "name": "Bash", "input": {}}}),
        );
        for piece in by(&input, size) {
            stream += &sse(&json!({"type": "content_block_delta", "index": 1, "delta":
                {"type": "input_json_delta", "partial_json": piece}}));
        }
        stream += "event: ping\ndata: {\"type\": \"ping\"}\n\n";
        stream += &sse(&json!({"type": "content_block_stop", "index": 1}));
        for piece in [1, 7, 40, 100_000] {
            let out = watched(anthropic(), &stream, piece, &mut Guard::default());
            let said: Value = serde_json::from_str(&joined(&out, "/delta/partial_json")).unwrap();
            assert_eq!(said, json!({"command": SHELL, "description": "Install"}));
            assert!(
                out.ends_with("\"content_block_stop\",\"index\":1}\n\n")
                    || out.contains("content_block_stop")
            );
        }
    }
    let whole = sse(
        &json!({"type": "content_block_start", "index": 0, "content_block":
        {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "npm i evil"}}}),
    );
    let out = watched(anthropic(), &whole, 40, &mut Guard::default());
    assert_eq!(events(&out)[0]["content_block"]["input"]["command"], SHELL);
}

#[test]
fn what_the_service_runs_itself_is_left_alone() {
    let mut stream = sse(
        &json!({"type": "content_block_start", "index": 1, "content_block":
        {"type": "server_tool_use", "id": "t", "name": "bash_code_execution", "input": {}}}),
    );
    for piece in by(&json!({"command": "npm i evil"}).to_string(), 5) {
        stream += &sse(&json!({"type": "content_block_delta", "index": 1, "delta":
            {"type": "input_json_delta", "partial_json": piece}}));
    }
    stream += &sse(&json!({"type": "content_block_stop", "index": 1}));
    assert_eq!(
        watched(anthropic(), &stream, 40, &mut Guard::default()),
        stream
    );
}

/// A stream of calls, and with what their arguments are repeated.
fn response_calls(size: usize) -> String {
    let function = json!({"command": ["bash", "-lc", "npm i evil"], "workdir": "/"}).to_string();
    let custom = "npm i evil\n";
    let call =
        json!({"type": "function_call", "name": "shell", "call_id": "1", "arguments": function});
    let input =
        json!({"type": "custom_tool_call", "name": "bash", "call_id": "2", "input": custom});
    let shell = json!({"type": "local_shell_call", "call_id": "3", "status": "completed",
        "action": {"type": "exec", "command": ["npm", "i", "evil"], "env": {}}});
    let mut list = vec![];
    for (index, (item, kind, member)) in [
        (&call, "response.function_call_arguments", "arguments"),
        (&input, "response.custom_tool_call_input", "input"),
    ]
    .into_iter()
    .enumerate()
    {
        let whole = item[member].as_str().unwrap();
        let mut empty = item.clone();
        empty[member] = "".into();
        list.push(
            json!({"type": "response.output_item.added", "output_index": index, "item": empty}),
        );
        for piece in by(whole, size) {
            list.push(
                json!({"type": format!("{kind}.delta"), "output_index": index, "delta": piece}),
            );
        }
        list.push(json!({"type": format!("{kind}.done"), "output_index": index, member: whole}));
        list.push(
            json!({"type": "response.output_item.done", "output_index": index, "item": item}),
        );
    }
    list.push(json!({"type": "response.output_item.added", "output_index": 2, "item": shell}));
    list.push(json!({"type": "response.output_item.done", "output_index": 2, "item": shell}));
    list.push(json!({"type": "response.completed", "response": {"output": [call, input, shell]}}));
    let numbered = list.into_iter().enumerate().map(|(n, mut event)| {
        event["sequence_number"] = n.into();
        sse(&event)
    });
    numbered.collect()
}

#[test]
fn items_of_tools_are_refused_wherever_they_stand() {
    let arguments = json!({"command": ["bash", "-lc", SHELL], "workdir": "/"});
    for size in [1, 5, 1000] {
        let stream = response_calls(size);
        for piece in [1, 7, 40, 100_000] {
            let out = watched(responses(), &stream, piece, &mut Guard::default());
            assert!(
                !out.contains("i evil") && !out.contains("\"evil\""),
                "{out}"
            );
            let events = events(&out);
            let of = |kind: &str| {
                events
                    .iter()
                    .filter(|e| e["type"] == kind)
                    .collect::<Vec<_>>()
            };
            let text = |kind: &str, member: &str| -> String {
                of(kind)
                    .iter()
                    .filter_map(|e| e[member].as_str().map(str::to_owned))
                    .collect()
            };
            for given in [
                text("response.function_call_arguments.delta", "delta"),
                text("response.function_call_arguments.done", "arguments"),
                of("response.output_item.done")[0]["item"]["arguments"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
                of("response.completed")[0]["response"]["output"][0]["arguments"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            ] {
                assert_eq!(serde_json::from_str::<Value>(&given).unwrap(), arguments);
            }
            for given in [
                text("response.custom_tool_call_input.delta", "delta"),
                text("response.custom_tool_call_input.done", "input"),
                of("response.output_item.done")[1]["item"]["input"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
                of("response.completed")[0]["response"]["output"][1]["input"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            ] {
                assert_eq!(given, SHELL);
            }
            let words = json!(["sh", "-c", SHELL]);
            assert_eq!(
                of("response.output_item.added")[2]["item"]["action"]["command"],
                words
            );
            assert_eq!(
                of("response.completed")[0]["response"]["output"][2]["action"]["command"],
                words
            );
            let numbers = events
                .iter()
                .map(|e| e["sequence_number"].as_u64().unwrap());
            assert!(numbers.eq(0..events.len() as u64));
        }
    }
}
