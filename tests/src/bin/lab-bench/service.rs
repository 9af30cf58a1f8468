//! The service: it answers at once, and its events say when they were made.

use std::time::Duration;

use lab::{Arrived, Dialect, Lab, Reply, placeholders, samples};
use nix::time::{ClockId, clock_gettime};
use serde_json::json;

/// Its name.
pub(crate) const HOST: &str = "api.openai.com";
/// Events of a stream.
pub(crate) const EVENTS: usize = 200;
/// Between two events.
const PACE: Duration = Duration::from_millis(2);

pub(crate) fn start(lab: &Lab) {
    lab.site(HOST).serve(|arrived| {
        if arrived.header("x-measure") == Some("events") {
            events(arrived)
        } else {
            whole(arrived)
        }
    });
}

/// About 2 KB of JSON that repeats the secret, or what stands for it.
fn whole(arrived: &Arrived) -> Reply {
    let content = format!("{} {}", secret_in(arrived), "words ".repeat(320));
    Reply::json(
        200,
        &json!({
            "id": "chatcmpl-lab", "object": "chat.completion", "model": "gpt-5",
            "choices": [{
                "index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": content},
            }],
        }),
    )
}

fn events(arrived: &Arrived) -> Reply {
    let content = format!("{} and on", secret_in(arrived));
    let event = move |_| {
        let choice = json!({"index": 0, "delta": {"content": content}, "finish_reason": null});
        let chunk = json!({
            "id": "chatcmpl-lab", "object": "chat.completion.chunk", "model": "gpt-5",
            "made_at": now(), "choices": [choice],
        });
        format!("data: {chunk}\n\n").into_bytes()
    };
    Reply::events((0..EVENTS).map(event)).delay(PACE)
}

/// What stands in the request where the client wrote a secret.
fn secret_in(arrived: &Arrived) -> String {
    let Some(body) = arrived
        .body
        .as_deref()
        .and_then(|body| std::str::from_utf8(body).ok())
    else {
        return String::new();
    };
    // It stands at the end: the rest need not be searched.
    let end = &body[body.floor_char_boundary(body.len().saturating_sub(200))..];
    let token = samples::github(1);
    if end.contains(&token) {
        token
    } else {
        placeholders(end).pop().unwrap_or_default()
    }
}

/// The request of a measure.
pub(crate) fn request(what: &str) -> String {
    let size = if what == "events" {
        500
    } else {
        64 * 1024 - 300
    };
    let prose = "The quick brown fox reads a file, writes a test and asks what to do next. ";
    let mut text: String = prose.chars().cycle().take(size).collect();
    if what != "plain" {
        text.push_str(&samples::github(1));
    }
    Dialect::Chat.request(&text, what == "events").to_string()
}

/// Nanoseconds on the clock that all processes of the machine share.
pub(crate) fn now() -> i64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap();
    now.tv_sec() * 1_000_000_000 + now.tv_nsec()
}
