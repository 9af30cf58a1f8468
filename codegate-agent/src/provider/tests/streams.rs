//! Streams: what is restored is exact, whatever pieces it comes in, and all else stays as it was.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::Usage;
use super::vault::*;

fn sse(event: &Value) -> String {
    match event["type"].as_str() {
        Some(kind) => format!("event: {kind}\ndata: {event}\n\n"),
        None => format!("data: {event}\n\n"),
    }
}

fn chat_chunk(delta: Value, finish: Value) -> String {
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

fn ways() -> [Way; 3] {
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

fn check(way: Way, given: &[String], expected: &str, vault: &mut Vault) -> String {
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

#[test]
fn every_split_of_two_placeholders_is_restored() {
    let values = ["pa\"ss\\wo\nrd \u{2028}😀", "ghp_x"];
    let (mut vault, names) = Vault::of(&values);
    let text = format!("é {}{} and CG_ {}!", names[0], names[1], names[0]);
    let expected = format!("é {}{} and CG_ {}!", values[0], values[1], values[0]);
    for way in ways() {
        for at in (0..=text.len()).filter(|&at| text.is_char_boundary(at)) {
            check(
                way,
                &[text[..at].into(), text[at..].into()],
                &expected,
                &mut vault,
            );
        }
        let single: Vec<String> = text.chars().map(String::from).collect();
        check(way, &single, &expected, &mut vault);
        let triple: Vec<String> = single.chunks(3).map(<[_]>::concat).collect();
        check(way, &triple, &expected, &mut vault);
    }
    assert!(vault.mangled.is_empty());
}

#[test]
fn only_deltas_change() {
    let (mut vault, names) = Vault::of(&["v"]);
    let (head, tail) = names[0].split_at(9);
    for way in ways() {
        let stream = (way.write)(&["a ".into(), format!("b {head}"), tail.into(), " c".into()]);
        let expected = (way.write)(&["a ".into(), "b v".into(), String::new(), " c".into()]);
        assert_eq!(whole(way.dialect, &stream, &mut vault), expected);
    }
}

#[test]
fn what_never_becomes_a_placeholder_stays_as_it_was() {
    let (mut vault, names) = Vault::of(&["v"]);
    let cut = &names[0][..names[0].len() - 1];
    let foreign = foreign();
    for text in [
        "ERROR",
        "C",
        "CG",
        "CG_",
        "CG_GITHUB_",
        "see CG_GITHUB_7Q4M and",
        "CCCG_",
        cut,
        &foreign,
    ] {
        for way in ways() {
            let single: Vec<String> = text.chars().map(String::from).collect();
            for given in [vec![text.to_owned()], single] {
                let stream = (way.write)(&given);
                assert_eq!(whole(way.dialect, &stream, &mut vault), stream, "{text}");
            }
        }
    }
}

#[test]
fn events_go_on_as_they_arrive() {
    for way in ways() {
        let (vault, names) = Vault::of(&["v"]);
        let (head, tail) = names[0].split_at(12);
        let stream = (way.write)(&[
            "one".into(),
            format!("two {head}"),
            tail.into(),
            "three C".into(),
            "D".into(),
        ]);
        let mut live = Live::new(way.dialect, vault);
        let mut waiting = 0;
        let mut most = 0;
        for event in stream.split_inclusive("\n\n") {
            let out = live.push(event);
            waiting = waiting + 1 - out.matches("\n\n").count();
            most = most.max(waiting);
            let holds =
                event.contains(head) && !event.contains(tail) || event.contains("three C\"");
            assert_eq!(waiting, usize::from(holds), "{event}");
        }
        assert_eq!(most, 1);
    }
}

#[test]
fn a_stream_that_breaks_off_loses_nothing() {
    let (mut vault, names) = Vault::of(&["v"]);
    for way in ways() {
        let stream = (way.write)(&["a".into(), names[0][..7].into()]);
        for at in 0..stream.len() {
            let (out, ..) = pass(way.dialect, [&stream.as_bytes()[..at]], &mut vault);
            assert_eq!(out, &stream.as_bytes()[..at]);
        }
    }
}

#[test]
fn choices_that_interleave_are_kept_apart() {
    let (mut vault, names) = Vault::of(&["first", "second"]);
    let chunk = |index: u32, text: &str, late: bool| match late {
        false => format!(
            "data: {{\"choices\":[{{\"index\":{index},\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n"
        ),
        true => format!(
            "data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}},\"index\":{index}}}]}}\n\n"
        ),
    };
    for late in [false, true] {
        let stream: String = names[0]
            .chars()
            .zip(names[1].chars())
            .map(|(a, b)| chunk(0, &a.to_string(), late) + &chunk(1, &b.to_string(), late))
            .collect();
        let out = whole(chat(), &stream, &mut vault);
        let text = |index: u64| -> String {
            events(&out)
                .iter()
                .filter(|e| e["choices"][0]["index"] == index)
                .map(|e| {
                    e["choices"][0]["delta"]["content"]
                        .as_str()
                        .unwrap()
                        .to_owned()
                })
                .collect()
        };
        assert_eq!((text(0), text(1)), ("first".into(), "second".into()));
    }
    let both = json!({"choices": [{"index": 0, "delta": {"content": names[0]}}, {"delta": {"content": names[1]}, "index": 1}]});
    let out = whole(chat(), &sse(&both), &mut vault);
    assert_eq!(joined(&out, "/choices/0/delta/content"), "first");
    assert_eq!(joined(&out, "/choices/1/delta/content"), "second");
}

#[test]
fn completions_of_three_are_restored() {
    let (mut vault, names) = Vault::of(&["v"]);
    let (a, b) = names[0].split_at(20);
    let chunk = |index: u64, text: &str| sse(&json!({"choices": [{"text": text, "index": index}]}));
    let stream = chunk(2, a) + &chunk(0, "x") + &chunk(2, b);
    let expected = chunk(2, "v") + &chunk(0, "x") + &chunk(2, "");
    assert_eq!(whole(chat(), &stream, &mut vault), expected);
}

#[test]
fn another_text_of_a_choice_ends_the_first() {
    let (vault, _) = Vault::of(&["v"]);
    let mut live = Live::new(chat(), vault);
    let first = chat_chunk(json!({"content": "ends in C"}), Value::Null);
    assert_eq!(live.push(&first), "");
    let empty = chat_chunk(json!({"content": null, "refusal": ""}), Value::Null);
    assert_eq!(live.push(&empty), "");
    let call = chat_chunk(
        json!({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{"}}]}),
        Value::Null,
    );
    assert_eq!(live.push(&call), first + &empty + &call);
}

#[test]
fn a_finish_reason_ends_only_its_choice() {
    let (vault, _) = Vault::of(&["v"]);
    let mut live = Live::new(chat(), vault);
    let chunk = |i: u64, text: &str, finish: Value| {
        sse(
            &json!({"choices": [{"index": i, "delta": {"content": text}, "finish_reason": finish}]}),
        )
    };
    let (a, b) = (chunk(0, "C", Value::Null), chunk(1, "CG", Value::Null));
    assert_eq!(live.push(&a) + &live.push(&b), "");
    let odd = chunk(0, "", json!(""));
    assert_eq!(live.push(&odd), "", "an empty reason is none");
    let end = chunk(0, "", json!("stop"));
    assert_eq!(live.push(&end), a, "the other still waits");
    let end_b = chunk(1, "x", json!("stop"));
    assert_eq!(live.push(&end_b), b + &odd + &end + &end_b);
}

#[test]
fn what_waits_too_long_is_let_go() {
    let (mut vault, names) = Vault::of(&["v"]);
    let (head, tail) = names[0].split_at(5);
    let first = chat_chunk(json!({"content": head}), Value::Null);
    let last = chat_chunk(json!({"content": tail}), Value::Null);
    let many = first.clone() + &": wait\n\n".repeat(300) + &last;
    assert_eq!(whole(chat(), &many, &mut vault), many);
    let large = first + &format!(": {}\n\n", "x".repeat(2 << 20)) + &last;
    assert_eq!(whole(chat(), &large, &mut vault), large);
}

#[test]
fn thoughts_are_never_changed() {
    let (mut vault, names) = Vault::of(&["v"]);
    let p = &names[0];
    let stream: String = [
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": p, "signature": p}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": p}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": p}}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "redacted_thinking", "data": p}}),
        json!({"type": "content_block_start", "index": 2, "content_block": {"type": "web_search_tool_result", "tool_use_id": p,
            "content": [{"type": "web_search_result", "encrypted_content": p}]}}),
    ].iter().map(sse).collect();
    assert_eq!(whole(anthropic(), &stream, &mut vault), stream);
    let stream: String = [
        json!({"type": "response.output_item.done", "output_index": 0, "item": {"type": "reasoning", "id": p, "encrypted_content": p}}),
        json!({"type": "response.completed", "response": {"id": p, "output": [{"type": "image_generation_call", "result": p}]}}),
        json!({"type": "response.audio.delta", "delta": p}),
    ].iter().map(sse).collect();
    assert_eq!(whole(responses(), &stream, &mut vault), stream);
}

#[test]
fn all_other_texts_of_events_are_restored() {
    let (mut vault, names) = Vault::of(&["a\"v"]);
    for (dialect, path, event) in [
        (
            anthropic(),
            "/delta/citation/cited_text",
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "citations_delta", "citation": {"cited_text": "P"}}}),
        ),
        (
            anthropic(),
            "/content_block/text",
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "P"}}),
        ),
        (
            anthropic(),
            "/content_block/input/k",
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "input": {"k": "P"}}}),
        ),
        (
            chat(),
            "/choices/0/delta/refusal",
            json!({"choices": [{"index": 0, "delta": {"refusal": "P"}}]}),
        ),
        (
            chat(),
            "/choices/0/delta/reasoning_content",
            json!({"choices": [{"index": 0, "delta": {"reasoning_content": "P"}}]}),
        ),
        (
            chat(),
            "/choices/0/delta/content/0/text",
            json!({"choices": [{"index": 0, "delta": {"content": [{"type": "text", "text": "P"}]}}]}),
        ),
        (
            responses(),
            "/delta",
            json!({"type": "response.refusal.delta", "output_index": 0, "delta": "P"}),
        ),
        (
            responses(),
            "/delta",
            json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "P"}),
        ),
        (
            responses(),
            "/refusal",
            json!({"type": "response.refusal.done", "output_index": 0, "refusal": "P"}),
        ),
        (
            responses(),
            "/response/instructions",
            json!({"type": "response.created", "response": {"instructions": "P"}}),
        ),
        (
            responses(),
            "/item/action/command/0",
            json!({"type": "response.output_item.done", "item": {"type": "local_shell_call", "action": {"command": ["P"]}}}),
        ),
        (
            responses(),
            "/novelty/x",
            json!({"type": "response.new.thing", "novelty": {"x": "P"}}),
        ),
    ] {
        let stream = sse(&event).replace("\"P\"", &format!("\"P {}\"", names[0]));
        assert_eq!(
            joined(&whole(dialect, &stream, &mut vault), path),
            "P a\"v",
            "{event}"
        );
    }
}

