//! What waits and what does not: text, and every other event, comes out with its last byte, whatever
//! a call is waiting for beside it; and nothing changes its order but what overtakes such a call.

use super::*;

/// An event of a stream, and the call that it belongs to if it may have to wait.
struct Step {
    event: Value,
    /// Where in the event the call's arguments stand.
    call: Option<&'static str>,
    /// Whether the arguments are whole with it.
    last: bool,
}

/// One dialect's stream, in which texts and a call for a shell come mixed.
struct Mixed {
    dialect: &'static dyn Dialect,
    numbered: bool,
    steps: Vec<Step>,
}

fn now(event: Value) -> Step {
    let (call, last) = (None, false);
    Step { event, call, last }
}

/// What a model says while it writes a call.
const SAYS: &str = "größer: run “it”\n\n```sh\nls -la\n```\n\n- fine `x`\n";

/// Puts the deltas of a text between those of a call, and both between the rest.
fn mixed(
    (dialect, numbered): (&'static dyn Dialect, bool),
    (begin, end): (Vec<Value>, Vec<Value>),
    at: &'static str,
    (text, call): (impl Fn(&str) -> Vec<Value>, impl Fn(&str) -> Value),
    (arguments, size): (&str, usize),
) -> Mixed {
    let mut steps: Vec<Step> = begin.into_iter().map(now).collect();
    let mut pieces = by(arguments, size).into_iter().peekable();
    let mut words = by(SAYS, 3).into_iter().cycle();
    while let Some(piece) = pieces.next() {
        steps.push(Step {
            event: call(&piece),
            call: Some(at),
            last: pieces.peek().is_none(),
        });
        steps.extend(text(&words.next().unwrap()).into_iter().map(now));
    }
    steps.extend(end.into_iter().map(now));
    Mixed {
        dialect,
        numbered,
        steps,
    }
}

fn chats(arguments: &str, size: usize) -> Mixed {
    let chunk = |choice: u32, delta: Value, reason: Value| json!({"id": "c", "choices": [{"index": choice, "delta": delta, "finish_reason": reason}]});
    let said = |delta| chunk(0, delta, Value::Null);
    let call = |index: u32, function: Value| {
        said(json!({"tool_calls": [{"index": index, "function": function}]}))
    };
    mixed(
        (chat(), false),
        (
            vec![
                said(json!({"role": "assistant", "content": ""})),
                call(0, json!({"name": "Bash", "arguments": ""})),
                call(1, json!({"name": "Read", "arguments": "{\"path\":"})),
            ],
            vec![
                call(1, json!({"arguments": " \"/x\"}"})),
                chunk(0, json!({}), json!("tool_calls")),
                json!({"id": "c", "choices": [], "usage": {"prompt_tokens": 1}}),
            ],
        ),
        "/choices/0/delta/tool_calls/0/function/arguments",
        (
            |text| {
                vec![
                    said(json!({"content": text})),
                    said(json!({"reasoning_content": text})),
                    chunk(1, json!({"content": text}), Value::Null),
                ]
            },
            |piece| call(0, json!({"arguments": piece})),
        ),
        (arguments, size),
    )
}

fn messages(arguments: &str, size: usize) -> Mixed {
    let delta = |index: u32, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    let start = |index: u32, block: Value| json!({"type": "content_block_start", "index": index, "content_block": block});
    let stop = |index: u32| json!({"type": "content_block_stop", "index": index});
    mixed(
        (anthropic(), false),
        (
            vec![
                json!({"type": "message_start", "message": {"id": "m", "content": []}}),
                start(0, json!({"type": "text", "text": ""})),
                start(
                    1,
                    json!({"type": "tool_use", "id": "t", "name": "Bash", "input": {}}),
                ),
            ],
            vec![
                stop(1),
                stop(0),
                json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}}),
                json!({"type": "message_stop"}),
            ],
        ),
        "/delta/partial_json",
        (
            |text| {
                vec![
                    delta(0, json!({"type": "text_delta", "text": text})),
                    json!({"type": "ping"}),
                    delta(2, json!({"type": "thinking_delta", "thinking": text})),
                ]
            },
            |piece| {
                delta(
                    1,
                    json!({"type": "input_json_delta", "partial_json": piece}),
                )
            },
        ),
        (arguments, size),
    )
}

fn items(arguments: &str, size: usize) -> Mixed {
    let event = |kind: &str, index: u32, member: &str, value: Value| json!({"type": format!("response.{kind}"), "output_index": index, member: value});
    let item = |arguments: &str| json!({"type": "function_call", "name": "shell", "call_id": "1", "arguments": arguments});
    mixed(
        (responses(), true),
        (
            vec![
                json!({"type": "response.created", "response": {"id": "r", "output": []}}),
                event("output_item.added", 0, "item", json!({"type": "message"})),
                event("output_item.added", 1, "item", item("")),
            ],
            vec![
                event("output_text.done", 0, "text", json!("")),
                event(
                    "output_item.done",
                    2,
                    "item",
                    json!({"type": "reasoning", "summary": []}),
                ),
            ],
        ),
        "/delta",
        (
            |text| {
                vec![
                    event("output_text.delta", 0, "delta", text.into()),
                    event("reasoning_summary_text.delta", 2, "delta", text.into()),
                ]
            },
            |piece| event("function_call_arguments.delta", 1, "delta", piece.into()),
        ),
        (arguments, size),
    )
}

