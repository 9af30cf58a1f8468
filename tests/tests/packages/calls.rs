//! Calls that install something, or write a manifest that would: they are not made.

use lab::{Asked, Dialect, Lab, Say, Turn, clients};
use serde_json::{Value, json};

use crate::{ask, in_service, update};

/// A model that has the shell install something, and then says what came of it.
fn installing(asked: &Asked) -> Turn {
    match asked.results.last() {
        Some(result) => Turn::text(format!("The shell said: {result}")),
        None if asked.user.contains("install it") => Turn::call(
            "Bash",
            json!({"command": "touch ran; npm i evil-lab", "description": "Installs it"}),
        ),
        // Side calls, for a title or a summary.
        None => Turn::text("{}"),
    }
}

/// What Claude Code says at last when it is asked to install something, and may do as it likes.
fn claude_installs(lab: &Lab) -> String {
    let asked = clients::claude_asked(lab.guarded().cmd(clients::claude()), "install it");
    let asked = asked.args(["--permission-mode", "bypassPermissions"]);
    let output = asked.run().ok().text();
    let last: Value = serde_json::from_str(output.lines().last().unwrap()).unwrap();
    last["result"].as_str().unwrap().to_owned()
}

#[test]
fn claude_code_does_not_install_it_and_says_why() {
    let lab = Lab::new();
    lab.ai("api.anthropic.com", installing);
    let agent = lab.agent().start();
    update(&lab, &agent);
    in_service(&agent);
    let result = claude_installs(&lab);
    assert!(!lab.path("home/ran").exists());
    assert!(
        result.contains("CodeGate blocked this command: it would install pkg:npm/evil-lab"),
        "{result}"
    );
    agent.sessions_with_verdict("blocked");
    // The provider reads what its model wrote, and in the result what came of it.
    let asked: Vec<String> = lab.journal().requests().iter().map(|r| r.text()).collect();
    let last = asked
        .iter()
        .rfind(|body| body.contains("tool_result"))
        .unwrap();
    assert!(last.contains("touch ran; npm i evil-lab"), "{last}");
    assert!(last.contains("CodeGate blocked this command") && !last.contains(">&2; false"));
}

/// A model that writes a manifest into a file: a user's name for it, and a listed package or not.
fn writing(lab: &Lab) {
    for host in [Dialect::Chat.host(), Dialect::Messages.host()] {
        lab.ai(host, |asked| {
            let arguments =
                json!({"mode": 6, "file_path": "/é/package.json", "content": asked.user});
            let name = "Write".into();
            Turn::new([Say::Call { name, arguments }]).step(3).split(17)
        });
    }
}

#[test]
fn a_manifest_with_a_malicious_package_is_not_written() {
    let lab = Lab::new();
    writing(&lab);
    let agent = lab.agent().start();
    update(&lab, &agent);
    in_service(&agent);
    for (package, blocked) in [
        ("evil-lab", true),
        ("express", false),
        ("no-such-lab", false),
    ] {
        let content = json!({"dependencies": {package: "^1.0.0"}}).to_string();
        for (way, said) in ask(&lab, &content) {
            let arguments = &said["arguments"];
            let name = arguments["file_path"].as_str().unwrap();
            match blocked {
                true => assert_eq!(
                    name,
                    format!("/dev/null/CodeGate blocked this file: it adds pkg:npm/{package}"),
                    "{way}"
                ),
                false => assert_eq!(name, "/é/package.json", "{way}"),
            }
            assert_eq!(
                (&arguments["mode"], &arguments["content"]),
                (&json!(6), &json!(content))
            );
        }
    }
}

#[test]
fn claude_code_does_not_write_it_and_says_why() {
    let lab = Lab::new();
    let path = lab.path("home/package.json");
    let write = json!({"file_path": path, "content": "{\"dependencies\": {\"evil-lab\": \"1\"}}"});
    lab.ai("api.anthropic.com", move |asked| {
        match asked.results.last() {
            Some(result) => Turn::text(format!("The tool said: {result}")),
            None if asked.user.contains("install it") => Turn::call("Write", write.clone()),
            None => Turn::text("{}"),
        }
    });
    let agent = lab.agent().start();
    update(&lab, &agent);
    in_service(&agent);
    let result = claude_installs(&lab);
    assert!(!lab.path("home/package.json").exists());
    assert!(
        result.contains("/dev/null/CodeGate blocked this file: it adds pkg:npm/evil-lab"),
        "{result}"
    );
    agent.sessions_with_verdict("blocked");
}
