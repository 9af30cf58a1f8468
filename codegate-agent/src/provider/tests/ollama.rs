//! Ollama's dialect: lines of JSON.

use serde_json::{Value, json};

use super::{super::Usage, vault::*};
use crate::provider::{Dialect, route};

fn chat() -> &'static dyn Dialect {
    route("ollama", "POST", "/api/chat").dialect
}

fn line(member: &str, text: &str) -> String {
    let said = match member {
        "response" => json!({"model": "m", "created_at": "t", "response": text, "done": false}),
        _ => json!({"model": "m", "created_at": "t", "done": false,
            "message": {"role": "assistant", member: text}}),
    };
    format!("{said}\n")
}

fn last() -> String {
    let last = json!({"model": "m", "created_at": "t", "done": true, "done_reason": "stop",
        "message": {"role": "assistant", "content": ""}, "prompt_eval_count": 7, "eval_count": 3});
    format!("{last}\n")
}

/// What the lines say together, and how many there are.
fn said(stream: &str, path: &str) -> (String, usize) {
    let lines = stream
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<Value> = lines.collect();
    let text = lines.iter().filter_map(|line| line.pointer(path)?.as_str());
    (text.collect(), lines.len())
}

#[test]
fn placeholders_are_restored_wherever_lines_cut_them() {
    let values = ["pa\"ss\\wo\nrd \u{2028}😀", "ghp_x"];
    let (mut vault, names) = Vault::of(&values);
    let text = format!("é {}{} and CG_ {}!", names[0], names[1], names[0]);
    let expected = format!("é {}{} and CG_ {}!", values[0], values[1], values[0]);
    for (member, path) in [
        ("content", "/message/content"),
        ("thinking", "/message/thinking"),
        ("response", "/response"),
    ] {
        for at in (0..=text.len()).filter(|&at| text.is_char_boundary(at)) {
            let stream = line(member, &text[..at]) + &line(member, &text[at..]) + &last();
            let (out, model, usage) = pass(chat(), [stream.as_bytes()], &mut vault);
            let out = String::from_utf8(out).unwrap();
            assert_eq!(said(&out, path), (expected.clone(), 3), "{at}");
            assert_eq!(model.as_deref(), Some("m"));
            assert_eq!(
                usage,
                Usage {
                    input: 7,
                    output: 3,
                    cached: 0
                }
            );
            let octets: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
            let (each, ..) = pass(chat(), octets, &mut vault);
            assert_eq!(String::from_utf8(each).unwrap(), out);
        }
    }
}

#[test]
fn lines_without_placeholders_stay_and_do_not_wait() {
    let (vault, names) = Vault::of(&["v"]);
    let mut live = Live::new(chat(), vault);
    let first = line("content", "hello ");
    assert_eq!(live.push(&first), first);
    let (head, tail) = names[0].split_at(9);
    assert_eq!(live.push(&line("content", &format!("a {head}"))), "");
    let out = live.push(&line("content", tail));
    assert_eq!(out, line("content", "a v") + &line("content", ""));
    assert_eq!(live.push(&last()), last());
}

#[test]
fn what_is_no_line_of_json_passes() {
    let mut vault = Vault::default();
    for stream in [
        "",
        "\n",
        "{\"error\":\"x\"}",
        "no json\r\n{}\r\n",
        "{\"done\":",
    ] {
        assert_eq!(whole(chat(), stream, &mut vault), stream);
    }
}

#[test]
fn a_line_without_its_end_is_restored_as_well() {
    let (mut vault, names) = Vault::of(&["v"]);
    let stream = line("response", &names[0]);
    let out = whole(chat(), stream.trim_end(), &mut vault);
    assert_eq!(out, line("response", "v").trim_end());
}

#[test]
fn a_call_s_arguments_are_restored() {
    let (mut vault, names) = Vault::of(&["v\""]);
    let call = |key: &str| {
        let call = json!({"function": {"name": "f", "arguments": {"key": key}}});
        format!(
            "{}\n",
            json!({"message": {"role": "assistant", "content": "", "tool_calls": [call]}})
        )
    };
    assert_eq!(whole(chat(), &call(&names[0]), &mut vault), call("v\""));
}

#[test]
fn prompts_are_text_and_pictures_are_not() {
    for (path, body, expected) in [
        (
            "/api/chat",
            json!({"model": "m", "messages": [{"role": "user", "content": "one", "images": ["aGk="]}],
                "tools": [{"function": {"description": "two"}}]}),
            &["one", "two"][..],
        ),
        (
            "/api/generate",
            json!({"model": "m", "prompt": "one", "system": "two", "suffix": "three", "context": [1],
                "images": ["aGk="]}),
            &["one", "two", "three"],
        ),
    ] {
        let route = route("ollama", "POST", path);
        assert!(
            route.inference && route.dialect.name() == "ollama",
            "{path}"
        );
        let request = route.dialect.request(body.to_string().as_bytes()).unwrap();
        let text = String::from_utf8_lossy(request.text.bytes()).into_owned();
        assert!(expected.iter().all(|word| text.contains(word)), "{text}");
        assert!(!text.contains("aGk="), "{text}");
        assert_eq!(request.model.as_deref(), Some("m"));
    }
    assert_eq!(
        route("ollama", "POST", "/v1/chat/completions")
            .dialect
            .name(),
        "openai-chat"
    );
    assert_eq!(route("ollama", "POST", "/api/embed").dialect.name(), "json");
    assert!(!route("ollama", "POST", "/api/show").inference);
    assert!(!route("openai", "POST", "/api/chat").inference);
}
