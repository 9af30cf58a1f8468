//! A real socket, a real vault, real sessions; clients that behave and clients that do not.

use std::{collections::BTreeMap, path::PathBuf, sync::Mutex, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::UnixStream as Stream,
    time::timeout,
};

use super::{server::serve, *};
use crate::{
    flow::{Flow, Process},
    inspect::Kind,
    seal::{NewSecret, Placeholder},
    session::{Event, Level},
};

struct Ready;

impl StatusSource for Ready {
    fn status(&self) -> Status {
        Status {
            state: Readiness::Ready,
            version: "1".into(),
            pid: 1,
            uptime_s: 2,
            hooks: BTreeMap::new(),
            listeners: Vec::new(),
            endpoints: 3,
            paused_until: None,
            connections: 4,
            counters: BTreeMap::new(),
            existing: Vec::new(),
            problems: Vec::new(),
        }
    }
}

/// What it was told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<(Duration, Asker)>>>);

impl Commands for Told {
    fn pause(&self, time: Duration, by: Asker) -> Result<(), String> {
        self.0.lock().unwrap().push((time, by));
        Ok(())
    }

    fn rotate(&self, _: Asker) -> Result<Trust, String> {
        Ok(trusted("CD"))
    }

    fn give(&self) -> Result<Estate, String> {
        Err("there is nothing to give".into())
    }

    fn take_back(&self) -> Result<(), String> {
        Ok(())
    }

    fn retire(&self) -> Option<Retired> {
        None
    }
}

fn trusted(sha256: &str) -> Trust {
    Trust {
        ca_pem: "/ca.pem".into(),
        bundle: "/bundle.pem".into(),
        sha256: sha256.into(),
        expires: Timestamp::MAX,
        pem: "PEM".into(),
        variables: BTreeMap::from([("SSL_CERT_FILE".into(), "/bundle.pem".into())]),
    }
}

struct Server {
    dir: tempfile::TempDir,
    state: Arc<State>,
    task: tokio::task::JoinHandle<()>,
    told: Told,
}

impl Server {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let told = Told::default();
        let state = Arc::new(State {
            source: Box::new(Ready),
            commands: Arc::new(told.clone()),
            recorder: Recorder::open(&dir.path().join("sessions.redb")).unwrap(),
            vault: Arc::new(Vault::open(&dir.path().join("vault")).unwrap()),
            trust: Arc::new(trusted("AB").into()),
        });
        let listener = bind(&dir.path().join("run/control.sock")).unwrap();
        let task = tokio::spawn(serve(listener, Arc::clone(&state)));
        Self {
            dir,
            state,
            task,
            told,
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("run/control.sock")
    }

    async fn connect(&self) -> Peer {
        Peer(BufReader::new(Stream::connect(self.path()).await.unwrap()))
    }

    async fn seal(&self, uid: u32, value: &[u8]) -> Placeholder {
        let secret = NewSecret {
            kind: Kind::parse("GITHUB").unwrap(),
            rule: "github-token",
            value,
        };
        self.state
            .vault
            .seal(uid, &[secret])
            .await
            .unwrap()
            .remove(0)
    }

    fn event(&self, uid: u32, message: &str) {
        let flow = Flow {
            client: ([127, 0, 0, 1], 1).into(),
            original: ([127, 0, 0, 1], 443).into(),
            process: Process {
                pid: 7,
                start: 1,
                uid,
                exe: None,
                comm: "curl".into(),
                cgroup: None,
                ..Process::default()
            },
        };
        let event = Event::new(Level::Alert, "test", message);
        self.state
            .recorder
            .event(&flow, "a.example", "openai", event);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Peer(BufReader<Stream>);

impl Peer {
    async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// The next line; `None` when the server has ended.
    async fn line(&mut self) -> Option<Value> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line);
        timeout(Duration::from_secs(5), read)
            .await
            .unwrap()
            .unwrap();
        (!line.is_empty()).then(|| serde_json::from_str(&line).unwrap())
    }

    /// The lines up to the end or the error.
    async fn ask(&mut self, request: Value) -> Vec<Value> {
        self.send(format!("{request}\n").as_bytes()).await;
        let mut lines = Vec::new();
        while let Some(line) = self.line().await {
            lines.push(line);
            if lines.last().is_some_and(|line| line.get("item").is_none()) {
                break;
            }
        }
        lines
    }
}

fn uid() -> u32 {
    rustix::process::getuid().as_raw()
}

