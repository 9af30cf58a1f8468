//! Unseen: what needs no edit goes through as it came, and what ends badly ends badly for the client
//! too.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use lab::{Arrived, Coding, Dialect, Ending, Finished, Lab, Reply, Turn, clients, samples};
use serde_json::json;

const HOST: &str = "api.openai.com";

fn head(arrived: &Arrived) -> Vec<String> {
    let head = String::from_utf8_lossy(&arrived.head).into_owned();
    head.lines().map(str::to_owned).collect()
}

fn get(lab: &Lab, path: &str, switches: &[&str]) -> Finished {
    let url = format!("https://{HOST}{path}");
    clients::curl(&lab.guarded()).args(switches).arg(url).run()
}

#[test]
fn a_request_without_a_secret_arrives_as_it_was_sent() {
    let lab = Lab::new();
    lab.ai(HOST, Turn::echo);
    let _agent = lab.agent().start();
    let body =
        "{\"model\":\"gpt-5\",  \"messages\" : [{\"role\":\"user\",\"content\":\"h\\u0069\"}]}\n";
    let send = |place| {
        clients::post(&place, &Dialect::Chat.url(), body)
            .args([
                "--http1.1",
                "-H",
                "X-Odd-CASE: a",
                "-H",
                "zz: 1",
                "-H",
                "AA: 2",
                "-H",
                "cookie: x=y",
            ])
            .run()
            .ok()
    };
    send(lab.unguarded());
    send(lab.guarded());
    let [direct, guarded] = lab.journal().requests().try_into().unwrap();
    assert_eq!(guarded.raw, direct.raw);
    assert_eq!(head(&guarded), head(&direct));
}

#[test]
fn a_compressed_request_without_a_secret_keeps_its_bytes() {
    let lab = Lab::new();
    lab.ai(HOST, Turn::echo);
    let _agent = lab.agent().start();
    for coding in Coding::ALL {
        let packed = coding.encode(Dialect::Chat.request("hi", false).to_string().as_bytes());
        let header = format!("content-encoding: {}", coding.name().unwrap());
        let answer = clients::curl(&lab.guarded())
            .args([
                "-H",
                &header,
                "-H",
                "content-type: application/json",
                "--data-binary",
                "@-",
            ])
            .arg(Dialect::Chat.url())
            .input(packed.clone())
            .run()
            .ok();
        assert_eq!(Dialect::Chat.said(&answer.text(), false), "hi");
        assert_eq!(
            lab.journal().requests().pop().unwrap().raw,
            packed,
            "{coding:?}"
        );
    }
}

#[test]
fn secrets_in_compressed_requests_are_sealed_in_the_same_coding() {
    let lab = Lab::new();
    lab.ai(HOST, Turn::echo);
    let _agent = lab.agent().start();
    let token = samples::github(1);
    for coding in Coding::ALL {
        for way in ["--http1.1", "--http2"] {
            let packed = coding.encode(Dialect::Chat.request(&token, true).to_string().as_bytes());
            let name = coding.name().unwrap();
            let answer = clients::curl(&lab.guarded())
                .args([
                    way,
                    "-H",
                    &format!("content-encoding: {name}"),
                    "--data-binary",
                    "@-",
                ])
                .args(["-H", "content-type: application/json", &Dialect::Chat.url()])
                .input(packed)
                .run()
                .ok();
            assert_eq!(
                Dialect::Chat.said(&answer.text(), true),
                token,
                "{coding:?} {way}"
            );
            let sent = lab.journal().requests().pop().unwrap();
            assert_eq!(sent.header("content-encoding"), Some(name));
            assert_eq!(
                sent.header("content-length").unwrap(),
                sent.raw.len().to_string()
            );
        }
    }
    lab.journal().never_saw(token.as_bytes());
}

