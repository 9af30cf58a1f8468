//! Packages on both ways.

use codegate::session::{PackageAction, PackagePlace};
use serde_json::{Value, json};

use crate::rig::{Answer, Rig, Seen, Version, github_token, json as answer};

const CHAT: &str = "/v1/chat/completions";

/// A conversation in which a tool read something.
fn conversation(opening: &str, read: &str) -> String {
    json!({"model": "m", "messages": [
        {"role": "system", "content": "You are an agent."},
        {"role": "user", "content": opening},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "1", "type": "function",
            "function": {"name": "read", "arguments": "{\"path\": \"x\"}"}}]},
        {"role": "tool", "tool_call_id": "1", "content": read},
    ]})
    .to_string()
}

fn fine(_: &Seen) -> Answer {
    answer(json!({"choices": [{"message": {"content": "I see."}}]}).to_string())
}

#[tokio::test]
async fn what_a_tool_reads_is_recorded_once_in_a_conversation() {
    let package =
        "{\n  \"dependencies\": {\n    \"crossenv\": \"1.0.0\",\n    \"react\": \"18.0.0\"\n  }\n}";
    let numbered: String = package
        .lines()
        .zip(1..)
        .map(|(line, n)| format!("{n:6}→{line}\n"))
        .collect();
    let inside = json!({"output": package, "exit_code": 0}).to_string();
    for read in [package, &numbered, &inside] {
        let mut rig = Rig::new(Version::H1, "openai", fine).await;
        for opening in ["one", "one", "two"] {
            rig.post(CHAT, conversation(opening, read)).await;
        }
        let exchanges = rig.recorded(3).await;
        let found: Vec<usize> = exchanges.iter().map(|e| e.packages.len()).collect();
        assert_eq!(found, [1, 0, 1], "{read}");
        let package = &exchanges[0].packages[0];
        assert_eq!(package.purl, "pkg:npm/crossenv@1.0.0");
        assert_eq!(
            (package.verdict.as_str(), package.context.as_str()),
            ("malicious", "manifest")
        );
        assert_eq!(
            (package.place, package.action),
            (PackagePlace::Request, PackageAction::Recorded)
        );
        assert!(
            rig.seen()
                .iter()
                .all(|seen| seen.body.len() == conversation("one", read).len())
        );
    }
}

/// What the last message of a request says.
fn last(seen: &Seen) -> String {
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    let messages = body["messages"].as_array().unwrap();
    messages.last().unwrap()["content"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn notices_go_out_of_the_history_and_secrets_beside_them_too() {
    let echo = |seen: &Seen| {
        answer(json!({"choices": [{"message": {"content": last(seen)}}]}).to_string())
    };
    let mut rig = Rig::new(Version::H1, "openai", echo).await;
    let token = github_token();
    let said = format!("Key {token}\n\n```sh\nnpm i crossenv\n```\n\nand {token}.");
    let ask = |text: &str| {
        json!({"model": "m", "messages": [{"role": "user", "content": text}]}).to_string()
    };
    let told = |body: &[u8]| {
        let answer: Value = serde_json::from_slice(body).unwrap();
        answer["choices"][0]["message"]["content"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let first = told(&rig.post(CHAT, ask(&said)).await.body);
    let notice = first
        .replace(&said[..said.find("\n\nand").unwrap()], "")
        .replace(&format!("\n\nand {token}."), "");
    assert!(
        notice.starts_with("\n\n> ⚠️ **CodeGate**: `pkg:npm/crossenv` is malicious: "),
        "{first}"
    );
    assert!(notice.ends_with("]\n"), "{first}");
    let second = told(&rig.post(CHAT, ask(&first)).await.body);
    assert_eq!(second, said, "told already");
    let seen = rig.seen();
    assert_eq!(
        last(&seen[0]),
        last(&seen[1]),
        "the history reads as it was written"
    );
    assert!(!last(&seen[1]).contains(&token));
    // Somebody else's notice, and one that was altered, are only text.
    for text in [
        first.replace("crossenv", "cross-env"),
        notice.replace("[codegate-", "[codegate-0"),
    ] {
        rig.post(CHAT, ask(&text)).await;
        let seen = rig.seen();
        assert!(last(seen.last().unwrap()).contains("> ⚠️ **CodeGate**"));
    }
}

#[tokio::test]
async fn nothing_is_told_in_what_is_for_programs() {
    let plan = json!({"run": "npm i crossenv"}).to_string();
    let said = plan.clone();
    let answers = move |seen: &Seen| {
        let text = match seen.head.uri.path() {
            CHAT => json!({"choices": [{"message": {"content": said}}]}),
            _ => json!({"choices": [{"text": "\n\nnpm i crossenv\n\n"}]}),
        };
        answer(text.to_string())
    };
    let mut rig = Rig::new(Version::H1, "openai", answers).await;
    let got = rig.post(CHAT, r#"{"model": "m", "messages": []}"#).await;
    let got: Value = serde_json::from_slice(&got.body).unwrap();
    assert_eq!(got["choices"][0]["message"]["content"], plan);
    let got = rig
        .post("/v1/completions", r#"{"model": "m", "prompt": "x"}"#)
        .await;
    let got: Value = serde_json::from_slice(&got.body).unwrap();
    assert_eq!(got["choices"][0]["text"], "\n\nnpm i crossenv\n\n");
}

#[tokio::test]
async fn what_an_answer_has_no_place_for_is_told_in_the_next_one() {
    let answers = |seen: &Seen| {
        let arguments = json!({"command": "npm i loadash"}).to_string();
        let call = json!({"id": "1", "type": "function", "function": {"name": "sh", "arguments": arguments}});
        let message = match last(seen).as_str() {
            "go" => json!({"content": null, "tool_calls": [call]}),
            _ => json!({"content": "Done."}),
        };
        answer(json!({"choices": [{"message": message}]}).to_string())
    };
    let mut rig = Rig::new(Version::H1, "openai", answers).await;
    let ask = |said: &[&str]| {
        let messages: Vec<Value> = said
            .iter()
            .map(|s| json!({"role": "user", "content": s}))
            .collect();
        json!({"model": "m", "messages": messages}).to_string()
    };
    let read = |body: &[u8]| {
        serde_json::from_slice::<Value>(body).unwrap()["choices"][0]["message"].clone()
    };
    let first = read(&rig.post(CHAT, ask(&["go"])).await.body);
    assert_eq!(
        first["tool_calls"][0]["function"]["arguments"],
        r#"{"command":"npm i loadash"}"#
    );
    rig.recorded(1).await;
    let other = read(&rig.post(CHAT, ask(&["another", "conversation"])).await.body);
    assert_eq!(other["content"], "Done.");
    let next = read(&rig.post(CHAT, ask(&["go", "result"])).await.body);
    let told = next["content"].as_str().unwrap();
    assert!(
        told.starts_with("Done.\n\n> ⚠️ **CodeGate**: `pkg:npm/loadash` is suspicious: "),
        "{told}"
    );
    let again = read(&rig.post(CHAT, ask(&["go", "result"])).await.body);
    assert_eq!(again["content"], "Done.");
}
