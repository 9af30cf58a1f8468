//! Records in, sessions out: over restarts, damage, floods and different viewers.

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

#[test]
fn sessions_outlive_the_agent_and_go_on() {
    let mut fixture = Fixture::new();
    fixture.exchange(&flow(7, 1, ALICE), "a.example", &["CG_A"]);
    fixture.reopen(); // without a flush: closing writes what is queued
    fixture.exchange(&flow(7, 1, ALICE), "a.example", &["CG_A"]);
    fixture.exchange(&flow(8, 1, ALICE), "a.example", &[]);
    let list = fixture.list(ALICE);
    assert_eq!(list.len(), 2);
    assert_eq!((list[1].exchanges, list[1].secrets), (2, 1));
    assert!(list[0].id > list[1].id);
}

#[test]
fn another_boot_is_another_process() {
    let mut fixture = Fixture::new();
    fixture.exchange(&flow(7, 1, ALICE), "a.example", &[]);
    fixture.reopen();
    let stored = fixture.recorder().inner.store.all().unwrap();
    let key = stored[0].key();
    assert!(Index::new(stored.clone(), &boot_id()).find(&key).is_some());
    assert!(Index::new(stored, "another boot").find(&key).is_none());
}

#[test]
fn the_file_is_for_nobody_elses_eyes_and_for_one_agent() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::new();
    let mode = fs::metadata(fixture.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(matches!(
        Recorder::open(&fixture.path()),
        Err(Error::Open { .. })
    ));
    assert!(fixture.path().exists(), "a file in use is not damage");
}

#[test]
fn a_damaged_database_is_moved_aside() {
    let mut fixture = Fixture::new();
    fixture.exchange(&flow(7, 1, ALICE), "a.example", &["CG_A"]);
    fixture.close();
    let good = fs::read(fixture.path()).unwrap();
    let aside = fixture.dir.path().join("sessions.redb.corrupt");
    let mut zeroed = good.clone();
    zeroed[..64].fill(0);
    for bad in [
        b"not a database".to_vec(),
        good[..good.len() / 2].to_vec(),
        zeroed,
    ] {
        fs::write(fixture.path(), &bad).unwrap();
        fixture.reopen();
        assert_eq!(fixture.list(ALICE).len(), 0);
        fixture.exchange(&flow(7, 1, ALICE), "a.example", &[]);
        assert_eq!(fixture.list(ALICE).len(), 1, "history starts anew");
        assert_eq!(fs::read(&aside).unwrap().len(), bad.len());
        fixture.close();
    }
}

#[test]
fn no_flipped_byte_keeps_the_agent_from_starting() {
    let mut fixture = Fixture::new();
    for pid in 0..20 {
        fixture.exchange(&flow(pid, 1, ALICE), "a.example", &["CG_A"]);
    }
    fixture.close();
    let good = fs::read(fixture.path()).unwrap();
    let used = good.iter().rposition(|b| *b != 0).unwrap();
    for at in (0..used).step_by(used / 60) {
        let mut bad = good.clone();
        bad[at] ^= 0x55;
        fs::write(fixture.path(), &bad).unwrap();
        fixture.reopen();
        fixture.exchange(&flow(99, 1, ALICE), "a.example", &[]);
        let list = fixture.list(ALICE);
        assert!(list.iter().any(|s| s.process.pid == 99), "byte {at}");
        fixture.close();
    }
}

#[test]
fn an_empty_file_is_a_new_database() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sessions.redb");
    fs::write(&path, "").unwrap();
    let recorder = Recorder::open(&path).unwrap();
    assert_eq!(recorder.list(Viewer::new(ROOT), 1).unwrap(), []);
}

#[test]
fn a_missing_directory_is_an_error_and_no_panic() {
    let error = Recorder::open(Path::new("/nonexistent/sessions.redb")).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("/nonexistent/sessions.redb: "),
        "{error}"
    );
}

#[test]
fn the_session_that_was_silent_longest_goes_first() {
    let mut fixture = Fixture::with(Retention {
        sessions: 3,
        ..Retention::default()
    });
    for pid in [1, 2, 3] {
        fixture.exchange(&flow(pid, 1, ALICE), "a.example", &["CG_A"]);
        fixture.list(ALICE);
        thread::sleep(std::time::Duration::from_millis(2));
    }
    fixture.exchange(&flow(1, 1, ALICE), "a.example", &[]);
    thread::sleep(std::time::Duration::from_millis(2));
    fixture.exchange(&flow(4, 1, ALICE), "a.example", &[]);
    let pids = |list: Vec<Session>| list.iter().map(|s| s.process.pid).collect::<Vec<_>>();
    assert_eq!(
        pids(fixture.list(ALICE)),
        [4, 3, 1],
        "2 is gone, 1 spoke again"
    );
    fixture.exchange(&flow(2, 1, ALICE), "a.example", &["CG_A"]);
    let list = fixture.list(ALICE);
    assert_eq!(
        list[0].secrets, 1,
        "a new session knows nothing of the old one"
    );
    fixture.reopen();
    assert_eq!(fixture.list(ALICE).len(), 3);
}

#[test]
fn entries_are_bounded_per_session_and_in_all() {
    let fixture = Fixture::with(Retention {
        sessions: 100,
        entries: 25,
        entries_per_session: 10,
    });
    let entries = |session: &Session| {
        let detail = fixture
            .recorder()
            .show(Viewer::new(ALICE), session.id)
            .unwrap();
        detail.unwrap().entries.len()
    };
    for pid in 1..=4 {
        for _ in 0..15 {
            fixture.exchange(&flow(pid, 1, ALICE), "a.example", &[]);
        }
        fixture.list(ALICE);
    }
    let list = fixture.list(ALICE);
    assert_eq!(
        list.iter().map(|s| s.process.pid).collect::<Vec<_>>(),
        [4, 3]
    );
    assert!(
        list.iter().all(|s| s.exchanges == 15),
        "the counts stay true"
    );
    assert_eq!(list.iter().map(entries).collect::<Vec<_>>(), [10, 10]);
}

