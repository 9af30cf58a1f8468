//! The real binary against a real control socket: what it prints, how it ends, and what another
//! user is told.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::PathBuf,
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use codegate::{
    control::{self, Asker, Commands, Readiness, State, Status, StatusSource, Trust},
    flow::{Flow, Process},
    inspect::{Kind, Known},
    seal::{NewSecret, Vault},
    session::{Event, Exchange, Level, LoggedPath, Recorder, Sealed, Tokens, now},
};
use serde_json::Value;

/// Nobody's: on no system does it own anything.
const NOBODY: u32 = 65534;
/// What a hostile upstream calls its model.
const HOSTILE: &str = "gpt\u{1b}[2J\u{9b}31m\u{202e}x";

#[derive(Clone)]
struct Source(Arc<Mutex<Readiness>>);

impl StatusSource for Source {
    fn status(&self) -> Status {
        Status {
            state: *self.0.lock().unwrap(),
            version: "0.1.0".into(),
            pid: 42,
            uptime_s: 61,
            hooks: BTreeMap::from([("connect4".into(), "attached".into())]),
            listeners: vec!["127.0.0.1:4000".into()],
            endpoints: 3,
            paused_until: None,
            connections: 1,
            counters: BTreeMap::from([("redirected".into(), 9)]),
            existing: Vec::new(),
            problems: vec!["a hook \u{1b}[31mis gone".into()],
        }
    }
}

impl Commands for Source {
    fn pause(&self, time: Duration, _: Asker) -> Result<(), String> {
        // As an agent says that has no hooks.
        (time < Duration::from_secs(1000))
            .then_some(())
            .ok_or_else(|| "there is nothing to pause".into())
    }

    fn rotate(&self, _: Asker) -> Result<Trust, String> {
        Err("the disk is full".into())
    }

    fn give(&self) -> Result<control::Estate, String> {
        Err("there is nothing to give".into())
    }

    fn take_back(&self) -> Result<(), String> {
        Ok(())
    }

    fn retire(&self) -> Option<control::Retired> {
        None
    }
}

fn trusted() -> Trust {
    Trust {
        ca_pem: "/t/ca.pem".into(),
        bundle: "/t/it's.pem".into(),
        sha256: "AB:CD".into(),
        expires: now(),
        pem: "-----BEGIN CERTIFICATE-----\n".into(),
        variables: BTreeMap::from([
            ("NODE_EXTRA_CA_CERTS".into(), "/t/ca.pem".into()),
            ("SSL_CERT_FILE".into(), "/t/it's.pem".into()),
        ]),
    }
}

/// An agent's socket with an agent's stores behind it.
struct Agent {
    dir: tempfile::TempDir,
    state: Arc<State>,
    readiness: Arc<Mutex<Readiness>>,
    runtime: tokio::runtime::Runtime,
}

