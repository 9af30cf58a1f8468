//! What is refused, and what is only told.

use std::path::Path;

use super::*;
use crate::inspect::packages::Lists;

/// A guard that knows a few packages as malicious.
fn guard(block: bool) -> PackageGuard {
    let purls = ["pkg:npm/bad-lab", "pkg:pypi/bad-lab", "pkg:cargo/bad-lab"];
    let lists = Lists {
        deny: purls.iter().map(|purl| purl.parse().unwrap()).collect(),
        ..Lists::default()
    };
    let live = Live::open(Path::new("/nonexistent/packages"), lists);
    PackageGuard::new(Arc::new(live), block, true)
}

/// What is said of a file that a tool writes, and what was done about it.
fn written(guard: &PackageGuard, name: &str, text: &str, whole: bool) -> (Option<String>, usize) {
    let mut lookout = Lookout::new(guard);
    let reason = lookout.file(name, text, whole);
    let untold = lookout.closing().len();
    let blocked = lookout
        .found
        .iter()
        .filter(|f| f.action == PackageAction::Blocked);
    assert_eq!(reason.is_some(), blocked.count() > 0, "{name} {text}");
    (reason, untold)
}

#[test]
fn a_manifest_that_adds_what_is_malicious_is_refused() {
    let guard = guard(true);
    for (name, text, whole, purl) in [
        (
            "/w/package.json",
            "{\"name\": \"mine\", \"dependencies\": {\"a\": \"^1\", \"bad-lab\": \"^1.0.0\"}}",
            true,
            "pkg:npm/bad-lab",
        ),
        (
            "package.json",
            "    \"a\": \"1.0\",\n    \"bad-lab\": \"^1.0.0\",\n",
            false,
            "pkg:npm/bad-lab",
        ),
        (
            "requirements.txt",
            "requests\nbad_lab>=1\n",
            true,
            "pkg:pypi/bad-lab",
        ),
        (
            "x/requirements-dev.txt",
            "bad-lab",
            false,
            "pkg:pypi/bad-lab",
        ),
        (
            "pyproject.toml",
            "[project]\nname = \"mine\"\ndependencies = [\n  \"bad-lab>=2\",\n]\n",
            true,
            "pkg:pypi/bad-lab",
        ),
        (
            "pyproject.toml",
            "  \"requests\",\n  \"bad-lab\",\n",
            false,
            "pkg:pypi/bad-lab",
        ),
        (
            "Cargo.toml",
            "[dependencies]\nbad-lab = \"1\"\n",
            true,
            "pkg:cargo/bad-lab",
        ),
        (
            "Cargo.toml",
            "bad-lab = { version = \"1\" }\n",
            false,
            "pkg:cargo/bad-lab",
        ),
        (
            "Cargo.lock",
            "[[package]]\nname = \"bad-lab\"\nversion = \"1.0.0\"\nsource = \"registry+https://lab.example/index\"\n",
            true,
            "pkg:cargo/bad-lab",
        ),
    ] {
        let (reason, untold) = written(&guard, name, text, whole);
        let expected = format!("CodeGate blocked this file: it adds {purl}");
        assert!(reason.is_some_and(|r| r.starts_with(&expected)), "{name}");
        assert_eq!(untold, 1, "not every tool shows why");
    }
}

#[test]
fn what_only_names_a_package_is_written() {
    let (blocking, warning) = (guard(true), guard(false));
    let listing = "{\"dependencies\": {\"bad-lab\": \"^1.0.0\"}}";
    for (name, text, whole) in [
        (
            "README.md",
            "Never `npm i bad-lab`:\n\n```json\n{\"dependencies\": {\"bad-lab\": \"1\"}}\n```\n",
            true,
        ),
        ("a.py", "import bad_lab\n", true),
        ("Dockerfile", "RUN pip install bad-lab\n", true),
        ("notes.txt", "bad-lab==1.0\n", true),
        (
            "package.json",
            "{\"name\": \"bad-lab\", \"dependencies\": {}}",
            true,
        ),
        ("package.json", "  \"bad-lab\": \"tsc -b\",\n", false),
    ] {
        assert_eq!(written(&blocking, name, text, whole).0, None, "{name}");
    }
    assert_eq!(written(&warning, "package.json", listing, true), (None, 1));
    assert!(
        written(&blocking, "package.json", listing, true)
            .0
            .is_some()
    );
}

#[test]
fn a_file_that_is_refused_has_a_name_that_can_be_shown() {
    let long = format!("pkg:npm/{}", "x".repeat(205));
    let reason = notice::refused_file(&long.parse().unwrap());
    assert!(reason.len() <= 200 && reason.contains("pkg:npm/"));
}
