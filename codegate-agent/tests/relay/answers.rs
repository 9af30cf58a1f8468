//! The way back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use codegate::{inspect::Kind, seal::NewSecret};
use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};

use crate::rig::{Answer, Rig, Seen, Version, events, frames, github_token, gzip, json, post};

const CHAT: &str = "/v1/chat/completions";

fn ask(text: &str) -> String {
    serde_json::json!({"model": "m", "stream": true, "messages": [{"role": "user", "content": text}]})
        .to_string()
}

fn said(request: &Seen) -> String {
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    body["messages"][0]["content"].as_str().unwrap().to_owned()
}

fn delta(text: &str) -> String {
    let chunk =
        serde_json::json!({"id": "c", "choices": [{"index": 0, "delta": {"content": text}}]});
    format!("data: {chunk}\n\n")
}

/// An answer that says the prompt again, `size` characters an event.
fn echo(request: &Seen, size: usize) -> String {
    let text: Vec<char> = said(request).chars().collect();
    let deltas = text
        .chunks(size)
        .map(|piece| delta(&piece.iter().collect::<String>()));
    let end = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
               data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4}}\n\ndata: [DONE]\n\n";
    deltas.chain([end.to_owned()]).collect()
}

/// The text that a client reads out of a stream.
fn heard(stream: &str) -> String {
    let data = stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    let chunks = data.filter_map(|data| serde_json::from_str::<serde_json::Value>(data).ok());
    chunks
        .filter_map(|c| {
            c["choices"][0]["delta"]["content"]
                .as_str()
                .map(str::to_owned)
        })
        .collect()
}

fn prompt() -> String {
    format!("a \"{0}\" b\\n{0}C", github_token())
}

#[tokio::test]
async fn a_stream_is_restored_over_every_cut() {
    for version in [Version::H1, Version::H2] {
        for size in [1, 7, 39, 1000] {
            for wire in [1, 40, 100_000] {
                let answer = move |seen: &Seen| {
                    let text = echo(seen, size);
                    events(
                        text.as_bytes()
                            .chunks(wire)
                            .map(Bytes::copy_from_slice)
                            .collect(),
                    )
                };
                let mut rig = Rig::new(version, "openai", answer).await;
                let got = rig.post(CHAT, ask(&prompt())).await;
                assert_eq!(heard(got.text()), prompt(), "{version:?} {size} {wire}");
                assert!(got.text().ends_with("data: [DONE]\n\n"));
                let exchange = rig.recorded(1).await.remove(0);
                assert_eq!(
                    (
                        exchange.restored,
                        exchange.tokens.input,
                        exchange.tokens.output
                    ),
                    (2, 9, 4)
                );
            }
        }
    }
}

#[tokio::test]
async fn a_compressed_stream_is_restored_and_goes_out_plain() {
    let answer = |seen: &Seen| {
        let wire = gzip(echo(seen, 3).as_bytes());
        let mut answer = events(wire.chunks(11).map(Bytes::copy_from_slice).collect());
        answer
            .headers_mut()
            .insert("content-encoding", HeaderValue::from_static("gzip"));
        answer
    };
    let mut rig = Rig::new(Version::H1, "openai", answer).await;
    let got = rig.post(CHAT, ask(&prompt())).await;
    assert_eq!(heard(got.text()), prompt());
    assert!(!got.head.headers.contains_key("content-encoding"));
}

#[tokio::test]
async fn a_plain_answer_is_restored_with_its_length() {
    let answer = |seen: &Seen| {
        let text = said(seen);
        json(serde_json::json!({"choices": [{"message": {"content": text}}]}).to_string())
    };
    for version in [Version::H1, Version::H2] {
        let mut rig = Rig::new(version, "openai", answer).await;
        let got = rig.post(CHAT, ask(&prompt())).await;
        let value: serde_json::Value = serde_json::from_slice(&got.body).unwrap();
        assert_eq!(value["choices"][0]["message"]["content"], prompt());
    }
}