#[test]
fn answers_in_every_coding_are_restored() {
    for coding in Coding::ALL {
        let lab = Lab::new();
        lab.ai(HOST, move |asked| {
            Turn::echo(asked).with(move |reply| reply.coding(coding))
        });
        let _agent = lab.agent().start();
        let text = format!("{} and {}", samples::github(2), samples::github(3));
        for dialect in [Dialect::Chat, Dialect::Responses] {
            for stream in [true, false] {
                let body = dialect.request(&text, stream).to_string();
                let answer = clients::post(&lab.guarded(), &dialect.url(), &body)
                    .arg("--compressed")
                    .run()
                    .ok();
                assert_eq!(
                    dialect.said(&answer.text(), stream),
                    text,
                    "{coding:?} {stream}"
                );
            }
        }
    }
}

#[test]
fn each_event_is_passed_on_as_it_arrives() {
    let lab = Lab::new();
    lab.ai(HOST, |asked| {
        Turn::echo(asked)
            .step(1)
            .with(|reply| reply.delay(Duration::from_millis(60)))
    });
    let _agent = lab.agent().start();
    for way in ["--http1.1", "--http2"] {
        let body = Dialect::Chat.request("abcdefghijklmnop", true).to_string();
        let started = Instant::now();
        let client = clients::post(&lab.guarded(), &Dialect::Chat.url(), &body)
            .arg(way)
            .start();
        let mut seen = Vec::new();
        while !client.stdout().ends_with(b"[DONE]\n\n") {
            assert!(started.elapsed() < Duration::from_secs(10), "{way}");
            seen.push(
                String::from_utf8(client.stdout())
                    .unwrap()
                    .matches("data: ")
                    .count(),
            );
            sleep(Duration::from_millis(5));
        }
        seen.dedup();
        assert!(
            seen.len() > 12,
            "{way}: the events came in {} steps: {seen:?}",
            seen.len()
        );
    }
}

#[test]
fn headers_and_trailers_of_an_answer_survive() {
    let lab = Lab::new();
    lab.site(HOST).serve(|_| {
        Reply::json(429, &json!({"error": {"message": "slow down"}}))
            .header("retry-after", "7")
            .header("x-github-request-id", "ABC:1")
            .header("set-cookie", "a=1")
            .header("set-cookie", "b=2")
            .trailer("x-sum", "late")
    });
    let _agent = lab.agent().start();
    let answer = get(
        &lab,
        "/v1/models",
        &["--include", "--http1.1", "-H", "TE: trailers"],
    )
    .ok()
    .text();
    for part in [
        "HTTP/1.1 429 Too Many Requests\r\n",
        "retry-after: 7\r\n",
        "x-github-request-id: ABC:1\r\n",
        "set-cookie: a=1\r\n",
        "set-cookie: b=2\r\n",
        "{\"error\":{\"message\":\"slow down\"}}",
        "x-sum: late",
    ] {
        assert!(answer.contains(part), "{part} is missing: {answer}");
    }
}

#[test]
fn an_early_hint_survives() {
    let lab = Lab::new();
    lab.site(HOST)
        .serve(|_| Reply::json(200, &json!({})).hint("link", "</x.css>; rel=preload"));
    let _agent = lab.agent().start();
    let answer = get(&lab, "/v1/models", &["--include", "--http1.1"])
        .ok()
        .text();
    let early = "HTTP/1.1 103 Early Hints\r\nlink: </x.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK";
    assert!(answer.starts_with(early), "{answer}");
}

#[test]
fn trailers_of_a_stream_survive_on_both_protocols() {
    let lab = Lab::new();
    lab.ai(HOST, |asked| {
        Turn::echo(asked).with(|reply| reply.trailer("x-sum", "late"))
    });
    let _agent = lab.agent().start();
    for way in ["--http1.1", "--http2"] {
        let token = samples::github(4);
        let body = Dialect::Chat.request(&token, true).to_string();
        let answer = clients::post(&lab.guarded(), &Dialect::Chat.url(), &body)
            .args([way, "--include", "-H", "TE: trailers"])
            .run()
            .ok()
            .text();
        assert!(answer.contains("x-sum: late"), "{way}: {answer}");
        assert_eq!(Dialect::Chat.said(&answer, true), token);
    }
}

