//! Floods: what is kept, what is cut, and what is lost loudly.

use super::*;

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
