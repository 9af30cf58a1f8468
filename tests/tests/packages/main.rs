//! Packages in answers: the official SDKs read what is told, and what must not be installed is not.
#![allow(clippy::unwrap_used, reason = "tests panic")]

mod calls;

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use lab::{Agent, Dialect, Lab, Say, Turn, clients};
use serde_json::{Value, json};

const DIALECTS: &str = include_str!("../python/dialects.py");
const NODE_DIALECTS: &str = include_str!("../node/dialects.cjs");

/// What is known: records, and all names there are.
const RECORDS: [(&str, &str); 2] = [
    (
        "npm.jsonl",
        r#"{"name":"evil-lab","status":"malicious","id":"LAB-1","summary":"It steals keys."}"#,
    ),
    (
        "PyPI.jsonl",
        "{\"name\":\"evil-lab\",\"status\":\"malicious\",\"id\":\"LAB-2\",\"summary\":\"It steals keys.\"}\n\
         {\"name\":\"half-lab\",\"status\":\"malicious\",\"versions\":[\"1.82.7\"],\"id\":\"LAB-3\"}\n\
         {\"name\":\"old-lab\",\"status\":\"deprecated\",\"id\":\"LAB-4\"}",
    ),
];
const NAMES: [(&str, &str); 2] = [
    ("npm.txt", "evil-lab\nlodash\nloadash\nexpress\nreact\n"),
    (
        "PyPI.txt",
        "evil-lab\nhalf-lab\nold-lab\nrequests\nopencv-python\npyyaml\nnumpy\n",
    ),
];

