//! Whole files in, a configuration or one exact error out.

use super::*;
use crate::{
    config::{Action, Provider, Unscannable},
    inspect::pii,
};

/// Writes `name → text` files into a directory and loads its `config.toml`.
fn load_files(files: &[(&str, &str)]) -> Result<Config, String> {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("conf.d")).unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let loaded = Config::load(Some(&dir.path().join("config.toml")));
    let prefix = format!("{}/", dir.path().display());
    loaded.map_err(|error| error.to_string().replace(&prefix, ""))
}

fn error(text: &str) -> String {
    load_files(&[("config.toml", text)]).unwrap_err()
}

const FULL: &str = r#"
state_dir = "/tmp/state"
runtime_dir = "/tmp/run"
[capture]
cgroup = "/sys/fs/cgroup/ai"
fail = "open"
proxies = ["Proxy.corp:3128", "[::1]:8080"]
[upstream]
extra_roots = ["/etc/corp.pem"]
proxy = "http://proxy.corp:3128/"
proxy_user = "ada"
proxy_password_file = "/etc/codegate/proxy"
no_proxy = ["10.0.0.0/8", ".corp.example", "host", "::1"]
[limits]
body_bytes = 1048576
[policy]
unscannable = "alert"
[pii]
card = "off"
email = "redact"
[[endpoint]]
hosts = ["llm.corp.example", "*.example.ai"]
ports = [8443, 443]
provider = "anthropic"
[[process]]
exe = "/usr/bin/foo"
action = "block"
"#;

#[test]
fn every_key_of_the_contract_is_read() {
    let config = load_files(&[("config.toml", FULL)]).unwrap();
    assert_eq!(config.state_dir, Path::new("/tmp/state"));
    assert_eq!(config.socket(), Path::new("/tmp/run/control.sock"));
    assert_eq!(
        config.capture.cgroup.as_deref(),
        Some(Path::new("/sys/fs/cgroup/ai"))
    );
    let proxies: Vec<_> = config
        .capture
        .proxies
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(proxies, ["proxy.corp:3128", "[::1]:8080"]);
    let upstream = &config.upstream;
    let proxy = upstream.proxy.as_ref().unwrap();
    assert_eq!(proxy.to_string(), "http://proxy.corp:3128");
    assert_eq!(upstream.proxy_user.as_deref(), Some("ada"));
    let file = Some(Path::new("/etc/codegate/proxy"));
    assert_eq!(upstream.proxy_password_file.as_deref(), file);
    let spared: Vec<_> = upstream.no_proxy.iter().map(ToString::to_string).collect();
    assert_eq!(spared, ["10.0.0.0/8", ".corp.example", "host", "::1"]);
    assert_eq!(config.upstream.extra_roots, [Path::new("/etc/corp.pem")]);
    assert_eq!(config.limits.body_bytes, 1 << 20);
    assert_eq!(config.policy.unscannable, Unscannable::Alert);
    let pii = pii::Policy {
        card: pii::Action::Off,
        email: pii::Action::Redact,
        ..pii::Policy::default()
    };
    assert_eq!(config.pii, pii);
    let endpoint = config.endpoints.find("llm.corp.example", 443).unwrap();
    assert_eq!(
        (endpoint.provider, endpoint.ports.as_slice()),
        (Provider::Anthropic, &[443, 8443][..])
    );
    assert_eq!(
        config.processes.action(&run_by("/usr/bin/foo")),
        Action::Block
    );
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(
        load_files(&[("config.toml", "")]).unwrap(),
        Config::default()
    );
    let auto = load_files(&[("config.toml", "[capture]\ncgroup = \"auto\"\n")]).unwrap();
    assert_eq!(auto.capture.cgroup, None);
}

#[test]
fn what_is_shown_can_be_loaded_again() {
    let config = load_files(&[("config.toml", FULL)]).unwrap();
    let shown = toml::to_string(&config).unwrap();
    let again = load_files(&[("config.toml", &shown)]).unwrap();
    assert_eq!(toml::to_string(&again).unwrap(), shown);
    assert_eq!(again.processes, config.processes);
}

