#![allow(clippy::unwrap_used, reason = "tests panic")]

use super::*;
use crate::seal::token::tests::placeholders;
use proptest::prelude::*;

/// A placeholder whose body has digits, letters and turns enough not to pass for a word.
fn example() -> String {
    let mac = *b"\x3d\xc9\x44\xf1\x20\x57\xff\x81\x5a\xa5\x10\x02\x7f";
    Placeholder::new(Kind::parse("GITHUB").unwrap(), mac).to_string()
}

fn whole(text: &str) -> Vec<&str> {
    find(text.as_bytes())
        .filter_map(|found| match found {
            Match::Placeholder { range, placeholder } => {
                assert_eq!(placeholder.to_string(), text[range.clone()]);
                Some(&text[range])
            }
            Match::Mangled { .. } => None,
        })
        .collect()
}

fn mangled(text: &str) -> Vec<&str> {
    find(text.as_bytes())
        .filter_map(|found| match found {
            Match::Placeholder { .. } => None,
            Match::Mangled { range } => Some(&text[range]),
        })
        .collect()
}

#[test]
fn finds_whole_ones_whatever_stands_around_them() {
    let p = example();
    for text in [
        p.clone(),
        format!("x{p}y"),
        format!("CG_{p}_CG"),
        format!("CG_AB_{p}0"),
        format!("cg_{p}abc"),
        format!("CGC{p}CG_"),
        format!("token=\"{p}\"\n"),
        format!("ü{p}ü"),
    ] {
        assert_eq!(whole(&text), [p.as_str()], "{text}");
        assert!(mangled(&text).is_empty(), "{text}");
    }
    let twice = format!("{p}{p}");
    assert_eq!(whole(&twice), [p.as_str(), p.as_str()]);
}

#[test]
fn tells_mangled_ones() {
    let p = example();
    let body = &p[10..];
    let replaced = format!("{}{}", &p[..33], if p.ends_with('0') { '1' } else { '0' });
    for text in [
        p.to_lowercase(),
        p.replace('_', "-"),
        p.replace('_', "\\_"),
        p.replace('_', "\\\\_"),
        format!("CG_github_{body}"),
        format!("cg_GITHUB_{body}"),
        format!("CG_GITHUB{body}"),
        format!("CGGITHUB_{body}"),
        format!("CG_GITHUB__{body}"),
        format!("CG_GITLAB_{body}"),
        format!("CG_GITHUB_{}", &body[1..]),
        format!("CG_GITHUB_{}", &body[..23]),
        format!("CG_GITHUB_{}{}", &body[..9], &body[10..]),
        format!("CG_GITHUB_{}X{}", &body[..9], &body[9..]),
        format!("CG_GITHUB_{}-{}-{}", &body[..4], &body[4..20], &body[20..]),
        format!("CG_GITHUB_{}{}", &body[..12], body[12..].to_lowercase()),
        replaced,
    ] {
        assert_eq!(mangled(&text), [text.as_str()], "{text}");
        assert!(whole(&text).is_empty(), "{text}");
        let framed = format!("see `{text}`, please");
        assert_eq!(mangled(&framed), [text.as_str()], "{framed}");
    }
}

#[test]
fn a_mangled_one_does_not_swallow_its_whole_neighbour() {
    let p = example();
    let text = format!("{}{p}", &p[..33]);
    assert_eq!(mangled(&text), [&p[..33]]);
    assert_eq!(whole(&text), [p.as_str()]);
}

#[test]
fn leaves_other_identifiers_alone() {
    for text in [
        "CG_SOMETHING_ELSE",
        "CG_MAX_LEN",
        "cg_image_width_in_pixels_2d",
        "CG_CONFIG_ABCDEFGHJKMNPQRSTVWXYZ",
        "CG_ID_507f1f77bcf86cd799439011",
        "CG_KEY_000000000000000000000001",
        "cg-web-7d4b9c6f5d-x2x4z",
        "CG_BACKUP_20240101T101010Z",
        "CG_FOO_thisIsSomeCamelCase2Name3x",
        "CGImageCreateWithJPEGDataProvider",
        "kCGColorSpaceModelRGB",
        "CG_INLINE CG_EXTERN CG_AVAILABLE_STARTING(10.4, 2.0)",
        "cgroup.subtree_control cg_v2",
        "CG",
        "CG_",
        "CG_GITHUB_",
        "cg",
        "",
        "CG_GITHUB_<24 characters of Crockford base32>",
        "CG_GITHUB_XXXXXXXXXXXXXXXXXXXXXXXX",
    ] {
        assert_eq!(find(text.as_bytes()).next(), None, "{text}");
    }
}

#[test]
fn counts_what_may_still_come() {
    let p = example();
    for (text, count) in [
        ("", 0),
        ("x", 0),
        ("C", 1),
        ("xxC", 1),
        ("CG", 2),
        ("CGC", 1),
        ("CCG_", 3),
        ("CG_GITHUB_7Q4M", 14),
        ("CG_GITHUB_7Q4M ", 0),
        ("CG_GITHUB_7Q4ML", 0),
        ("CG_ABCDEFGHIJKL", 15),
        ("CG_ABCDEFGHIJKLM", 0),
        ("CG_A_", 0),
        ("CG_CG_A", 7),
        ("CG_a", 0),
        ("c", 0),
        ("CG_AB_CG_", 3),
    ] {
        assert_eq!(pending(text.as_bytes()), count, "{text}");
    }
    assert_eq!(pending(p.as_bytes()), 0);
    assert_eq!(pending(&p.as_bytes()[..33]), 33);
    assert_eq!(pending(format!("{p}C").as_bytes()), 1);
    let longest = Placeholder::new(Kind::parse("ABCDEFGHIJKL").unwrap(), [9; 13]).to_string();
    assert_eq!(pending(&longest.as_bytes()[..39]), 39);
}