#[test]
fn mangled_placeholders_are_told_once_and_left() {
    let (_, names) = Vault::of(&["v"]);
    let mangled = names[0].to_lowercase();
    for way in ways() {
        for size in [1, 3, 100] {
            let mut vault = Vault::default();
            let text = format!("{}{mangled} and on", "x".repeat(1000));
            let given: Vec<String> = text
                .as_bytes()
                .chunks(size)
                .map(|c| String::from_utf8(c.to_vec()).unwrap())
                .collect();
            let stream = (way.write)(&given);
            assert_eq!(whole(way.dialect, &stream, &mut vault), stream);
            assert_eq!(vault.mangled, [mangled.as_str()], "{size}");
        }
    }
}

#[test]
fn model_and_usage_are_read_in_passing() {
    let mut vault = Vault::default();
    let expected = [
        (
            "gpt-x-1",
            Usage {
                input: 10,
                output: 5,
                cached: 4,
            },
        ),
        (
            "claude-x-1",
            Usage {
                input: 12,
                output: 15,
                cached: 4,
            },
        ),
        (
            "gpt-y-1",
            Usage {
                input: 8,
                output: 9,
                cached: 6,
            },
        ),
    ];
    for (way, (name, tokens)) in ways().into_iter().zip(expected) {
        let stream = (way.write)(&["hi".into()]);
        let (_, model, usage) = pass(way.dialect, [stream.as_bytes()], &mut vault);
        assert_eq!((model.as_deref(), usage), (Some(name), tokens));
    }
}