#[test]
fn drop_ins_come_after_in_the_order_of_their_names() {
    let config = load_files(&[
        (
            "config.toml",
            "state_dir = \"/a\"\nruntime_dir = \"/a\"\n[upstream]\nextra_roots = [\"/1\"]",
        ),
        (
            "conf.d/20.toml",
            "state_dir = \"/c\"\n[[process]]\nexe = \"/x\"\naction = \"block\"",
        ),
        (
            "conf.d/10.toml",
            "state_dir = \"/b\"\n[[process]]\nexe = \"/x\"\naction = \"pass\"",
        ),
        ("conf.d/30.toml", "[upstream]\nextra_roots = [\"/2\"]"),
        ("conf.d/notes.txt", "not = toml ="),
    ])
    .unwrap();
    assert_eq!(config.state_dir, Path::new("/c"), "the last file wins");
    assert_eq!(config.runtime_dir, Path::new("/a"));
    assert_eq!(
        config.upstream.extra_roots,
        [Path::new("/1"), Path::new("/2")]
    );
    assert_eq!(
        config.processes.action(&run_by("/x")),
        Action::Pass,
        "the first rule wins"
    );
}

#[test]
fn a_named_file_must_exist() {
    let error = Config::load(Some(Path::new("/nonexistent/config.toml"))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "/nonexistent/config.toml: No such file or directory (os error 2)"
    );
}

#[test]
fn an_error_in_a_drop_in_names_the_drop_in() {
    let files = [("config.toml", ""), ("conf.d/a.toml", "\n\nx = 1")];
    let error = load_files(&files).unwrap_err();
    assert!(
        error.starts_with("conf.d/a.toml:3:1: unknown field `x`"),
        "{error}"
    );
}

