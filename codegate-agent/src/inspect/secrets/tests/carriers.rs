//! Every token format in everything that carries text.

use super::{Example, SCANNER, bare_tokens, expand, found, none_wrong, secrets};

/// Where `{}` is, a token stands. In the last two no URL can.
const CARRIERS: [&str; 44] = [
    "{}",
    "prose with {} in it",
    "the end is {}.",
    "ends with {}!",
    "name\": \"{}\"\n",
    "text\": \"I put {} there\"\nrole\": \"user\"\n",
    "TOKEN={}\n",
    "export TOKEN='{}'\n",
    "export TOKEN=\"{}\" OTHER=1\r\n",
    "set -x TOKEN {};",
    "token: {}\n",
    "  - value: \"{}\" # a comment\n",
    "{\"a\": \"{}\", \"b\": 1}",
    "{\\\"a\\\": \\\"{}\\\", \\\"b\\\": 1}",
    "{\\\\\\\"a\\\\\\\": \\\\\\\"{}\\\\\\\"}",
    "first line\\n{}\\nlast line",
    "tab\\t{}\\r\\n",
    "\\u0022{}\\u0022",
    "call(token={},other=1)",
    "call('{}')",
    "let x = \"{}\";",
    "x := `{}`",
    "[\"{}\", \"x\"]",
    "<token>{}</token>",
    "<a href=\"{}\">",
    "curl -H 'X-Token: {}' https://api.acme.org",
    "+TOKEN={}\n",
    "-TOKEN={}\n",
    "    12\tTOKEN={}\n",
    "12| {}\n",
    "> {}\n",
    "2026-01-02T03:04:05Z INFO auth: got {} from ::1\n",
    "\u{1b}[32m{}\u{1b}[0m",
    "\\x1b[1;31m{}\\x1b[0m",
    "\u{2028}{}\u{2028}",
    "\u{c}{}\u{c}",
    "«{}»",
    "密码是{}。",
    "| name | {} |",
    "(`{}`)",
    "{}\u{0}",
    "${X:-{}}",
    "%22{}%22",
    "git clone https://oauth2:{}@git.acme.org/x.git",
];

fn carry(carrier: &str, token: &str) -> Example {
    let at = carrier.find("{}").expect("a place for the token");
    Example {
        text: carrier.replacen("{}", token, 1),
        secrets: vec![at..at + token.len()],
    }
}

#[test]
fn every_token_is_found_in_every_carrier_with_exact_bounds() {
    let mut wrong = Vec::new();
    for (rule, token) in bare_tokens() {
        let unfit = if token.contains("://") { 2 } else { 0 };
        for carrier in &CARRIERS[..CARRIERS.len() - unfit] {
            let carried = carry(carrier, &token);
            if found(&carried.text) != carried.secrets {
                wrong.push(format!(
                    "{rule} in {carrier:?}: {:?}",
                    secrets(&carried.text)
                ));
            }
        }
    }
    none_wrong(&wrong);
}

#[test]
fn the_same_secret_twice_is_found_twice() {
    for (rule, token) in bare_tokens() {
        let text = format!("first {token} and again: {token}\n{token}");
        assert_eq!(secrets(&text), [token.as_str(); 3], "{rule}");
    }
}

#[test]
fn two_secrets_side_by_side_are_both_found() {
    let example = expand("«ghp_‹alnum 36›»:«hf_‹alpha 34›»,«xai-‹alnum 80›»", 3);
    assert_eq!(found(&example.text), example.secrets);
}

#[test]
fn a_secret_across_two_blocks_of_the_engine_is_found() {
    let token = expand("«ghp_‹alnum 36›»", 5).text;
    for before in (1 << 20) - 45..(1 << 20) + 5 {
        let text = format!("{}{token} ", " ".repeat(before));
        assert_eq!(found(&text).first().map(|range| range.start), Some(before));
    }
}

/// A private key, and the ways in which text carries it. What must be found is the key from its
/// first dash to its last, prefixes of lines included.
#[test]
fn a_private_key_is_found_whole_however_its_lines_are_broken() {
    let key = expand(
        "-----BEGIN RSA PRIVATE KEY-----\n‹lines 20›\n‹b64 30›==\n-----END RSA PRIVATE KEY-----",
        1,
    )
    .text;
    let lines = |separator: &str| key.replace('\n', separator);
    let carried = [
        lines("\n"),
        lines("\r\n"),
        lines("\\n"),
        lines("\\r\\n"),
        lines("\\\\n"),
        lines(" "),
        lines("\n+"),
        lines("\n-"),
        lines("\n    "),
        lines("\n> "),
        lines("\n# "),
        lines("\n//  "),
        lines("\\n\" +\n  \""),
        numbered(&key),
    ];
    for key in carried {
        let text = format!("before \"{key}\" after");
        assert_eq!(secrets(&text), [key.as_str()]);
        let twice = format!("{key}\n{key}\n");
        assert_eq!(secrets(&twice), [key.as_str(); 2]);
    }
}

/// As `cat -n` and the file tools of assistants show it.
fn numbered(key: &str) -> String {
    let mut lines = key.lines();
    let first = lines.next().unwrap_or_default().to_owned();
    lines.enumerate().fold(first, |text, (at, line)| {
        format!("{text}\n{:>6}\t{line}", at + 2)
    })
}

#[test]
fn a_private_key_without_an_end_is_found_as_far_as_it_goes() {
    for (separator, behind) in [
        ("\n", "\n\nand prose goes on\n"),
        ("\\n", "\"\nnext\": \"x\"\n"),
        ("\n", ""),
    ] {
        let key = expand("-----BEGIN EC PRIVATE KEY-----\n‹lines 3›", 2)
            .text
            .replace('\n', separator);
        assert_eq!(secrets(&format!("cut: {key}{behind}")), [key.as_str()]);
    }
}

#[test]
fn many_beginnings_of_keys_take_no_time() {
    let text = "-----BEGIN PRIVATE KEY-----\n".repeat(40_000);
    let started = std::time::Instant::now();
    assert!(found(&text).is_empty());
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[test]
fn both_halves_of_an_aws_key_are_found_in_its_file() {
    let example = expand(
        "[default]\naws_access_key_id = «AKIA‹base32 16›»\naws_secret_access_key = «‹b64 39›a»\nregion = eu-west-1\n",
        4,
    );
    assert_eq!(found(&example.text), example.secrets);
}

#[test]
fn bytes_that_are_no_utf8_hide_nothing() {
    let token = expand("«gsk_‹alnum 52›»", 6).text;
    let mut text = b"\xff\xfe\x80\xc3".to_vec();
    text.extend_from_slice(token.as_bytes());
    text.extend_from_slice(b"\xc3\x28\xf0");
    let findings = SCANNER.scan(&text);
    assert_eq!(findings.len(), 1);
    assert_eq!(&text[findings[0].range.clone()], token.as_bytes());
}
