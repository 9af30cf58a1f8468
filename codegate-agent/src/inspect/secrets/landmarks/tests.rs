use super::*;

fn of(pattern: &str, digit: bool) -> Option<(Landmark, usize)> {
    let hir = super::super::trigger::parse(pattern).unwrap();
    Held::by(&hir, digit).map(|held| (held.landmark, held.before))
}

fn word(before: usize) -> Option<(Landmark, usize)> {
    Some((Landmark::LongWord, before))
}

#[test]
fn a_pattern_holds_a_word_as_long_as_its_shortest_match() {
    for (pattern, digit, expected) in [
        ("ab_[a-zA-Z]{29}", false, word(0)),
        ("ab_[a-zA-Z]{28}", false, None),
        ("ab_[a-z]{29}", false, None),
        ("aB_[a-z]{29}", false, word(0)),
        ("[a-z0-9]{32}", false, word(0)),
        ("[A-Z2-7]{32}", false, None),
        ("[A-Z2-7]{52}", false, word(0)),
        ("ab_[a-z]{13}", true, word(0)),
        ("ab_[a-z]{12}", true, None),
        ("ab1[a-z]{13}", false, word(0)),
        ("ab[0-9]{2}[a-z]{12}", false, word(0)),
        ("ab[0-9]{0,2}[a-z]{14}", false, None),
        ("[0-9a-f]{16}", false, word(0)),
        ("[0-9a-f]{15}", false, None),
        ("[0-9a-f]{8}[0-9a-f]{8}", false, None),
        ("[a-f]{16}", false, None),
        ("key[ ]{1,3}[a-z0-9]{32,40}", false, word(6)),
        ("key[ ]+[a-z0-9]{32}", false, None),
        ("[a-z]+[A-Z0-9]{32}", false, word(0)),
        ("k[ :](?P<secret>[a-z]{16})", true, word(2)),
        ("k[ :]{16}(?P<secret>[a-z]{15})", true, None),
        (
            "k[ :](?P<secret>(?P<core>[a-z]{8})[a-z]{16})",
            true,
            word(2),
        ),
        ("(?P<core>[a-z]{8}) (?P<secret>[a-z]{16})", true, None),
        ("a (?:b [a-z0-9]{32}|c  [A-Z0-9]{32,})", false, word(5)),
        ("a (?:b [a-z0-9]{32}|c  [A-Z0-9]{20,})", false, None),
        ("(?:a [a-z0-9]{32} ){1,9}", false, word(2)),
        ("(?:a [a-z0-9]{32} )?", false, None),
        ("[a-z0-9]{16}[^x]{9}[a-z0-9]{16}", false, None),
    ] {
        assert_eq!(of(pattern, digit), expected, "{pattern} {digit}");
    }
}

#[test]
fn a_pattern_holds_a_sign_where_each_match_has_it() {
    let sign = |before| Some((Landmark::Sign, before));
    for (pattern, expected) in [
        ("[a-z]{1,8}://[^ @]{2,20}@[a-z]{3}", sign(31)),
        ("[a-z]+@", None),
        ("a@?b", None),
        (" (?:a@|bc@)x", sign(3)),
        (" (?:a@|[0-9]{16})x", word(2)),
    ] {
        assert_eq!(of(pattern, false), expected, "{pattern}");
    }
}

#[test]
fn a_text_is_looked_at_around_long_words_and_signs() {
    let parts = |text: &str| -> Vec<(usize, usize)> {
        let words = Words::of(text.as_bytes());
        let parts = words.surroundings(text.as_bytes());
        parts.map(|part| (part.start, part.end)).collect()
    };
    let (word, sign) = (Landmark::LongWord, Landmark::Sign);
    let far = " x".repeat(400);
    assert!(parts(&far).is_empty());
    let letters = "abcdefghijklmnopqrstuvwxyzabcdeX";
    for (landmark, text, length) in [
        (word, "0123456789abcdef", 64),
        (word, letters, 64),
        (word, &"a0".repeat(50), 100),
        (sign, "@", 128),
    ] {
        let text = [&far, " ", text, &far].concat();
        let at = far.len() + 1;
        assert_eq!(
            parts(&text),
            [(at - landmark.before(), at + length)],
            "{text}"
        );
    }
    for text in [
        "0123456789abcde",
        &letters[1..],
        &letters.to_lowercase(),
        &letters.to_uppercase(),
    ] {
        assert!(parts(text).is_empty(), "{text}");
    }
    let text = ["@", &far, " 0123456789abcdef @"].concat();
    let at = text.len() - 1;
    assert_eq!(parts(&text), [(0, 128), (at - sign.before(), at + 1)]);
    assert_eq!(parts("@ 0123456789abcdef"), [(0, 18)]);
}
