//! Streams: what is restored is exact, whatever pieces it comes in, and all else stays as it was.

use serde_json::{Value, json};

use super::super::Usage;
use super::{samples::*, vault::*};

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
fn the_end_of_a_block_or_an_item_ends_its_text_alone() {
    let (vault, names) = Vault::of(&["v"]);
    let (head, tail) = names[0].split_at(9);
    let delta = |i: u64, text: &str| {
        sse(
            &json!({"type": "content_block_delta", "index": i, "delta": {"type": "text_delta", "text": text}}),
        )
    };
    let stop = |i: u64| sse(&json!({"type": "content_block_stop", "index": i}));
    let mut live = Live::new(anthropic(), vault);
    assert_eq!(live.push(&delta(0, head)) + &live.push(&delta(1, "C")), "");
    assert_eq!(live.push(&stop(1)), "");
    let out = live.push(&delta(0, tail));
    assert_eq!(
        out,
        delta(0, "v") + &delta(1, "C") + &stop(1) + &delta(0, "")
    );
    assert_eq!(live.push(&delta(2, "C")), "");
    assert_eq!(live.push(&stop(2)), delta(2, "C") + &stop(2));
    let (vault, _) = Vault::of(&["v"]);
    let mut live = Live::new(responses(), vault);
    let delta =
        sse(&json!({"type": "response.output_text.delta", "output_index": 1, "delta": "C"}));
    let done = sse(&json!({"type": "response.output_text.done", "output_index": 1, "text": "C"}));
    let note = sse(&json!({"type": "response.output_text.annotation.added", "output_index": 1}));
    assert_eq!(live.push(&delta) + &live.push(&note), "");
    assert_eq!(live.push(&done), delta + &note + &done);
}

#[test]
fn edits_of_one_event_may_come_in_any_order() {
    let (mut vault, names) = Vault::of(&["v"]);
    let (head, tail) = names[0].split_at(9);
    let chunk = |text: &str, name: &str| {
        format!(
            "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\",\"name\":\"{name}\"}}}}]}}\n\n"
        )
    };
    let stream = chunk(head, &names[0]) + &chunk(tail, "");
    assert_eq!(
        whole(chat(), &stream, &mut vault),
        chunk("v", "v") + &chunk("", "")
    );
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