impl Mixed {
    /// An event as it is written in a place of the stream.
    fn written(&self, event: &Value, place: usize) -> String {
        let mut event = event.clone();
        if self.numbered {
            event["sequence_number"] = place.into();
        }
        sse(&event)
    }

    /// Which events are to be out once the first so many have arrived.
    fn out(&self, arrived: usize) -> Vec<usize> {
        let (mut out, mut waiting) = (Vec::new(), Vec::new());
        for (n, step) in self.steps.iter().enumerate().take(arrived) {
            match step.call {
                Some(_) => waiting.push(n),
                None => out.push(n),
            }
            if step.last {
                out.append(&mut waiting);
            }
        }
        out
    }

    /// Has the stream arrive in pieces of so many bytes. What is out after each piece is what `read`
    /// makes of the events that are to be out by then.
    fn check(&self, size: usize, read: impl Fn(&str) -> String) {
        let written: Vec<String> = self
            .steps
            .iter()
            .enumerate()
            .map(|(n, step)| self.written(&step.event, n))
            .collect();
        let (mut arrived, mut bytes, mut end) = (0, 0, written[0].len());
        let (mut reader, mut guard) = (self.dialect.stream(), Guard::default());
        let mut out = BytesMut::new();
        for piece in written.concat().as_bytes().chunks(size) {
            let before = (arrived, out.len());
            reader.push(piece, &mut guard, &mut out);
            bytes += piece.len();
            while arrived < written.len() && end <= bytes {
                arrived += 1;
                end += written.get(arrived).map_or(0, String::len);
            }
            if (arrived, out.len()) == before {
                continue;
            }
            let events = self.out(arrived).into_iter().enumerate();
            let events = events.map(|(place, n)| self.written(&self.steps[n].event, place));
            let expected = read(&events.collect::<String>());
            assert_eq!(read(std::str::from_utf8(&out).unwrap()), expected);
        }
        assert_eq!(arrived, written.len());
        let length = out.len();
        reader.finish(&mut guard, &mut out);
        assert_eq!(out.len(), length, "something was left");
    }
}

const WAYS: [fn(&str, usize) -> Mixed; 3] = [chats, messages, items];

#[test]
fn nothing_is_held_back_but_calls_and_all_keeps_its_order() {
    let arguments = json!({"command": "cd \"ö\" && npm i good", "timeout": 5}).to_string();
    for way in WAYS {
        for delta in [2, 7, 1000] {
            let mixed = way(&arguments, delta);
            for size in 1..=40 {
                mixed.check(size, str::to_owned);
            }
        }
    }
}

#[test]
fn a_refused_call_comes_out_where_it_would_have() {
    let arguments = json!({"command": "npm i evil", "timeout": 5}).to_string();
    let refused = json!({"command": SHELL, "timeout": 5}).to_string();
    for way in WAYS {
        for delta in [7, 1000] {
            let mixed = way(&arguments, delta);
            let at = mixed.steps.iter().find_map(|step| step.call).unwrap();
            for size in 1..=40 {
                mixed.check(size, |stream| shape(stream, at));
            }
            let whole = mixed.steps.iter().enumerate();
            let stream: String = whole.map(|(n, s)| mixed.written(&s.event, n)).collect();
            let out = watched(mixed.dialect, &stream, 7, &mut Guard::default());
            assert!(said(&out, at).contains(&refused), "{out}");
        }
    }
}

/// The events of a stream without what their calls say.
fn shape(stream: &str, at: &str) -> String {
    let mut events = events(stream);
    for event in events.iter_mut().filter(|event| is_shell(event)) {
        if let Some(arguments) = event.pointer_mut(at) {
            *arguments = Value::Null;
        }
    }
    format!("{events:#?}")
}

/// What the shell's call says.
fn said(stream: &str, at: &str) -> String {
    let events = events(stream).into_iter().filter(is_shell);
    let pieces = events.filter_map(|event| event.pointer(at)?.as_str().map(str::to_owned));
    pieces.collect()
}

/// Whether an event with a delta is of the call that is the shell's.
fn is_shell(event: &Value) -> bool {
    match event["type"].as_str() {
        Some(kind) => kind.ends_with("arguments.delta") || event["index"] == 1,
        None => event
            .pointer("/choices/0/delta/tool_calls/0/index")
            .is_some_and(|n| *n == 0),
    }
}
