use super::*;

fn likeness(ecosystem: Ecosystem, names: &[&str]) -> Likeness {
    let names = names.iter().map(|name| (*name).to_owned());
    Likeness::new(ecosystem, names.zip(0..).collect())
}

fn like(likeness: &Likeness, name: &str) -> Option<String> {
    let package = Package::new(likeness.ecosystem, name).unwrap();
    likeness.like(&package).map(|like| like.name)
}

const NPM: [&str; 16] = [
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
    assert_eq!(like(&pypi, "Request").as_deref(), Some("requests"));
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
