//! What the predecessor got wrong, row by row (its rows 8 and 12 to 22 that are about pure functions
//! have unit tests beside them as well). Each runs through the whole guard.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::time::Duration;

use lab::{Agent, Arrived, Asked, Dialect, Lab, Say, Turn, clients, events, placeholders, samples};
use serde_json::{Value, json};

fn guarded(
    lab: &Lab,
    script: impl Fn(&Asked) -> Turn + Clone + Send + Sync + 'static,
) -> Agent<'_> {
    for host in [Dialect::Chat.host(), Dialect::Messages.host()] {
        lab.ai(host, script.clone());
    }
    lab.agent().start()
}

fn post(lab: &Lab, dialect: Dialect, body: &Value) -> String {
    clients::post(&lab.guarded(), &dialect.url(), &body.to_string())
        .run()
        .ok()
        .text()
}

/// Asks, streaming and not, in every dialect; what is said must be what was asked.
#[track_caller]
fn echoes(lab: &Lab, text: &str) {
    for dialect in Dialect::ALL {
        for stream in [false, true] {
            let answer = post(lab, dialect, &dialect.request(text, stream));
            assert_eq!(
                dialect.said(&answer, stream),
                text,
                "{dialect:?}, stream {stream}"
            );
        }
    }
}

fn last(lab: &Lab) -> Arrived {
    lab.journal().requests().pop().unwrap()
}

#[test]
fn row_01_the_same_secret_twice_in_one_message_is_sealed_twice() {
    let lab = Lab::new();
    let _agent = guarded(&lab, Turn::echo);
    let token = samples::github(1);
    echoes(&lab, &format!("{token} and {token}, {token}"));
    lab.journal().never_saw(token.as_bytes());
    let sent = placeholders(&last(&lab).text());
    assert_eq!(sent.len(), 3, "{sent:?}");
    assert!(
        sent.iter().all(|placeholder| *placeholder == sent[0]),
        "{sent:?}"
    );
}

#[test]
fn row_02_no_line_of_a_pem_key_leaks() {
    let lab = Lab::new();
    let _agent = guarded(&lab, Turn::echo);
    let key = samples::pem();
    for text in [
        key.clone(),
        format!("key:\n{key}\n"),
        key.replace('\n', "\r\n"),
    ] {
        echoes(&lab, &text);
    }
    for line in key.lines().filter(|line| !line.starts_with('-')) {
        lab.journal().never_saw(line.as_bytes());
    }
}

#[test]
fn row_03_odd_separators_before_a_secret_do_not_move_the_edit() {
    let lab = Lab::new();
    let _agent = guarded(&lab, Turn::echo);
    let token = samples::github(3);
    for odd in [
        "\u{2028}", "\u{2029}", "\u{c}", "\u{85}", "\u{b}", "😀", "\u{0}",
    ] {
        let text = format!("a{odd}b {odd} {token} {odd}c");
        echoes(&lab, &text);
        let sent = last(&lab).json()["messages"][0]["content"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(sent, text.replace(&token, &placeholders(&sent)[0]));
    }
    lab.journal().never_saw(token.as_bytes());
}

#[test]
fn row_04_secrets_outside_the_last_message_are_sealed_too() {
    let lab = Lab::new();
    let _agent = guarded(&lab, |_| Turn::text("fine"));
    let tokens: Vec<String> = (40..46).map(samples::github).collect();
    let schema = json!({"type": "object", "properties": {}});
    let messages = json!({
        "model": "claude-sonnet-4-5", "max_tokens": 10,
        "system": [{"type": "text", "text": format!("Use {}", tokens[0])}],
        "tools": [{"name": "t", "description": format!("With {}", tokens[1]), "input_schema": schema}],
        "messages": [
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": [
                {"type": "text", "text": format!("I use {}", tokens[2])},
                {"type": "tool_use", "id": "toolu_1", "name": "t", "input": {"a": [tokens[3]]}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "done"},
            ]},
        ],
    });
    post(&lab, Dialect::Messages, &messages);
    let arguments =
        json!({"a": tokens[5], "nested": json!({"b": tokens[3]}).to_string()}).to_string();
    let chat = json!({
        "model": "gpt-5",
        "tools": [{"type": "function", "function": {
            "name": "t", "description": format!("With {}", tokens[1]), "parameters": schema,
        }}],
        "messages": [
            {"role": "system", "content": format!("Use {}", tokens[0])},
            {"role": "user", "content": [{"type": "text", "text": tokens[4]}]},
            {"role": "assistant", "content": format!("I use {}", tokens[2]), "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "t", "arguments": arguments}},
            ]},
            {"role": "tool", "tool_call_id": "c", "content": format!("read {}", tokens[5])},
            {"role": "user", "content": "go on"},
        ],
    });
    post(&lab, Dialect::Chat, &chat);
    for token in &tokens {
        lab.journal().never_saw(token.as_bytes());
    }
    let sent = last(&lab).json();
    let arguments = sent["messages"][2]["tool_calls"][0]["function"]["arguments"]
        .as_str()
        .unwrap();
    let arguments: Value = serde_json::from_str(arguments).unwrap();
    assert_eq!(
        placeholders(arguments["nested"].as_str().unwrap()).len(),
        1,
        "{arguments}"
    );
}

