//! Real clients: the official Python SDKs, and Claude Code with its tools.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::process::{Command, Stdio};

use lab::{Agent, Asked, Dialect, Lab, Say, Turn, clients, placeholders, samples};
use serde_json::{Value, json};

const DIALECTS: &str = include_str!("python/dialects.py");

fn guarded(lab: &Lab) -> Agent<'_> {
    for host in [Dialect::Chat.host(), Dialect::Messages.host()] {
        lab.ai(host, |asked| {
            let call = Say::Call {
                name: "look".into(),
                arguments: json!({"at": asked.user}),
            };
            Turn::new([Say::Text(asked.user.clone()), call])
                .step(4)
                .split(50)
        });
    }
    lab.agent().start()
}

fn prompt() -> String {
    format!(
        "Two keys: {} and\n\t\"{}\" — ende.",
        samples::github(1),
        samples::anthropic(2)
    )
}

#[track_caller]
fn check(lab: &Lab, output: &[u8]) {
    let said: Value = serde_json::from_slice(output).unwrap();
    for way in [
        "chat",
        "chat_stream",
        "responses",
        "responses_stream",
        "messages",
        "messages_stream",
    ] {
        assert_eq!(said[way]["text"], prompt(), "{way}");
        assert_eq!(said[way]["arguments"], json!({"at": prompt()}), "{way}");
    }
    assert_eq!(lab.journal().requests().len(), 6);
    lab.journal().never_saw(samples::github(1).as_bytes());
    lab.journal().never_saw(samples::anthropic(2).as_bytes());
}

#[test]
fn the_python_sdks_read_every_dialect_restored() {
    let lab = Lab::new();
    let agent = guarded(&lab);
    let output = clients::python(&lab.guarded(), DIALECTS)
        .input(prompt())
        .run()
        .ok();
    check(&lab, &output.stdout);
    let sessions = agent.sessions(2);
    let exe = |s: &Value| s["process"]["exe"].as_str().unwrap_or_default().to_owned();
    assert!(
        sessions
            .iter()
            .all(|session| exe(session).contains("python")),
        "{sessions:#?}"
    );
}

#[test]
fn the_python_sdks_work_by_the_environment_alone() {
    let lab = Lab::new();
    let agent = guarded(&lab);
    let run = agent
        .run_guarded(lab.guarded_distrusting())
        .arg(clients::python_binary());
    let output = clients::python_words(run, DIALECTS)
        .input(prompt())
        .run()
        .ok();
    check(&lab, &output.stdout);
}

/// A model that has the shell write the user's token into a file and hash it, and then repeats what
/// the shell said.
fn tool_loop(asked: &Asked) -> Turn {
    match (asked.results.last(), token_in(&asked.user)) {
        (Some(result), _) => Turn::text(format!("The shell said: {result}")),
        (None, Some(token)) => {
            let command = format!("printf '%s' '{token}' > used; sha256sum < used; cat used");
            Turn::call(
                "Bash",
                json!({"command": command, "description": "use the token"}),
            )
        }
        // Side calls, for a title or a summary.
        (None, None) => Turn::text("{}"),
    }
}

/// The placeholder that the model sees after the words that lead to it.
fn token_in(text: &str) -> Option<String> {
    let after = text.split("The token is ").nth(1)?;
    placeholders(after).into_iter().next()
}

#[test]
fn claude_code_runs_a_tool_loop_with_the_real_secret_that_the_model_never_sees() {
    let lab = Lab::new();
    lab.ai("api.anthropic.com", tool_loop);
    let agent = lab.agent().start();
    let place = lab.guarded();
    let token = samples::github(20);
    let asked = clients::claude_asked(
        place.cmd(clients::claude()),
        &format!("The token is {token} ."),
    );
    let output = asked.run().ok().text();
    // The shell had the real token, and its answer came back whole.
    assert_eq!(
        std::fs::read_to_string(lab.path("home/used")).unwrap(),
        token
    );
    let last: Value = serde_json::from_str(output.lines().last().unwrap()).unwrap();
    let result = last["result"].as_str().unwrap();
    assert!(
        result.contains(&token) && result.contains(&sha256(&token)),
        "{result}"
    );
    // The model saw placeholders only, the same in the prompt, in its own call and in the result.
    lab.journal().never_saw(token.as_bytes());
    let inference = |r: &lab::Arrived| r.path.starts_with("/v1/messages") && r.method == "POST";
    let requests = lab.journal().requests();
    let requests: Vec<_> = requests.into_iter().filter(inference).collect();
    let seen: Vec<_> = requests
        .iter()
        .flat_map(|r| placeholders(&r.text()))
        .collect();
    assert!(
        seen.len() >= 4 && seen.iter().all(|p| *p == seen[0]),
        "{seen:?}"
    );
    assert!(
        requests
            .iter()
            .any(|r| r.header("content-encoding") == Some("gzip"))
    );
    let sessions = agent.sessions(1);
    assert!(
        sessions.iter().any(|s| s["host"] == "api.anthropic.com"),
        "{sessions:#?}"
    );
    assert!(!agent.log().contains(&token));
}

#[test]
fn claude_code_works_by_the_environment_alone() {
    let lab = Lab::new();
    lab.ai("api.anthropic.com", tool_loop);
    let agent = lab.agent().start();
    let token = samples::github(21);
    let run = agent
        .run_guarded(lab.guarded_distrusting())
        .arg(clients::claude());
    let output = clients::claude_asked(run, &format!("The token is {token} ."))
        .run()
        .ok()
        .text();
    assert!(output.lines().last().unwrap().contains(&token), "{output}");
    lab.journal().never_saw(token.as_bytes());
}

fn sha256(text: &str) -> String {
    let mut sum = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut sum.stdin.take().unwrap(), text.as_bytes()).unwrap();
    let output = sum.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout)
        .split(' ')
        .next()
        .unwrap()
        .to_owned()
}