#[tokio::test]
async fn an_answer_without_placeholders_is_the_upstreams_own() {
    let plain = "{ \"choices\" : [ ], \"extra\":1.50 }\n";
    let answer = move |_: &Seen| {
        let mut answer = json(gzip(plain.as_bytes()));
        answer
            .headers_mut()
            .insert("content-encoding", HeaderValue::from_static("gzip"));
        answer
            .headers_mut()
            .insert("x-request-id", HeaderValue::from_static("r1"));
        answer
    };
    let mut rig = Rig::new(Version::H1, "openai", answer).await;
    let got = rig.post(CHAT, ask(&github_token())).await;
    assert_eq!(got.body, gzip(plain.as_bytes()));
    assert_eq!(got.head.headers["content-encoding"], "gzip");
    assert_eq!(got.head.headers["x-request-id"], "r1");
}

#[tokio::test]
async fn errors_trailers_and_what_is_no_text_survive() {
    let answer = |_: &Seen| -> Answer {
        let trailers = HeaderMap::from_iter([(
            http::HeaderName::from_static("x-end"),
            HeaderValue::from_static("yes"),
        )]);
        Response::builder()
            .status(StatusCode::TOO_MANY_REQUESTS)
            .header("content-type", "application/octet-stream")
            .header("retry-after", "3")
            .header("trailer", "x-end")
            .body(frames(
                vec![Bytes::from_static(b"\x00\xff"), Bytes::from_static(b"CG_")],
                Some(trailers),
            ))
            .unwrap()
    };
    for version in [Version::H1, Version::H2] {
        let mut rig = Rig::new(version, "openai", answer).await;
        let mut request = post(CHAT, ask(&github_token()));
        request
            .headers_mut()
            .insert("te", HeaderValue::from_static("trailers"));
        let got = rig.send(request).await;
        assert_eq!(got.head.status, 429);
        assert_eq!(got.head.headers["retry-after"], "3");
        assert_eq!(got.body.as_ref(), b"\x00\xffCG_");
        assert_eq!(got.trailers.unwrap()["x-end"], "yes", "{version:?}");
    }
}

#[tokio::test]
async fn an_event_arrives_before_the_stream_ends() {
    let answer = |_: &Seen| -> Answer {
        let first = stream::iter([Ok(http_body::Frame::data(Bytes::from(delta("hello"))))]);
        let open = first.chain(stream::pending());
        sse().body(StreamBody::new(open).boxed_unsync()).unwrap()
    };
    let mut rig = Rig::new(Version::H1, "openai", answer).await;
    let mut response = rig.open(post(CHAT, ask(&github_token()))).await;
    let frame = tokio::time::timeout(Duration::from_secs(10), response.frame())
        .await
        .unwrap();
    assert_eq!(frame.unwrap().unwrap().into_data().unwrap(), delta("hello"));
}

