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
        ("(?:[a-z0-9]{32}|[a-z]{32})", false, None),
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
        (" (?:a@|[0-9]{16})x", None),
    ] {
        assert_eq!(of(pattern, false), expected, "{pattern}");
    }
}

#[test]
fn a_landmark_is_near_enough_or_none_is() {
    for (landmark, before, behind) in [(Landmark::LongWord, 300, 64), (Landmark::Sign, 400, 128)] {
        let held = Held {
            landmark,
            before: 8,
        };
        assert_eq!(held.around(before - 8, behind), Some(landmark));
        assert_eq!(held.around(before - 7, behind), None);
        assert_eq!(held.around(before - 8, behind + 1), None);
    }
}

fn parts(landmark: Landmark, text: &str) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    let words = Words::of(text.as_bytes());
    let taken = words.around(landmark, text.as_bytes(), |part| {
        parts.push((part.start, part.end));
        Ok::<_, ()>(())
    });
    assert_eq!(taken, Ok(()));
    parts
}

#[test]
fn a_text_is_looked_at_around_long_words_and_signs() {
    let (word, sign) = (Landmark::LongWord, Landmark::Sign);
    let far = " x".repeat(400);
    let letters = "abcdefghijklmnopqrstuvwxyzabcdeX";
    for (landmark, text, length) in [
        (word, "0123456789abcdef", 64),
        (word, letters, 64),
        (word, &"a0".repeat(50), 100),
        (sign, "@", 128),
    ] {
        assert!(parts(landmark, &far).is_empty());
        let text = [&far, " ", text, &far].concat();
        let at = far.len() + 1;
        let expected = (at - landmark.before(), at + length);
        assert_eq!(parts(landmark, &text), [expected], "{text}");
    }
    for text in [
        "0123456789abcde @",
        &letters[1..],
        &letters.to_lowercase(),
        &letters.to_uppercase(),
    ] {
        assert!(parts(word, text).is_empty(), "{text}");
    }
}

#[test]
fn what_is_around_two_landmarks_is_one_part() {
    let text = |between: usize| format!("{0}{1}{0}", "@", " ".repeat(between - 1));
    assert_eq!(parts(Landmark::Sign, &text(528)), [(0, 529)]);
    assert_eq!(parts(Landmark::Sign, &text(529)), [(0, 128), (129, 530)]);
}