#[test]
fn an_answer_that_is_cut_is_cut_for_the_client_too() {
    for ending in [Ending::Truncated, Ending::Reset] {
        let lab = Lab::new();
        lab.ai(HOST, move |asked| {
            Turn::echo(asked).with(move |reply| reply.ending(ending))
        });
        let _agent = lab.agent().start();
        for way in ["--http1.1", "--http2"] {
            let body = Dialect::Chat.request("cut", true).to_string();
            let done = clients::post(&lab.guarded(), &Dialect::Chat.url(), &body)
                .arg(way)
                .run();
            assert_ne!(
                done.code(),
                0,
                "{ending:?} {way}: a clean end: {}",
                done.text()
            );
        }
    }
}

#[test]
fn upstreams_protocol_is_the_clients() {
    let lab = Lab::new();
    lab.site(HOST).alpn(&["http/1.1"]).ai(Turn::echo);
    lab.site("api.anthropic.com").alpn(&[]).ai(Turn::echo);
    let _agent = lab.agent().start();
    for dialect in [Dialect::Chat, Dialect::Messages] {
        let body = dialect.request("hi", false).to_string();
        let answer = clients::post(&lab.guarded(), &dialect.url(), &body)
            .args(["--http2", "--write-out", "%{stderr}%{http_version}"])
            .run()
            .ok();
        assert_eq!(
            (
                answer.errors().as_str(),
                dialect.said(&answer.text(), false)
            ),
            ("1.1", "hi".into())
        );
    }
}

#[test]
fn one_client_connection_is_one_upstream_connection() {
    let lab = Lab::new();
    lab.site(HOST)
        .serve(|arrived| Reply::new(200, "text/plain", arrived.path.clone()));
    let _agent = lab.agent().start();
    for way in ["--http1.1", "--http2"] {
        lab.journal().clear();
        let url = |n: u32| format!("https://{HOST}/{n}");
        let done = clients::curl(&lab.guarded())
            .arg(way)
            .args((0..5).map(url))
            .run()
            .ok();
        assert_eq!(done.text(), "/0/1/2/3/4");
        assert_eq!(lab.journal().connections().len(), 1, "{way}");
        assert_eq!(lab.journal().requests().len(), 5, "{way}");
    }
}

#[test]
fn other_methods_and_paths_pass() {
    let lab = Lab::new();
    lab.site(HOST)
        .serve(|arrived| match arrived.method.as_str() {
            "DELETE" => Reply::new(204, "text/plain", ""),
            _ => Reply::new(200, "text/plain", "body").header("x-seen", &arrived.method),
        });
    let _agent = lab.agent().start();
    for way in ["--http1.1", "--http2"] {
        assert_eq!(get(&lab, "/v1/models?limit=5", &[way]).ok().text(), "body");
        let head = get(&lab, "/v1/models", &[way, "--head"]).ok().text();
        assert!(
            head.contains("x-seen: HEAD") && head.contains("content-length: 4"),
            "{head}"
        );
        let gone = get(
            &lab,
            "/v1/files/f",
            &[way, "-X", "DELETE", "-w", "%{http_code}"],
        )
        .ok();
        assert_eq!(gone.text(), "204");
    }
}

#[test]
fn a_large_body_to_be_continued_arrives() {
    let lab = Lab::new();
    lab.ai(HOST, |asked| {
        Turn::text(format!("{} bytes", asked.user.len()))
    });
    let _agent = lab.agent().start();
    let text = "words and words ".repeat(512 * 1024);
    for way in ["--http1.1", "--http2"] {
        let body = Dialect::Chat.request(&text, false).to_string();
        let answer = clients::post(&lab.guarded(), &Dialect::Chat.url(), &body)
            .args([way, "-H", "expect: 100-continue"])
            .run()
            .ok();
        assert_eq!(
            Dialect::Chat.said(&answer.text(), false),
            format!("{} bytes", text.len())
        );
    }
}
