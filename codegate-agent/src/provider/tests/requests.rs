//! What requests say: text and what is none, JSON in strings, and bodies that cannot be read.

use proptest::prelude::*;
use serde_json::json;

use super::{
    super::route,
    vault::{anthropic, chat, opaque, responses},
};
use crate::span::splice;

#[test]
fn names_are_text_where_they_are_free() {
    let key = "canary-as-a-name";
    for (dialect, body) in [
        (chat(), format!(r#"{{"{key}":1,"messages":[]}}"#)),
        (
            chat(),
            format!(r#"{{"messages":[{{"content":[{{"type":"text","{key}":1}}]}}]}}"#),
        ),
        (
            anthropic(),
            format!(
                r#"{{"messages":[{{"content":[{{"type":"tool_use","input":{{"{key}":1}}}}]}}]}}"#
            ),
        ),
        (
            responses(),
            format!(r#"{{"input":[{{"type":"function_call","arguments":"{{\"{key}\":1}}"}}]}}"#),
        ),
        (opaque(), format!(r#"{{"x":{{"{key}":1}}}}"#)),
    ] {
        let text = dialect.request(body.as_bytes()).unwrap().text;
        let seen = text
            .pieces()
            .iter()
            .any(|p| text.piece_bytes(p) == key.as_bytes());
        assert!(seen, "{body}");
    }
}

#[test]
fn data_urls_are_not_text_and_other_urls_are() {
    let body = |url: &str| json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]});
    for (url, text) in [
        ("data:image/png;base64,iVBORw0KGgo=", false),
        ("DATA:;base64,iVBORw0KGgo=", false),
        ("data:text/plain,a secret", true),
        ("https://example.com/a;base64,b", true),
    ] {
        let body = body(url).to_string();
        let pieces = chat().request(body.as_bytes()).unwrap().text.pieces().len();
        assert_eq!(pieces == 1, text, "{url}");
    }
}

#[test]
fn a_source_that_says_two_things_is_text() {
    for source in [
        r#"{"type":"base64","data":"canary","type":"text"}"#,
        r#"{"type":"text","type":"base64","data":"canary"}"#,
        r#"{"ty\u0070e":"text","type":"base64","data":"canary"}"#,
        r#"{"type":["base64"],"data":"canary"}"#,
        r#"{"data":"canary"}"#,
    ] {
        let body =
            format!(r#"{{"messages":[{{"content":[{{"type":"document","source":{source}}}]}}]}}"#);
        let text = anthropic().request(body.as_bytes()).unwrap().text;
        assert!(
            text.pieces()
                .iter()
                .any(|p| text.piece_bytes(p) == b"canary"),
            "{source}"
        );
    }
}

#[test]
fn every_one_of_two_members_of_a_name_is_seen() {
    let body =
        br#"{"messages":[{"content":"one","content":"two"}],"messages":[{"content":"three"}]}"#;
    let text = chat().request(body).unwrap().text;
    let seen: Vec<_> = text.pieces().iter().map(|p| text.piece_bytes(p)).collect();
    assert_eq!(seen, [b"one" as &[u8], b"two", b"three"]);
}

#[test]
fn names_written_with_escapes_are_the_same_names() {
    let body = br#"{"messages":[{"content":[{"type":"thinking","thin\u006bing":"signed"}]}]}"#;
    assert!(anthropic().request(body).unwrap().text.pieces().is_empty());
}

#[test]
fn json_in_strings_is_read_to_the_fourth_layer() {
    let mut inner = json!({"password": "hunter2\n"}).to_string();
    for depth in 2..=6_u8 {
        let body = json!({"messages": [{"content": inner}]}).to_string();
        let text = chat().request(body.as_bytes()).unwrap().text;
        let last = text.pieces().last().unwrap();
        assert_eq!(last.depth, depth.min(4));
        if depth <= 4 {
            assert_eq!(text.piece_bytes(last), b"hunter2\n");
            let edit = text
                .edit(body.as_bytes(), last.range.clone(), b"a\"b\\c\n")
                .unwrap();
            let edited = String::from_utf8(splice(body.as_bytes(), &[edit])).unwrap();
            let same = body.clone();
            let mut expected = json!({"password": "a\"b\\c\n"}).to_string();
            for _ in 2..depth {
                expected = json!({"more": expected}).to_string();
            }
            assert_eq!(
                edited,
                json!({"messages": [{"content": expected}]}).to_string(),
                "{same}"
            );
        }
        inner = json!({"more": inner}).to_string();
    }
}

#[test]
fn what_only_looks_like_json_is_text() {
    for content in [
        "{not json}",
        "[1, 2",
        "{\"a\":1} and more",
        "[a](b)",
        "{",
        "[]]",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"b\"} and {\"c\":\"d\"}",
    ] {
        let body = json!({"messages": [{"content": content}]}).to_string();
        let text = chat().request(body.as_bytes()).unwrap().text;
        let [piece] = text.pieces() else {
            panic!("{content}")
        };
        assert_eq!(
            (text.piece_bytes(piece), piece.depth),
            (content.as_bytes(), 1)
        );
    }
}

#[test]
fn custom_tools_take_text_that_is_never_json() {
    let body =
        json!({"input": [{"type": "custom_tool_call", "input": "{\"a\":\"b\"}"}]}).to_string();
    let text = responses().request(body.as_bytes()).unwrap().text;
    assert_eq!(text.pieces().len(), 1);
    assert_eq!(text.piece_bytes(&text.pieces()[0]), br#"{"a":"b"}"#);
}

#[test]
fn scanners_see_the_nearest_name() {
    let body =
        br#"{"messages":[{"content":"{\"api_key\":\"x\",\"all\":[[\"y\"]]}"}],"stop":["z"]}"#;
    let text = chat().request(body).unwrap().text;
    let expected = "api_key\": \"x\"\nall\": \"y\"\nstop\": \"z\"\n";
    assert_eq!(text.bytes(), expected.as_bytes());
}

#[test]
fn model_and_stream_are_read() {
    for dialect in [chat(), responses(), anthropic(), opaque()] {
        let request = dialect
            .request(br#"{"stream":true,"model":"m\u002d1","messages":[],"input":[]}"#)
            .unwrap();
        assert_eq!(
            (request.model.as_deref(), request.stream),
            (Some("m-1"), true)
        );
        let request = dialect.request(br#"{"stream":false,"model":7}"#).unwrap();
        assert_eq!((request.model, request.stream), (None, false));
    }
}

#[test]
fn a_body_of_countless_strings_is_malformed() {
    let body = |n: usize| format!("{{\"messages\":[{}\"a\",\"\"]}}", "\"a\",".repeat(n - 1));
    assert_eq!(
        chat()
            .request(body(1 << 20).as_bytes())
            .unwrap()
            .text
            .pieces()
            .len(),
        1 << 20
    );
    let refused = chat().request(body((1 << 20) + 1).as_bytes()).unwrap_err();
    assert_eq!(refused.reason, "too many strings");
}

#[test]
fn what_cannot_be_read_is_malformed() {
    for body in [
        b"" as &[u8],
        b"hello",
        b"{",
        b"{\"messages\":[",
        b"{\"messages\":[]}x",
        b"[]",
        b"\"x\"",
        b"null",
        b"{\"messages\":\"\xff\"}",
        b"\xef\xbb\xbf{}",
        b"a=1&b=2",
    ] {
        for dialect in [chat(), responses(), anthropic()] {
            assert!(
                dialect.request(body).is_err(),
                "{:?}",
                String::from_utf8_lossy(body)
            );
        }
    }
    let json = route("openai", "POST", "/v1/embeddings").dialect;
    assert!(json.request(b"{\"input\":").is_err());
    assert!(json.request(b"[\"x\"]").is_ok());
}

#[test]
fn an_opaque_body_that_is_not_json_is_one_text() {
    for body in [b"a=1&b=2" as &[u8], b"\xff\x00{", b"{\"a\":"] {
        let text = opaque().request(body).unwrap().text;
        assert_eq!(text.bytes(), body);
        let edit = text.edit(body, 1..2, b"\"").unwrap();
        assert_eq!((edit.raw, edit.with.as_slice()), (1..2, b"\"" as &[u8]));
    }
    assert!(opaque().request(b"").unwrap().text.pieces().is_empty());
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..80)) {
        for dialect in [chat(), responses(), anthropic(), opaque()] {
            let _request = dialect.request(&body);
            let _answer = dialect.answer(&body);
        }
    }

    #[test]
    fn every_piece_is_where_it_says(texts in prop::collection::vec("[\\PC\"\\\\\n{}\\[\\]]{0,12}", 1..5), ascii in any::<bool>()) {
        let nested = json!({"x": texts, "y": json!(texts).to_string()}).to_string();
        let mut body = json!({"messages": [{"content": nested}, {"content": texts}]}).to_string();
        if ascii {
            body = body.encode_utf16().map(|u| match u8::try_from(u) {
                Ok(b) if b.is_ascii() => char::from(b).to_string(),
                _ => format!("\\u{u:04x}"),
            }).collect();
        }
        let text = chat().request(body.as_bytes()).unwrap().text;
        let mut end = 0;
        for piece in text.pieces() {
            prop_assert!(piece.raw.start >= end, "sorted and disjoint");
            end = piece.raw.end;
            let raw = text.raw_range(body.as_bytes(), piece, piece.range.clone());
            prop_assert_eq!(&raw, &piece.raw);
            let mut now = body.as_bytes()[raw].to_vec();
            for _ in 0..piece.depth {
                let mut out = Vec::new();
                crate::span::decode(&now, &mut out);
                now = out;
            }
            prop_assert_eq!(&now[..], text.piece_bytes(piece));
        }
    }
}
