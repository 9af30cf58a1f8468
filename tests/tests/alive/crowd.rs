//! Clients that keep coming, whatever becomes of those before them, and a service that notes what
//! reached it in clear: that is what went past the guard.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{JoinHandle, sleep, spawn},
    time::{Duration, Instant},
};

use lab::{Dialect, Lab, Place, Turn, clients, samples};

/// From one client to the next.
const EVERY: Duration = Duration::from_millis(60);
/// How long a request may take before its client gives up.
const PATIENCE: &str = "8";

/// What one request came to.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) started: Instant,
    pub(crate) ended: Instant,
    /// What curl said, if it failed.
    pub(crate) error: Option<String>,
}

/// When requests with the secret in clear reached the service.
#[derive(Clone, Default)]
pub(crate) struct InClear(Arc<Mutex<Vec<Instant>>>);

/// The clients; they stop when told to.
pub(crate) struct Crowd {
    stop: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<Asked>>>,
    source: Option<JoinHandle<()>>,
}

pub(crate) fn token() -> String {
    samples::github(7)
}

impl InClear {
    /// A service that echoes, and notes.
    pub(crate) fn serve(lab: &Lab) -> Self {
        let (noted, token) = (Self::default(), token());
        let notes = noted.clone();
        lab.ai(Dialect::Chat.host(), move |asked| {
            if asked.user.contains(&token) {
                notes.0.lock().unwrap().push(Instant::now());
            }
            Turn::echo(asked)
        });
        noted
    }

    /// The first since then.
    pub(crate) fn first_since(&self, since: Instant) -> Option<Instant> {
        let noted = self.0.lock().unwrap();
        noted.iter().copied().filter(|at| *at >= since).min()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Crowd {
    /// Starts to ask from a place.
    pub(crate) fn gather(place: &Place) -> Self {
        let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let (place, until) = (place.clone(), Arc::clone(&stop));
        let sink: Arc<Mutex<Vec<Asked>>> = Arc::clone(&asked);
        let source = spawn(move || {
            let mut clients = Vec::new();
            while !until.load(Relaxed) {
                let (place, sink) = (place.clone(), Arc::clone(&sink));
                clients.push(spawn(move || {
                    let one = ask(&place);
                    sink.lock().unwrap().push(one);
                }));
                sleep(EVERY);
            }
            for client in clients {
                client.join().expect("a client");
            }
        });
        Self {
            stop,
            asked,
            source: Some(source),
        }
    }

    /// Waits until so many requests that began after `since` are done.
    pub(crate) fn goes_on(&self, since: Instant, count: usize) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let done = || {
            let asked = self.asked.lock().unwrap();
            asked.iter().filter(|one| one.started >= since).count()
        };
        while done() < count {
            assert!(
                Instant::now() < deadline,
                "only {} of {count} requests",
                done()
            );
            sleep(Duration::from_millis(10));
        }
    }

    /// Ends it: all requests, in the order of their ends.
    pub(crate) fn disperse(mut self) -> Vec<Asked> {
        self.stop.store(true, Relaxed);
        let source = self.source.take().expect("it is taken once");
        source.join().expect("the clients");
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Crowd {
    /// A test that failed must not leave clients behind in a lab that is torn down.
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(source) = self.source.take() {
            source.join().ok();
        }
    }
}

/// One request with the secret in it, on a connection of its own; its answer has to say the same.
pub(crate) fn ask(place: &Place) -> Asked {
    let body = Dialect::Chat.request(&token(), false).to_string();
    let started = Instant::now();
    let done = clients::post(place, &Dialect::Chat.url(), &body)
        .args(["--max-time", PATIENCE])
        .run();
    let error = (!done.status.success()).then(|| done.errors());
    if error.is_none() {
        assert_eq!(Dialect::Chat.said(&done.text(), false), token());
    }
    Asked {
        started,
        ended: Instant::now(),
        error,
    }
}

/// Those that began after `since`.
pub(crate) fn after(asked: &[Asked], since: Instant) -> impl Iterator<Item = &Asked> {
    asked.iter().filter(move |one| one.started >= since)
}

#[allow(clippy::print_stderr, reason = "a figure for whoever reads the log")]
pub(crate) fn tell(figure: &str) {
    eprintln!("{figure}");
}
