//! The lab tries itself out: clients reach the services directly, with no agent between them.
//! What the other tests say about the agent is worth no more than this.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::time::Duration;

use lab::{Coding, Ending, Lab, Reply, Say, Turn, clients, samples};
use serde_json::{Value, json};

const OPENAI: &str = "api.openai.com";

fn chat(text: &str, stream: bool) -> String {
    let messages = json!([{"role": "user", "content": text}]);
    json!({"model": "gpt-5", "stream": stream, "messages": messages}).to_string()
}

#[test]
fn curl_reaches_a_service_by_its_real_name_over_every_way() {
    let lab = Lab::new();
    lab.ai(OPENAI, Turn::echo);
    for (way, alpn) in [("--http1.1", "http/1.1"), ("--http2", "h2")] {
        for family in ["-4", "-6"] {
            lab.journal().clear();
            let url = format!("https://{OPENAI}/v1/chat/completions");
            let answer = clients::post(&lab.unguarded(), &url, &chat("Grüße", false))
                .args([way, family])
                .run()
                .ok();
            let answer: Value = serde_json::from_slice(&answer.stdout).unwrap();
            assert_eq!(answer["choices"][0]["message"]["content"], "Grüße");
            assert_eq!(
                lab.journal().only().json()["messages"][0]["content"],
                "Grüße"
            );
            let connection = &lab.journal().connections()[0];
            assert_eq!(connection.alpn.as_deref(), Some(alpn));
            assert_eq!(
                connection.peer.ip().to_canonical().is_ipv6(),
                family == "-6"
            );
        }
    }
}

