//! What is told and refused in streams: in whatever pieces they come, and with all that is repeated
//! in them.

mod calls;
mod pace;

use bytes::BytesMut;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    super::{Dialect, Restore, Watch},
    samples::*,
    vault::*,
};
use crate::seal::Placeholder;

const NOTICE: &str = "\n\n> evil is \"bad\" ⚠️ [mark]\n";
const REASON: &str = "it's evil";
const SHELL: &str = r"echo 'it'\''s evil' >&2; false";

/// Tells of `evil` once, and refuses commands that have it.
#[derive(Default)]
struct Guard {
    vault: Vault,
    told: bool,
    passages: usize,
}

impl Restore for Guard {
    fn value(&mut self, placeholder: &Placeholder) -> Option<Zeroizing<Vec<u8>>> {
        self.vault.value(placeholder)
    }

    fn mangled(&mut self, text: &[u8]) {
        self.vault.mangled(text);
    }
}

impl Watch for Guard {
    fn watches(&self) -> bool {
        true
    }

    fn passage(&mut self, markdown: &str) -> Option<String> {
        self.passages += 1;
        let tell = markdown.contains("evil") && !std::mem::replace(&mut self.told, true);
        tell.then(|| NOTICE.to_owned())
    }

    fn command(&mut self, command: &str) -> Option<String> {
        command.contains("i evil").then(|| REASON.to_owned())
    }
}

/// What a stream becomes that arrives in pieces of so many bytes.
fn watched(dialect: &dyn Dialect, stream: &str, size: usize, guard: &mut Guard) -> String {
    let mut reader = dialect.stream();
    let mut out = BytesMut::new();
    for piece in stream.as_bytes().chunks(size) {
        reader.push(piece, guard, &mut out);
    }
    reader.finish(guard, &mut out);
    String::from_utf8(out.to_vec()).unwrap()
}

/// A text in deltas of so many characters.
fn by(text: &str, size: usize) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(size).map(String::from_iter).collect()
}

/// Where the responses dialect repeats a text.
const REPEATS: [&str; 4] = [
    "/text",
    "/part/text",
    "/item/content/0/text",
    "/response/output/0/content/0/text",
];