#[test]
fn odd_ways_of_writing_events_are_read() {
    let (mut vault, names) = Vault::of(&["v"]);
    let (a, b) = names[0].split_at(8);
    let chunk =
        |text: &str| json!({"choices": [{"index": 0, "delta": {"content": text}}]}).to_string();
    let lines = |json: &str| json.replace(":[", ":[\ndata:");
    for write in [
        (|json: &str| format!("data: {json}\r\n\r\n")) as fn(&str) -> String,
        |json| format!("data:{json}\r\r"),
        |json| format!("\u{feff}: c\nid: 7\nevent: message\ndata: {json}\nretry: 3\n\n"),
    ] {
        let stream = write(&chunk(a)) + &write(&chunk(b));
        assert_eq!(
            whole(chat(), &stream, &mut vault),
            write(&chunk("v")) + &write(&chunk(""))
        );
    }
    let write = |text: &str| format!("data: {}\n\n", lines(&chunk(text)));
    assert_eq!(
        whole(chat(), &(write(a) + &write(b)), &mut vault),
        write("v") + &write("")
    );
    let unfinished = format!("data: {}", chunk(&names[0]));
    assert_eq!(
        whole(chat(), &unfinished, &mut vault),
        format!("data: {}", chunk("v"))
    );
}

#[test]
fn escapes_in_deltas_are_seen_through() {
    let (mut vault, names) = Vault::of(&["v"]);
    let escaped = names[0].replace('_', "\\u005f");
    let (a, b) = escaped.split_at(escaped.len() - 3);
    let chunk = |text: &str| {
        format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
    };
    let stream = chunk(&format!("\\u00e9\\n{a}")) + &chunk(&format!("{b}\\\"x"));
    assert_eq!(
        whole(chat(), &stream, &mut vault),
        chunk("\\u00e9\\nv") + &chunk("\\\"x")
    );
}