#[tokio::test]
async fn a_watcher_sees_what_is_theirs_as_it_comes() {
    let fixture = Fixture::new();
    let mut alice = fixture.recorder().tail(Viewer::new(ALICE));
    let mut root = fixture.recorder().tail(Viewer::new(ROOT));
    fixture.exchange(&flow(2, 1, BOB), "b.example", &[]);
    fixture.exchange(&flow(1, 1, ALICE), "a.example", &[]);
    let pid = |tailed: Option<Tailed>| match tailed {
        Some(Tailed::Update(update)) => update.session.process.pid,
        other => panic!("{other:?}"),
    };
    assert_eq!(pid(root.next().await), 2);
    assert_eq!(pid(root.next().await), 1);
    assert_eq!(pid(alice.next().await), 1);
    drop(fixture);
    assert_eq!(alice.next().await, None);
}

#[tokio::test]
async fn a_slow_watcher_is_told() {
    let fixture = Fixture::new();
    let mut tail = fixture.recorder().tail(Viewer::new(ALICE));
    for _ in 0..=WATCHED {
        fixture.exchange(&flow(1, 1, ALICE), "a.example", &[]);
    }
    fixture.recorder().flush();
    assert_eq!(tail.next().await, Some(Tailed::Missed));
    assert!(matches!(tail.next().await, Some(Tailed::Update(_))));
}

#[test]
fn a_full_queue_loses_records_loudly_and_holds_nobody_up() {
    let fixture = Fixture::new();
    let database = fixture.recorder().inner.store.database().unwrap();
    let stuck = database.begin_write().unwrap(); // as a disk that hangs
    let total = (QUEUE * 2) as u64;
    let began = Instant::now();
    for _ in 0..total {
        fixture.exchange(&flow(1, 1, ALICE), "a.example", &[]);
    }
    assert!(began.elapsed().as_secs() < 5, "nobody waits for the disk");
    assert!(fixture.recorder().stats().lost > 0);
    drop(stuck);
    let session = fixture.list(ALICE).remove(0);
    let stats = fixture.recorder().stats();
    assert_eq!(stats.recorded + stats.lost, total);
    assert_eq!(session.exchanges, stats.recorded);
}

#[test]
fn the_database_can_be_opened_again_under_the_writer() {
    let fixture = Fixture::new();
    fixture.exchange(&flow(1, 1, ALICE), "a.example", &[]);
    fixture.list(ALICE);
    fixture.recorder().inner.store.reopen().unwrap();
    fixture.exchange(&flow(1, 1, ALICE), "a.example", &[]);
    assert_eq!(fixture.list(ALICE)[0].exchanges, 2);
}

#[test]
fn what_a_peer_makes_long_is_cut() {
    let fixture = Fixture::new();
    let mut long = exchange(&[]);
    long.model = Some("é".repeat(10_000));
    long.method = "M".repeat(10_000);
    long.path = LoggedPath::new(&format!("/{}", "p".repeat(10_000)));
    long.sealed = vec![sealed("CG_A"); 10_000];
    let event = Event::new(Level::Alert, "x", "m".repeat(10_000));
    long.events = vec![event; 10_000];
    fixture
        .recorder()
        .exchange(&flow(1, 1, ALICE), "a.example", "openai", long);
    let session = fixture.list(ALICE).remove(0);
    assert!(session.model.unwrap().len() < 600);
    let detail = fixture
        .recorder()
        .show(Viewer::new(ALICE), session.id)
        .unwrap()
        .unwrap();
    let json = serde_json::to_string(&detail.entries).unwrap();
    assert!(json.len() < 300_000, "{}", json.len());
}

#[test]
fn a_path_keeps_names_and_loses_values() {
    let table = [
        ("/v1/messages?beta=true", "/v1/messages?beta"),
        (
            "/v1beta/m:gen?alt=sse&key=AIzaSECRET",
            "/v1beta/m:gen?alt&key",
        ),
        ("/v1/x?AIzaSECRET", "/v1/x"),
        ("/v1/x?a=1?key=SECRET&b=2#SECRET", "/v1/x?a&b"),
        ("/v1/x?SECRET%20=1&$top=3", "/v1/x?$top"),
        ("/v1/x?", "/v1/x"),
        ("", ""),
    ];
    for (target, expected) in table {
        assert_eq!(LoggedPath::new(target).as_str(), expected, "{target}");
    }
}

#[test]
fn after_a_failure_the_writer_counts_its_losses_and_goes_on() {
    let fixture = Fixture::new();
    fixture.exchange(&flow(1, 1, ALICE), "a.example", &[]);
    fixture.list(ALICE);
    fixture.recorder().inner.store.close();
    assert!(matches!(
        fixture.recorder().list(Viewer::new(ALICE), 1),
        Err(Error::Closed)
    ));
    fixture.exchange(&flow(1, 1, ALICE), "a.example", &[]);
    fixture.recorder().flush();
    assert_eq!(
        fixture.recorder().stats(),
        Stats {
            recorded: 1,
            lost: 1
        }
    );
    fixture.exchange(&flow(1, 1, ALICE), "a.example", &[]);
    assert_eq!(
        fixture.list(ALICE)[0].exchanges,
        2,
        "the same session goes on"
    );
    assert_eq!(
        fixture.recorder().stats(),
        Stats {
            recorded: 2,
            lost: 1
        }
    );
}
