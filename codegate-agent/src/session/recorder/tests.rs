//! Records in, sessions out, for different viewers.

mod bounds;
mod disk;

use std::{fs, path::PathBuf, time::Instant};

use super::*;
use crate::{
    flow::Process,
    session::{Level, LoggedPath, Sealed, Tokens, Verdict, now},
};

const ROOT: u32 = 0;
const ALICE: u32 = 1000;
const BOB: u32 = 1001;

fn flow(pid: u32, start: u64, uid: u32) -> Flow {
    Flow {
        client: ([127, 0, 0, 1], 40000).into(),
        original: ([192, 0, 2, 1], 443).into(),
        process: Process {
            pid,
            start,
            uid,
            exe: Some("/usr/bin/curl".into()),
            comm: "curl".into(),
            cgroup: None,
            ..Process::default()
        },
    }
}

fn sealed(placeholder: &str) -> Sealed {
    Sealed {
        kind: "GITHUB".into(),
        rule: "github-token".into(),
        placeholder: placeholder.into(),
        count: 2,
    }
}

fn exchange(placeholders: &[&str]) -> Exchange {
    Exchange {
        time: now(),
        duration_us: 1500,
        method: "POST".into(),
        path: LoggedPath::new("/v1/messages?beta=true"),
        status: Some(200),
        dialect: "anthropic".into(),
        model: Some("claude".into()),
        tokens: Tokens {
            input: 10,
            output: 5,
            cached: 0,
        },
        bytes_out: 100,
        bytes_in: 200,
        sealed: placeholders.iter().map(|p| sealed(p)).collect(),
        restored: 1,
        personal: 0,
        packages: Vec::new(),
        events: Vec::new(),
    }
}

struct Fixture {
    dir: tempfile::TempDir,
    recorder: Option<Recorder>,
}

impl Fixture {
    fn new() -> Self {
        Self::with(Retention::default())
    }

    fn with(retention: Retention) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sessions.redb");
        let recorder = Some(Recorder::with_retention(&path, retention).unwrap());
        Self { dir, recorder }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("sessions.redb")
    }

    fn recorder(&self) -> &Recorder {
        self.recorder.as_ref().unwrap()
    }

    fn close(&mut self) {
        self.recorder = None;
    }

    fn reopen(&mut self) {
        self.close();
        self.recorder = Some(Recorder::open(&self.path()).unwrap());
    }

    fn exchange(&self, flow: &Flow, host: &str, placeholders: &[&str]) {
        self.recorder()
            .exchange(flow, host, "anthropic", exchange(placeholders));
    }

    fn list(&self, uid: u32) -> Vec<Session> {
        self.recorder().flush();
        self.recorder().list(Viewer::new(uid), 100).unwrap()
    }
}

#[test]
fn a_session_sums_up_its_exchanges_and_events() {
    let fixture = Fixture::new();
    let caller = flow(7, 1, ALICE);
    fixture.exchange(&caller, "api.anthropic.com", &[]);
    assert_eq!(fixture.list(ALICE)[0].verdict, Verdict::Clean);
    fixture.exchange(&caller, "API.anthropic.com.", &["CG_A", "CG_B"]);
    fixture.exchange(&caller, "api.anthropic.com", &["CG_B"]);
    assert_eq!(fixture.list(ALICE)[0].verdict, Verdict::Sealed);
    let event = Event::new(Level::Block, "unscannable", "the body is not JSON");
    fixture
        .recorder()
        .event(&caller, "api.anthropic.com", "anthropic", event.clone());

    let list = fixture.list(ALICE);
    assert_eq!(list.len(), 1);
    let session = &list[0];
    assert_eq!(
        (session.exchanges, session.secrets, session.events),
        (3, 2, 1)
    );
    assert_eq!((session.bytes_out, session.bytes_in), (300, 600));
    assert_eq!(
        (session.tokens_in, session.tokens_out, session.restored),
        (30, 15, 3)
    );
    assert_eq!(
        (session.verdict, session.model.as_deref()),
        (Verdict::Blocked, Some("claude"))
    );

    let detail = fixture
        .recorder()
        .show(Viewer::new(ALICE), session.id)
        .unwrap()
        .unwrap();
    assert_eq!(detail.session, *session);
    assert_eq!(detail.entries.len(), 4);
    assert_eq!(detail.entries[3], Entry::Event(event));
    assert_eq!(
        fixture.recorder().stats(),
        Stats {
            recorded: 4,
            lost: 0
        }
    );
}

