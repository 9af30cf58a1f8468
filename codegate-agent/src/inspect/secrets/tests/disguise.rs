//! Secrets that are encoded.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

use super::{
    super::{disguise::views, landmarks::Words},
    bare_tokens, expand, found, none_wrong, secrets,
};

/// A secret that is not found as it stands, whole.
fn hidden(before: &str, encoded: &str, after: &str) {
    let text = format!("{before}{encoded}{after}");
    let range = before.len()..before.len() + encoded.len();
    assert_eq!(found(&text), [range], "{text}: {:?}", secrets(&text));
}

fn percent(text: &str) -> String {
    let of = |b: u8| match b.is_ascii_alphanumeric() || b"-_.~".contains(&b) {
        true => char::from(b).to_string(),
        false => format!("%{b:02X}"),
    };
    text.bytes().map(of).collect()
}

fn every(text: &str, escape: impl Fn(u8) -> String) -> String {
    text.bytes().map(escape).collect()
}

fn hex(text: &str) -> String {
    every(text, |b| format!("{b:02x}"))
}

fn github() -> String {
    expand("ghp_‹alnum 36›", 5).text
}

#[test]
fn every_token_is_found_in_every_encoding() {
    let mut wrong = Vec::new();
    for (rule, token) in bare_tokens() {
        let encoded = [
            ("base64", STANDARD.encode(&token)),
            ("base64url", URL_SAFE_NO_PAD.encode(&token)),
            ("hex", hex(&token)),
            ("\\x", every(&token, |b| format!("\\x{b:02x}"))),
            ("\\u", every(&token, |b| format!("\\u{b:04x}"))),
            ("%", every(&token, |b| format!("%{b:02X}"))),
            ("&#", every(&token, |b| format!("&#{b};"))),
        ];
        for (name, encoded) in encoded {
            // An encoded `&` ends what stands before it.
            if name == "%" && token.contains('&') {
                continue;
            }
            let text = format!("value \"{encoded}\" end");
            if found(&text) != [7..7 + encoded.len()] {
                wrong.push(format!("{rule} in {name}: {:?}", secrets(&text)));
            }
        }
    }
    none_wrong(&wrong);
}

#[test]
fn a_secret_in_a_query_is_found_with_its_escapes() {
    let value = "q7+R/zT2=vK9mX4p";
    hidden("https://acme.org/x?password=", &percent(value), "&x=1");
    hidden(
        "next=https%3A%2F%2Fa.b%2Fc%3Fpassword%3D",
        "q7Rz%2FT2vK9mX4pW",
        "%26x%3D1",
    );
    hidden("%22password%22%3A%20%22", "q7RzT2vK9mX4pW", "%22%7D");
    hidden("token%3D", &github(), "%26x%3D1");
}

#[test]
fn a_secret_in_xml_is_found_with_its_entities() {
    hidden("<password>", "q7R&amp;zT2vK9mX4pW", "</password>");
    hidden("&lt;password&gt;", "q7RzT2vK9mX4pW", "&lt;/password&gt;");
    hidden("key=&quot;", &github(), "&quot;");
}

#[test]
fn wrapped_secrets_are_found_whole() {
    hidden("  password: ", &STANDARD.encode("q7R!zT2vK9mX4pW"), "\n");
    hidden(
        "data:\n  DB_PASSWORD: \"",
        &STANDARD.encode("q7R!zT2vK9mX4pW"),
        "\"\n",
    );
    hidden(
        "x: ",
        &STANDARD_NO_PAD.encode(format!("token={}\n", github())),
        ",",
    );
    hidden("x: ", &hex(&format!("{} x", github())), "\n");
    let file = format!("[a]\nurl = postgres://u:{}@db.acme.com/x\n", "k7Qzv2mXw9");
    hidden("echo ", &STANDARD.encode(file), " | base64 -d");
}

#[test]
fn utf_16_is_read() {
    let token = github();
    for big in [false, true] {
        let wide = |text: &str| -> Vec<u8> {
            text.bytes()
                .flat_map(|b| if big { [0, b] } else { [b, 0] })
                .collect()
        };
        let text = [
            &b"x\n"[..],
            &wide("the key is "),
            &wide(&token),
            &wide(" there"),
        ]
        .concat();
        let ranges = super::ranges(super::SCANNER.scan(&text));
        let start = 2 + 2 * "the key is ".len();
        assert_eq!(ranges, [start..start + 2 * token.len()], "{big}");
    }
}

#[test]
fn only_one_level_is_looked_through_and_what_is_no_text_is_left_alone() {
    let token = github();
    let twice = STANDARD.encode(STANDARD.encode(&token));
    let binary = STANDARD.encode([&[0x89, b'P', b'N', b'G', 0][..], token.as_bytes()].concat());
    for text in [
        twice,
        binary,
        format!("%0{}", hex("hello world, hello world")),
    ] {
        assert!(found(&text).is_empty(), "{text}: {:?}", secrets(&text));
    }
}

#[test]
fn what_is_found_as_it_stands_is_not_changed_by_escapes_around_it() {
    let token = github();
    for text in [
        format!("%20{token}%20 100% sure"),
        format!("\\u0022{token}\\u0022"),
        format!("a &amp; b: {token}"),
    ] {
        assert_eq!(secrets(&text), [token.as_str()], "{text}");
    }
    // A URL keeps the bounds that its own escapes give it.
    let text = "postgres://ann:k7Qz%40v2mXw9@db.acme.com/x";
    assert_eq!(secrets(text), ["k7Qz%40v2mXw9"]);
}

#[test]
fn slashes_may_be_escaped() {
    // In two parts, so that none is written here.
    let hook = [
        "https:\\/\\/hooks.slack.com\\/services\\/T0QMS9GZM\\/B0X7LFX9Z\\/",
        "bYcbzXGScFqX0mRJlDQEJXdy",
    ];
    let hook = hook.concat();
    assert_eq!(secrets(&format!("see <{hook}> now")), [hook.as_str()]);
}

#[test]
fn a_text_of_nothing_but_escapes_stays_linear() {
    for piece in [
        "%41", "\\/", "\\x41", "&amp;", "%41\n", "QUJD", "A\0", "%2541 ",
    ] {
        let text = piece.repeat((64 << 10) / piece.len());
        let views = views(text.as_bytes(), &Words::of(text.as_bytes()));
        assert!(
            views.bytes().len() <= 3 * text.len(),
            "{piece:?}: {}",
            views.bytes().len()
        );
    }
}
