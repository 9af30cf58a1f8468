//! What the guard cannot read, it does not forward.

use bytes::Bytes;
use codegate::session::Level;
use http::{HeaderValue, Request};

use crate::rig::{HOST, LIMIT, Rig, Version, frames, full, github_token, gzip, json, post};

const CHAT: &str = "/v1/chat/completions";

/// Sends the request; it must be refused in the provider's shape, recorded, and never forwarded.
async fn refused(
    provider: &str,
    version: Version,
    request: Request<crate::rig::TestBody>,
) -> String {
    let mut rig = Rig::new(version, provider, |_| json("{}")).await;
    let got = rig.send(request).await;
    assert_eq!(got.head.status, 400, "{}", got.text());
    assert_eq!(got.head.headers["content-type"], "application/json");
    assert!(rig.seen().is_empty(), "nothing is forwarded");
    let exchange = rig.recorded(1).await.remove(0);
    assert!(
        exchange.events.iter().any(|e| e.level == Level::Block),
        "{:?}",
        exchange.events
    );
    let shape: serde_json::Value = serde_json::from_slice(&got.body).unwrap();
    if provider == "anthropic" {
        assert_eq!(shape["type"], "error");
    }
    assert!(shape["error"]["type"].is_string(), "{shape}");
    shape["error"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_body_that_is_not_json() {
    for (provider, path) in [
        ("openai", CHAT),
        ("openai", "/v1/responses"),
        ("anthropic", "/v1/messages?beta=true"),
    ] {
        for version in [Version::H1, Version::H2] {
            let text = format!("token {}", github_token());
            let message = refused(provider, version, post(path, text)).await;
            assert!(message.contains("cannot be inspected"), "{message}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_cut_short() {
    let body = format!(
        "{{\"messages\":[{{\"role\":\"user\",\"content\":\"{}",
        github_token()
    );
    refused("openai", Version::H1, post(CHAT, body)).await;
}

#[tokio::test]
async fn a_body_over_the_limit_announced_or_not() {
    let large = format!("{{\"messages\":\"{}\"}}", "x".repeat(LIMIT));
    let message = refused("openai", Version::H1, post(CHAT, large.clone())).await;
    assert!(message.contains("larger than 1048576 bytes"), "{message}");
    let pieces = large
        .as_bytes()
        .chunks(60_000)
        .map(Bytes::copy_from_slice)
        .collect();
    let request = Request::post(CHAT)
        .header("host", HOST)
        .body(frames(pieces, None))
        .unwrap();
    refused("openai", Version::H1, request).await;
}

#[tokio::test]
async fn a_small_body_that_decodes_to_a_large_one() {
    let mut request = post(CHAT, gzip(&vec![b' '; 4 * LIMIT]));
    request
        .headers_mut()
        .insert("content-encoding", HeaderValue::from_static("gzip"));
    let message = refused("openai", Version::H1, request).await;
    assert!(message.contains("larger than"), "{message}");
}

#[tokio::test]
async fn an_encoding_that_nobody_knows_or_that_is_not_true() {
    let mut request = post(CHAT, "{\"messages\":[]}");
    request
        .headers_mut()
        .insert("content-encoding", HeaderValue::from_static("compress"));
    let message = refused("openai", Version::H1, request).await;
    assert!(message.contains("compress"), "{message}");
    let mut request = post(CHAT, "{\"messages\":[]}");
    request
        .headers_mut()
        .insert("content-encoding", HeaderValue::from_static("zstd"));
    let message = refused("openai", Version::H1, request).await;
    assert!(message.contains("damaged"), "{message}");
}

#[tokio::test]
async fn a_request_for_another_host_than_the_connection() {
    let request = Request::post(CHAT)
        .header("host", "api.anthropic.com")
        .body(full("{}"))
        .unwrap();
    let message = refused("openai", Version::H1, request).await;
    assert!(message.contains("another host"), "{message}");
}

/// A body without its secret would fail its signature: it goes out whole or not at all.
#[tokio::test]
async fn a_signed_body_with_a_secret() {
    let signed = |text: &str| {
        let mut request = post("/model/m/converse", format!("{{\"messages\":\"{text}\"}}"));
        let signature = HeaderValue::from_static("AWS4-HMAC-SHA256 Credential=x, Signature=y");
        request.headers_mut().insert("authorization", signature);
        request
    };
    let message = refused("opaque", Version::H1, signed(&github_token())).await;
    assert!(message.contains("AWS signature"), "{message}");
    let mut rig = Rig::new(Version::H1, "opaque", |_| json("{}")).await;
    assert_eq!(rig.send(signed("nothing")).await.head.status, 200);
    assert_eq!(rig.seen_body(), "{\"messages\":\"nothing\"}");
}

#[tokio::test]
async fn a_websocket_is_told_to_use_http() {
    let mut rig = Rig::new(Version::H1, "openai", |_| json("{}")).await;
    let request = Request::get("/v1/responses")
        .header("host", HOST)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .body(frames(vec![], None))
        .unwrap();
    assert_eq!(rig.send(request).await.head.status, 426);
    assert!(rig.seen().is_empty());
}

#[tokio::test]
async fn the_connection_serves_the_next_request_after_a_refusal() {
    let mut rig = Rig::new(Version::H1, "openai", |_| json("{}")).await;
    assert_eq!(rig.post(CHAT, "nonsense").await.head.status, 400);
    assert_eq!(rig.post(CHAT, "{\"messages\":[]}").await.head.status, 200);
}