#[test]
fn a_notice_stands_behind_the_fence_in_every_dialect() {
    for (text, expected) in [
        (
            "Run \"é\":\n```sh\nnpm i evil\n```\nDone.",
            "Run \"é\":\n```sh\nnpm i evil\n```§\nDone.",
        ),
        ("```sh\nnpm i evil\n```", "```sh\nnpm i evil\n```§"),
        (
            "a `evil`\n\n```\nevil\n```\n",
            "a `evil`\n§\n```\nevil\n```\n",
        ),
        ("evil", "evil§"),
    ] {
        let expected = expected.replace('§', NOTICE);
        for way in ways() {
            for size in [1, 2, 5, 7, 100] {
                let stream = (way.write)(&by(text, size));
                for piece in 1..=40 {
                    let out = watched(way.dialect, &stream, piece, &mut Guard::default());
                    assert_eq!(joined(&out, way.path), expected, "{size} {piece}");
                    if way.path == "/delta" {
                        for path in REPEATS {
                            assert_eq!(joined(&out, path), expected, "{path} {size} {piece}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_fine_goes_on_byte_for_byte() {
    let text = "# Hi\n\n```sh\nnpm i good\n```\n\n- a\n- `b`\n";
    for way in ways() {
        let stream = (way.write)(&by(text, 3));
        for piece in [1, 13, 40, 100_000] {
            let mut guard = Guard::default();
            assert_eq!(watched(way.dialect, &stream, piece, &mut guard), stream);
            assert!(guard.passages >= 3);
        }
    }
}

#[test]
fn placeholders_are_restored_beside_notices() {
    for way in ways() {
        let (vault, names) = Vault::of(&["va\"lue"]);
        let mut guard = Guard {
            vault,
            ..Guard::default()
        };
        let text = format!("{0}\n```\nevil {0}\n```\n{0}", names[0]);
        let stream = (way.write)(&by(&text, 4));
        let out = watched(way.dialect, &stream, 17, &mut guard);
        let expected = format!("va\"lue\n```\nevil va\"lue\n```{NOTICE}\nva\"lue");
        assert_eq!(joined(&out, way.path), expected);
        if way.path == "/delta" {
            for path in REPEATS {
                assert_eq!(joined(&out, path), expected, "{path}");
            }
        }
    }
}

#[test]
fn numbers_stay_without_gaps_when_an_event_is_added() {
    let item = json!({"type": "message", "content": [{"type": "output_text", "text": "an evil"}]});
    let event = |n: usize, mut event: Value| {
        event["sequence_number"] = n.into();
        sse(&event)
    };
    let delta = |text: &str| {
        json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 0,
               "delta": text, "logprobs": []})
    };
    let stream = [
        event(
            0,
            json!({"type": "response.created", "response": {"output": []}}),
        ),
        event(1, delta("an ")),
        event(2, delta("evil")),
        event(
            3,
            json!({"type": "response.output_text.done", "output_index": 0, "content_index": 0,
                        "text": "an evil"}),
        ),
        event(
            4,
            json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
        ),
        event(
            5,
            json!({"type": "response.completed", "response": {"output": [item]}}),
        ),
    ]
    .concat();
    let out = watched(responses(), &stream, 9, &mut Guard::default());
    let out = events(&out);
    let numbers: Vec<u64> = out
        .iter()
        .map(|e| e["sequence_number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(out[3]["delta"], NOTICE);
    assert_eq!(out[3]["type"], "response.output_text.delta");
    let whole = format!("an evil{NOTICE}");
    assert_eq!(out[4]["text"], whole);
    assert_eq!(out[6]["response"]["output"][0]["content"][0]["text"], whole);
}

#[test]
fn whole_answers_are_told_and_refused() {
    let guard = Guard::default;
    let read = |body: Option<Vec<u8>>| serde_json::from_slice::<Value>(&body.unwrap()).unwrap();
    let text = "```sh\nnpm i evil\n```\nDone";
    let told = text.replace("```\nDone", &format!("```{NOTICE}\nDone"));
    let arguments = json!({"command": "npm i evil"}).to_string();
    let refused = json!({"command": SHELL}).to_string();

    let answer = json!({"choices": [{"message": {"content": text, "tool_calls": [
        {"id": "1", "function": {"name": "Bash", "arguments": arguments}},
        {"id": "2", "custom": {"name": "bash", "input": "npm i evil"}}]}}]});
    let new = read(chat().watched(answer.to_string().as_bytes(), &mut guard()));
    let message = &new["choices"][0]["message"];
    assert_eq!(message["content"], told);
    assert_eq!(message["tool_calls"][0]["function"]["arguments"], refused);
    assert_eq!(message["tool_calls"][1]["custom"]["input"], SHELL);

    let answer = json!({"content": [{"type": "text", "text": text},
        {"type": "tool_use", "name": "Bash", "input": {"command": "npm i evil", "x": [1]}}]});
    let new = read(anthropic().watched(answer.to_string().as_bytes(), &mut guard()));
    assert_eq!(new["content"][0]["text"], told);
    assert_eq!(
        new["content"][1]["input"],
        json!({"command": SHELL, "x": [1]})
    );

    let answer = json!({"output": [
        {"type": "message", "content": [{"type": "output_text", "text": text}]},
        {"type": "function_call", "name": "x", "arguments": arguments},
        {"type": "shell_call", "action": {"commands": ["ls", "npm i evil"]}}]});
    let new = read(responses().watched(answer.to_string().as_bytes(), &mut guard()));
    assert_eq!(new["output"][0]["content"][0]["text"], told);
    assert_eq!(new["output"][1]["arguments"], refused);
    assert_eq!(new["output"][2]["action"]["commands"], json!(["ls", SHELL]));

    for dialect in [chat(), anthropic(), responses(), opaque()] {
        for body in [
            "",
            "{}",
            "[1",
            "{\"choices\":[{}],\"content\":5,\"output\":{}}",
        ] {
            assert_eq!(dialect.watched(body.as_bytes(), &mut guard()), None);
        }
    }
}
