//! Bad input: what cannot be read is refused in the provider's own words, recorded, and goes nowhere.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::time::Duration;

use lab::{Agent, Coding, Dialect, Finished, Lab, Turn, clients, samples};
use serde_json::Value;

fn ready(lab: &Lab) -> Agent<'_> {
    for host in [Dialect::Chat.host(), Dialect::Messages.host()] {
        lab.ai(host, Turn::echo);
    }
    lab.agent()
        .settings("[limits]\nbody_bytes = 1048576")
        .start()
}

fn send(lab: &Lab, dialect: Dialect, body: &[u8], switches: &[&str]) -> Finished {
    clients::curl(&lab.guarded())
        .args([
            "--write-out",
            "%{stderr}%{http_code}",
            "--header",
            "content-type: application/json",
        ])
        .args(["--data-binary", "@-"])
        .args(switches)
        .arg(dialect.url())
        .input(body)
        .run()
}

/// Refused with 400 and the provider's shape, recorded, and nothing of it forwarded.
#[track_caller]
fn refused(lab: &Lab, agent: &Agent<'_>, body: &[u8], switches: &[&str]) {
    for dialect in Dialect::ALL {
        for way in ["--http1.1", "--http2"] {
            lab.journal().clear();
            let blocked = blocked(agent).len();
            let answer = send(lab, dialect, body, &[&[way], switches].concat());
            assert_eq!(
                answer.errors(),
                "400",
                "{dialect:?} {way}: {}",
                answer.text()
            );
            let message = dialect.refusal(&answer.text());
            assert!(message.to_lowercase().contains("codegate"), "{message}");
            lab.journal().nothing_arrived(dialect.host());
            let deadline = std::time::Instant::now() + Duration::from_secs(5);
            while self::blocked(agent).len() == blocked {
                assert!(
                    std::time::Instant::now() < deadline,
                    "no event recorded: {}",
                    agent.log()
                );
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

fn blocked(agent: &Agent<'_>) -> Vec<Value> {
    let sessions = agent.objects(["sessions", "list", "--limit", "100000", "--json"]);
    let is_blocked = |s: &Value| s["verdict"].as_str().is_some_and(|v| v.contains("block"));
    sessions.into_iter().filter(is_blocked).collect()
}

fn with_secret(dialect: Dialect) -> String {
    dialect
        .request(&format!("token {}", samples::github(1)), false)
        .to_string()
}

#[test]
fn a_body_that_is_not_json() {
    let lab = Lab::new();
    let agent = ready(&lab);
    refused(&lab, &agent, samples::github(1).as_bytes(), &[]);
}

#[test]
fn a_body_that_is_not_utf8() {
    let lab = Lab::new();
    let agent = ready(&lab);
    refused(
        &lab,
        &agent,
        b"{\"model\":\"gpt-5\",\"input\":\"\xff\xfe\"}",
        &[],
    );
}

#[test]
fn json_that_ends_early() {
    let lab = Lab::new();
    let agent = ready(&lab);
    let whole = with_secret(Dialect::Chat);
    refused(&lab, &agent, &whole.as_bytes()[..whole.len() - 3], &[]);
}

#[test]
fn a_body_over_the_limit() {
    let lab = Lab::new();
    let agent = ready(&lab);
    let body = Dialect::Chat
        .request(&"x".repeat(1 << 20), false)
        .to_string();
    refused(&lab, &agent, body.as_bytes(), &["--header", "expect:"]);
}

#[test]
fn a_chunked_body_over_the_limit() {
    let lab = Lab::new();
    let agent = ready(&lab);
    let body = Dialect::Chat
        .request(&"x".repeat(1 << 20), false)
        .to_string();
    let switches = [
        "--header",
        "expect:",
        "--header",
        "transfer-encoding: chunked",
    ];
    for dialect in Dialect::ALL {
        let answer = send(
            &lab,
            dialect,
            body.as_bytes(),
            &[&["--http1.1"], &switches[..]].concat(),
        );
        assert_eq!(answer.errors(), "400", "{dialect:?}: {}", answer.text());
        lab.journal().nothing_arrived(dialect.host());
    }
    assert!(!blocked(&agent).is_empty());
}

#[test]
fn a_body_that_unpacks_to_more_than_the_limit() {
    let lab = Lab::new();
    let agent = ready(&lab);
    let body = Dialect::Chat
        .request(&"x".repeat(64 << 20), false)
        .to_string();
    for coding in Coding::ALL {
        let packed = coding.encode(body.as_bytes());
        assert!(
            packed.len() < 1 << 20,
            "{coding:?} packs to {}",
            packed.len()
        );
        let header = format!("content-encoding: {}", coding.name().unwrap());
        refused(&lab, &agent, &packed, &["--header", &header]);
    }
}

#[test]
fn an_unknown_encoding() {
    let lab = Lab::new();
    let agent = ready(&lab);
    for coding in ["x-rot13", "gzip, x-rot13"] {
        let header = format!("content-encoding: {coding}");
        refused(
            &lab,
            &agent,
            with_secret(Dialect::Chat).as_bytes(),
            &["--header", &header],
        );
    }
}

#[test]
fn an_encoding_that_is_a_lie_or_ends_early() {
    let lab = Lab::new();
    let agent = ready(&lab);
    for coding in Coding::ALL {
        let header = format!("content-encoding: {}", coding.name().unwrap());
        let whole = with_secret(Dialect::Chat);
        refused(&lab, &agent, whole.as_bytes(), &["--header", &header]);
        let packed = coding.encode(whole.as_bytes());
        refused(
            &lab,
            &agent,
            &packed[..packed.len() / 2],
            &["--header", &header],
        );
    }
}

#[test]
fn a_client_that_goes_away_in_the_middle_of_its_body() {
    let lab = Lab::new();
    let _agent = ready(&lab);
    let part = format!(
        "POST /v1/responses HTTP/1.1\r\nhost: api.openai.com\r\ncontent-length: 5000\r\n\r\n{{\"input\":\"{}",
        samples::github(1)
    );
    let said = lab
        .guarded()
        .cmd("openssl")
        .args(["s_client", "-quiet", "-connect", "api.openai.com:443"])
        .args(["-servername", "api.openai.com", "-alpn", "http/1.1"])
        .input(part)
        .limit(Duration::from_secs(20))
        .start();
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while lab.journal().connections().is_empty() {
        assert!(std::time::Instant::now() < deadline, "{:?}", said.stderr());
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(500));
    drop(said);
    std::thread::sleep(Duration::from_millis(300));
    lab.journal().nothing_arrived("api.openai.com");
}

#[test]
fn after_a_refusal_the_next_request_goes_through() {
    let lab = Lab::new();
    let _agent = ready(&lab);
    send(&lab, Dialect::Chat, b"not json", &[]);
    let token = samples::github(9);
    let body = Dialect::Chat.request(&token, true).to_string();
    let answer = send(&lab, Dialect::Chat, body.as_bytes(), &[]).ok().text();
    assert_eq!(Dialect::Chat.said(&answer, true), token);
    lab.journal().never_saw(token.as_bytes());
}
