//! The way out.

use bytes::Bytes;
use codegate::{inspect::Kind, seal::NewSecret};
use http::{HeaderMap, HeaderValue, Request};

use crate::rig::{HOST, Rig, Version, frames, github_token, gunzip, gzip, json, post};

const CHAT: &str = "/v1/chat/completions";

fn chat(text: &str) -> String {
    let content = serde_json::to_string(text).unwrap();
    format!(
        "{{\"model\" : \"gpt-4o\",\n \"x_unknown\":[1e3, null],\"messages\":[{{\"role\":\"user\",\"content\":{content}}}]}}"
    )
}

fn ok(_: &crate::rig::Seen) -> crate::rig::Answer {
    json("{\"choices\":[]}")
}

#[tokio::test]
async fn a_secret_is_sealed_wherever_it_stands_and_nothing_else_changes() {
    for version in [Version::H1, Version::H2] {
        let mut rig = Rig::new(version, "openai", ok).await;
        let token = github_token();
        let body = chat(&format!("use {token} and\u{2028}again \"{token}\""));
        assert_eq!(rig.post(CHAT, body.clone()).await.head.status, 200);
        let seen = rig.seen_body();
        assert!(!seen.contains(&token), "{version:?}: {seen}");
        let exchange = rig.recorded(1).await.remove(0);
        let [sealed] = exchange.sealed.as_slice() else {
            panic!("{:?}", exchange.sealed)
        };
        assert_eq!((sealed.kind.as_str(), sealed.count), ("GITHUB", 2));
        assert_eq!(
            seen.replace(&sealed.placeholder, &token),
            body,
            "{version:?}"
        );
        assert_eq!(exchange.model.as_deref(), Some("gpt-4o"));
    }
}

#[tokio::test]
async fn a_card_that_is_a_number_becomes_a_string() {
    let mut rig = Rig::new(Version::H1, "openai", ok).await;
    let arguments = r#"{"card_number": 4242424242424242}"#;
    let body = chat(arguments).replace("1e3", "{\"credit_card\":4242424242424242,\"n\":12}");
    rig.post(CHAT, body.clone()).await;
    let exchange = rig.recorded(1).await.remove(0);
    let card = &exchange.sealed[0].placeholder;
    let expected = body
        .replace(":4242424242424242", &format!(":\"{card}\""))
        .replace(" 4242424242424242", &format!(" \\\"{card}\\\""));
    assert_eq!(rig.seen_body(), expected);
    assert_eq!((exchange.sealed[0].count, exchange.personal), (2, 0));
}

#[tokio::test]
async fn a_value_that_the_user_named_is_sealed() {
    let mut rig = Rig::new(Version::H1, "openai", ok).await;
    let literal = NewSecret {
        kind: Kind::parse("BIRD").unwrap(),
        rule: "literal",
        value: "Nachtigall \"ü\"".as_bytes(),
    };
    let added = rig
        .guard
        .vault
        .add_literals(1000, &[literal])
        .await
        .unwrap();
    let body = chat("codename Nachtigall \"ü\"!");
    rig.post(CHAT, body.clone()).await;
    let expected = body.replace("Nachtigall \\\"ü\\\"", &added[0].to_string());
    assert_eq!(rig.seen_body(), expected);
    let exchange = rig.recorded(1).await.remove(0);
    assert_eq!(exchange.sealed[0].rule, "literal");
}

#[tokio::test]
async fn a_card_is_sealed_and_an_address_is_told_of() {
    let mut rig = Rig::new(Version::H1, "openai", ok).await;
    let body = chat("charge 4242 4242 4242 4242 and write to jane@acme.com");
    rig.post(CHAT, body.clone()).await;
    let seen = rig.seen_body();
    let exchange = rig.recorded(1).await.remove(0);
    let [sealed] = exchange.sealed.as_slice() else {
        panic!("{:?}", exchange.sealed)
    };
    assert_eq!((sealed.kind.as_str(), sealed.count), ("CARD", 1));
    assert_eq!(exchange.personal, 1);
    let restored = seen.replace(&sealed.placeholder, "4242 4242 4242 4242");
    assert_eq!(restored, body);
    let events: Vec<_> = exchange
        .events
        .iter()
        .map(|event| (&*event.code, &*event.message))
        .collect();
    let message = "personal data went out as it is: 1 EMAIL";
    assert_eq!(events, [("personal-data", message)]);
}