#[test]
fn the_end_of_a_whole_one_is_not_pending() {
    let p = (0..=u8::MAX)
        .flat_map(|a| (0..=u8::MAX).map(move |b| [a, b, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7]))
        .map(|mac| Placeholder::new(Kind::parse("GITHUB").unwrap(), mac).to_string())
        .find(|p| p.ends_with("CG"))
        .unwrap();
    let broken = p.replace("GITHUB", "GITLAB");
    assert_eq!(pending(p.as_bytes()), 0);
    assert_eq!(pending(format!("{p}_GITHUB_7").as_bytes()), 0);
    assert_eq!(pending(format!("{p}{p}").as_bytes()), 0);
    assert_eq!(pending(broken.as_bytes()), 2);
    // Two that share two characters: the left one counts, so nothing of the right one may come.
    let shared = format!("{p}{}", &p[2..]);
    assert_eq!(find(shared.as_bytes()).count(), 1);
    assert_eq!(pending(format!("{shared}{}", &p[2..]).as_bytes()), 0);
}

/// Text made of what matters here: placeholders, their parts, and other words.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => placeholders().prop_map(|p| p.to_string()),
        2 => (placeholders(), 0..40_usize).prop_map(|(p, len)| p.to_string().chars().take(len).collect()),
        1 => (placeholders(), 0..40_usize).prop_map(|(p, from)| p.to_string().chars().skip(from).collect()),
        1 => placeholders().prop_map(|p| p.to_string().to_lowercase()),
        1 => placeholders().prop_map(|p| p.to_string().replace('_', "\\_")),
        2 => "[CG_A0]{0,6}",
        1 => "\\PC{0,8}",
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn matches_are_in_order_and_whole_ones_are_all_there(text in texts()) {
        let found: Vec<Match> = find(text.as_bytes()).collect();
        let mut end = 0;
        for found in &found {
            let (Match::Placeholder { range, .. } | Match::Mangled { range }) = found;
            prop_assert!(range.start >= end && range.end > range.start && range.end <= text.len());
            end = range.end;
        }
        // By brute force: at each byte, is there a placeholder?
        let mut expected = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let len = Placeholder::parse_start(&text.as_bytes()[at..]).map_or(1, |(p, len)| {
                expected.push((at, p));
                len
            });
            at += len;
        }
        let whole: Vec<_> = found.into_iter().filter_map(|found| match found {
            Match::Placeholder { range, placeholder } => Some((range.start, placeholder)),
            Match::Mangled { .. } => None,
        }).collect();
        prop_assert_eq!(whole, expected);
    }

    #[test]
    fn a_whole_one_is_found_in_any_surroundings(
        before in "\\PC{0,30}", p in placeholders(), after in "\\PC{0,30}",
    ) {
        let p = p.to_string();
        let text = format!("{before}{p}{after}");
        prop_assert_eq!(whole(&text), [p.as_str()]);
    }

    #[test]
    fn no_split_hides_one(text in texts()) {
        // Text arrives in two pieces; what is pending waits. Nothing may be found in other places.
        let expected: Vec<_> = whole_ranges(text.as_bytes());
        for split in 0..=text.len() {
            let ready = split - pending(&text.as_bytes()[..split]);
            prop_assert!(split - ready < Placeholder::MAX_LEN);
            let mut found = whole_ranges(&text.as_bytes()[..ready]);
            let rest = whole_ranges(&text.as_bytes()[ready..]);
            found.extend(rest.into_iter().map(|r| r.start + ready..r.end + ready));
            prop_assert_eq!(&found, &expected, "split at {}", split);
        }
    }

    #[test]
    fn pending_is_what_a_brute_search_says(text in "[CG_A7u]{0,60}") {
        let text = text.as_bytes();
        let could = |s: &[u8]| (s.len()..=Placeholder::MAX_LEN)
            .any(|len| fits(s, len));
        let expected = (0..text.len()).find(|&start| could(&text[start..]));
        prop_assert_eq!(pending(text), expected.map_or(0, |start| text.len() - start));
    }

    #[test]
    fn other_bytes_are_silent(text in any::<Vec<u8>>()) {
        prop_assert_eq!(find(&text).next(), None);
        prop_assert!(pending(&text) < Placeholder::MAX_LEN);
    }
}

/// Whether `start` is a proper beginning of something `len` bytes long with a placeholder's form.
fn fits(start: &[u8], len: usize) -> bool {
    (Kind::MIN..=Kind::MAX).any(|kind| {
        let total = PREFIX.len() + kind + 1 + BODY;
        total == len
            && start.len() < total
            && start.iter().enumerate().all(|(i, b)| match i {
                0 => *b == b'C',
                1 => *b == b'G',
                2 => *b == b'_',
                i if i < 3 + kind => b.is_ascii_uppercase() || b.is_ascii_digit(),
                i if i == 3 + kind => *b == b'_',
                _ => symbol(*b).is_some(),
            })
    })
}

fn whole_ranges(text: &[u8]) -> Vec<Range<usize>> {
    find(text)
        .filter_map(|found| match found {
            Match::Placeholder { range, .. } => Some(range),
            Match::Mangled { .. } => None,
        })
        .collect()
}