#[test]
fn row_05_a_request_that_a_schema_would_refuse_leaks_nothing() {
    let lab = Lab::new();
    let _agent = guarded(&lab, |_| Turn::text("fine"));
    let token = samples::github(5);
    let part = json!({"type": "file", "file": {"filename": token, "file_id": "f"}});
    for body in [
        json!({"model": "gpt-5", "messages": [{"role": "wizard", "content": token}]}),
        json!({"messages": [{"role": "user", "content": token}]}),
        json!({"model": "gpt-5", "messages": [{"role": "user", "content": [part, {"text": token}]}]}),
        json!({"model": 5, "messages": {"content": token}}),
        json!([{"role": "user", "content": token}]),
        json!(token),
    ] {
        for dialect in Dialect::ALL {
            clients::post(&lab.guarded(), &dialect.url(), &body.to_string())
                .run()
                .ok();
            let whole = body.to_string();
            let cut = &whole[..whole.len() - 1];
            clients::post(&lab.guarded(), &dialect.url(), cut)
                .run()
                .ok();
        }
    }
    lab.journal().never_saw(token.as_bytes());
}

#[test]
fn row_06_a_query_string_or_a_new_endpoint_makes_no_difference() {
    let lab = Lab::new();
    let _agent = guarded(&lab, Turn::echo);
    let token = samples::github(6);
    for dialect in Dialect::ALL {
        let url = format!("{}?beta=true&api-version=7", dialect.url());
        let body = dialect.request(&token, false).to_string();
        let answer = clients::post(&lab.guarded(), &url, &body).run().ok().text();
        assert_eq!(dialect.said(&answer, false), token, "{dialect:?}");
        let host = dialect.host();
        clients::post(
            &lab.guarded(),
            &format!("https://{host}/v1/brand/new"),
            &body,
        )
        .run()
        .ok();
    }
    assert_eq!(lab.journal().requests().len(), 6);
    lab.journal().never_saw(token.as_bytes());
}

#[test]
fn row_07_a_chunked_request_is_read_whole_before_any_of_it_leaves() {
    const PROGRAM: &str = "
import http.client, os, sys, time
body = sys.stdin.buffer.read()
half = len(body) // 2
def parts():
    yield body[:half]
    print('half is sent', file=sys.stderr, flush=True)
    time.sleep(0.6)
    yield body[half:]
c = http.client.HTTPSConnection('api.openai.com')
c.request('POST', '/v1/chat/completions', parts(), {'content-type': 'application/json'}, encode_chunked=True)
sys.stdout.write(c.getresponse().read().decode())
";
    let lab = Lab::new();
    let _agent = guarded(&lab, Turn::echo);
    let token = samples::github(7);
    let text = format!("{token} {} {token}", "filler ".repeat(2000));
    let body = Dialect::Chat.request(&text, false).to_string();
    let client = clients::python(&lab.guarded(), PROGRAM).input(body).start();
    while client.stderr().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut early = Vec::new();
    for _ in 0..30 {
        std::thread::sleep(Duration::from_millis(10));
        early.extend(lab.journal().connections().iter().map(|c| c.wire().len()));
    }
    assert!(
        !early.is_empty(),
        "upstream is dialled before the body is read"
    );
    let answer = client.wait(Duration::from_secs(10)).ok().text();
    assert_eq!(Dialect::Chat.said(&answer, false), text);
    assert!(
        early.iter().all(|bytes| *bytes == 0),
        "forwarded early: {early:?}"
    );
    lab.journal().never_saw(token.as_bytes());
}

