//! The configuration and the rules of the user, as the command line takes them.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

const RULE: &str = "
[[rule]]
id = \"acme-token\"
kind = \"ACME\"
pattern = \"acme_[0-9a-z]{12}\"
examples = [\"x «acme_‹lower 12›» y\"]

[[rule]]
id = \"github-token\"
off = true
";

fn codegate(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_codegate"))
        .current_dir(dir)
        .env("XDG_CACHE_HOME", dir.join("cache"))
        .args(["--config", "config.toml"])
        .args(arguments)
        .output()
        .unwrap()
}

fn folder(config: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("config.toml"), config).unwrap();
    let text = "acme_0a1b2c3d4e5f\nghp_pR4kx9TqLm2ZsVb7NcY1WdHf8JgA3E0iu5Ko\n";
    fs::write(dir.path().join("notes.txt"), text).unwrap();
    dir
}

#[test]
fn scan_uses_the_rules_of_the_configuration() {
    let rules = |dir: &Path| {
        let output = codegate(dir, &["--json", "scan", "notes.txt"]);
        let lines = String::from_utf8(output.stdout).unwrap();
        let rule = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["rule"].as_str().unwrap().to_owned()
        };
        lines.lines().map(rule).collect::<Vec<_>>()
    };
    let without = rules(folder("").path());
    assert_eq!(without.len(), 1, "{without:?}");
    let config = RULE.replace("github-token", &without[0]);
    let dir = folder(&config);
    assert_eq!(rules(dir.path()), ["acme-token"]);
    let kept = dir.path().join("cache/codegate/patterns.hyperscan");
    let made = |kept: &Path| fs::metadata(kept).unwrap().modified().unwrap();
    let first = made(&kept);
    assert_eq!(rules(dir.path()), ["acme-token"]);
    assert_eq!(made(&kept), first, "compiled again");
    let checked = codegate(dir.path(), &["config", "check"]);
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
}

#[test]
fn config_check_says_what_is_wrong_with_a_rule() {
    for (from, to, says) in [
        (
            "{12}\"",
            "{12\"",
            "config.toml:2:1: rule `acme-token`: pattern: ",
        ),
        (
            "‹lower 12›",
            "‹lower 2›",
            "config.toml: rule `acme-token`: example 1: nothing is found",
        ),
        (
            "github-token",
            "github-tokem",
            "config.toml:8:1: rule `github-tokem`: there is no such",
        ),
    ] {
        let dir = folder(&RULE.replacen(from, to, 1));
        let checked = codegate(dir.path(), &["config", "check"]);
        let said = String::from_utf8(checked.stderr).unwrap();
        assert!(said.contains(says), "{said}");
        assert_eq!(checked.status.code(), Some(2), "{said}");
    }
}

#[test]
fn config_check_says_what_does_not_fit_together() {
    let dir =
        folder("[upstream]\nproxy = \"http://proxy.corp.example:3128\"\nproxy_user = \"ada\"\n");
    let checked = codegate(dir.path(), &["config", "check"]);
    let said = String::from_utf8(checked.stderr).unwrap();
    assert!(
        said.contains("proxy_user and proxy_password_file go together"),
        "{said}"
    );
    assert_eq!(checked.status.code(), Some(2), "{said}");
}