#[test]
fn errors_say_where_and_what_is_allowed() {
    let table = [
        (
            "state_dir = \"/a\"\nstatedir = \"/b\"",
            "config.toml:2:1: unknown field `statedir`, expected one of `state_dir`, `runtime_dir`, \
             `capture`, `local`, `upstream`, `limits`, `policy`, `packages`, `pii`, `endpoint`, `process`, `rule`",
        ),
        (
            "state_dir = \"lib\"",
            "config.toml:1:13: invalid value: string \"lib\", expected an absolute path",
        ),
        (
            "[capture]\nfail = \"shut\"",
            "config.toml:2:8: invalid value: string \"shut\", expected \"open\" or \"closed\"",
        ),
        (
            "[capture]\ncgroup = \"ai\"",
            "config.toml:2:10: invalid value: string \"ai\", expected \"auto\" or the absolute path of a cgroup2 directory",
        ),
        (
            "[limits]\nbody_bytes = 5",
            "config.toml:2:14: invalid value: integer `5`, expected a number of bytes from 1024 to 1073741824",
        ),
        (
            "[capture]\nproxies = [\"proxy.corp\"]",
            "config.toml:2:12: invalid value: string \"proxy.corp\", expected HOST:PORT, as in \"proxy.corp.example:3128\" or \"[::1]:8080\"",
        ),
        (
            "[upstream]\nproxy = \"https://proxy.corp:3128\"",
            "config.toml:2:9: invalid value: string \"https://proxy.corp:3128\", expected http://HOST:PORT",
        ),
        (
            "[upstream]\nproxy = \"http://a:b@proxy.corp:3128\"",
            "config.toml:2:9: a user and a password stand in proxy_user and proxy_password_file, expected http://HOST:PORT",
        ),
        (
            "[upstream]\nproxy_user = \"a:b\"",
            "config.toml:2:14: invalid value: string \"a:b\", expected a user's name, without colons",
        ),
        (
            "[upstream]\nno_proxy = [\"10.0.0.0/40\"]",
            "config.toml:2:13: invalid value: string \"10.0.0.0/40\", expected a host, `.` and a domain, or a network as ADDRESS/BITS",
        ),
        (
            "[limits]\nbody_bytes = \"64M\"",
            "config.toml:2:14: invalid type: string \"64M\", expected a number of bytes from 1024 to 1073741824",
        ),
        (
            "[policy]\nunscannable = \"pass\"",
            "config.toml:2:15: unknown variant `pass`, expected `block` or `alert`",
        ),
        (
            "[pii]\niban = \"block\"",
            "config.toml:2:8: unknown variant `block`, expected one of `off`, `report`, `redact`",
        ),
        (
            "[[endpoint]]\nhosts = [\"a.b\"]\nports = [443, 70000]\nprovider = \"openai\"",
            "config.toml:3:15: invalid value: integer `70000`, expected a port from 1 to 65535",
        ),
        (
            "[[endpoint]]\nhosts = [\"a.b\",\n  \"*.ai\"]\nprovider = \"openai\"",
            "config.toml:3:3: \"*.ai\" is too wide: a wildcard needs two labels or more after `*.`, expected a host name or `*.` and one",
        ),
        (
            "[[endpoint]]\nhosts = [\"a.b\"]\nprovider = \"gpt\"",
            "config.toml:3:12: unknown variant `gpt`, expected one of `openai`, `anthropic`, `ollama`, `opaque`",
        ),
        (
            "\n[[endpoint]]\nhosts = [\"a.b\"]",
            "config.toml:2:1: missing field `provider`",
        ),
        (
            "[[process]]\nexe = \"/x\"\naction = \"allow\"",
            "config.toml:3:10: unknown variant `allow`, expected one of `guard-all`, `guard`, `pass`, `block`",
        ),
        (
            "x = ",
            "config.toml:1:5: string values must be quoted, expected literal string",
        ),
        ("a = 1\na = 2", "config.toml:2:1: duplicate key"),
        (
            "# é\nstate_dir = 'é' é",
            "config.toml:2:17: unexpected key or value, expected newline, `#`",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(error(text), expected, "{text}");
    }
}

#[test]
fn a_position_is_in_characters_and_never_panics() {
    assert_eq!(position("", 0), (1, 1));
    assert_eq!(position("éa\nbé", 2), (1, 2));
    assert_eq!(position("éa\nbé", 5), (2, 2));
    assert_eq!(position("éa", 1), (1, 3), "inside a character: the end");
    assert_eq!(position("a\n", 99), (2, 1));
}

#[test]
fn the_documented_defaults_are_the_defaults() {
    let page = include_str!("../../../../docs/configuration.md");
    let sample = page
        .split("```toml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let config = load_files(&[("config.toml", sample)]).unwrap();
    assert_eq!(config.processes.rules().len(), 1);
    assert!(config.endpoints.find("x.example.ai", 443).is_some());
    let defaults = sample.split("[[endpoint]]").next().unwrap();
    let config = load_files(&[("config.toml", defaults)]).unwrap();
    assert_eq!(config, Config::default());
}

const RULE: &str = "
[[rule]]
id = \"acme-token\"
kind = \"ACME\"
pattern = \"acme_[a-z]{32}\"
";

#[test]
fn rules_of_secrets_are_read_and_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    fs::write(&path, RULE).unwrap();
    let config = load(Some(&path)).unwrap();
    assert!(!config.rules.is_empty());
    let text = toml::to_string(&config).unwrap();
    fs::write(&path, &text).unwrap();
    assert_eq!(load(Some(&path)).unwrap().rules, config.rules, "{text}");
}

#[test]
fn a_wrong_rule_is_told_with_its_place_and_its_id() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    for (from, to, says) in [
        ("{32}", "{", "rule `acme-token`: pattern: "),
        ("pattern = ", "patern = ", "unknown field `patern`"),
        ("id = \"acme-token\"", "off = true", "missing field `id`"),
    ] {
        fs::write(&path, format!("# one\n{}", RULE.replace(from, to))).unwrap();
        let error = load(Some(&path)).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        let (place, _) = error.split_once(": ").unwrap();
        let line: usize = place.rsplit(':').nth(1).unwrap().parse().unwrap();
        assert!((3..=6).contains(&line), "{error}");
    }
}

fn run_by(exe: &str) -> crate::flow::Process {
    crate::flow::Process {
        exe: Some(exe.into()),
        ..Default::default()
    }
}