#[test]
fn row_08_the_formats_it_missed_are_found() {
    let lab = Lab::new();
    let _agent = guarded(&lab, Turn::echo);
    let (anthropic, hugging) = (samples::anthropic(8), samples::hugging_face(8));
    let (password, hex) = (samples::password(8), samples::hex(8));
    echoes(&lab, &format!("ANTHROPIC_API_KEY={anthropic}"));
    echoes(&lab, &format!("use {hugging} please"));
    echoes(&lab, &format!("user: app\npassword: {password}\n"));
    echoes(&lab, &format!("{{\"api_key\": \"{hex}\"}}"));
    for secret in [anthropic, hugging, password, hex] {
        lab.journal().never_saw(secret.as_bytes());
    }
}

#[test]
fn row_09_two_placeholders_in_one_chunk_are_both_restored() {
    let lab = Lab::new();
    let _agent = guarded(&lab, |asked| Turn::echo(asked).step(100_000));
    let text = format!(
        "{}{}",
        samples::github(90),
        format_args!(" {} end", samples::github(91))
    );
    echoes(&lab, &text);
    assert_eq!(placeholders(&last(&lab).text()).len(), 2);
}

#[test]
fn row_10_what_only_begins_like_a_placeholder_is_passed_on_whole() {
    let lab = Lab::new();
    let _agent = guarded(&lab, |asked| Turn::echo(asked).step(1));
    for end in [
        "ERROR",
        "C",
        "CG",
        "CG_",
        "CG_GITHUB",
        "CG_GITHUB_",
        "CG_GITHUB_7Q4M2K9XW8T3",
        "#",
        "REDACTED<$",
    ] {
        let text = format!("It ends in {end}");
        echoes(&lab, &text);
        let answer = post(&lab, Dialect::Chat, &Dialect::Chat.request(&text, true));
        let finish = |e: &Value| e["choices"][0]["finish_reason"] == "stop";
        assert!(events(&answer).iter().any(finish), "{answer}");
        assert!(answer.ends_with("data: [DONE]\n\n"), "{answer}");
    }
}

#[test]
fn row_11_placeholders_in_streamed_tool_calls_are_restored_in_place() {
    let lab = Lab::new();
    let _agent = guarded(&lab, |asked| {
        let command = |text: &str| json!({"command": format!("echo \"{text}\"\n"), "n": 1});
        let call = |name: &str| Say::Call {
            name: name.into(),
            arguments: command(&asked.user),
        };
        Turn::new([Say::Text("calling".into()), call("first"), call("second")]).step(3)
    });
    let token = format!("{} \"quoted\" \\", samples::github(11));
    let expected = json!({"command": format!("echo \"{token}\"\n"), "n": 1});
    for dialect in Dialect::ALL {
        let answer = post(&lab, dialect, &dialect.request(&token, true));
        let calls = calls(dialect, &events(&answer));
        assert_eq!(
            calls,
            [expected.clone(), expected.clone()],
            "{dialect:?}: {answer}"
        );
    }
    lab.journal().never_saw(samples::github(11).as_bytes());
}

/// The arguments of the two calls, put together by index as the SDKs do it.
fn calls(dialect: Dialect, events: &[Value]) -> Vec<Value> {
    let mut parts = [String::new(), String::new()];
    for event in events {
        let (index, part) = match dialect {
            Dialect::Chat => {
                let call = &event["choices"][0]["delta"]["tool_calls"][0];
                (
                    call["index"].as_u64(),
                    call["function"]["arguments"].as_str(),
                )
            }
            Dialect::Responses if event["type"] == "response.function_call_arguments.delta" => (
                event["output_index"].as_u64().map(|n| n - 1),
                event["delta"].as_str(),
            ),
            Dialect::Messages => {
                let part = event["delta"]["partial_json"].as_str();
                (part.and(event["index"].as_u64()).map(|n| n - 1), part)
            }
            Dialect::Responses => (None, None),
        };
        if let (Some(index), Some(part)) = (index, part) {
            parts[usize::try_from(index).unwrap()].push_str(part);
        }
    }
    parts
        .iter()
        .map(|text| serde_json::from_str(text).unwrap())
        .collect()
}

#[test]
fn row_12_an_altered_placeholder_is_never_guessed_and_never_silent() {
    let lab = Lab::new();
    let agent = guarded(&lab, |asked| {
        // One letter of the placeholder changed, as models do.
        let last = asked.user.chars().last().unwrap();
        let other = if last == 'A' { 'B' } else { 'A' };
        let stem = &asked.user[..asked.user.len() - 1];
        Turn::text(format!("{stem}{other} and {}", asked.user))
    });
    let token = samples::github(12);
    for dialect in Dialect::ALL {
        let answer = post(&lab, dialect, &dialect.request(&token, true));
        let said = dialect.said(&answer, true);
        let sent = placeholders(&last(&lab).text()).remove(0);
        assert!(said.starts_with(&sent[..sent.len() - 1]), "{said}");
        assert!(said.ends_with(&format!(" and {token}")), "{said}");
    }
    let events: String = agent
        .sessions_with_exchanges(3)
        .iter()
        .map(|s| s["id"].as_str().unwrap().to_owned())
        .map(|id| {
            agent
                .codegate(["sessions", "show", &id, "--json"])
                .ok()
                .text()
        })
        .collect();
    assert!(events.contains("mangled"), "{events}");
}