#[test]
fn a_session_is_one_process_and_one_host() {
    let fixture = Fixture::new();
    fixture.exchange(&flow(7, 1, ALICE), "a.example", &[]);
    fixture.exchange(&flow(7, 1, ALICE), "b.example", &[]);
    fixture.exchange(&flow(7, 2, ALICE), "a.example", &[]);
    fixture.exchange(&flow(8, 1, ALICE), "a.example", &[]);
    fixture.exchange(&flow(7, 1, ALICE), "a.example", &[]);
    let list = fixture.list(ALICE);
    assert_eq!(list.len(), 4);
    assert!(list.is_sorted_by(|a, b| a.id > b.id), "newest first");
    assert_eq!(list[3].exchanges, 2);
    let two = fixture.recorder().list(Viewer::new(ALICE), 2).unwrap();
    assert_eq!(two, list[..2]);
}

#[test]
fn a_user_sees_their_own_and_root_sees_all() {
    let fixture = Fixture::new();
    fixture.exchange(&flow(1, 1, ALICE), "a.example", &[]);
    fixture.exchange(&flow(2, 1, BOB), "a.example", &[]);
    let alices = fixture.list(ALICE);
    assert_eq!(
        alices.iter().map(|s| s.process.uid).collect::<Vec<_>>(),
        [ALICE]
    );
    assert_eq!(fixture.list(ROOT).len(), 2);
    assert_eq!(fixture.list(4242).len(), 0);
    let show = |uid| {
        fixture
            .recorder()
            .show(Viewer::new(uid), alices[0].id)
            .unwrap()
    };
    assert!(show(ALICE).is_some() && show(ROOT).is_some());
    assert!(show(BOB).is_none());
}

#[test]
fn the_names_of_the_fields_are_the_contract() {
    let fixture = Fixture::new();
    fixture.exchange(&flow(7, 1, ALICE), "api.anthropic.com", &["CG_A"]);
    let session = fixture.list(ALICE).remove(0);
    let json = serde_json::to_string(&session).unwrap();
    let (id, started, last) = (session.id, session.started, session.last);
    assert_eq!(
        json,
        format!(
            r#"{{"id":"{id}","started":"{started}","process":{{"pid":7,"exe":"/usr/bin/curl","uid":1000,"comm":"curl"}},"host":"api.anthropic.com","provider":"anthropic","model":"claude","exchanges":1,"secrets":1,"packages":0,"personal":0,"verdict":"sealed","bytes_out":100,"bytes_in":200,"last":"{last}","tokens_in":10,"tokens_out":5,"restored":1,"events":0}}"#
        )
    );
    let detail = fixture
        .recorder()
        .show(Viewer::new(ALICE), id)
        .unwrap()
        .unwrap();
    let time = detail.entries[0].time();
    assert_eq!(
        serde_json::to_string(&detail.entries[0]).unwrap(),
        format!(
            r#"{{"type":"exchange","time":"{time}","duration_us":1500,"method":"POST","path":"/v1/messages?beta","status":200,"dialect":"anthropic","model":"claude","tokens":{{"input":10,"output":5,"cached":0}},"bytes_out":100,"bytes_in":200,"sealed":[{{"kind":"GITHUB","rule":"github-token","placeholder":"CG_A","count":2}}],"restored":1,"personal":0,"packages":[],"events":[]}}"#
        )
    );
}