/// Builds an index, as an administrator would.
pub(crate) fn update(lab: &Lab, agent: &Agent<'_>) {
    let (lists, names) = (lab.path("lists"), lab.path("names"));
    for (folder, files) in [(&lists, RECORDS), (&names, NAMES)] {
        fs::create_dir_all(folder).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    let [lists, names] = [&lists, &names].map(|path| path.to_str().unwrap());
    agent
        .codegate(["packages", "update", "--lists", lists, "--names", names])
        .ok();
}

/// Waits until the agent has the index.
pub(crate) fn in_service(agent: &Agent<'_>) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let status = agent.objects(["status", "--json"]).remove(0);
        let problems = status["problems"].to_string();
        if !problems.contains("there is no index") {
            return;
        }
        assert!(Instant::now() < deadline, "{problems}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A model that suggests a command, and has the shell run it; its streams come in pieces of 1 to 40
/// bytes, one size after the other.
fn suggesting(lab: &Lab) {
    let count = Arc::new(AtomicUsize::new(0));
    for host in [Dialect::Chat.host(), Dialect::Messages.host()] {
        let count = Arc::clone(&count);
        lab.ai(host, move |asked| {
            let n = count.fetch_add(1, Relaxed);
            let call = Say::Call {
                name: "bash".into(),
                arguments: json!({"command": asked.user, "at": "/é"}),
            };
            Turn::new([Say::Text(suggestion(&asked.user)), call])
                .step(1 + n * 7 % 40)
                .split(1 + n * 11 % 40)
        });
    }
}

fn suggestion(command: &str) -> String {
    format!("Größer – run “this”:\n\n```bash\n# 安装\n{command}\n```\n\nThat is all.")
}

/// A text without its notices, and what they say.
fn told(text: &str) -> (String, Vec<String>) {
    let (mut rest, mut notices) = (text.to_owned(), Vec::new());
    while let Some(at) = rest.find("\n\n> ⚠️ **CodeGate**: ") {
        let end = at + 2 + rest[at + 2..].find('\n').unwrap() + 1;
        notices.push(rest[at..end].trim().to_owned());
        rest.replace_range(at..end, "");
    }
    (rest, notices)
}

/// What the three dialects' SDKs understood, in Python and in Node, streaming and not.
pub(crate) fn ask(lab: &Lab, prompt: &str) -> Vec<(String, Value)> {
    let place = lab.guarded();
    let programs = [
        ("python", clients::python(&place, DIALECTS)),
        ("node", clients::node(&place, NODE_DIALECTS)),
    ];
    let mut ways = Vec::new();
    for (language, program) in programs {
        let output = program.input(prompt).run().ok();
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        let said = said.as_object().unwrap().clone().into_iter();
        ways.extend(said.map(|(way, said)| (format!("{language} {way}"), said)));
    }
    assert_eq!(ways.len(), 12);
    ways
}

#[test]
fn each_suggestion_has_its_verdict_and_notice_and_nothing_bad_is_installed() {
    let lab = Lab::new();
    suggesting(&lab);
    let agent = lab.agent().start();
    update(&lab, &agent);
    in_service(&agent);
    for (command, notice, blocked) in [
        (
            "pip install evil-lab",
            Some("`pkg:pypi/evil-lab` is malicious: "),
            true,
        ),
        (
            "sudo -H python3 -m pip install half-lab==1.82.7",
            Some("`pkg:pypi/half-lab@1.82.7` is malicious: "),
            true,
        ),
        ("pip install half-lab==1.82.6", None, false),
        (
            "npm i loadash",
            Some("`pkg:npm/loadash` is suspicious: "),
            false,
        ),
        (
            "bash -c 'cd /tmp && pip install no-such-lab'",
            Some("`pkg:pypi/no-such-lab` is unknown: there is no such package"),
            true,
        ),
        ("pip install requests numpy", None, false),
        (
            "pip install old-lab",
            Some("`pkg:pypi/old-lab` is deprecated"),
            false,
        ),
    ] {
        for (way, said) in ask(&lab, command) {
            let (text, notices) = told(said["text"].as_str().unwrap());
            assert_eq!(text, suggestion(command), "{way}");
            assert_eq!(
                notices.len(),
                usize::from(notice.is_some()),
                "{way}: {said}"
            );
            assert!(
                notices.iter().all(|n| n.contains(notice.unwrap())),
                "{way}: {notices:?}"
            );
            let run = said["arguments"]["command"].as_str().unwrap();
            assert_eq!(said["arguments"]["at"], "/é");
            match blocked {
                true => assert!(
                    run.starts_with("echo 'CodeGate blocked this command: "),
                    "{way}: {run}"
                ),
                false => assert_eq!(run, command, "{way}"),
            }
        }
    }
    let sessions = agent.sessions_with_exchanges(7 * 12);
    let found: u64 = sessions.iter().filter_map(|s| s["packages"].as_u64()).sum();
    assert!(found >= 5 * 4, "{sessions:#?}");
    assert!(sessions.iter().any(|s| s["verdict"] == "blocked"));
}

#[test]
fn imports_and_names_of_tools_raise_no_false_alarm() {
    let lab = Lab::new();
    let text = "Use the `Read` and `str_replace_editor` tools:\n\n\
        ```python\n# Größe\nimport os, sys, json\nimport cv2\nimport yaml\nfrom requests import get\n```\n\n\
        ```ts\nimport * as vscode from 'vscode';\nimport fs from 'node:fs';\nimport { a } from './a';\n```\n\n\
        ```rust\nuse std::fs;\nuse crate::a;\n```\n\n```go\nimport (\n\t\"net/http\"\n\t\"embed\"\n)\n```\n\n\
        ```java\nimport java.util.List;\n```\n\nIt is v1.2.3, 3f2504e0-4f89-11d3-9a0c-0305e82c3301.\n\nNow call `npm install` and then `run_terminal_cmd`.";
    for host in [Dialect::Chat.host(), Dialect::Messages.host()] {
        lab.ai(host, move |_| Turn::text(text).step(9).split(13));
    }
    let agent = lab.agent().start();
    update(&lab, &agent);
    in_service(&agent);
    for (way, said) in ask(&lab, "hi") {
        assert_eq!(said["text"], text, "{way}");
    }
    assert!(
        agent
            .sessions_with_exchanges(12)
            .iter()
            .all(|session| session["packages"] == 0)
    );
}

#[test]
fn an_import_is_told_of_by_the_name_of_what_brings_it() {
    let lab = Lab::new();
    let text = "So:\n\n```python\nimport cv2\nimport yaml\n```\n\nDone.";
    for host in [Dialect::Chat.host(), Dialect::Messages.host()] {
        lab.ai(host, move |_| Turn::text(text).step(2).split(11));
    }
    let deny = "[packages]\ndeny = [\"pkg:pypi/opencv-python\"]";
    let _agent = lab.agent().settings(deny).start();
    for (way, said) in ask(&lab, "hi") {
        let (rest, notices) = told(said["text"].as_str().unwrap());
        assert_eq!(rest, text, "{way}");
        let is_it = |n: &String| n.contains("`pkg:pypi/opencv-python` is malicious");
        assert!(
            notices.len() == 1 && notices.iter().all(is_it),
            "{way}: {notices:?}"
        );
    }
}

#[test]
fn a_conversation_is_told_once_and_the_model_never_reads_it() {
    let lab = Lab::new();
    suggesting(&lab);
    let agent = lab.agent().start();
    update(&lab, &agent);
    in_service(&agent);
    let command = "npm i loadash";
    for (dialect, stream) in Dialect::ALL
        .into_iter()
        .flat_map(|d| [(d, false), (d, true)])
    {
        lab.journal().clear();
        let mut request = dialect.request(command, stream);
        let post = |request: &Value| {
            let answer = clients::post(&lab.guarded(), &dialect.url(), &request.to_string());
            dialect.said(&answer.arg("--http1.1").run().ok().text(), stream)
        };
        let first = post(&request);
        assert_eq!(told(&first), (suggestion(command), told(&first).1));
        assert_eq!(told(&first).1.len(), 1);
        let history = json!([
            {"role": "user", "content": command},
            {"role": "assistant", "content": first},
            {"role": "user", "content": command},
        ]);
        let member = match dialect {
            Dialect::Responses => "input",
            _ => "messages",
        };
        request[member] = history;
        let second = post(&request);
        assert_eq!(second, suggestion(command), "{dialect:?}: told again");
        let seen: Value = serde_json::from_str(&lab.journal().requests()[1].text()).unwrap();
        assert_eq!(seen[member][1]["content"], suggestion(command));
    }
}

#[test]
fn a_conversation_that_the_service_remembers_is_told_once() {
    let lab = Lab::new();
    lab.ai(Dialect::Responses.host(), |asked| {
        Turn::text(suggestion(&asked.user)).step(7).split(29)
    });
    let agent = lab.agent().start();
    update(&lab, &agent);
    in_service(&agent);
    for stream in [false, true] {
        let post = |command: &str, follows: Option<&str>| {
            let mut request = Dialect::Responses.request(command, stream);
            if let Some(answer) = follows {
                request["previous_response_id"] = answer.into();
            }
            let url = Dialect::Responses.url();
            let asked = clients::post(&lab.guarded(), &url, &request.to_string());
            let answer = asked.arg("--http1.1").run().ok().text();
            let start = answer.find("\"resp_").unwrap() + 1;
            let id = answer[start..].split('"').next().unwrap().to_owned();
            let said = Dialect::Responses.said(&answer, stream);
            (id, told(&said).1.len())
        };
        let (first, notices) = post("npm i loadash", None);
        assert_eq!(notices, 1);
        let (second, notices) = post("npm i loadash", Some(&first));
        assert_eq!(notices, 0, "told again");
        let (third, notices) = post("npm i evil-lab", Some(&second));
        assert_eq!(notices, 1, "of another package");
        for (command, follows, expected) in [
            ("npm i loadash", Some(third.as_str()), 0),
            ("npm i evil-lab", Some(third.as_str()), 0),
            ("npm i evil-lab", Some(second.as_str()), 1),
            ("npm i loadash", None, 1),
            ("npm i loadash", Some("resp_other"), 1),
        ] {
            assert_eq!(
                post(command, follows).1,
                expected,
                "{command} after {follows:?}"
            );
        }
    }
}

#[test]
fn a_policy_that_only_warns_lets_the_call_go_on() {
    let lab = Lab::new();
    suggesting(&lab);
    let agent = lab
        .agent()
        .settings("[packages]\naction = \"warn\"\nnotices = false\ndeny = [\"pkg:npm/left-lab\"]")
        .start();
    let command = "npm i left-lab";
    for (way, said) in ask(&lab, command) {
        assert_eq!(said["text"], suggestion(command), "{way}");
        assert_eq!(said["arguments"]["command"], command, "{way}");
    }
    let sessions = agent.sessions_with_exchanges(12);
    assert!(
        sessions
            .iter()
            .all(|s| s["packages"] == 1 && s["verdict"] == "alert"),
        "{sessions:#?}"
    );
    // A stream names it in its text first, an answer that is not streamed may do so in its call.
    let shown: String = sessions
        .iter()
        .map(|session| session["id"].as_str().unwrap())
        .map(|id| agent.codegate(["sessions", "show", id]).ok().text())
        .collect();
    let told = "pkg:npm/left-lab is malicious (install in the answer)";
    assert!(shown.contains(told), "{shown}");
}

#[test]
fn what_is_fine_goes_on_byte_for_byte() {
    let lab = Lab::new();
    for host in [Dialect::Chat.host(), Dialect::Messages.host()] {
        lab.ai(host, |asked| {
            let arguments = json!({"command": asked.user});
            let call = Say::Call {
                name: "bash".into(),
                arguments,
            };
            Turn::new([Say::Text(suggestion(&asked.user)), call])
                .step(3)
                .split(17)
        });
    }
    let _agent = lab.agent().start();
    for dialect in Dialect::ALL {
        let request = dialect.request("pip install requests", true).to_string();
        let ask = |place| {
            let asked = clients::post(&place, &dialect.url(), &request);
            asked.arg("--http1.1").run().ok().text()
        };
        assert_eq!(ask(lab.guarded()), ask(lab.unguarded()));
    }
}

/// Rows 19 and 20 of the predecessor's faults.
#[test]
fn what_the_predecessor_did_not_see_is_told() {
    let lab = Lab::new();
    for host in [Dialect::Chat.host(), Dialect::Messages.host()] {
        lab.ai(host, |asked| Turn::echo(asked).step(6).split(40));
    }
    let deny = "pkg:npm/bad-lab\", \"pkg:pypi/bad-lab\", \"pkg:golang/lab.example/bad/mod";
    let _agent = lab
        .agent()
        .settings(&format!("[packages]\ndeny = [\"{deny}\"]"))
        .start();
    let (npm, pypi) = ("`pkg:npm/bad-lab", "`pkg:pypi/bad-lab");
    for (text, purl) in [
        // 19: a non-ASCII comment above an import.
        ("```python\n# Größe, 大きさ 😀\nimport bad_lab\n```", pypi),
        // 20: what it did not read.
        ("```sh\npip install bad-lab\n```", pypi),
        (
            "`requirements.txt`:\n\n```\nrequests==2.0\nbad_lab>=1\n```",
            pypi,
        ),
        (
            "```json\n{\"dependencies\": {\n  \"bad-lab\": \"^1.0\"\n}}\n```",
            npm,
        ),
        ("```js\nexport { a } from 'bad-lab/sub';\n```", npm),
        ("```ts\nconst a = await import(\"bad-lab\");\n```", npm),
        (
            "```go\nimport \"lab.example/bad/mod/sub/package\"\n```",
            "`pkg:golang/lab.example/bad/mod",
        ),
    ] {
        for dialect in Dialect::ALL {
            let request = dialect.request(text, true).to_string();
            let asked = clients::post(&lab.guarded(), &dialect.url(), &request);
            let answer = asked.arg("--http1.1").run().ok().text();
            let (rest, notices) = told(&dialect.said(&answer, true));
            assert_eq!(rest, text);
            assert!(
                notices.len() == 1 && notices[0].contains(purl),
                "{text}: {notices:?}"
            );
        }
    }
}
