//! Properties over any text.

use std::{ops::Range, sync::LazyLock};

use proptest::{prelude::*, sample::select};

use super::{
    super::{landmarks::Words, sweep::Triggers},
    Example, SCANNER, bare_tokens, expand, found, ranges, source,
};

/// Every rule's examples, filled in.
static EXAMPLES: LazyLock<Vec<Example>> = LazyLock::new(|| {
    let sources = source::builtin().expect("sound rules");
    let templates = sources.iter().flat_map(|source| &source.text.examples);
    templates.map(|template| expand(template, 11)).collect()
});

static TOKENS: LazyLock<Vec<String>> =
    LazyLock::new(|| bare_tokens().into_iter().map(|(_, token)| token).collect());

/// Pieces that rules look for, so that random texts come close to matching.
fn fragment() -> impl Strategy<Value = String> {
    const PIECES: [&str; 36] = [
        "password",
        "api_key",
        "Token",
        "secret",
        "=",
        ": ",
        "\"",
        "\\\"",
        "'",
        "\n",
        "\\n",
        " ",
        "ghp_",
        "sk-ant-api03-",
        "eyJ",
        ".",
        "://",
        "postgres",
        "@",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "AKIA",
        "Bearer ",
        "Basic ",
        "Authorization",
        "CG_AB_",
        "${",
        "AAAAAAAAAAAAAAAAAAAAAAAA",
        "value",
        "é",
        "\u{2028}",
        "%3D",
        "<",
        ">",
        "machine x login y password ",
        "-p",
    ];
    prop_oneof![
        4 => select(&PIECES[..]).prop_map(str::to_owned),
        2 => "[A-Za-z0-9+/_-]{1,40}",
        1 => select(&EXAMPLES[..]).prop_map(|example| example.text),
        1 => ".{0,8}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(fragment(), 0..60).prop_map(|pieces| pieces.concat())
}

/// Prose in which nothing is found.
fn prose() -> impl Strategy<Value = String> {
    let words = [
        "lorem",
        "the",
        "build",
        "12",
        "of",
        "café",
        "\n",
        "src/main.rs",
        "and",
        "x = y;",
        "(see",
        "docs)",
    ];
    prop::collection::vec(select(words.to_vec()), 0..80).prop_map(|words| words.join(" "))
}

fn check_shape(text: &[u8]) -> Result<(), TestCaseError> {
    let mut end = 0;
    for finding in SCANNER.scan(text) {
        prop_assert!(finding.range.start >= end && !finding.range.is_empty());
        end = finding.range.end;
    }
    prop_assert!(end <= text.len());
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_give_findings_in_range_in_order_and_apart(
        text in prop::collection::vec(any::<u8>(), 0..4096),
    ) {
        check_shape(&text)?;
    }

    #[test]
    fn texts_that_come_close_give_findings_in_range_in_order_and_apart(text in text()) {
        check_shape(text.as_bytes())?;
    }

    #[test]
    fn a_token_is_found_wherever_it_stands(
        before in prose(),
        after in prose(),
        token in select(&TOKENS[..]),
        open in select(vec![" ", "\n", "\"", "'", "`", "(", "\\n", "\t", "=", "\u{2028}", "\u{c}", ": ", "%22"]),
        close in select(vec![" ", "\n", "\"", "'", "`", ")", "\\n", ", ", "\r\n", "\u{2028}", "<", "%22"]),
    ) {
        prop_assume!(!(token.contains("://") && close == "%22"));
        let start = before.len() + open.len();
        let text = format!("{before}{open}{token}{close}{after}");
        prop_assert_eq!(found(&text), vec![start..start + token.len()], "{}", text);
    }

    #[test]
    fn sealing_what_was_found_leaves_nothing_to_find(example in select(&EXAMPLES[..]), before in prose()) {
        let mut text = format!("{before}\n{}", example.text).into_bytes();
        for finding in SCANNER.scan(&text).into_iter().rev() {
            let placeholder = format!("CG_{}_7Q4M2K9XW8T3RBNDZ5HJ6PFA", finding.kind);
            text.splice(finding.range, placeholder.into_bytes());
        }
        let again = SCANNER.scan(&text);
        prop_assert!(again.is_empty(), "{:?} in {}", again, String::from_utf8_lossy(&text));
    }
}

static TRIGGERS: LazyLock<Triggers> = LazyLock::new(|| Triggers::of(&SCANNER.rules));

fn swept(text: &str) -> Vec<Range<usize>> {
    let words = Words::of(text.as_bytes());
    ranges(SCANNER.sweep(text.as_bytes(), &words).findings)
}

fn found_one_by_one(text: &str) -> Vec<Range<usize>> {
    ranges(SCANNER.scan_one_by_one(&TRIGGERS, text.as_bytes()).findings)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_passes_find_what_each_rule_finds_on_its_own(text in text()) {
        prop_assert_eq!(swept(&text), found_one_by_one(&text));
    }
}

#[test]
fn every_end_of_a_name_counts_in_both_passes() {
    let text = "telegram bot: 68410857:AZGzD8r5f0Nk8LDQzD1wCt5CsU30aMb1hEx";
    assert_eq!(found(text), [14..58]);
    assert_eq!(found_one_by_one(text), [14..58]);
}