/// A client that stands still holds the upstream up by its window; the HTTP/2 library takes a flood of
/// small unread frames for an attack.
#[tokio::test]
async fn small_events_wait_for_a_client_that_reads_late() {
    const EVENTS: usize = 40_000;
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = sent.clone();
    let answer = move |_: &Seen| -> Answer {
        let counted = counted.clone();
        let event = move |n| {
            counted.store(n, Ordering::Relaxed);
            Ok(http_body::Frame::data(Bytes::from(format!(
                "data: {{\"n\":{n}}}\n\n"
            ))))
        };
        let all = stream::iter((1..=EVENTS).map(event));
        sse().body(StreamBody::new(all).boxed_unsync()).unwrap()
    };
    let mut rig = Rig::new(Version::H2, "openai", answer).await;
    let response = rig.open(post(CHAT, ask("hello"))).await;
    let mut before = usize::MAX;
    while before != sent.load(Ordering::Relaxed) {
        before = sent.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!((1000..EVENTS).contains(&before), "{before} events wait");
    let text = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(
        text.windows(2).filter(|pair| pair == b"\n\n").count(),
        EVENTS
    );
}

/// Gemini's array of answers, where the client did not ask for events.
#[tokio::test]
async fn json_that_is_written_bit_by_bit_arrives_so_and_is_restored() {
    let answer = |seen: &Seen| -> Answer {
        let said = said(seen);
        let items = format!("[{{\"text\":{}}}", serde_json::to_string(&said).unwrap());
        let pieces: Vec<_> = items
            .as_bytes()
            .chunks(9)
            .map(Bytes::copy_from_slice)
            .collect();
        let open = stream::iter(pieces.into_iter().map(|p| Ok(http_body::Frame::data(p))))
            .chain(stream::pending());
        let json = Response::builder().header("content-type", "application/json");
        json.body(StreamBody::new(open).boxed_unsync()).unwrap()
    };
    let mut rig = Rig::new(Version::H1, "opaque", answer).await;
    let mut response = rig
        .open(post("/v1beta/x:streamGenerateContent", ask(&prompt())))
        .await;
    let expected = format!(
        "[{{\"text\":{}}}",
        serde_json::to_string(&prompt()).unwrap()
    );
    let mut got = String::new();
    while got.len() < expected.len() {
        let frame = tokio::time::timeout(Duration::from_secs(10), response.frame())
            .await
            .unwrap();
        got.push_str(std::str::from_utf8(&frame.unwrap().unwrap().into_data().unwrap()).unwrap());
    }
    assert_eq!(got, expected);
}

#[tokio::test]
async fn a_stream_that_breaks_gives_what_it_had_and_breaks() {
    let answer = |_: &Seen| -> Answer {
        let said = Ok(http_body::Frame::data(Bytes::from(delta("xCG_"))));
        let broken = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Err(std::io::Error::other("gone"))
        };
        let pieces = stream::iter([said]).chain(stream::once(broken));
        sse().body(StreamBody::new(pieces).boxed_unsync()).unwrap()
    };
    let mut rig = Rig::new(Version::H1, "openai", answer).await;
    let mut response = rig.open(post(CHAT, ask(&github_token()))).await;
    let mut got = String::new();
    let broke = loop {
        match response.frame().await {
            Some(Ok(frame)) => {
                got.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
            }
            Some(Err(_)) => break true,
            None => break false,
        }
    };
    assert!(broke, "a truncated stream does not end like a whole one");
    assert_eq!(got, delta("xCG_"));
}

#[tokio::test]
async fn another_users_placeholder_stays_as_it_is() {
    let mut rig = Rig::new(Version::H1, "openai", |seen| json(full_echo(seen))).await;
    let kind = Kind::parse("GITHUB").unwrap();
    let secret = NewSecret {
        kind,
        rule: "r",
        value: b"somebody else's",
    };
    let theirs = rig.guard.vault.seal(1001, &[secret]).await.unwrap()[0].to_string();
    let got = rig
        .post(CHAT, ask(&format!("what is {theirs}? {}", github_token())))
        .await;
    assert!(
        got.text().contains(&theirs) && got.text().contains(&github_token()),
        "{}",
        got.text()
    );
}

fn full_echo(seen: &Seen) -> String {
    serde_json::json!({"choices": [{"message": {"content": said(seen)}}]}).to_string()
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_exchange_and_it_is_recorded() {
    let answer = |_: &Seen| {
        sse()
            .body(StreamBody::new(stream::pending()).boxed_unsync())
            .unwrap()
    };
    let mut rig = Rig::new(Version::H2, "openai", answer).await;
    drop(rig.open(post(CHAT, ask("hello"))).await);
    let exchange = rig.recorded(1).await.remove(0);
    assert!(
        exchange.events.iter().any(|e| e.code == "cancelled"),
        "{:?}",
        exchange.events
    );
}

fn sse() -> http::response::Builder {
    Response::builder().header("content-type", "text/event-stream")
}
