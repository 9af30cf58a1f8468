//! `codegate ca install`, `rotate` and `uninstall` by the system's own `update-ca-certificates`, on copies
//! of the folders that it works on, with clients that are told nothing.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use lab::{Agent, Dialect, Lab, Turn, agent::binary, samples};

/// Copies of what is written to hide the machine's own; mounts end with the process.
const COPIES: &str = r#"
set -eu
copy() {
    mkdir -p "$1" "$WORK/$2"
    cp -a "$1/." "$WORK/$2"
    mount --bind "$WORK/$2" "$1"
}
copy /etc/ssl/certs certs
copy /usr/local/share/ca-certificates anchors
copy /etc/profile.d profile
[ ! -d /etc/environment.d ] || copy /etc/environment.d managers
codegate() { "$CODEGATE" --config "$CONFIG" --socket "$SOCKET" "$@"; }
ask() {
    curl --silent --show-error --max-time 30 --output /dev/null --write-out '%{http_code} ' \
        --header 'content-type: application/json' --data-binary "$BODY" "$URL" 2>/dev/null \
        || echo "curl $? "
}
"#;

/// What a script prints that runs where clients run, as root.
fn run(lab: &Lab, agent: &Agent<'_>, script: &str) -> String {
    let work = lab.path("work");
    std::fs::create_dir_all(&work).unwrap();
    let text = format!("the key is {}", samples::github(7));
    lab.guarded_distrusting()
        .cmd("sh")
        .args(["-c", &[COPIES, script].concat()])
        .env("WORK", work)
        .env("CODEGATE", binary())
        .env("CONFIG", agent.state().join("../config.toml"))
        .env("SOCKET", agent.socket())
        .env("URL", Dialect::Chat.url())
        .env("BODY", Dialect::Chat.request(&text, false).to_string())
        .run()
        .ok()
        .text()
}

#[test]
fn a_system_that_was_told_trusts_the_guard_until_it_is_told_otherwise() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let agent = lab.agent().start();
    let before = agent.ca();
    let printed = run(
        &lab,
        &agent,
        r#"
ask
codegate ca install >"$WORK/installed"
ask
before=$(cat /usr/local/share/ca-certificates/codegate.crt)
codegate ca rotate >/dev/null
[ "$before" != "$(cat /usr/local/share/ca-certificates/codegate.crt)" ] && echo 'new '
ask
env -i sh -c '. /etc/profile.d/codegate.sh; cat "$SSL_CERT_FILE"' | grep -c BEGIN
cat "$WORK/installed"
codegate ca uninstall >/dev/null
ls /etc/profile.d /usr/local/share/ca-certificates | grep -c codegate || true
ask
codegate ca uninstall
"#,
    );
    let words: Vec<&str> = printed.split_whitespace().collect();
    // 60: curl does not trust who answers.
    assert_eq!(
        words[..7],
        ["000", "curl", "60", "200", "new", "200", words[6]],
        "{printed}"
    );
    assert!(
        words[6].parse::<u32>().unwrap() > 1,
        "the system's roots and ours: {printed}"
    );
    assert_eq!(
        words[words.len() - 4..],
        ["0", "000", "curl", "60"],
        "{printed}"
    );
    for path in [
        "/usr/local/share/ca-certificates/codegate.crt",
        "/etc/profile.d/codegate.sh",
    ] {
        assert!(words.contains(&path), "{path}: {printed}");
    }
    assert_ne!(agent.ca(), before, "the agent tells of the new one");
    lab.journal().never_saw(samples::github(7).as_bytes());
}

#[test]
fn only_root_may_and_others_are_told_so() {
    let lab = Lab::new();
    let agent = lab.agent().start();
    let before = agent.ca();
    for words in [["ca", "install"], ["ca", "rotate"]] {
        let refused = agent
            .command(lab.service().with_uid(1000))
            .args(words)
            .run();
        assert_eq!(refused.code(), 3, "{words:?}: {}", refused.errors());
    }
    assert_eq!(agent.ca(), before);
}
