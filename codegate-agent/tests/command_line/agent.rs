//! An agent's socket with an agent's stores behind it, and the binary that asks it.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::PathBuf,
    process::{Command, Output},
    sync::{Arc, Mutex},
    time::Duration,
};

use codegate::{
    control::{self, Asker, Commands, Readiness, State, Status, StatusSource, Trust},
    flow::{Flow, Process},
    inspect::Kind,
    seal::{NewSecret, Vault},
    session::{Event, Exchange, Level, LoggedPath, Recorder, Sealed, Tokens, now},
};
use serde_json::Value;

/// Nobody's: on no system does it own anything.
const NOBODY: u32 = 65534;
/// What a hostile upstream calls its model.
pub(crate) const HOSTILE: &str = "gpt\u{1b}[2J\u{9b}31m\u{202e}x";

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
pub(crate) struct Agent {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) state: Arc<State>,
    pub(crate) readiness: Arc<Mutex<Readiness>>,
    runtime: tokio::runtime::Runtime,
}

impl Agent {
    pub(crate) fn start() -> Self {
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

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("run/control.sock")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_codegate"));
        command.arg("--socket").arg(self.socket()).args(arguments);
        command.env("TZ", "UTC");
        for name in trusted().variables.keys() {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub(crate) fn seal(&self, uid: u32, value: &[u8]) -> String {
        let secret = NewSecret {
            kind: Kind::parse("GITHUB").unwrap(),
            rule: "github-token",
            value,
        };
        let sealed = self.runtime.block_on(self.state.vault.seal(uid, &[secret]));
        sealed.unwrap().remove(0).to_string()
    }

    pub(crate) fn record(&self, uid: u32, placeholder: &str) {
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
    pub(crate) fn run_as_other(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(self.public_binary());
        command.arg("--socket").arg(self.socket()).args(arguments);
        if uid() == 0 {
            command.uid(NOBODY).gid(NOBODY).current_dir("/");
        }
        command.output().unwrap()
    }
}

pub(crate) fn uid() -> u32 {
    rustix::process::getuid().as_raw()
}

/// Whom the "other" user is not.
pub(crate) fn owner() -> u32 {
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

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub(crate) fn json(output: &Output) -> Vec<Value> {
    let lines = text(&output.stdout);
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

pub(crate) fn assert_harmless(output: &Output) {
    for text in [text(&output.stdout), text(&output.stderr)] {
        let hostile = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(hostile), "{text:?}");
    }
}