#[test]
fn row_13_who_asks_for_no_stream_gets_none() {
    let lab = Lab::new();
    let _agent = guarded(&lab, Turn::echo);
    for dialect in Dialect::ALL {
        let body = dialect.request(&samples::github(13), false).to_string();
        let answer = clients::post(&lab.guarded(), &dialect.url(), &body)
            .args(["--write-out", "%{stderr}%{content_type}"])
            .run()
            .ok();
        assert_eq!(answer.errors(), "application/json");
        assert_eq!(dialect.said(&answer.text(), false), samples::github(13));
    }
}

#[test]
fn row_14_the_same_secret_gets_the_same_placeholder_next_turn() {
    let lab = Lab::new();
    let _agent = guarded(&lab, Turn::echo);
    let token = samples::github(14);
    let first = json!([{"role": "user", "content": format!("I am {token}")}]);
    post(
        &lab,
        Dialect::Chat,
        &json!({"model": "gpt-5", "messages": first}),
    );
    let before = last(&lab).json()["messages"][0].clone();
    let second = json!([
        {"role": "user", "content": format!("I am {token}")},
        {"role": "assistant", "content": format!("You are {token}")},
        {"role": "user", "content": format!("Say {token}")},
    ]);
    post(
        &lab,
        Dialect::Chat,
        &json!({"model": "gpt-5", "messages": second}),
    );
    let after = last(&lab);
    assert_eq!(
        after.json()["messages"][0],
        before,
        "the prefix that a provider caches"
    );
    let sent = placeholders(&after.text());
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|placeholder| *placeholder == sent[0]));
}

#[test]
fn row_15_unknown_fields_and_the_order_of_all_survive() {
    let lab = Lab::new();
    let _agent = guarded(&lab, |_| Turn::text("fine"));
    let token = samples::github(15);
    let body = format!(
        "{{ \"zeta\" : 1.50,\"model\":\"gpt-5\" ,\n\"x_new\":{{\"a\":[1,2e3,null]}},\
         \"messages\":[{{\"content\":\"caf\\u00e9 \\/ {token}\",\"role\":\"user\",\"odd\":true}}]}}\n"
    );
    clients::post(&lab.guarded(), &Dialect::Chat.url(), &body)
        .run()
        .ok();
    let sent = last(&lab).text();
    assert_eq!(sent, body.replace(&token, &placeholders(&sent)[0]));
}

#[test]
fn row_16_characters_split_across_packets_arrive_whole() {
    for split in [1, 2, 3, 7] {
        let lab = Lab::new();
        let _agent = guarded(&lab, move |asked| Turn::echo(asked).step(6).split(split));
        echoes(
            &lab,
            &format!("日本語 😀 {} — ü\u{2028}", samples::github(16)),
        );
    }
}

#[test]
fn row_17_a_tool_result_that_is_a_list_is_read() {
    let lab = Lab::new();
    let _agent = guarded(&lab, |asked| Turn::text(asked.results.join("|")));
    let token = samples::github(17);
    let result =
        json!([{"type": "text", "text": format!("key={token}")}, {"type": "text", "text": "x"}]);
    let body = json!({"model": "claude-sonnet-4-5", "max_tokens": 10, "messages": [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "n", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": result}]},
    ]});
    let answer = post(&lab, Dialect::Messages, &body);
    assert_eq!(
        Dialect::Messages.said(&answer, false),
        format!("key={token}x")
    );
    lab.journal().never_saw(token.as_bytes());
}

#[test]
fn row_18_only_the_secret_is_sealed_and_not_the_rest_of_the_call() {
    let lab = Lab::new();
    let _agent = guarded(&lab, Turn::echo);
    let token = samples::github(18);
    let text = format!("call(token={token},other=1)");
    echoes(&lab, &text);
    for request in lab.journal().requests() {
        let sent = request.text();
        let expected = format!("call(token={},other=1)", placeholders(&sent)[0]);
        assert!(sent.contains(&expected), "{sent}");
    }
}