impl Agent {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let readiness = Arc::new(Mutex::new(Readiness::Ready));
        let state = Arc::new(State {
            source: Box::new(Source(Arc::clone(&readiness))),
            commands: Arc::new(Source(Arc::clone(&readiness))),
            recorder: Recorder::open(&dir.path().join("sessions.redb")).unwrap(),
            vault: Arc::new(Vault::open(&dir.path().join("vault")).unwrap()),
            trust: Arc::new(trusted().into()),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let agent = Self {
            dir,
            state,
            readiness,
            runtime,
        };
        let _guard = agent.runtime.enter();
        let listener = control::bind(&agent.socket()).unwrap();
        agent
            .runtime
            .spawn(control::serve(listener, Arc::clone(&agent.state)));
        drop(_guard);
        agent
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("run/control.sock")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_codegate"));
        command.arg("--socket").arg(self.socket()).args(arguments);
        command.env("TZ", "UTC");
        for name in trusted().variables.keys() {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn seal(&self, uid: u32, value: &[u8]) -> String {
        let secret = NewSecret {
            kind: Kind::parse("GITHUB").unwrap(),
            rule: "github-token",
            value,
        };
        let sealed = self.runtime.block_on(self.state.vault.seal(uid, &[secret]));
        sealed.unwrap().remove(0).to_string()
    }

    fn record(&self, uid: u32, placeholder: &str) {
        let exchange = Exchange {
            time: now(),
            duration_us: 1500,
            method: "POST".into(),
            path: LoggedPath::new("/v1/responses"),
            status: Some(200),
            dialect: "openai-responses".into(),
            model: Some(HOSTILE.into()),
            tokens: Tokens::default(),
            bytes_out: 1500,
            bytes_in: 20,
            sealed: vec![Sealed {
                kind: "GITHUB".into(),
                rule: "github-token".into(),
                placeholder: placeholder.into(),
                count: 2,
            }],
            restored: 1,
            personal: 0,
            packages: Vec::new(),
            events: vec![Event::new(Level::Alert, "mangled", "look\n\u{1b}]0;x")],
        };
        let recorder = &self.state.recorder;
        recorder.exchange(&flow(uid), "api.openai.com", "openai", exchange);
        recorder.flush();
    }

    /// The binary where everybody may run it.
    fn public_binary(&self) -> PathBuf {
        let path = self.dir.path().join("codegate");
        if !path.exists() {
            fs::copy(env!("CARGO_BIN_EXE_codegate"), &path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        path
    }

    /// As a user who is neither root nor `owner`: by setuid if this is root, else as we are.
    fn run_as_other(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(self.public_binary());
        command.arg("--socket").arg(self.socket()).args(arguments);
        if uid() == 0 {
            command.uid(NOBODY).gid(NOBODY).current_dir("/");
        }
        command.output().unwrap()
    }
}

fn uid() -> u32 {
    rustix::process::getuid().as_raw()
}

/// Whom the "other" user is not.
fn owner() -> u32 {
    if uid() == 0 { 1000 } else { uid() + 1 }
}

fn flow(uid: u32) -> Flow {
    Flow {
        client: ([127, 0, 0, 1], 40000).into(),
        original: ([192, 0, 2, 1], 443).into(),
        process: Process {
            pid: 7,
            start: 1,
            uid,
            exe: Some("/usr/bin/cu\u{1b}[31mrl".into()),
            comm: "curl".into(),
            cgroup: None,
            ..Process::default()
        },
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(output: &Output) -> Vec<Value> {
    let lines = text(&output.stdout);
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn assert_harmless(output: &Output) {
    for text in [text(&output.stdout), text(&output.stderr)] {
        let hostile = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(hostile), "{text:?}");
    }
}

#[test]
fn status_ends_as_the_agent_is() {
    let agent = Agent::start();
    for (readiness, code) in [
        (Readiness::Ready, 0),
        (Readiness::Starting, 4),
        (Readiness::Degraded, 5),
    ] {
        *agent.readiness.lock().unwrap() = readiness;
        let output = agent.run(&["status"]);
        assert_eq!(output.status.code(), Some(code));
        assert_harmless(&output);
        assert_eq!(agent.run(&["status", "--json"]).status.code(), Some(code));
    }
    let status = json(&agent.run(&["--json", "status"])).remove(0);
    assert_eq!(status["state"], "degraded");
    assert_eq!(status["hooks"]["connect4"], "attached");
    assert_eq!(status["counters"]["redirected"], 9);
    let human = text(&agent.run(&["status"]).stdout);
    assert!(
        human.starts_with("codegate 0.1.0 is degraded: pid 42, up 1m 1s\n"),
        "{human}"
    );
}

#[test]
fn without_an_agent_the_exit_code_says_so() {
    for arguments in [
        &["status"][..],
        &["sessions", "list"],
        &["secrets", "list"],
        &["env"],
        &["run", "true"],
        &["ca", "show", "--pem"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_codegate"));
        command
            .args(["--socket", "/nonexistent/sock"])
            .args(arguments);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{arguments:?}");
        assert!(output.stdout.is_empty());
        let message = text(&output.stderr);
        assert!(message.starts_with("codegate: cannot reach the agent at /nonexistent/sock: "));
        assert_eq!(message.lines().count(), 1);
    }
}

#[test]
fn sessions_are_listed_and_shown_without_obeying_traffic() {
    let agent = Agent::start();
    agent.record(uid(), "CG_GITHUB_X");
    let list = json(&agent.run(&["sessions", "list", "--json"])).remove(0);
    let fields: Vec<&str> = list
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    for field in [
        "id",
        "started",
        "process",
        "host",
        "provider",
        "model",
        "exchanges",
        "secrets",
        "packages",
        "verdict",
        "bytes_out",
        "bytes_in",
    ] {
        assert!(fields.contains(&field), "{field}");
    }
    assert_eq!(list["process"]["pid"], 7);
    assert_eq!(list["process"]["uid"], uid());
    assert_eq!(list["model"], HOSTILE, "JSON says exactly what was there");
    assert_eq!(
        (&list["verdict"], &list["secrets"]),
        (&"alert".into(), &1.into())
    );

    let id = list["id"].as_str().unwrap();
    for arguments in [
        &["sessions", "list"][..],
        &["sessions", "list", "--json"],
        &["sessions", "show", id],
        &["sessions", "show", id, "--json"],
    ] {
        let output = agent.run(arguments);
        assert_eq!(output.status.code(), Some(0));
        assert_harmless(&output);
    }
    let table = text(&agent.run(&["sessions", "list"]).stdout);
    let [heading, row] = table.lines().collect::<Vec<_>>()[..] else {
        panic!("{table}")
    };
    assert_eq!(heading.find("HOST"), row.find("api.openai.com"), "{table}");
    assert!(row.contains("1.5 kB") && row.ends_with("alert"), "{table}");
    let shown = text(&agent.run(&["sessions", "show", id]).stdout);
    assert!(
        shown.contains("sealed CG_GITHUB_X (github-token) ×2"),
        "{shown}"
    );
    assert!(
        shown.contains(r"alert mangled: look\n\u{1b}]0;x"),
        "{shown}"
    );
    let lines = json(&agent.run(&["sessions", "show", id, "--json"]));
    let types: Vec<&Value> = lines.iter().map(|line| &line["type"]).collect();
    assert_eq!(types, ["session", "exchange"]);
    assert_eq!(
        agent.run(&["sessions", "show", "0000000000"]).status.code(),
        Some(2)
    );
    assert_eq!(
        agent.run(&["sessions", "show", "no-id"]).status.code(),
        Some(2)
    );
}

#[test]
fn tail_prints_what_happens_as_it_happens() {
    use std::io::{BufRead, BufReader};
    let agent = Agent::start();
    let mut command = agent.command(&["sessions", "tail", "--json"]);
    let mut tail = command.stdout(Stdio::piped()).spawn().unwrap();
    while agent.state.recorder.watchers() == 0 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    agent.record(uid(), "CG_GITHUB_X");
    let mut line = String::new();
    let mut lines = BufReader::new(tail.stdout.take().unwrap());
    lines.read_line(&mut line).unwrap();
    let update: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(update["session"]["host"], "api.openai.com");
    assert_eq!(update["sealed"][0]["placeholder"], "CG_GITHUB_X");
    tail.kill().unwrap();
    tail.wait().unwrap();
}

#[test]
fn a_secret_comes_out_exactly_and_is_forgotten_for_good() {
    let agent = Agent::start();
    let value = b"line 1\n\xff\x1b[2Jend";
    let placeholder = agent.seal(uid(), value);
    let listed = agent.run(&["secrets", "list", "--json"]);
    assert_eq!(json(&listed)[0]["placeholder"], placeholder.as_str());
    assert!(!text(&listed.stdout).contains("line 1"));
    let revealed = agent.run(&["secrets", "reveal", &placeholder]);
    assert_eq!(revealed.stdout, value, "the value only, byte for byte");
    let object = json(&agent.run(&["secrets", "reveal", &placeholder, "--json"])).remove(0);
    assert_eq!(object["value_base64"], "bGluZSAxCv8bWzJKZW5k");
    assert_eq!(
        agent
            .run(&["secrets", "forget", &placeholder])
            .status
            .code(),
        Some(0)
    );
    let gone = agent.run(&["secrets", "reveal", &placeholder]);
    assert_eq!((gone.status.code(), gone.stdout.len()), (Some(2), 0));
    assert_eq!(
        agent.run(&["secrets", "reveal", "CG_NO"]).status.code(),
        Some(2)
    );
}

#[test]
fn literals_are_added_from_standard_input_and_files_and_listed_without_values() {
    let agent = Agent::start();
    let words = agent.dir.path().join("words");
    fs::write(&words, "Nightingale\n\nBluebird \nNightingale\n").unwrap();
    let mut add = agent.command(&["secrets", "add", "--json"]);
    let mut add = add
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    add.stdin
        .take()
        .unwrap()
        .write_all(b"correct horse battery\n")
        .unwrap();
    let added = json(&add.wait_with_output().unwrap());
    assert_eq!((added.len(), &added[0]["literal"]), (1, &Value::Bool(true)));
    assert_eq!(added[0]["kind"], "SECRET");
    let file = [
        "secrets",
        "add",
        "--kind",
        "BIRD",
        "--file",
        words.to_str().unwrap(),
    ];
    assert_eq!(agent.run(&file).status.code(), Some(0));
    let listed = json(&agent.run(&["secrets", "list", "--json"]));
    assert_eq!(listed.len(), 3);
    let known = agent.state.vault.literals(uid()).unwrap();
    assert_eq!(known.find(b"correct horse battery, Bluebird").len(), 2);
    let placeholder = added[0]["placeholder"].as_str().unwrap();
    let forgotten = agent.run(&["secrets", "forget", placeholder]);
    assert_eq!(forgotten.status.code(), Some(0));
    assert_eq!(json(&agent.run(&["secrets", "list", "--json"])).len(), 2);
    for wrong in [&["--kind", "bird"][..], &["--uid", "4294967295"], &[]] {
        let mut arguments = vec!["secrets", "add"];
        arguments.extend(wrong);
        let refused = agent
            .command(&arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_ne!(refused.status.code(), Some(0), "{wrong:?}");
    }
}

#[test]
fn another_user_sees_nothing_and_may_not_ask() {
    let agent = Agent::start();
    let placeholder = agent.seal(owner(), b"theirs");
    agent.record(owner(), &placeholder);
    let listed = agent.run_as_other(&["status", "--json"]);
    assert_eq!(
        listed.status.code(),
        Some(0),
        "the other user does reach the agent"
    );
    for arguments in [
        &["sessions", "list", "--json"][..],
        &["secrets", "list", "--json"],
    ] {
        let output = agent.run_as_other(arguments);
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(0), 0),
            "{arguments:?}"
        );
    }
    let sessions = agent
        .state
        .recorder
        .list(codegate::session::Viewer::new(owner()), 1);
    let id = sessions.unwrap().remove(0).id.to_string();
    assert_eq!(
        agent.run_as_other(&["sessions", "show", &id]).status.code(),
        Some(2)
    );
    assert_eq!(
        agent
            .run_as_other(&["secrets", "reveal", &placeholder])
            .status
            .code(),
        Some(2)
    );
    let owner_flag = format!("--uid={}", owner());
    for verb in ["reveal", "forget"] {
        let output = agent.run_as_other(&["secrets", verb, &placeholder, &owner_flag]);
        assert_eq!(output.status.code(), Some(3), "{verb}");
        assert!(!text(&output.stdout).contains("theirs"));
    }
    let list = agent.run_as_other(&["secrets", "list", &owner_flag]);
    assert_eq!(list.status.code(), Some(3));
    assert_eq!(
        agent.state.vault.list(owner()).unwrap().len(),
        1,
        "nothing was forgotten"
    );
    assert!(
        agent.state.vault.reveals(owner()).unwrap().is_empty(),
        "nothing was revealed"
    );
}

#[test]
fn run_becomes_the_command_and_passes_its_end_on() {
    let agent = Agent::start();
    let print = "printf '%s %s' \"$NODE_EXTRA_CA_CERTS\" \"$SSL_CERT_FILE\"; exit 7";
    let output = agent.run(&["run", "--", "sh", "-c", print]);
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(text(&output.stdout), "/t/ca.pem /t/it's.pem");

    let mut kept = agent.command(&["run", "sh", "-c", "printf %s \"$SSL_CERT_FILE\""]);
    let output = kept.env("SSL_CERT_FILE", "/corp.pem").output().unwrap();
    assert_eq!(text(&output.stdout), "/corp.pem");
    assert!(text(&output.stderr).contains("SSL_CERT_FILE is set to /corp.pem: kept"));

    assert_eq!(
        agent.run(&["run", "--", "/nonexistent"]).status.code(),
        Some(127)
    );
    assert_eq!(agent.run(&["run", "--", "/"]).status.code(), Some(126));
    assert_eq!(agent.run(&["run"]).status.code(), Some(2));
}

#[test]
fn env_is_for_the_shell() {
    let agent = Agent::start();
    let script = text(&agent.run(&["env"]).stdout);
    let script = format!("{script}printf %s \"$SSL_CERT_FILE\"");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(text(&output.stdout), "/t/it's.pem");
    let object = json(&agent.run(&["env", "--json"])).remove(0);
    assert_eq!(object["NODE_EXTRA_CA_CERTS"], "/t/ca.pem");
}

#[test]
fn the_ca_is_shown() {
    let agent = Agent::start();
    let pem = agent.run(&["ca", "show", "--pem"]);
    assert_eq!(text(&pem.stdout), "-----BEGIN CERTIFICATE-----\n");
    let human = text(&agent.run(&["ca", "show"]).stdout);
    assert!(
        human.contains("AB:CD") && human.contains("/t/ca.pem"),
        "{human}"
    );
}

#[test]
fn a_bad_configuration_is_one_clear_line() {
    let agent = Agent::start();
    let file = agent.dir.path().join("config.toml");
    let path = file.to_str().unwrap();
    fs::write(&file, "state_dir = \"/x\"\n[capture]\nfail = \"maybe\"\n").unwrap();
    for arguments in [&["config", "check"][..], &["config", "show"], &["agent"]] {
        let output = agent
            .command(arguments)
            .args(["--config", path])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let expected = "invalid value: string \"maybe\", expected \"open\" or \"closed\"";
        assert_eq!(
            text(&output.stderr),
            format!("codegate: {path}:3:8: {expected}\n")
        );
    }
    fs::write(&file, "runtime_dir = \"/nonexistent\"\n").unwrap();
    let good = agent.run(&["--config", path, "config", "check"]);
    assert_eq!(good.status.code(), Some(0));
    let shown = text(&agent.run(&["--config", path, "config", "show"]).stdout);
    assert!(shown.contains("runtime_dir = \"/nonexistent\"") && shown.contains("api.openai.com"));
    fs::write(&file, &shown).unwrap();
    let again = text(&agent.run(&["--config", path, "config", "show"]).stdout);
    assert_eq!(again, shown, "what is shown is a configuration");
    let schema = json(&agent.run(&["config", "schema", "--json"])).remove(0);
    assert_eq!(schema["$defs"]["Fail"]["enum"][0], "open");
}

#[test]
fn a_pause_is_roots_and_has_an_end() {
    let agent = Agent::start();
    assert_eq!(agent.run_as_other(&["pause"]).status.code(), Some(3));
    assert_eq!(agent.run_as_other(&["resume"]).status.code(), Some(3));
    for time in ["", "ten", "10", "0s", "-5m", "8d", "10m!"] {
        let output = agent.run(&["pause", time]);
        assert_eq!(output.status.code(), Some(2), "{time:?}");
    }
    if uid() != 0 {
        return; // nothing more is to be seen by others
    }
    let paused = json(&agent.run(&["--json", "pause", "10m"])).remove(0);
    let until: jiff::Timestamp = paused["paused_until"].as_str().unwrap().parse().unwrap();
    let left = until.as_second() - now().as_second();
    assert!((590..=600).contains(&left), "{left}");
    let resumed = json(&agent.run(&["--json", "resume"])).remove(0);
    assert_eq!(resumed["paused_until"], Value::Null);
    let refused = agent.run(&["pause", "2h"]);
    assert_eq!(refused.status.code(), Some(5));
    assert!(text(&refused.stderr).contains("there is nothing to pause"));
}

#[test]
fn completions_and_manuals_are_made_from_the_arguments() {
    let agent = Agent::start();
    for shell in ["bash", "zsh", "fish"] {
        let script = text(&agent.run(&["completions", shell]).stdout);
        assert!(script.contains("sessions"), "{shell}");
    }
    assert!(text(&agent.run(&["man"]).stdout).contains(".TH"));
    let dir = agent.dir.path().join("man");
    let output = agent.run(&["man", "--dir", dir.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    assert!(dir.join("codegate-sessions-list.1").exists());
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let agent = Agent::start();
    for arguments in [&["completions", "bash"][..], &["config", "show"], &["man"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = agent.command(arguments);
        let output = command
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(text(&output.stderr), "");
    }
}

#[test]
fn usage_errors_are_two_and_help_is_fine() {
    let agent = Agent::start();
    assert_eq!(agent.run(&[]).status.code(), Some(2));
    assert_eq!(agent.run(&["no-such-command"]).status.code(), Some(2));
    assert_eq!(agent.run(&["--help"]).status.code(), Some(0));
    assert_eq!(agent.run(&["--version"]).status.code(), Some(0));
}