#[tokio::test]
async fn one_connection_answers_one_request_after_another() {
    let server = Server::start();
    let mut peer = server.connect().await;
    let status = peer.ask(json!({"request": "status"})).await;
    assert_eq!(status[0]["item"]["state"], "ready");
    assert_eq!(status[0]["item"]["counters"]["records_lost"], 0);
    assert_eq!(status[1], json!("end"));
    let trust = peer.ask(json!({"request": "trust"})).await;
    assert_eq!(
        trust[0]["item"]["variables"]["SSL_CERT_FILE"],
        "/bundle.pem"
    );
    assert_eq!(
        peer.ask(json!({"request": "sessions-list", "limit": 5}))
            .await,
        ["end"]
    );
}

#[tokio::test]
async fn a_session_is_listed_shown_and_watched() {
    let server = Server::start();
    let mut watcher = server.connect().await;
    watcher.send(b"{\"request\":\"sessions-tail\"}\n").await;
    // Only what comes after the watch began is watched: wait until it has.
    while server.state.recorder.watchers() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.event(uid(), "look");
    let update = watcher.line().await.unwrap();
    assert_eq!(update["item"]["message"], "look");
    assert_eq!(update["item"]["type"], "event");
    assert_eq!(update["item"]["session"]["verdict"], "alert");

    let mut peer = server.connect().await;
    let list = peer
        .ask(json!({"request": "sessions-list", "limit": 5}))
        .await;
    let id = &list[0]["item"]["id"];
    assert_eq!(&update["item"]["session"]["id"], id);
    let shown = peer
        .ask(json!({"request": "sessions-show", "id": id}))
        .await;
    assert_eq!(shown[0]["item"]["type"], "session");
    assert_eq!(shown[0]["item"]["host"], "a.example");
    assert_eq!(shown[1]["item"]["message"], "look");
    assert_eq!(shown[2], "end");
    let typed: Shown = serde_json::from_value(shown[1]["item"].clone()).unwrap();
    assert!(matches!(typed, Shown::Entry(_)));
    let missing = peer
        .ask(json!({"request": "sessions-show", "id": "0000000000"}))
        .await;
    assert_eq!(missing[0]["error"]["code"], "not-found");
}

#[tokio::test]
async fn a_secret_is_listed_revealed_and_forgotten() {
    let server = Server::start();
    let placeholder = server.seal(uid(), b"ghp_\xffvalue").await.to_string();
    let mut peer = server.connect().await;
    let list = peer.ask(json!({"request": "secrets-list"})).await;
    assert_eq!(list[0]["item"]["placeholder"], placeholder.as_str());
    assert_eq!(list[0]["item"]["kind"], "GITHUB");
    assert!(!list[0].to_string().contains("value"));

    let reveal = json!({"request": "secrets-reveal", "placeholder": placeholder});
    let revealed = peer.ask(reveal.clone()).await;
    assert_eq!(revealed[0]["item"]["value_base64"], "Z2hwX/92YWx1ZQ==");
    let notes = server.state.vault.reveals(uid()).unwrap();
    assert_eq!(
        notes.iter().map(|note| note.by).collect::<Vec<_>>(),
        [uid()]
    );

    let forget = json!({"request": "secrets-forget", "placeholder": placeholder});
    assert_eq!(peer.ask(forget.clone()).await, ["end"]);
    for request in [reveal, forget] {
        assert_eq!(peer.ask(request).await[0]["error"]["code"], "not-found");
    }
    let mangled = json!({"request": "secrets-reveal", "placeholder": placeholder + "A"});
    assert_eq!(peer.ask(mangled).await[0]["error"]["code"], "bad-request");
}

#[tokio::test]
async fn root_sees_what_belongs_to_others_and_nobody_else_does() {
    let server = Server::start();
    let other = uid() + 4242;
    let placeholder = server.seal(other, b"theirs").await.to_string();
    server.event(other, "theirs");
    server.state.recorder.flush();
    let mut peer = server.connect().await;
    let sessions = peer
        .ask(json!({"request": "sessions-list", "limit": 5}))
        .await;
    let secrets = peer.ask(json!({"request": "secrets-list"})).await;
    let request = json!({"request": "secrets-reveal", "placeholder": placeholder, "uid": other});
    let reveal = peer.ask(request).await;
    if uid() == 0 {
        assert_eq!(sessions[0]["item"]["process"]["uid"], other);
        assert_eq!(secrets[0]["item"]["uid"], other);
        assert_eq!(reveal[0]["item"]["value_base64"], "dGhlaXJz");
    } else {
        assert_eq!(sessions, ["end"]);
        assert_eq!(secrets, ["end"]);
        assert_eq!(reveal[0]["error"]["code"], "denied");
    }
}

