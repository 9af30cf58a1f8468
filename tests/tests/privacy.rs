//! The user can see everything, and nobody else can.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::{fs, os::unix::fs::MetadataExt, path::Path, thread::sleep, time::Duration};

use lab::{Agent, Dialect, Lab, Turn, clients, placeholders, samples};
use serde_json::Value;

const ALICE: u32 = 4001;
const BOB: u32 = 4002;

fn ask(lab: &Lab, uid: u32, text: &str) -> String {
    let body = Dialect::Chat.request(text, true).to_string();
    let place = lab.guarded().with_uid(uid);
    let answer = clients::post(&place, &Dialect::Chat.url(), &body)
        .run()
        .ok();
    Dialect::Chat.said(&answer.text(), true)
}

fn objects(agent: &Agent<'_>, lab: &Lab, uid: u32, words: &[&str]) -> Vec<Value> {
    let text = agent
        .command(lab.service().with_uid(uid))
        .args(words)
        .run()
        .ok()
        .text();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn sessions_and_secrets_belong_to_their_user() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let agent = lab.agent().start();
    let token = samples::github(1);
    assert_eq!(ask(&lab, ALICE, &token), token);
    agent.sessions(1);
    let sealed = placeholders(&lab.journal().only().text()).remove(0);
    assert_eq!(
        objects(&agent, &lab, ALICE, &["sessions", "list", "--json"]).len(),
        1
    );
    assert_eq!(
        objects(&agent, &lab, BOB, &["sessions", "list", "--json"]).len(),
        0
    );
    assert_eq!(
        objects(&agent, &lab, ALICE, &["secrets", "list", "--json"]).len(),
        1
    );
    assert_eq!(
        objects(&agent, &lab, BOB, &["secrets", "list", "--json"]).len(),
        0
    );
    let reveal = |uid| {
        agent
            .command(lab.service().with_uid(uid))
            .args(["secrets", "reveal", &sealed])
            .run()
    };
    assert!(reveal(ALICE).ok().text().contains(&token));
    let refused = reveal(BOB);
    assert!(!refused.status.success());
    assert!(!refused.text().contains(&token) && !refused.errors().contains(&token));
}

#[test]
fn a_placeholder_is_restored_only_for_the_user_whose_secret_it_is() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let _agent = lab.agent().start();
    let token = samples::github(2);
    assert_eq!(ask(&lab, ALICE, &token), token);
    let sealed = placeholders(&lab.journal().only().text()).remove(0);
    assert_eq!(
        ask(&lab, BOB, &sealed),
        sealed,
        "Bob gets no secret of Alice's"
    );
    assert_eq!(ask(&lab, ALICE, &sealed), token);
    lab.journal().clear();
    assert_eq!(ask(&lab, BOB, &token), token);
    assert_ne!(
        placeholders(&lab.journal().only().text()),
        [sealed],
        "scoped to the user"
    );
}

#[test]
fn a_forgotten_secret_is_not_restored() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let agent = lab.agent().start();
    let token = samples::github(3);
    assert_eq!(ask(&lab, ALICE, &token), token);
    let sealed = placeholders(&lab.journal().only().text()).remove(0);
    let alice = lab.service().with_uid(ALICE);
    agent
        .command(alice)
        .args(["secrets", "forget", &sealed])
        .run()
        .ok();
    assert!(objects(&agent, &lab, ALICE, &["secrets", "list", "--json"]).is_empty());
    assert_eq!(ask(&lab, ALICE, &sealed), sealed);
}

#[test]
fn a_secret_is_found_in_no_file_no_log_and_no_list() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let agent = lab.agent().start();
    let (token, password) = (samples::github(4), samples::password(4));
    let text = format!("{token} postgres://app:{password}@db.internal/x");
    assert_eq!(ask(&lab, ALICE, &text), text);
    agent.sessions(1);
    for words in [["secrets", "list"], ["sessions", "list"]] {
        let told = [
            agent.codegate(words).ok().text(),
            agent.codegate([words[0], words[1], "--json"]).text(),
        ];
        assert!(
            told.iter()
                .all(|t| !t.contains(&token) && !t.contains(&password)),
            "{told:?}"
        );
    }
    let log = agent.log();
    assert!(!log.contains(&token) && !log.contains(&password), "{log}");
    let state = agent.state();
    assert!(agent.stop().success());
    let mut files = 0;
    each_file(&state, &mut |path| {
        files += 1;
        let bytes = fs::read(path).unwrap();
        for needle in [&token, &password] {
            let found = bytes
                .windows(needle.len())
                .any(|window| window == needle.as_bytes());
            assert!(!found, "{} holds a secret", path.display());
        }
    });
    assert!(files >= 3, "vault, sessions, CA: {files}");
}

#[test]
fn keys_are_readable_by_their_owner_only() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let agent = lab.agent().start();
    ask(&lab, ALICE, &samples::github(5));
    let mut private = 0;
    each_file(&agent.state(), &mut |path| {
        let bytes = fs::read(path).unwrap();
        let pem_key = bytes.windows(12).any(|window| window == b"PRIVATE KEY-");
        let public = path.extension().is_some_and(|e| e == "pem") && !pem_key;
        let mode = fs::metadata(path).unwrap().mode() & 0o777;
        assert!(
            public || mode & 0o077 == 0,
            "{} has mode {mode:o}",
            path.display()
        );
        private += u32::from(!public);
    });
    assert!(private >= 3, "vault, sessions and keys: {private}");
}

#[test]
fn the_socket_answers_other_users_only_what_is_theirs() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let agent = lab.agent().start();
    assert_eq!(
        agent
            .command(lab.service().with_uid(BOB))
            .arg("status")
            .run()
            .code(),
        0
    );
    let ca = agent
        .command(lab.service().with_uid(BOB))
        .args(["ca", "show", "--pem"])
        .run()
        .ok();
    assert!(ca.text().starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(!ca.text().contains("PRIVATE"));
}

#[test]
fn control_characters_of_traffic_reach_no_terminal() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let agent = lab.agent().start();
    let body = Dialect::Chat
        .request("hi", false)
        .to_string()
        .replace("gpt-5", "gpt\\u001b[31m\\u0007");
    clients::post(&lab.guarded(), &Dialect::Chat.url(), &body)
        .run()
        .ok();
    agent.sessions(1);
    sleep(Duration::from_millis(50));
    let shown = agent.codegate(["sessions", "list"]).ok();
    assert!(
        !shown.stdout.contains(&0x1b) && !shown.stdout.contains(&0x07),
        "{}",
        shown.text()
    );
}

fn each_file(folder: &Path, each: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_file(&path, each)
        } else {
            each(&path)
        }
    }
}
