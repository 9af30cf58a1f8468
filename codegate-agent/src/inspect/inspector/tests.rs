//! What the policy decides, and that memory changes nothing.

#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::{ops::Range, sync::LazyLock};

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

static INSPECTOR: LazyLock<Inspector> =
    LazyLock::new(|| Inspector::builtin(Policy::default()).unwrap());

#[test]
fn the_policy_decides_and_secrets_come_first() {
    let text = "card 4242 4242 4242 4242, jane@acme.com, \
                key ghp_pR4kx9TqLm2ZsVb7NcY1WdHf8JgA3E0iu5Ko and postgres://u:hunter2x9@db.acme.com/x";
    let found = INSPECTOR.inspect(text.as_bytes());
    let kinds = |list: &[Finding]| list.iter().map(|f| f.kind.to_string()).collect::<Vec<_>>();
    let sealed = kinds(&found.sealed);
    assert_eq!(sealed[..2], ["CARD", "GITHUB"]);
    assert!(sealed.len() > 2, "the connection's password: {sealed:?}");
    assert_eq!(kinds(&found.reported), ["EMAIL"]);
    let apart = |pair: &[Finding]| pair[0].range.end <= pair[1].range.start;
    assert!(found.sealed.windows(2).all(apart));
}

struct Names(&'static [u8]);

impl Known for Names {
    fn find(&self, text: &[u8]) -> Vec<Finding> {
        let of = |at| Finding {
            range: at..at + self.0.len(),
            kind: crate::inspect::Kind::parse("NAME").unwrap(),
            rule: "literal".into(),
            confidence: crate::inspect::Confidence::High,
        };
        memchr::memmem::find_iter(text, self.0).map(of).collect()
    }
}

#[test]
fn what_is_named_is_sealed_and_what_it_covers_is_not_reported() {
    let text = b"write to jane@acme.com, or to joe@acme.com";
    let known = Names(b"jane");
    let owner = Owner {
        uid: 1,
        known: Some(&known),
    };
    let found = INSPECTOR.inspect_pieces(text, [text.len()], Some(owner));
    assert_eq!(found.sealed.len(), 1);
    assert_eq!(found.sealed[0].range, 9..13);
    assert_eq!(found.reported.len(), 1);
}

#[test]
fn segments_are_neither_tiny_nor_many_and_leave_nothing_out() {
    let cut = |len, ends: &[usize]| segments(len, ends.iter().copied()).collect::<Vec<_>>();
    assert!(cut(0, &[]).is_empty());
    assert_eq!(cut(5, &[3, 5]), [Range { start: 0, end: 5 }]);
    let s = SEGMENT;
    assert_eq!(cut(3 * s, &[s - 1, s, s + 1, 3 * s]), [0..s, s..3 * s]);
    assert_eq!(
        cut(2 * s + 9, &[s, 2 * s]),
        [0..s, s..2 * s, 2 * s..2 * s + 9]
    );
}

/// What messages are made of: what is found by itself, and what is found by its neighbours.
fn sentence() -> impl Strategy<Value = String> {
    const SAID: [&str; 14] = [
        "The quick brown fox jumps over the lazy dog, and on it goes. ",
        "fn main() { println!(\"{}\", 42); }\n",
        "ghp_pR4kx9TqLm2ZsVb7NcY1WdHf8JgA3E0iu5Ko ",
        "aws_access_key_id = AKIAQ4XR7NTJ2WPZK6MV\n",
        "aws_secret_access_key = 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\n",
        "DB_PASSWORD=k7Qz!v2mXw9\n",
        "password",
        ": ",
        "\"hunter2x9qZ\" ",
        "jane@acme.com and +49 30 901820 ",
        "card 4242 4242 4242 4242 ",
        "postgres://u:hunter2x9@db.acme.com/x ",
        "-----BEGIN PRIVATE KEY-----\n",
        "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDBx0\n",
    ];
    (select(&SAID[..]), select(vec![1, 1, 1, 40, 400])).prop_map(|(said, times)| said.repeat(times))
}

fn message() -> impl Strategy<Value = String> {
    vec(sentence(), 0..6).prop_map(|said| said.concat())
}

/// A conversation as the dialects join it, and where its pieces end.
fn joined(messages: &[String]) -> (Vec<u8>, Vec<usize>) {
    let (mut text, mut ends) = (Vec::new(), Vec::new());
    for message in messages {
        text.extend_from_slice(b"content\": \"");
        text.extend_from_slice(message.as_bytes());
        ends.push(text.len());
        text.extend_from_slice(b"\"\n");
    }
    (text, ends)
}

fn in_one_piece(found: Inspection, ends: &[usize]) -> Inspection {
    let keep = |f: &Finding| {
        let end = ends.iter().find(|end| **end > f.range.start);
        end.is_some_and(|end| f.range.end <= *end)
    };
    let only = |list: Vec<Finding>| list.into_iter().filter(|f| keep(f)).collect();
    Inspection {
        sealed: only(found.sealed),
        reported: only(found.reported),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn a_conversation_that_grows_is_found_as_if_it_were_new(
        messages in vec(message(), 1..16), uid in 0_u32..3,
    ) {
        let owner = Some(Owner { uid, known: None });
        for turn in 1..=messages.len() {
            let (text, ends) = joined(&messages[..turn]);
            let again = INSPECTOR.inspect_pieces(&text, ends.clone(), owner);
            let new = INSPECTOR.inspect_pieces(&text, ends.clone(), None);
            prop_assert_eq!(&again, &new);
            if turn == messages.len() {
                let whole = INSPECTOR.inspect(&text);
                prop_assert_eq!(in_one_piece(again, &ends), in_one_piece(whole, &ends));
            }
        }
    }
}