#[test]
fn the_journal_keeps_heads_bodies_and_the_wire() {
    let lab = Lab::new();
    lab.site(OPENAI).serve(|_| Reply::json(200, &json!({})));
    let body = Coding::Gzip.encode(br#"{"secret":"value"}"#);
    clients::curl(&lab.unguarded())
        .args([
            "--http1.1",
            "--header",
            "X-Odd-CASE: 1",
            "--header",
            "content-encoding: gzip",
        ])
        .args([
            "--data-binary",
            "@-",
            &format!("https://{OPENAI}/v1/anything?a=b"),
        ])
        .input(body.clone())
        .run()
        .ok();
    let request = lab.journal().only();
    assert!(
        request
            .head
            .starts_with(b"POST /v1/anything?a=b HTTP/1.1\r\nHost: api.openai.com\r\n")
    );
    assert!(String::from_utf8_lossy(&request.head).contains("\r\nX-Odd-CASE: 1\r\n"));
    assert_eq!(
        (request.raw, request.body.unwrap()),
        (body, br#"{"secret":"value"}"#.to_vec())
    );
    assert!(!lab.journal().connections()[0].wire().is_empty());
}

#[test]
fn answers_come_in_every_coding_with_hints_and_trailers() {
    let lab = Lab::new();
    lab.site(OPENAI).serve(|arrived| {
        let coding = Coding::named(arrived.header("x-coding").unwrap()).unwrap();
        let pieces = ["data: one\n\n", "data: two\n\n"].map(|piece| piece.as_bytes().to_vec());
        Reply::events(pieces)
            .coding(coding)
            .hint("x-hint", "early")
            .trailer("x-sum", "late")
    });
    for coding in Coding::ALL {
        let answer = clients::curl(&lab.unguarded())
            .args([
                "--http1.1",
                "--compressed",
                "--include",
                "--header",
                "te: trailers",
            ])
            .args(["--header", &format!("x-coding: {}", coding.name().unwrap())])
            .arg(format!("https://{OPENAI}/"))
            .run()
            .ok()
            .text();
        assert!(
            answer.starts_with("HTTP/1.1 103 Early Hints\r\nx-hint: early\r\n"),
            "{answer}"
        );
        assert!(
            answer.contains("data: one\n\ndata: two\n\n"),
            "{coding:?}: {answer}"
        );
        assert!(answer.contains("x-sum: late"), "{answer}");
    }
}

#[test]
fn answers_can_end_badly() {
    let lab = Lab::new();
    for (host, ending) in [
        ("cut.example", Ending::Truncated),
        ("reset.example", Ending::Reset),
    ] {
        let pieces = || [b"data: one\n\n".to_vec()];
        lab.site(host)
            .serve(move |_| Reply::events(pieces()).ending(ending));
        for way in ["--http1.1", "--http2"] {
            let done = clients::curl(&lab.unguarded())
                .args([way, &format!("https://{host}/")])
                .run();
            assert_ne!(done.code(), 0, "{host} {way}");
            // A reset may overtake what was sent before it.
            let lost = ending == Ending::Reset && done.stdout.is_empty();
            assert!(
                lost || done.text() == "data: one\n\n",
                "{host} {way}: {}",
                done.text()
            );
        }
    }
}

#[test]
fn events_leave_one_by_one() {
    let lab = Lab::new();
    lab.ai(OPENAI, |asked| {
        Turn::echo(asked)
            .step(1)
            .with(|reply| reply.delay(Duration::from_millis(50)))
    });
    let url = format!("https://{OPENAI}/v1/chat/completions");
    let running = clients::post(&lab.unguarded(), &url, &chat("abcdefgh", true)).start();
    std::thread::sleep(Duration::from_millis(350));
    let early = String::from_utf8(running.stdout()).unwrap();
    assert!(
        early.contains("data: ") && !early.contains("[DONE]"),
        "{early}"
    );
    let whole = running.wait(Duration::from_secs(10)).ok().text();
    assert!(whole.ends_with("data: [DONE]\n\n"), "{whole}");
}

#[test]
fn the_python_sdks_understand_the_models() {
    let lab = Lab::new();
    let says = |_: &lab::Asked| {
        let call = Say::Call {
            name: "look".into(),
            arguments: json!({"at": "a \"quote\""}),
        };
        Turn::new([Say::Text("Hello, wörld".into()), call]).split(7)
    };
    lab.ai(OPENAI, says);
    lab.ai("api.anthropic.com", says);
    let output = clients::python(&lab.unguarded(), include_str!("python/dialects.py"))
        .run()
        .ok();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    for way in [
        "chat",
        "chat_stream",
        "responses",
        "responses_stream",
        "messages",
        "messages_stream",
    ] {
        assert_eq!(said[way]["text"], "Hello, wörld", "{way}");
        assert_eq!(
            said[way]["arguments"],
            json!({"at": "a \"quote\""}),
            "{way}"
        );
    }
}

#[test]
fn claude_code_runs_a_tool_loop_against_the_model() {
    let lab = Lab::new();
    lab.ai("api.anthropic.com", |asked| match asked.results.last() {
        None => Turn::call(
            "Bash",
            json!({"command": "echo from-$((40+2))", "description": "x"}),
        ),
        Some(result) => Turn::text(format!("The shell said {result}.")),
    });
    let place = lab.unguarded();
    let cmd = clients::claude_asked(place.cmd(clients::claude()), "run it");
    let output = cmd.run().ok().text();
    let last: Value = serde_json::from_str(output.lines().last().unwrap()).unwrap();
    assert_eq!(last["result"], "The shell said from-42.", "{output}");
    let inference = |r: &lab::Arrived| r.path.starts_with("/v1/messages");
    assert!(
        lab.journal()
            .requests()
            .iter()
            .any(|r| inference(r) && r.header("content-encoding") == Some("gzip"))
    );
}

#[test]
fn plain_tcp_and_hosts_that_share_an_address_work() {
    let lab = Lab::new();
    lab.echo("echo.example", 7007);
    let said =
        lab.unguarded()
            .cmd("curl")
            .args(["-sS", "--max-time", "1", "telnet://echo.example:7007"]);
    assert_eq!(said.input("hello\n").run().text(), "hello\n");
    lab.site(OPENAI)
        .serve(|_| Reply::new(200, "text/plain", "first"));
    lab.site("example.com")
        .beside(OPENAI)
        .serve(|_| Reply::new(200, "text/plain", "second"));
    let get = |host: &str| {
        clients::curl(&lab.unguarded())
            .arg(format!("https://{host}/"))
            .run()
            .ok()
            .text()
    };
    assert_eq!(
        (get(OPENAI), get("example.com")),
        ("first".into(), "second".into())
    );
}

#[test]
fn nothing_else_can_be_reached() {
    let lab = Lab::new();
    let unknown = clients::curl(&lab.unguarded())
        .arg("https://elsewhere.org/")
        .run();
    assert_eq!(unknown.code(), 6, "{}", unknown.errors());
    let outside = clients::curl(&lab.unguarded())
        .arg("http://192.0.2.1/")
        .run();
    assert_eq!(outside.code(), 7, "{}", outside.errors());
}

#[test]
fn processes_are_where_and_who_they_should_be() {
    let lab = Lab::new();
    let place = lab.guarded().with_uid(1234);
    let output = place
        .cmd("sh")
        .args(["-c", "id -u; cat /proc/self/cgroup; env"])
        .run()
        .ok()
        .text();
    assert!(output.starts_with("1234\n"), "{output}");
    assert!(output.contains("/guarded\n"), "{output}");
    assert!(!output.to_ascii_lowercase().contains("proxy"), "{output}");
    assert_ne!(samples::github(1), samples::github(2));
}

#[test]
fn heads_are_answered_on_both_protocols() {
    let lab = Lab::new();
    lab.site(OPENAI)
        .serve(|_| Reply::new(200, "text/plain", "body"));
    for way in ["--http1.1", "--http2"] {
        let url = format!("https://{OPENAI}/");
        let head = clients::curl(&lab.unguarded())
            .args([way, "--head", &url])
            .run()
            .ok()
            .text();
        assert!(head.contains("content-length: 4"), "{way}: {head}");
    }
}