#[tokio::test]
async fn the_same_secret_has_the_same_placeholder_next_turn() {
    let mut rig = Rig::new(Version::H1, "openai", ok).await;
    let body = chat(&github_token());
    rig.post(CHAT, body.clone()).await;
    rig.post(CHAT, body).await;
    let seen = rig.seen();
    assert_eq!(seen[0].body, seen[1].body);
}

#[tokio::test]
async fn what_needs_no_edit_goes_out_as_it_came() {
    let mut rig = Rig::new(Version::H1, "openai", ok).await;
    let body = gzip(chat("nothing to hide").as_bytes());
    let mut request = post(CHAT, body.clone());
    request
        .headers_mut()
        .insert("content-encoding", HeaderValue::from_static("gzip"));
    request
        .headers_mut()
        .insert("x-custom", HeaderValue::from_static("kept"));
    rig.send(request).await;
    let seen = rig.seen().remove(0);
    assert_eq!(seen.body, body, "the compressed bytes are the client's own");
    assert_eq!(seen.head.headers["x-custom"], "kept");
    assert_eq!(seen.head.headers["content-length"], body.len().to_string());
}

#[tokio::test]
async fn a_compressed_body_is_read_and_compressed_again() {
    let mut rig = Rig::new(Version::H1, "openai", ok).await;
    let token = github_token();
    let mut request = post(CHAT, gzip(chat(&token).as_bytes()));
    request
        .headers_mut()
        .insert("content-encoding", HeaderValue::from_static("gzip"));
    assert_eq!(rig.send(request).await.head.status, 200);
    let seen = rig.seen().remove(0);
    assert_eq!(seen.head.headers["content-encoding"], "gzip");
    assert_eq!(
        seen.head.headers["content-length"],
        seen.body.len().to_string()
    );
    let plain = String::from_utf8(gunzip(&seen.body)).unwrap();
    assert!(
        plain.contains("CG_GITHUB_") && !plain.contains(&token),
        "{plain}"
    );
}

/// Row 7: a chunked request whose secret is cut in two must not leave with its first bytes.
#[tokio::test]
async fn a_chunked_body_is_read_whole_and_keeps_its_trailers() {
    for version in [Version::H1, Version::H2] {
        let mut rig = Rig::new(version, "openai", ok).await;
        let body = chat(&github_token());
        let pieces = body
            .as_bytes()
            .chunks(5)
            .map(Bytes::copy_from_slice)
            .collect();
        let trailers = HeaderMap::from_iter([(
            http::HeaderName::from_static("x-digest"),
            HeaderValue::from_static("abc"),
        )]);
        let request = Request::post(format!("https://{HOST}{CHAT}"))
            .header("host", HOST)
            .header("trailer", "x-digest")
            .body(frames(pieces, Some(trailers)))
            .unwrap();
        assert_eq!(rig.send(request).await.head.status, 200);
        let seen = rig.seen().remove(0);
        assert!(!String::from_utf8_lossy(&seen.body).contains(&github_token()));
        assert_eq!(seen.trailers.unwrap()["x-digest"], "abc", "{version:?}");
    }
}

/// Row 6: neither a query nor an endpoint that the guard does not know opens a way around it.
#[tokio::test]
async fn every_path_of_the_host_is_read() {
    for path in [
        "/v1/chat/completions?api-version=1",
        "/v1/responses",
        "/v1/unheard-of",
        "/",
    ] {
        let mut rig = Rig::new(Version::H1, "openai", ok).await;
        rig.post(
            path,
            format!("{{\"input\":\"{}\",\"messages\":[]}}", github_token()),
        )
        .await;
        let seen = rig.seen_body();
        assert!(
            seen.contains("CG_GITHUB_") && !seen.contains(&github_token()),
            "{path}: {seen}"
        );
    }
}

#[tokio::test]
async fn requests_without_a_body_pass() {
    let mut rig = Rig::new(Version::H1, "openai", ok).await;
    let request = Request::get("/v1/models")
        .header("host", HOST)
        .body(frames(vec![], None));
    assert_eq!(rig.send(request.unwrap()).await.head.status, 200);
    assert!(rig.seen()[0].body.is_empty());
}