#[tokio::test]
async fn only_root_pauses_and_not_for_ever() {
    let server = Server::start();
    let mut peer = server.connect().await;
    let paused = peer.ask(json!({"request": "pause", "seconds": 600})).await;
    if uid() != 0 {
        assert_eq!(paused[0]["error"]["code"], "denied");
        assert!(server.told.0.lock().unwrap().is_empty());
        return;
    }
    let until: Timestamp = paused[0]["item"]["paused_until"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let left = until.as_second() - Timestamp::now().as_second();
    assert!((590..=600).contains(&left), "{left}");
    let resumed = peer.ask(json!({"request": "pause", "seconds": 0})).await;
    assert_eq!(resumed[0]["item"]["paused_until"], Value::Null);
    let long = peer
        .ask(json!({"request": "pause", "seconds": 604_801}))
        .await;
    assert_eq!(long[0]["error"]["code"], "bad-request");
    let told = server.told.0.lock().unwrap().clone();
    let pid = Some(std::process::id());
    let by = Asker { pid, uid: 0 };
    assert_eq!(told, [(Duration::from_secs(600), by), (Duration::ZERO, by)]);
}

#[tokio::test]
async fn nonsense_is_answered_and_the_connection_goes_on() {
    let server = Server::start();
    let mut peer = server.connect().await;
    let deep = "[".repeat(10_000);
    let nonsense: [&[u8]; 7] = [
        b"",
        b"\xff\xfe\x00",
        b"null",
        b"{\"request\":\"reboot\"}",
        b"{\"request\":\"sessions-list\",\"limit\":-1}",
        b"{\"request\":\"sessions-show\",\"id\":\"../../etc\"}",
        deep.as_bytes(),
    ];
    for bytes in nonsense {
        peer.send(bytes).await;
        peer.send(b"\n").await;
        assert_eq!(peer.line().await.unwrap()["error"]["code"], "bad-request");
    }
    let list = peer
        .ask(json!({"request": "sessions-list", "limit": u64::MAX}))
        .await;
    assert_eq!(list, ["end"]);
}

#[tokio::test]
async fn a_line_without_end_is_cut_off() {
    let server = Server::start();
    let mut peer = server.connect().await;
    let (mut read, mut write) = peer.0.get_mut().split();
    let flood = vec![b'a'; 1 << 20];
    // The server stops reading and closes: the write fails, or what it wrote is not answered.
    timeout(Duration::from_secs(5), write.write_all(&flood))
        .await
        .unwrap()
        .ok();
    let mut rest = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut read, &mut rest)
        .await
        .ok();
    assert!(rest.is_empty(), "no answer");
    assert_eq!(
        server
            .connect()
            .await
            .ask(json!({"request": "status"}))
            .await
            .len(),
        2
    );
}

#[tokio::test]
async fn a_crowd_of_one_user_is_bounded_and_leaves_again() {
    let server = Server::start();
    let mut crowd = Vec::new();
    for _ in 0..seats::PER_USER {
        let mut peer = server.connect().await;
        peer.ask(json!({"request": "status"})).await; // it has its seat now
        crowd.push(peer);
    }
    let mut late = server.connect().await;
    assert_eq!(late.line().await.unwrap()["error"]["code"], "unavailable");
    assert_eq!(late.line().await, None);
    drop(crowd);
    let mut answered = false;
    for _ in 0..100 {
        let mut peer = server.connect().await;
        answered = peer.ask(json!({"request": "status"})).await.len() == 2;
        if answered {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(answered);
}

#[tokio::test]
async fn a_watcher_that_leaves_is_forgotten() {
    let server = Server::start();
    let mut watcher = server.connect().await;
    watcher.send(b"{\"request\":\"sessions-tail\"}\n").await;
    let watched = async |count| {
        while server.state.recorder.watchers() != count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(5), watched(1)).await.unwrap();
    drop(watcher);
    timeout(Duration::from_secs(5), watched(0)).await.unwrap();
}

#[tokio::test]
async fn a_stale_socket_is_replaced_and_a_living_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b/control.sock");
    let first = bind(&path).unwrap();
    assert_eq!(bind(&path).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    drop(first);
    let second = bind(&path).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o666, 0o755));
    drop(second);
}

#[tokio::test]
async fn only_root_rotates_the_ca() {
    let server = Server::start();
    let mut peer = server.connect().await;
    let rotated = peer.ask(json!({"request": "rotate"})).await;
    if uid() == 0 {
        assert_eq!(rotated[0]["item"]["sha256"], "CD");
    } else {
        assert_eq!(rotated[0]["error"]["code"], "denied");
    }
}