#[test]
fn streams_of_unknown_dialects_are_restored() {
    let (mut vault, names) = Vault::of(&["a\"\n{v"]);
    let p = &names[0];
    for (given, expected) in [
        (format!("{{\"response\":\"{p}\"}}\n{{\"x\":1}}\n"), "{\"response\":\"a\\\"\\n{v\"}\n{\"x\":1}\n".to_owned()),
        (format!("[{{\n  \"text\": \"{p}\"\n}}\n,\n{{\"y\": \"{{\\\"z\\\":\\\"{p}\\\"}}\"}}]"),
            "[{\n  \"text\": \"a\\\"\\n{v\"\n}\n,\n{\"y\": \"{\\\"z\\\":\\\"a\\\\\\\"\\\\n{v\\\"}\"}]".to_owned()),
        (format!("plain {p} text"), "plain a\"\n{v text".to_owned()),
        (format!("data: {{\"any\":{{\"thing\":[\"{p}\"]}}}}\n\n"), "data: {\"any\":{\"thing\":[\"a\\\"\\n{v\"]}}\n\n".to_owned()),
        (format!("data: plain {p}!\n\n"), "data: plain a\"\ndata: {v!\n\n".to_owned()),
    ] {
        assert_eq!(whole(opaque(), &given, &mut vault), expected);
        for at in 0..given.len() {
            let (out, ..) = pass(opaque(), [&given.as_bytes()[..at], &given.as_bytes()[at..]], &mut vault);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{at}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_value_in_any_split_comes_back(
        value in "[\\PC\"\\\\\n\r\t\u{2028}😀]{1,20}", before in "[\\PC\nCG_]{0,10}", after in "[\\PC\"CG_7Q]{0,10}",
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let (mut vault, names) = Vault::of(&[&value]);
        // A text that looks like JSON gets JSON's escapes: another test's matter.
        let text = format!("- {before}{}{after}", names[0]);
        let expected = format!("- {before}{value}{after}");
        for way in ways() {
            check(way, &deltas(&text, &cuts), &expected, &mut vault);
        }
    }

    #[test]
    fn any_pieces_give_the_same_bytes(
        value in "[\\PC\"\\\\\n]{1,20}", crlf in any::<bool>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        packets in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let (mut vault, names) = Vault::of(&[&value]);
        for way in ways() {
            let mut stream = (way.write)(&deltas(&format!("é{} {}😀", names[0], names[0]), &cuts));
            if crlf {
                stream = stream.replace("\n\n", "\r\n\r\n");
            }
            let (one, model, usage) = pass(way.dialect, [stream.as_bytes()], &mut vault);
            let (many, ..) = pass(way.dialect, pieces(stream.as_bytes(), &packets), &mut vault);
            prop_assert_eq!(&one, &many);
            let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
            let (each, each_model, each_usage) = pass(way.dialect, bytes, &mut vault);
            prop_assert_eq!(&one, &each);
            prop_assert_eq!((model, usage), (each_model, each_usage));
        }
    }

    #[test]
    fn what_needs_no_edit_is_passed_on_byte_for_byte(
        text in "[\\PCCG_\n\"\\\\]{0,60}", cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        packets in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let mut vault = Vault::default();
        for way in ways() {
            let stream = (way.write)(&deltas(&text, &cuts));
            let (out, ..) = pass(way.dialect, pieces(stream.as_bytes(), &packets), &mut vault);
            prop_assert_eq!(String::from_utf8(out).unwrap(), stream);
        }
    }

    #[test]
    fn arbitrary_bytes_pass(
        stream in prop::collection::vec(prop_oneof![any::<u8>().prop_map(|b| vec![b]), prop::sample::select(vec![
            b"data: ".to_vec(), b"\n\n".to_vec(), b"{\"choices\":[{\"delta\":{\"content\":\"CG_".to_vec(), b"\"}}]}\n\n".to_vec(),
            b"\r\n".to_vec(), b"event: x\n".to_vec(), b"{\"type\":\"content_block_delta\",\"delta\":{\"text\":\"C".to_vec(), b"\"}}".to_vec(),
            b"{\"type\":\"x.done\"}".to_vec(), b"CG_GITHUB_".to_vec(),
        ])], 0..40).prop_map(|parts| parts.concat()),
        packets in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let mut vault = Vault::default();
        for dialect in [chat(), anthropic(), responses(), opaque()] {
            let (out, ..) = pass(dialect, pieces(&stream, &packets), &mut vault);
            prop_assert_eq!(&out, &stream);
        }
    }
}
