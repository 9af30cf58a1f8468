use super::*;

const SOUGHT: [Sought<'_>; 3] = [
    everywhere("ab+c"),
    everywhere("xyz"),
    Sought {
        trigger: "key",
        around: Some(Landmark::LongWord),
    },
];

const fn everywhere(trigger: &str) -> Sought<'_> {
    Sought {
        trigger,
        around: None,
    }
}

fn hits(engine: &Engine, text: &str) -> Vec<(usize, usize)> {
    let mut hits = Vec::new();
    let mut on_hit = |hit: Hit| hits.push((hit.rule, hit.end));
    let words = Words::of(text.as_bytes());
    engine.scan(text.as_bytes(), &words, &mut on_hit).unwrap();
    hits
}

#[test]
fn what_was_compiled_before_is_taken_and_finds_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Engine::kept_or_compiled(&SOUGHT, dir.path()).unwrap();
    let text = "abbc xyz key=0123456789defghi";
    let first = hits(&open(), text);
    assert_eq!(first, [(0, 4), (1, 8), (2, 12)]);
    assert_eq!(hits(&open(), text), first);
    // It is what was kept that finds, not what would be compiled.
    let other = Engine::compile(&[everywhere("other"), SOUGHT[2]]).unwrap();
    let kept = Plan::kept(&Plan::of(&SOUGHT), dir.path());
    kept.write(&other.serialize().unwrap());
    assert_eq!(hits(&open(), "abbc other"), [(0, 10)]);
}

#[test]
fn where_a_trigger_is_looked_for_is_part_of_what_was_compiled() {
    let dir = tempfile::tempdir().unwrap();
    let text = "abbc xyz key";
    let near = Engine::kept_or_compiled(&SOUGHT, dir.path()).unwrap();
    assert_eq!(hits(&near, text), [(0, 4), (1, 8)]);
    let all = SOUGHT.map(|sought| everywhere(sought.trigger));
    let all = Engine::kept_or_compiled(&all, dir.path()).unwrap();
    assert_eq!(hits(&all, text), [(0, 4), (1, 8), (2, 12)]);
}

#[test]
fn what_the_engine_refuses_is_compiled_again() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Engine::kept_or_compiled(&SOUGHT, dir.path()).unwrap();
    drop(open());
    let kept = Plan::kept(&Plan::of(&SOUGHT), dir.path());
    let mut of_another_version = kept.read().unwrap();
    of_another_version[12] ^= 0x55;
    let mut cut_elsewhere = kept.read().unwrap();
    cut_elsewhere[0] ^= 0x55;
    for refused in [&of_another_version[..], &cut_elsewhere, b"", b"other"] {
        kept.write(refused);
        assert_eq!(hits(&open(), "abbc xyz"), [(0, 4), (1, 8)]);
        assert_ne!(kept.read().unwrap(), refused);
    }
}

#[test]
fn an_engine_may_have_nothing_to_look_for_somewhere() {
    let dir = tempfile::tempdir().unwrap();
    let text = "xyz key=0123456789defghi";
    for (sought, expected) in [(&SOUGHT[1..2], (0, 3)), (&SOUGHT[2..], (0, 7))] {
        for _ in 0..2 {
            let engine = Engine::kept_or_compiled(sought, dir.path()).unwrap();
            assert_eq!(hits(&engine, text), [expected]);
        }
    }
    let nothing = Engine::compile(&[]).unwrap();
    assert!(hits(&nothing, text).is_empty());
}

#[test]
fn in_a_long_text_what_is_around_landmarks_is_found_at_its_place() {
    let engine = Engine::compile(&SOUGHT).unwrap();
    let far = "key ".repeat(200);
    let near = "key = 0123456789defghi ";
    // Far apart, so that parts of many sizes are gathered and led back.
    let text = [&far, near].concat().repeat(700);
    let ends: Vec<_> = hits(&engine, &text)
        .into_iter()
        .map(|(_, end)| end)
        .collect();
    assert!(ends.is_sorted() && ends.iter().all(|end| text[..*end].ends_with("key")));
    let is_found = |at: usize| ends.binary_search(&(at + 3)).is_ok();
    let mut values = text.match_indices(near).map(|(at, _)| at);
    assert!(values.all(is_found));
    assert!(ends.len() < 200 * 700);
}
