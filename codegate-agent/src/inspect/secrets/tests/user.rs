//! Rules of users.

use super::{Scanner, source};
use crate::inspect::secrets::{RuleError, UserRules};

fn rules(text: &str) -> Result<UserRules, RuleError> {
    let mut rules = UserRules::default();
    for source in source::read("mine.toml", text)? {
        rules.add("mine.toml", source.text)?;
    }
    Ok(rules)
}

fn error(text: &str) -> String {
    rules(text).expect_err("an error").to_string()
}

const ACME: &str = r#"
[[rule]]
id = "acme-token"
kind = "ACME"
pattern = "acme_[A-Za-z0-9]{32}"
examples = ["X=«acme_‹alnum 32›»"]
counter_examples = ["acme_too_short"]
"#;

#[test]
fn a_rule_is_added_and_one_of_its_id_replaced() {
    let mine = rules(ACME).unwrap();
    let scanner = Scanner::with_rules(&mine, None).unwrap();
    mine.try_out(&scanner).unwrap();
    let found = scanner.scan(b"acme_0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P");
    assert_eq!(&*found[0].rule, "acme-token");
    assert_eq!(found[0].kind.as_str(), "ACME");

    let builtin = source::builtin().unwrap();
    let replaced = ACME.replace("acme-token", &builtin[0].text.id);
    let scanner = Scanner::with_rules(&rules(&replaced).unwrap(), None).unwrap();
    assert_eq!(scanner.rules(), builtin.len());

    let twice = format!("{ACME}{}", ACME.replace("ACME", "LATER"));
    let scanner = Scanner::with_rules(&rules(&twice).unwrap(), None).unwrap();
    assert_eq!(scanner.rules(), builtin.len() + 1);
    let found = scanner.scan(b"acme_0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P");
    assert_eq!(found[0].kind.as_str(), "LATER");
}

#[test]
fn a_rule_is_switched_off() {
    let text = b"ghp_pR4kx9TqLm2ZsVb7NcY1WdHf8JgA3E0iu5Ko";
    let id = super::SCANNER.scan(text)[0].rule.clone();
    let off = rules(&format!("[[rule]]\nid = {id:?}\noff = true")).unwrap();
    let scanner = Scanner::with_rules(&off, None).unwrap();
    assert!(scanner.scan(text).iter().all(|found| found.rule != id));
    assert_eq!(scanner.rules() + 1, source::builtin().unwrap().len());
    let unknown = error("[[rule]]\nid = \"nobody\"\noff = true");
    assert_eq!(
        unknown,
        "mine.toml: rule `nobody`: there is no such rule to switch off"
    );
}

#[test]
fn what_is_wrong_with_a_rule_is_said() {
    for (from, to, says) in [
        ("acme-token", "Acme Token", "an id has 1 to 64 of a-z"),
        ("\"ACME\"", "\"acme\"", "`acme` is no kind: 2 to 12"),
        ("kind = \"ACME\"", "", "`` is no kind"),
        ("acme_[A-Za-z0-9]{32}", "acme_(", "unclosed group"),
        ("acme_[A-Za-z0-9]{32}", ".*", "at least 3 are needed"),
        ("pattern = ", "value = ", "it needs either a `pattern`"),
    ] {
        let error = error(&ACME.replacen(from, to, 1));
        assert!(error.starts_with("mine.toml: rule `"), "{error}");
        assert!(error.contains(says), "{error}");
    }
    let unknown = error("[[rule]]\nid = \"x\"\nnonsense = 1");
    assert!(unknown.contains("unknown field `nonsense`"), "{unknown}");
}

#[test]
fn what_no_rule_alone_shows_is_said_when_all_are_compiled() {
    // Hyperscan has a limit that regular expressions have not.
    let huge = ACME.replace("acme_[A-Za-z0-9]{32}", "(?:abc[a-z]{1,150}){5}[^x]{150}y");
    let Ok(huge) = rules(&huge) else { return };
    if let Err(error) = Scanner::with_rules(&huge, None) {
        let error = error.to_string();
        assert!(error.starts_with("mine.toml: rule `acme-token`"), "{error}");
    }
}

#[test]
fn examples_that_do_not_hold_are_told_by_number() {
    for (from, to, says) in [
        (
            "«acme_‹alnum 32›»",
            "«acme_‹alnum 9›»",
            "example 1: nothing is found",
        ),
        (
            "«acme_‹alnum 32›»",
            "«acme»_‹alnum 32›",
            "example 1: something else",
        ),
        (
            "«acme_‹alnum 32›»",
            "acme",
            "example 1: nothing in it is marked",
        ),
        ("‹alnum 32›", "‹alnum x›", "expected a number"),
        ("‹alnum 32›", "‹klingon 32›", "no class `klingon`"),
        ("32›»", "32›", "a « without"),
        (
            "acme_too_short",
            "acme_‹alnum 32›",
            "counter-example 1: rule `acme-token`",
        ),
    ] {
        let mine = rules(&ACME.replacen(from, to, 1)).unwrap();
        let scanner = Scanner::with_rules(&mine, None).unwrap();
        let error = mine.try_out(&scanner).expect_err("an error").to_string();
        assert!(error.contains(says), "{error}");
    }
}
