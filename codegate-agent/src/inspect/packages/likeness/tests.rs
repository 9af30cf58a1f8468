mod real;

use super::*;

fn likeness(ecosystem: Ecosystem, names: &[&str]) -> Likeness {
    let names = names.iter().map(|name| (*name).to_owned());
    Likeness::new(ecosystem, names.zip(0..).collect())
}

fn like(likeness: &Likeness, name: &str) -> Option<String> {
    let package = Package::new(likeness.ecosystem, name).unwrap();
    likeness.like(&package).map(|like| like.name)
}

const NPM: [&str; 18] = [
    "lodash",
    "react",
    "preact",
    "cross-env",
    "@types/node",
    "@types/react",
    "@types/jest",
    "chalk",
    "jest",
    "vue",
    "commander",
    "event-stream",
    "socket.io",
    "babel-core",
    "mongoose",
    "express",
    "typescript",
    "pg",
];

#[test]
fn what_is_mistaken_for_another_is_like_it() {
    let npm = likeness(Ecosystem::Npm, &NPM);
    for (name, other) in [
        ("lodahs", "lodash"),
        ("lodas", "lodash"),
        ("lodassh", "lodash"),
        ("lodesh", "lodash"),
        ("1odash", "lodash"),
        ("l0dash", "lodash"),
        ("lоdash", "lodash"), // with a Cyrillic letter
        ("crossenv", "cross-env"),
        ("cross_env", "cross-env"),
        ("env-cross", "cross-env"),
        ("cornrnander", "commander"),
        ("stream-event", "event-stream"),
        ("types-node", "@types/node"),
        ("@type/anything", "@types/anything"),
        ("mongose", "mongoose"),
        ("jset", "jest"),
        ("lodash-js", "lodash"),
        ("socketio", "socket.io"),
        ("lodash-utils", "lodash"),
        ("@types-foo/node", "@types/node"),
        ("@lodash/lodash", "lodash"),
        ("expresss", "express"),
        ("exprses", "express"),
        ("typescirptt", "typescript"),
    ] {
        assert_eq!(like(&npm, name).as_deref(), Some(other), "{name}");
    }
    let maven = likeness(
        Ecosystem::Maven,
        &["com.fasterxml.jackson.core:jackson-core"],
    );
    assert!(like(&maven, "org.fasterxml.jackson.core:jackson-core").is_some());
    let pypi = likeness(Ecosystem::PyPI, &["python-dateutil", "requests", "boto3"]);
    assert_eq!(
        like(&pypi, "dateutil-python").as_deref(),
        Some("python-dateutil")
    );
    let soup = likeness(Ecosystem::PyPI, &["beautifulsoup4"]);
    for name in ["beautifullsoup", "beutifulsoup4", "beautifulsuop"] {
        assert!(like(&soup, name).is_some(), "{name}");
    }
    assert_eq!(like(&soup, "beautifulsoup"), None);
    for name in [
        "python-requests",
        "requests-python",
        "reqeusts",
        "requets",
        "rrequests",
        "requestss",
    ] {
        assert_eq!(like(&pypi, name).as_deref(), Some("requests"), "{name}");
    }
    assert_eq!(like(&pypi, "Request").as_deref(), Some("requests"));
}

#[test]
fn what_is_added_or_struck_beside_a_letter_is_like_it() {
    let npm = likeness(Ecosystem::Npm, &["react", "JSONStream", "pillow", "xtend"]);
    for (name, other) in [
        ("react18", "react"),
        ("react-18", "react"),
        ("r3act", "react"),
        ("reactutils", "react"),
        ("reactv2", "react"),
        ("jsonstsream", "JSONStream"),
        ("jsknstream", "JSONStream"),
        ("oillow", "pillow"),
        ("xten", "xtend"),
    ] {
        assert_eq!(like(&npm, name).as_deref(), Some(other), "{name}");
    }
    for name in ["reactor", "willow", "react-table", "extend2x"] {
        assert_eq!(like(&npm, name), None, "{name}");
    }
    let npm = likeness(Ecosystem::Npm, &NPM);
    let weak = npm.like(&Package::new(Ecosystem::Npm, "chalk5").unwrap());
    assert!(weak.unwrap().weak);
    let rare = (0..2_000).map(|rank| (format!("n{rank}"), rank));
    let rare = rare
        .chain([("gradient-string".to_owned(), 2_600)])
        .collect();
    let rare = Likeness::new(Ecosystem::Npm, rare);
    assert!(like(&rare, "gradient-stringn").is_some());
    assert_eq!(like(&rare, "gradient-strong"), None);
}

#[test]
fn what_is_itself_or_something_else_is_not_like_another() {
    let npm = likeness(Ecosystem::Npm, &NPM);
    for name in [
        "react",
        "preact",
        "vscode",
        "vuex",
        "best",
        "test",
        "pgp",
        "@angular/core",
        "@types/nod-e2e",
        "my-express-app",
        "react-table",
    ] {
        assert_eq!(like(&npm, name), None, "{name}");
    }
    let pypi = likeness(Ecosystem::PyPI, &["boto3", "psycopg2"]);
    for name in ["boto", "boto2", "psycopg3", "psycopg"] {
        assert_eq!(like(&pypi, name), None, "{name}");
    }
}

#[test]
fn no_name_is_too_strange() {
    let npm = likeness(Ecosystem::Npm, &NPM);
    for name in [
        "@",
        "/",
        "@/",
        "é",
        "日本語",
        "-",
        "...",
        "@a/",
        ":",
        "a:b",
        "rn",
        "vv",
    ] {
        like(&npm, name);
    }
}
