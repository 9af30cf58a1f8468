#![allow(clippy::unwrap_used, reason = "tests panic")]

use proptest::prelude::*;

use super::*;

/// A text of two strings, as a walker would read them from `body`.
fn two(body: &[u8], first: Range<usize>, second: Range<usize>, depth: u8) -> Text {
    let mut text = Text::default();
    text.push_string(b"a", &body[first.clone()], first, depth);
    text.push_string(b"b", &body[second.clone()], second, depth);
    text
}

#[test]
fn a_scanner_sees_names_and_quotes() {
    let body = br#"{"a":"x\ny","b":"z"}"#;
    let text = two(body, 6..10, 17..18, 1);
    assert_eq!(text.bytes(), b"a\": \"x\ny\"\nb\": \"z\"\n");
    assert_eq!(text.pieces().len(), 2);
    assert_eq!(text.piece_bytes(&text.pieces()[0]), b"x\ny");
}

#[test]
fn only_a_range_inside_one_piece_is_located() {
    let text = two(br#"{"a":"x\ny","b":"z"}"#, 6..10, 17..18, 1);
    let [a, b] = [text.pieces()[0].clone(), text.pieces()[1].clone()];
    assert_eq!(text.locate(a.range.clone()), Some(&a));
    assert_eq!(text.locate(b.range.clone()), Some(&b));
    assert_eq!(text.locate(a.range.end..a.range.end), Some(&a));
    for outside in [
        0..1,
        4..6,
        a.range.start..a.range.end + 1,
        0..99,
        98..99,
        a.range.start..b.range.end,
    ] {
        assert_eq!(text.locate(outside.clone()), None, "{outside:?}");
    }
    assert_eq!(Text::default().locate(0..0), None);
}

#[test]
fn an_edit_reaches_only_its_bytes() {
    let body = br#"{"a":"x\ny","b":"z"}"#;
    let text = two(body, 6..10, 17..18, 1);
    let edits: Vec<_> = text
        .pieces()
        .iter()
        .map(|p| {
            text.edit(body, p.range.start..p.range.start + 1, b"\"")
                .unwrap()
        })
        .collect();
    assert_eq!(splice(body, &edits), br#"{"a":"\"\ny","b":"\""}"#);
}

#[test]
fn a_long_name_is_left_out() {
    let mut text = Text::default();
    text.push_string(&[b'n'; 65], b"x", 0..1, 1);
    assert_eq!(text.bytes(), b"x\"\n");
}

#[test]
fn a_cut_character_is_widened_and_covered() {
    let body = r#""aé\ud83d\ude00b""#.as_bytes();
    let mut text = Text::default();
    text.push_string(b"", &body[1..body.len() - 1], 1..body.len() - 1, 1);
    // a, two bytes of é, four of the emoji, b
    assert_eq!(text.widen(2..4), 1..7);
    assert_eq!(text.widen(0..8), 0..8);
    assert_eq!(text.widen(7..8), 7..8);
    assert_eq!(text.edit(body, 4..5, b"").unwrap().raw, 4..16);
}

#[test]
fn many_edits_are_made_at_once() {
    let body = br#"{"a":"x\ny\u00e9","b":"z"}"#;
    let text = two(body, 6..16, 23..24, 1);
    let [a, b] = [
        text.pieces()[0].range.clone(),
        text.pieces()[1].range.clone(),
    ];
    let with: &[u8] = b"\"";
    let ranges = [
        (a.start..a.start + 1, with),
        (a.start + 2..a.start + 3, with),
        (a.start + 4..a.start + 5, with),
        (a.end..b.start, with),
        (b, with),
    ];
    let edits = text.edits(body, ranges);
    assert_eq!(edits.len(), 4, "what is between the pieces is left out");
    assert_eq!(splice(body, &edits), br#"{"a":"\"\n\"\"","b":"\""}"#);
}

#[test]
fn a_piece_full_of_edits_is_read_once() {
    let value = "secret\\n".repeat(100_000);
    let body = format!("\"{value}\"");
    let mut text = Text::default();
    text.push_string(b"", value.as_bytes(), 1..1 + value.len(), 1);
    let ranges = (0..100_000).map(|i| (7 * i..7 * i + 6, &b"s"[..]));
    let edits = text.edits(body.as_bytes(), ranges);
    assert_eq!(
        splice(body.as_bytes(), &edits),
        format!("\"{}\"", "s\\n".repeat(100_000)).as_bytes()
    );
}

#[test]
fn edits_that_overlap_or_reach_out_are_left_out() {
    let edit = |raw: Range<usize>| Edit {
        raw,
        with: b"-".to_vec(),
    };
    assert_eq!(
        splice(b"abcdef", &[edit(1..3), edit(2..4), edit(4..9), edit(5..6)]),
        b"a-de-"
    );
    assert_eq!(splice(b"abc", &[]), b"abc");
}

proptest! {
    #[test]
    fn what_is_replaced_is_replaced_through_every_layer(
        before in "[\\PC\"\\\\\n]{0,12}", value in "[\\PC\"\\\\\n\u{2028}😀]{1,12}", after in "[\\PC\"\\\\\n]{0,12}",
        depth in 0_u8..5, ascii in any::<bool>(),
    ) {
        let write = |value: &str| {
            let mut text = format!("{before}{value}{after}");
            for _ in 0..depth {
                let json = serde_json::to_string(&text).unwrap();
                text = json[1..json.len() - 1].to_owned();
                if ascii {
                    text = escape_everything(&text);
                }
            }
            text.into_bytes()
        };
        let body = write(&value);
        let mut text = Text::default();
        if depth == 0 {
            text.push_raw(&body, 0..body.len());
        } else {
            let mut innermost = body.clone();
            for _ in 1..depth {
                let outer = std::mem::take(&mut innermost);
                decode(&outer, &mut innermost);
            }
            text.push_string(b"", &innermost, 0..body.len(), depth);
        }
        let range = before.len()..before.len() + value.len();
        prop_assert_eq!(&text.bytes()[range.clone()], value.as_bytes());
        let edited = splice(&body, &[text.edit(&body, range.clone(), b"CG").unwrap()]);
        let both = text.edits(&body, [(range.start..range.start, &b"<"[..]), (range.clone(), b"CG"), (range.end..range.end, b">")]);
        prop_assert_eq!(splice(&body, &both), write("<CG>"));
        prop_assert_eq!(String::from_utf8(edited).unwrap(), String::from_utf8(write("CG")).unwrap());
    }

    #[test]
    fn arbitrary_ranges_never_panic(
        body in prop::collection::vec(any::<u8>(), 0..30), start in 0_usize..40, end in 0_usize..40,
        raw in (0_usize..40, 0_usize..40), depth in 0_u8..4,
    ) {
        let mut text = Text::default();
        text.push_string(b"k", &body, raw.0..raw.1, depth);
        let piece = text.pieces()[0].clone();
        let _range = text.raw_range(&body, &piece, start..end);
        let _edit = text.edit(&body, start..end, &body);
        let _wide = text.widen(start..end);
    }
}

/// Writes each character that is not ASCII as `\uXXXX`, as many clients do.
fn escape_everything(text: &str) -> String {
    text.encode_utf16()
        .map(|unit| match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
            _ => format!("\\u{unit:04x}"),
        })
        .collect()
}
